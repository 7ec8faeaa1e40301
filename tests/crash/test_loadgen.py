"""The checker catches each way in which a service can fail its clients, shown on a small service that can be broken."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest

from tests.crash import loadgen
from tests.crash.loadgen import Append, Delete, Journal, Outcome, Plan

PLAN = Plan(seed=5, operations=60)


class FakeService:
    """Keeps its promises unless a test breaks it: by changing `stored`, or through `before` and `after`."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, dict[str, Any]]] = {}
        self.erased: set[tuple[str, str]] = set()
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        self.seq = 0
        self.lock = threading.Lock()
        self.before: Callable[[httpx2.Request], httpx2.Response | None] = lambda request: None
        self.after: Callable[[httpx2.Request, httpx2.Response], httpx2.Response] = lambda request, response: response

    def connect(self) -> httpx2.Client:
        return httpx2.Client(base_url="http://fake", transport=httpx2.MockTransport(self._handle))

    def violations(self, journal: Journal) -> set[str]:
        with self.connect() as client:
            return {violation.kind for violation in loadgen.verify(client.get, journal, settle_s=0.2)}

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        with self.lock:
            early = self.before(request)
            return early if early is not None else self.after(request, self._answer(request))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        _, _, namespace, _, *rest = request.url.raw_path.decode().split("?")[0].strip("/").split("/")
        name = unquote(namespace)
        if request.method == "POST":
            return self._append(name, json.loads(request.content), request.headers.get("Idempotency-Key"))
        if rest:
            return self._one(request.method, name, unquote(rest[0]))
        return self._page(name, int(request.url.params["limit"]), int(request.url.params.get("cursor", 0)))

    def _append(self, namespace: str, body: dict[str, Any], key: str | None) -> httpx2.Response:
        if key is not None and (namespace, key) in self.answers:
            return httpx2.Response(202, json=self.answers[namespace, key])
        episodes = self.stored.setdefault(namespace, {})
        if any((namespace, episode.get("id")) in self.erased for episode in body["episodes"]):
            return httpx2.Response(410)
        receipts = [self._store(episodes, body["session_id"], episode) for episode in body["episodes"]]
        answer = {"episodes": receipts, "seq": self.seq}
        if key is not None:
            self.answers[namespace, key] = answer
        return httpx2.Response(202, json=answer)

    def _store(self, episodes: dict[str, Any], session_id: str, sent: dict[str, Any]) -> dict[str, Any]:
        name = sent.get("id", f"made-{self.seq}")
        if name not in episodes:
            self.seq += 1
            fixed = {"id": name, "session_id": session_id, "kind": "message", "metadata": {}, "seq": self.seq}
            episodes[name] = sent | fixed
        return {"id": name, "seq": episodes[name]["seq"], "status": "stored"}

    def _one(self, method: str, namespace: str, name: str) -> httpx2.Response:
        episode = self.stored.get(namespace, {}).get(name)
        if episode is None:
            return httpx2.Response(404)
        if method == "GET":
            return httpx2.Response(200, json=episode)
        del self.stored[namespace][name]
        self.erased.add((namespace, name))
        return httpx2.Response(204)

    def _page(self, namespace: str, limit: int, start: int) -> httpx2.Response:
        items = list(self.stored.get(namespace, {}).values())
        after = start + limit
        cursor = str(after) if after < len(items) else None
        return httpx2.Response(200, json={"items": items[start:after], "next_cursor": cursor})


@pytest.fixture
def service() -> FakeService:
    return FakeService()


def appends(journal: Journal, *, several: bool = False) -> list[Append]:
    found = [attempt.operation for attempt in journal.attempts if isinstance(attempt.operation, Append)]
    return [append for append in found if len(append.episodes) > 1 or not several]


def a_kept_episode(service: FakeService, journal: Journal) -> tuple[dict[str, Any], str]:
    """The episodes of a namespace and the id of one of them, which was not deleted."""
    for append in appends(journal):
        episodes, name = service.stored[append.namespace], append.episodes[0].get("id")
        if name in episodes:
            return episodes, name
    raise AssertionError("the plan has no such episode")


def test_a_plan_sends_the_same_each_time_and_all_kinds_of_requests() -> None:
    sent = [operation for n in range(4) for operation in loadgen.operations(PLAN, n)]
    assert sent == [operation for n in range(4) for operation in loadgen.operations(PLAN, n)]
    assert sent != [operation for n in range(4) for operation in loadgen.operations(Plan(seed=6, operations=60), n)]
    batches = [operation for operation in sent if isinstance(operation, Append)]
    assert any(isinstance(operation, Delete) for operation in sent)
    assert {len(batch.episodes) > 1 for batch in batches} == {True, False}
    assert {batch.key is None for batch in batches} == {True, False}
    assert any("id" not in batch.episodes[0] for batch in batches)
    assert any(operation.repeats for operation in sent)
    assert {operation.namespace for operation in sent} == set(PLAN.namespaces)


