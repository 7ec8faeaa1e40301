"""A disk that fails or is full: nothing is acknowledged that is not stored, reads go on, and so do writes when it works again."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from tests.crash import checks, loadgen, powerloss
from tests.crash.harness import drained
from tests.crash.loadgen import Journal, Outcome, Plan
from tests.crash.processes import SMALL_LIMITS, Process, environment

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"),
]

EPISODES = "/v1/namespaces/disk/episodes"
NAMESPACES = ("disk", "other")


class Service:
    """A server on a disk that can be broken."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"
        self.shadow, self.control = root / "shadow", root / "control"
        self.start()

    def start(self) -> None:
        shim = powerloss.environment(self.data, self.shadow, self.control)
        self.process = Process("serve", environment(self.data, **shim), self.root / "log", program=SMALL_LIMITS)
        assert self.process.started(), self.process.said()
        self.client = self.process.connect()

    def cut_power(self, torn: Random | None = None) -> None:
        self.process.kill()
        powerloss.clear(self.control)
        powerloss.restore(self.data, self.shadow, torn)

    def append(self, *contents: str, **query: str) -> httpx2.Response:
        """A batch whose ids are its contents."""
        batch = [{"id": content, "content": content} for content in contents]
        return self.client.post(EPISODES, json={"episodes": batch}, params=query)

    def stored(self) -> list[str]:
        return [episode["id"] for episode in loadgen.list_episodes(self.client.get, "disk")]

    def found(self, word: str) -> list[str]:
        answer = self.client.post("/v1/namespaces/disk/search", json={"query": word})
        assert answer.status_code == 200
        return [result["id"] for result in answer.json()["results"]]

    def settle(self) -> None:
        """Until the worker is idle: a sync that fails then is the next append's."""
        assert drained(self.client)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.client.close()
    service.process.kill()


