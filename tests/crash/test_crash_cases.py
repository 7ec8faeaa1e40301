"""Crashes at moments of their own: an episode that kills its worker, and an erasure cut short while snapshots lie on disk."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.crash import checks
from tests.crash.harness import drained
from tests.crash.processes import POISON, SMALL_LIMITS, Process, environment
from tests.support.bytes_on_disk import files_holding

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="needs SIGKILL and /proc"),
]

SECRET = "xylophonist"


class Lives:
    """One store and the servers that live on it, one after another."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"
        self.processes: list[Process] = []

    def start(self, program: str, **more: str) -> Process:
        log = self.root / f"{len(self.processes)}.log"
        self.processes.append(Process("serve", environment(self.data, **more), log, program=program))
        assert self.processes[-1].started(), self.processes[-1].said()
        return self.processes[-1]

    def files_that_hold(self, word: str) -> list[str]:
        return sorted(files_holding(self.data, word))


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    lives = Lives(tmp_path)
    yield lives
    for process in lives.processes:
        process.kill()
    shutil.rmtree(tmp_path)


def test_an_episode_that_kills_its_worker_becomes_a_dead_letter_and_takes_no_other_along(lives: Lives) -> None:
    texts = ["tea", "rain", "poison", "Oslo", "kernel", "bicycle"]
    episodes = [{"id": text, "content": text} for text in texts]
    server = lives.start(POISON)
    try:
        with server.connect() as client:
            client.post("/v1/namespaces/deadly/episodes", json={"episodes": episodes})
    except httpx2.TransportError:
        pass  # it may die before it has answered
    deaths = 0
    while server.died(within_s=3):
        deaths += 1
        assert deaths < 8, "the crash loop does not end"
        server = lives.start(POISON)
    with server.connect() as client:
        assert drained(client)
        listed = client.get("/v1/namespaces/deadly/episodes").json()["items"]
        letters = client.get("/v1/namespaces/deadly/dead-letters").json()["items"]
    assert {episode["id"]: episode["status"] for episode in listed} == {
        text: "dead" if text == "poison" else "enriched" for text in texts
    }
    assert [(letter["episode_id"], letter["reason"]) for letter in letters] == [
        ("poison", "the worker died during every attempt at this episode")
    ]


@pytest.mark.parametrize(
    ("address", "again"),
    [
        pytest.param("/episodes/secret", 204, id="episode"),
        pytest.param("/sessions/private", 404, id="session"),
        pytest.param("", 404, id="namespace"),
    ],
)
def test_an_erasure_cut_short_leaves_no_word_on_disk_once_it_is_sent_again(
    lives: Lives, address: str, again: int
) -> None:
    server = lives.start(SMALL_LIMITS, MEMORY_FAILPOINT="erase:committed:1")
    with server.connect() as client:
        _fill(client)
        assert any(name.startswith("index/") for name in lives.files_that_hold(SECRET)), "there is a snapshot"
        with pytest.raises(httpx2.TransportError):
            client.delete(f"/v1/namespaces/case{address}")
    assert server.died(within_s=10)
    server = lives.start(SMALL_LIMITS)
    with server.connect() as client:
        assert client.delete(f"/v1/namespaces/case{address}").status_code == again
        assert lives.files_that_hold(SECRET) == []


def test_a_snapshot_cut_short_is_cleared_away_at_the_next_start(lives: Lives) -> None:
    server = lives.start(SMALL_LIMITS, MEMORY_FAILPOINT="snapshot:half:1")
    with server.connect() as client, pytest.raises(httpx2.TransportError):
        _fill(client)
    assert server.died(within_s=10)
    assert checks.leftovers(lives.data) != []
    server = lives.start(SMALL_LIMITS)
    assert checks.leftovers(lives.data) == []


def _fill(client: httpx2.Client) -> None:
    """Enough for a snapshot: an episode with a secret, and others around it."""
    secret = {"id": "secret", "session_id": "private", "content": f"the {SECRET} of Bergen"}
    others = [{"id": f"{n}", "session_id": "open", "content": f"about tea {n}"} for n in range(12)]
    body = {"episodes": [secret, *others]}
    client.post("/v1/namespaces/case/episodes", json=body, params={"wait": "enriched"}).raise_for_status()
    client.post("/v1/namespaces/case/search", json={"query": "tea"}).raise_for_status()