def test_a_service_that_keeps_its_promises_passes(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    assert len(journal.attempts) >= 4 * 60
    assert journal.count(Outcome.UNKNOWN) == 0
    assert max(len(episodes) for episodes in service.stored.values()) > 200, "more than one page"
    assert service.violations(journal) == set()


def test_one_journal_spans_several_runs(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    loadgen.run(service.connect, Plan(seed=6, operations=30), journal)
    assert service.violations(journal) == set()


def test_a_lost_episode_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    episodes, name = a_kept_episode(service, journal)
    del episodes[name]
    assert service.violations(journal) == {"lost"}


def test_an_episode_stored_twice_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    episodes, name = a_kept_episode(service, journal)
    episodes["copy"] = episodes[name] | {"id": "copy"}
    assert service.violations(journal) == {"twice"}


def test_an_episode_listed_twice_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    episodes, name = a_kept_episode(service, journal)
    episodes["again"] = episodes[name]
    assert service.violations(journal) == {"twice"}


@pytest.mark.parametrize(
    "change",
    [
        {"content": "other"},
        {"role": None},
        {"speaker": "Mira?"},
        {"session_id": "other"},
        {"occurred_at": "2024-12-31T00:00:00+01:00"},
        {"seq": 0},
        {"kind": "text"},
    ],
)
def test_a_changed_field_is_caught(service: FakeService, change: dict[str, Any]) -> None:
    journal = loadgen.run(service.connect, PLAN)
    episodes, name = a_kept_episode(service, journal)
    episodes[name] = episodes[name] | change
    assert service.violations(journal) == {"changed"}


def test_a_forgotten_offset_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    for episodes in service.stored.values():
        for name, episode in episodes.items():
            moment = datetime.fromisoformat(episode["occurred_at"])
            episodes[name] = episode | {"occurred_at": moment.astimezone(UTC).isoformat()}
    assert service.violations(journal) == {"changed"}


def test_a_deleted_episode_that_is_listed_again_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    delete = next(attempt.operation for attempt in journal.attempts if isinstance(attempt.operation, Delete))
    sent = next(e for append in appends(journal) for e in append.episodes if e.get("id") == delete.id)
    service._store(service.stored[delete.namespace], "session", sent)
    assert "came back" in service.violations(journal)


def test_a_deleted_episode_that_only_its_own_address_tells_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    delete = next(attempt.operation for attempt in journal.attempts if isinstance(attempt.operation, Delete))
    last = unquote(loadgen.path_of(delete.namespace, delete.id))
    service.before = lambda request: httpx2.Response(200, json={}) if request.url.path == last else None
    assert service.violations(journal) == {"came back"}


def test_an_erasure_under_way_has_time_to_end(service: FakeService) -> None:
    append = Append("ns", {"session_id": "s", "episodes": [{"id": "a", "content": "[a] x"}]}, None)
    journal, asked = Journal(), []

    def accept_only(request: httpx2.Request) -> httpx2.Response | None:
        if request.method == "DELETE":
            return httpx2.Response(202, json={"erased": 1, "pending": "e"})
        asked.append(request)
        if len(asked) == 3:
            del service.stored["ns"]["a"]
        return None

    with service.connect() as client:
        loadgen.send(client, append, journal)
        service.before = accept_only
        loadgen.send(client, Delete("ns", "a"), journal)
        assert loadgen.verify(client.get, journal, settle_s=5) == []
    assert len(asked) > 3


def test_an_episode_that_nobody_sent_is_caught(service: FakeService) -> None:
    journal = loadgen.run(service.connect, PLAN)
    service.stored["load-a"]["ghost"] = {"id": "ghost", "content": "boo"}
    assert service.violations(journal) == {"invented"}


def test_an_episode_stored_after_a_refusal_is_caught(service: FakeService) -> None:
    service.after = lambda request, response: httpx2.Response(429) if request.method == "POST" else response
    journal = loadgen.run(service.connect, Plan(seed=5, operations=5, deletes=0))
    assert journal.count(Outcome.REFUSED) == len(journal.attempts)
    assert service.violations(journal) == {"invented"}


def test_refusals_that_stored_nothing_pass(service: FakeService) -> None:
    statuses = iter([429, 503, 507] * 1000)
    service.before = lambda request: httpx2.Response(next(statuses)) if request.method != "GET" else None
    journal = loadgen.run(service.connect, PLAN)
    assert journal.count(Outcome.ACKNOWLEDGED) == 0
    assert service.violations(journal) == set()


def test_a_retry_answered_differently_is_caught(service: FakeService) -> None:
    def renumber(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        service.answers.clear()
        return response

    service.after = renumber
    journal = loadgen.run(service.connect, Plan(seed=5, without_ids=1.0, repeated=1.0, operations=10))
    assert service.violations(journal) == {"answered differently", "twice"}


def test_an_answer_outside_the_contract_is_caught(service: FakeService) -> None:
    service.before = lambda request: httpx2.Response(500) if request.method == "POST" else None
    assert service.violations(loadgen.run(service.connect, Plan(seed=1, operations=3))) == {"unexpected answer"}


def test_a_delete_that_does_not_find_an_acknowledged_episode_is_caught(service: FakeService) -> None:
    service.before = lambda request: httpx2.Response(404) if request.method == "DELETE" else None
    assert service.violations(loadgen.run(service.connect, PLAN)) == {"lost"}


# --- broken connections -------------------------------------------------------------------------------------------


class Breaks:
    """The connection breaks once `n` requests were answered, with the next ones done or not."""

    def __init__(self, n: int, *, done: bool) -> None:
        self.left, self.done = n, done

    def before(self, request: httpx2.Request) -> None:
        if not self.done:
            self._count(request)

    def after(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if self.done:
            self._count(request)
        return response

    def _count(self, request: httpx2.Request) -> None:
        self.left -= request.method != "GET"
        if self.left < 0 and request.method != "GET":
            raise httpx2.ReadError("the connection broke")


def run_until_broken(service: FakeService, *, done: bool, seed: int = 5) -> Journal:
    broken = Breaks(70, done=done)
    service.before, service.after = broken.before, broken.after
    journal = loadgen.run(service.connect, Plan(seed=seed, operations=60, max_batch=8))
    service.before, service.after = FakeService().before, FakeService().after
    return journal


@pytest.mark.parametrize("done", [True, False])
def test_a_broken_connection_ends_each_thread_and_leaves_an_unknown_outcome(service: FakeService, done: bool) -> None:
    journal = run_until_broken(service, done=done)
    assert journal.count(Outcome.UNKNOWN) == PLAN.threads
    assert journal.count(Outcome.ACKNOWLEDGED) > 50
    assert service.violations(journal) == set()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_a_retry_settles_unknown_outcomes(service: FakeService, done: bool, seed: int) -> None:
    journal = run_until_broken(service, done=done, seed=seed)
    loadgen.retry_unknown(service.connect, journal)
    assert journal.unknown() == []
    assert service.violations(journal) == set()


def test_a_retry_that_stores_again_is_caught(service: FakeService) -> None:
    broken = Breaks(5, done=True)
    service.before, service.after = broken.before, broken.after
    journal = loadgen.run(service.connect, Plan(seed=5, without_ids=1.0))
    service.after = FakeService().after
    service.answers.clear()  # as a service does that keeps its idempotency keys in memory
    loadgen.retry_unknown(service.connect, journal)
    assert service.violations(journal) == {"twice"}


@pytest.mark.parametrize("known", [True, False])
def test_half_a_batch_is_caught(service: FakeService, known: bool) -> None:
    episodes = [{"id": str(n), "content": f"[{n}] x"} for n in range(4)]
    journal = Journal()
    with service.connect() as client:
        attempt = loadgen.send(client, Append("ns", {"session_id": "s", "episodes": episodes}, None), journal)
    if not known:
        attempt.outcome, attempt.status, attempt.receipts = Outcome.UNKNOWN, None, None
    del service.stored["ns"]["2"], service.stored["ns"]["3"]
    assert service.violations(journal) == {"lost" if known else "half a batch"}


def test_a_service_that_is_not_there_leaves_only_unknown_outcomes(service: FakeService) -> None:
    def nowhere() -> httpx2.Client:
        return httpx2.Client(base_url="http://127.0.0.1:9", trust_env=False)

    journal = loadgen.run(nowhere, PLAN)
    assert [attempt.status for attempt in journal.attempts] == [None] * PLAN.threads
    assert service.violations(journal) == set()


def test_a_load_can_be_stopped(service: FakeService) -> None:
    service.after = lambda request, response: (load.stop.set(), response)[1]
    with service.lock:
        load = loadgen.start(service.connect, PLAN)
    assert len(load.join().attempts) <= 2 * PLAN.threads