def problem(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    return response.status_code, body["type"].rpartition(":")[2]


# --- a sync that fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [False, True], ids=["bytes-stay-dirty", "bytes-count-as-clean"])
def test_an_append_whose_sync_fails_is_refused_and_not_stored(service: Service, lose: bool) -> None:
    assert service.append("before").status_code == 202
    service.settle()
    powerloss.fail_next_syncs(service.control, 1, lose=lose)
    assert problem(service.append("first", "second")) == (503, "storage-unavailable")
    assert service.stored() == ["before"]
    assert service.found("second") == ["before"]
    assert service.append("first", "second").status_code == 202
    assert service.append("after").status_code == 202
    assert service.stored() == ["before", "first", "second", "after"]
    service.cut_power()
    service.start()
    assert service.stored() == ["before", "first", "second", "after"]


def test_an_append_refused_for_its_sync_is_whole_or_absent_after_a_power_cut(service: Service) -> None:
    # Its bytes were written; whether the disk kept them, nobody knows. That is why the answer is 503 and not 4xx.
    for attempt in range(4):
        batch = [f"{attempt}-{n}" for n in range(3)]
        service.settle()
        powerloss.fail_next_syncs(service.control, 1)
        assert service.append(*batch).status_code == 503
        service.cut_power(Random(attempt))
        service.start()
        assert [name for name in service.stored() if name in batch] in ([], batch)
        assert service.append(*batch).status_code == 202
        assert [name for name in service.stored() if name in batch] == batch


def test_under_load_failing_syncs_refuse_some_writes_and_lose_none(service: Service) -> None:
    journal = Journal()
    load = loadgen.start(service.process.connect, Plan(3, operations=60, namespaces=NAMESPACES, max_batch=6), journal)
    chance = Random(3)
    while any(not worker.done() for worker in load.workers):
        powerloss.fail_next_syncs(service.control, chance.randint(1, 3), lose=chance.random() < 0.5)
        time.sleep(0.03)
    load.join()
    powerloss.clear(service.control)
    refused = [attempt.status for attempt in journal.attempts if attempt.outcome is Outcome.UNKNOWN]
    assert set(refused) == {503}
    loadgen.retry_unknown(service.process.connect, journal)
    assert loadgen.verify(service.client.get, journal) == []
    assert drained(service.client)
    assert settled(service) == []


def test_a_failing_sync_does_not_stop_enrichment(service: Service) -> None:
    powerloss.slow_syncs(service.control, 50)
    assert service.append("Oslo", "Bergen").status_code == 202
    powerloss.fail_next_syncs(service.control, 1)  # now the worker's
    assert drained(service.client)
    assert "memory_worker_outages_total 1.0" in service.client.get("/metrics").text
    assert settled(service) == []


# --- a disk that is full ------------------------------------------------------------------------------------------


def test_a_full_disk_refuses_writes_and_answers_reads(service: Service) -> None:
    assert service.append("before", wait="enriched").status_code == 202
    powerloss.fill_disk(service.control)
    assert problem(service.append("first", "second")) == (507, "storage-full")
    assert problem(service.client.delete(f"{EPISODES}/before")) == (507, "storage-full")
    assert service.stored() == ["before"]
    assert service.found("before") == ["before"]
    assert service.client.get(f"{EPISODES}/first").status_code == 404
    assert service.client.get("/v1/namespaces/disk/export").text.count('"type":"episode"') == 1
    assert service.client.get("/healthz").status_code == 200


def test_a_service_that_starts_on_a_full_disk_answers_reads_and_refuses_writes(service: Service) -> None:
    assert service.append("before", wait="enriched").status_code == 202
    service.process.kill()  # what it stored is in its write-ahead log, which is not to be moved now
    powerloss.fill_disk(service.control)
    service.start()
    assert service.stored() == ["before"]
    assert service.found("before") == ["before"]
    assert problem(service.append("after")) == (507, "storage-full")
    powerloss.clear(service.control)
    assert service.append("after").status_code == 202


def test_writes_go_on_when_there_is_room_again(service: Service) -> None:
    powerloss.fill_disk(service.control)
    assert service.append("first", "second").status_code == 507
    powerloss.clear(service.control)
    assert service.append("first", "second").status_code == 202
    assert service.stored() == ["first", "second"]
    assert drained(service.client)
    assert settled(service) == []


def test_a_disk_that_is_full_now_and_then_under_load_loses_nothing(service: Service) -> None:
    journal = Journal()
    load = loadgen.start(service.process.connect, Plan(5, operations=80, namespaces=NAMESPACES, max_batch=6), journal)
    while any(not worker.done() for worker in load.workers):
        powerloss.fill_disk(service.control)
        time.sleep(0.05)
        powerloss.clear(service.control)
        time.sleep(0.05)
    load.join()
    refused = {attempt.status for attempt in journal.attempts if attempt.outcome is Outcome.UNKNOWN}
    assert refused == {507}
    loadgen.retry_unknown(service.process.connect, journal)
    assert loadgen.verify(service.client.get, journal) == []
    assert drained(service.client)
    assert settled(service) == []


def settled(service: Service) -> list[str]:
    """What a stopped service leaves wrong in its files."""
    letters = [service.client.get(f"/v1/namespaces/{name}/dead-letters").json()["items"] for name in NAMESPACES]
    assert letters == [[], []]
    assert service.process.stop()
    before, after = checks.digests(service.data, service.root / "copy")
    assert before == after
    return [*checks.unsound(service.data), *checks.leftovers(service.data)]


# --- the doctor ---------------------------------------------------------------------------------------------------

_TINY = """
mount -t tmpfs -o size=8m tmpfs "$1" || exit 77
"$2" -P -m memory_service keys create someone --data-dir "$1/data" > /dev/null || exit 78
dd if=/dev/zero of="$1/everything" bs=4k 2> /dev/null
"$2" -P -m memory_service doctor
"""


def test_the_doctor_says_that_the_disk_is_full_and_what_to_do(tmp_path: Path) -> None:
    variables = environment(tmp_path / "data")
    command = ["unshare", "-rm", "sh", "-c", _TINY, "sh", str(tmp_path), sys.executable]
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1)")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        pytest.skip(f"cannot mount a small disk here: {done.stderr[-200:]}")
    assert done.returncode == 1
    lines = dict(line[4:].split(": ", 1) for line in done.stdout.splitlines())
    assert lines["free space"].startswith("0 MiB are free. Writes will be refused with 507")
    assert "free space, or move the store" in lines["free space"]
    assert "damaged" not in lines["database"], "a full disk is no reason to restore a backup"
