"""The service under test: a real server process, through the SDK."""

import os
import signal

import pytest

from eval.dataset import History, Question, Turn
from eval.errors import SystemFailed
from eval.readers.longmemeval import read_longmemeval
from eval.systems.server import Server
from eval.systems.service import Service
from memory_service.client import MemoryClient
from memory_service.errors import ConnectionFailed
from tests.eval.files import longmemeval_item, write

pytestmark = pytest.mark.process
SETTINGS = {"MEMORY_EMBEDDING_MODEL": "test"}


@pytest.fixture
def task(tmp_path):
    return next(iter(read_longmemeval(write(tmp_path / "s.json", [longmemeval_item()])).tasks))


@pytest.fixture
def service():
    system = Service(settings=SETTINGS)
    yield system
    system.close()


def test_it_finds_what_it_was_told_and_says_what_it_cost(service, task):
    ingested = service.ingest([task.history])
    ranking = service.search(task.history, task.questions[0], 10)
    assert ranking.ids[0] == "answer_1_1"
    assert ranking.scores[0] == max(ranking.scores)
    assert ingested.episodes == 5
    assert ingested.seconds > 0
    assert ingested.stored_bytes is not None
    assert ingested.stored_bytes > 0


def test_the_questions_date_is_what_relative_times_are_read_from(service):
    from datetime import UTC, datetime

    turns = tuple(
        Turn(f"t{day}", "s", None, "user", "I went running.", datetime(2023, 5, day, 9, tzinfo=UTC))
        for day in (3, 12, 20)
    )
    history = History("h", turns)
    service.ingest([history])
    asked = Question("q", "Where did I go yesterday?", "g", "", (), asked_at=datetime(2023, 5, 13, 9, tzinfo=UTC))
    assert service.search(history, asked, 1).ids == ("t12",)


def test_its_settings_name_only_what_differs_from_what_is_shipped():
    assert Service(settings=SETTINGS, shown={}).settings["changed"] == {}


def test_a_setting_that_stops_it_from_starting_is_told():
    with pytest.raises(SystemFailed, match="MEMORY_EMBEDDING_THREADS"):
        Service(settings={"MEMORY_EMBEDDING_THREADS": "many"}).ingest([History("h", ())])


def test_a_server_that_dies_is_told_and_leaves_nothing_behind(tmp_path, task):
    started: list[Server] = []

    def start(folder, settings):
        started.append(Server(folder, settings))
        return started[0]

    service = Service(settings=SETTINGS, start=start)
    service.ingest([task.history])
    os.kill(started[0]._process.pid, signal.SIGKILL)
    started[0]._process.wait()
    with pytest.raises(SystemFailed, match="ended during the run"):
        service.search(task.history, task.questions[0], 10)
    service.close()
    assert not started[0].data_dir.exists()


def test_a_running_service_is_measured_at_its_address_and_left_as_it_was(tmp_path, task):
    server = Server(tmp_path, SETTINGS)
    try:
        service = Service(url=server.url)
        service.ingest([task.history])
        assert service.search(task.history, task.questions[0], 10).ids[0] == "answer_1_1"
        service.close()
        with MemoryClient(server.url) as client:
            assert client.namespaces().items == []
        assert server.is_alive
    finally:
        server.stop()


def test_a_service_that_is_down_is_one_clear_error(task):
    service = Service(url="http://127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match="Is the service running"):
        service.ingest([task.history])
    service.close()
