"""Seeded load for crash tests, a journal of what was acknowledged, and the check of what a service kept.

    load = start(connect, Plan(seed=7), journal)     # connect() makes an httpx2.Client with the service's base_url
    ... kill the service ...
    load.join(); ... start it again ...
    retry_unknown(connect, journal)                  # as clients do: the same body with the same Idempotency-Key
    assert verify(client.get, journal) == []

What is sent depends on the plan alone; what comes back is journaled. Each attempt is in the journal *before* it is
sent, so that a connection that breaks leaves an unknown outcome and never a forgotten one.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from random import Random
from typing import Any, Literal
from urllib.parse import quote

import httpx2

Connect = Callable[[], httpx2.Client]
Get = Callable[..., httpx2.Response]


# --- what is sent -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Append:
    """A batch: stored whole or not at all."""

    namespace: str
    body: dict[str, Any]
    key: str | None
    """Idempotency-Key. Episodes without ids of their own always have one."""
    repeats: int = 0
    """How often it is sent again after an answer."""

    @property
    def episodes(self) -> list[dict[str, Any]]:
        return self.body["episodes"]


@dataclass(frozen=True)
class Delete:
    namespace: str
    id: str
    repeats: int = 0


Operation = Append | Delete


@dataclass(frozen=True)
class Plan:
    """Equal plans send equal requests. Another seed makes other ids, so that one journal can span several runs."""

    seed: int
    threads: int = 4
    operations: int = 100
    """For each thread."""
    namespaces: Sequence[str] = ("load-a", "load-b", "load-c")
    max_batch: int = 20
    batches: float = 0.3
    """Share of the appends that hold several episodes."""
    deletes: float = 0.1
    keyed: float = 0.5
    """Share of the appends with an Idempotency-Key."""
    without_ids: float = 0.1
    """Share of the appends whose ids the service makes."""
    repeated: float = 0.15
    """Share of the operations sent again although they were answered."""


WORDS = ("tea", "rain", "Oslo", "kernel", "bicycle", "Zoë", "東京", "allergy", "moved", "sister", "🎲", "Tuesday")
FACTS = (
    "I moved to Lisbon in May.",
    "I live in Porto.",
    "I work at Acme.",
    "I no longer work at Acme.",
    "I have worked at Globex since 2021.",
    "My sister Katherine lives in Oslo.",
    "Kate Jones works at Acme.",
    "Katherine Jones moved to Berlin.",
    "Katherine was born on 4 May 1990.",
    "Katherine was born on 9 July 1971.",
    "My friend Mira likes tea.",
    "Jonas is married to Petra.",
)
"""What the graph is made of: some carries on, some ends, some makes two of one name or one of two."""

OFFSETS_MINUTES = (0, 60, -480, 330, 765)


def operations(plan: Plan, worker: int) -> Iterator[Operation]:
    """What one thread sends. It deletes only what it sent before, so that the order of both is its own."""
    chance = Random(f"{plan.seed}:{worker}")
    deletable: list[tuple[str, str]] = []
    for n in range(plan.operations):
        repeats = int(chance.random() < plan.repeated)
        if deletable and chance.random() < plan.deletes:
            namespace, victim = deletable.pop(chance.randrange(len(deletable)))
            yield Delete(namespace, victim, repeats)
        else:
            append = _append(plan, chance, f"{plan.seed}.{worker}.{n}", repeats)
            deletable += [(append.namespace, episode["id"]) for episode in append.episodes if "id" in episode]
            yield append


def _append(plan: Plan, chance: Random, tag: str, repeats: int) -> Append:
    size = chance.randint(2, plan.max_batch) if chance.random() < plan.batches else 1
    with_ids = chance.random() >= plan.without_ids
    keyed = not with_ids or chance.random() < plan.keyed
    episodes = [_episode(chance, f"{tag}.{k}", with_ids) for k in range(size)]
    body = {"session_id": f"session-{tag}", "episodes": episodes}
    return Append(chance.choice(plan.namespaces), body, f"key-{tag}" if keyed else None, repeats)


def word_of(tag: str) -> str:
    """A word that no other episode holds: what a search finds it by."""
    return "word" + tag.replace(".", "x")


def _episode(chance: Random, tag: str, with_id: bool) -> dict[str, Any]:
    zone = timezone(timedelta(minutes=chance.choice(OFFSETS_MINUTES)))
    moment = datetime(2025, 1, 1, tzinfo=zone) + timedelta(milliseconds=chance.randrange(31_536_000_000))
    text = " ".join(chance.choices(WORDS, k=chance.choice([3, 12, 400])))
    if chance.random() < 0.6:
        text = f"{text}. {chance.choice(FACTS)}"
    episode = {
        "content": f"[{tag}] {word_of(tag)} {text}",  # no two episodes share their content
        "role": chance.choice(["user", "assistant"]),
        "speaker": chance.choice(["Mira", "Jonas", "Åsa"]),
        "occurred_at": moment.isoformat(),
    }
    return {"id": f"e#{tag}~x", **episode} if with_id else episode


# --- what came back -----------------------------------------------------------------------------------------------


class Outcome(Enum):
    UNKNOWN = "unknown"
    """Not answered, or answered with an error that may come after the commit (503, 507: the commit's sync may fail
    after its bytes are on their way)."""
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Answered before anything was stored (429 and the other 4xx)."""


@dataclass
class Attempt:
    operation: Operation
    outcome: Outcome = Outcome.UNKNOWN
    status: int | None = None
    """None while there is no answer."""
    receipts: list[tuple[str, int]] | None = None
    """(id, seq) of each episode of an acknowledged append."""


@dataclass
class Journal:
    """Attempts in the order in which they were sent. Those on one episode come from one thread, one after another."""

    attempts: list[Attempt] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, operation: Operation) -> Attempt:
        """Journals what will be sent."""
        attempt = Attempt(operation)
        with self._lock:
            self.attempts.append(attempt)
        return attempt

    def count(self, outcome: Outcome) -> int:
        with self._lock:
            return sum(attempt.outcome is outcome for attempt in self.attempts)

    def unknown(self) -> list[Operation]:
        """Operations whose last attempt has an unknown outcome, in order."""
        last = {id(attempt.operation): attempt for attempt in self.attempts}
        return [attempt.operation for attempt in last.values() if attempt.outcome is Outcome.UNKNOWN]


def path_of(namespace: str, episode_id: str | None = None) -> str:
    path = f"/v1/namespaces/{quote(namespace, safe='')}/episodes"
    return path if episode_id is None else f"{path}/{quote(episode_id, safe='')}"


def send(client: httpx2.Client, operation: Operation, journal: Journal) -> Attempt:
    """Journals, sends, journals the answer. Raises httpx2.TransportError where the connection fails."""
    attempt = journal.begin(operation)
    if isinstance(operation, Append):
        headers = {"Idempotency-Key": operation.key} if operation.key else {}
        response = client.post(path_of(operation.namespace), json=operation.body, headers=headers)
    else:
        response = client.delete(path_of(operation.namespace, operation.id))
    attempt.receipts = _receipts(response)
    attempt.status = response.status_code
    attempt.outcome = _outcome(operation, response.status_code)
    return attempt


def _outcome(operation: Operation, status: int) -> Outcome:
    if status == 202 or (status == 204 and isinstance(operation, Delete)):
        return Outcome.ACKNOWLEDGED
    return Outcome.REFUSED if 400 <= status < 500 else Outcome.UNKNOWN


def _receipts(response: httpx2.Response) -> list[tuple[str, int]] | None:
    try:
        return [(receipt["id"], receipt["seq"]) for receipt in response.json()["episodes"]]
    except (ValueError, KeyError, TypeError):
        return None


# --- running ------------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """A plan under way."""

    journal: Journal
    stop: threading.Event
    """Set it to let the threads end after the request under way."""
    workers: list[Future[None]]

    def join(self) -> Journal:
        """Waits until all threads have ended."""
        for worker in self.workers:
            worker.result()
        return self.journal


def start(connect: Connect, plan: Plan, journal: Journal | None = None) -> Load:
    """Sends the plan from its threads. A thread ends with its first broken connection: the service is gone."""
    load = Load(journal if journal is not None else Journal(), threading.Event(), [])
    pool = ThreadPoolExecutor(plan.threads, thread_name_prefix="load")
    load.workers += [pool.submit(_work, connect, operations(plan, n), load) for n in range(plan.threads)]
    pool.shutdown(wait=False)
    return load


def run(connect: Connect, plan: Plan, journal: Journal | None = None) -> Journal:
    """`start` and `join`."""
    return start(connect, plan, journal).join()


def retry_unknown(connect: Connect, journal: Journal) -> None:
    """Sends again, as it was, each operation whose outcome is unknown."""
    with connect() as client:
        for operation in journal.unknown():
            send(client, operation, journal)


def _work(connect: Connect, todo: Iterable[Operation], load: Load) -> None:
    with connect() as client:
        for operation in todo:
            for _ in range(1 + operation.repeats):
                if load.stop.is_set():
                    return
                try:
                    send(client, operation, load.journal)
                except httpx2.TransportError:
                    return


# --- what must be there -------------------------------------------------------------------------------------------

Kind = Literal[
    "lost", "twice", "changed", "came back", "half a batch", "invented", "answered differently", "unexpected answer"
]


@dataclass(frozen=True)
class Violation:
    kind: Kind
    namespace: str
    episode: str
    detail: str = ""


@dataclass
class _Expected:
    """What may have become of one episode. `erased` holds each answer that is possible."""

    sent: dict[str, Any]
    erased: set[bool] = field(default_factory=lambda: {False})
    asked_to_erase: bool = False
    receipt: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        return self.sent.get("id") or self.sent["content"].split(" ")[0]


@dataclass
class _Batch:
    """What may have become of one append: `stored` holds each answer that is possible, for the batch as a whole."""

    append: Append
    episodes: list[_Expected]
    stored: set[bool] = field(default_factory=lambda: {False})


class _Replay:
    """Follows the journal and keeps, for every batch and episode, what is possible."""

    def __init__(self, journal: Journal) -> None:
        self.batches: dict[int, _Batch] = {}
        self.owner: dict[tuple[str, str], tuple[_Batch, _Expected]] = {}
        self.violations: list[Violation] = []
        for attempt in journal.attempts:
            if isinstance(attempt.operation, Append):
                self._append(attempt, attempt.operation)
            else:
                self._delete(attempt, attempt.operation)

    def _append(self, attempt: Attempt, append: Append) -> None:
        batch = self.batches.get(id(append)) or self._new_batch(append)
        if attempt.outcome is Outcome.ACKNOWLEDGED:
            self._acknowledged(batch, attempt)
        elif attempt.status == 410 and any(episode.asked_to_erase for episode in batch.episodes):
            batch.stored = {True}  # it was there once, or it could not have been erased
        elif attempt.outcome is Outcome.UNKNOWN:
            batch.stored.add(True)
        if attempt.status not in (None, 202, 410, 429, 503, 507) or (attempt.status == 410 and batch.stored != {True}):
            self._report("unexpected answer", append.namespace, batch.episodes[0].name, f"HTTP {attempt.status}")

    def _new_batch(self, append: Append) -> _Batch:
        batch = _Batch(append, [_Expected(episode) for episode in append.episodes])
        self.batches[id(append)] = batch
        for episode in batch.episodes:
            if "id" in episode.sent:
                self.owner[append.namespace, episode.sent["id"]] = batch, episode
        return batch

    def _acknowledged(self, batch: _Batch, attempt: Attempt) -> None:
        if batch.stored != {True}:
            # A delete that came before may have found nothing; then this append stored what it could not erase.
            for episode in batch.episodes:
                episode.erased |= {False}
        batch.stored = {True}
        receipts = attempt.receipts or []
        if len(receipts) != len(batch.episodes):
            self._report("unexpected answer", batch.append.namespace, batch.episodes[0].name, "not a receipt for each")
            return
        for episode, receipt in zip(batch.episodes, receipts, strict=True):
            wrong_id = receipt[0] != episode.sent.get("id", receipt[0])
            if wrong_id or (episode.receipt is not None and episode.receipt != receipt):
                detail = f"{episode.receipt}, then {receipt}"
                self._report("answered differently", batch.append.namespace, episode.name, detail)
            episode.receipt = episode.receipt or receipt

    def _delete(self, attempt: Attempt, delete: Delete) -> None:
        batch, episode = self.owner[delete.namespace, delete.id]
        episode.asked_to_erase = True
        if attempt.outcome is Outcome.ACKNOWLEDGED:
            episode.erased = {True}
        elif attempt.outcome is Outcome.UNKNOWN:
            episode.erased.add(True)
        elif attempt.status in (404, 410):
            self._not_found(batch, episode)
        if attempt.status not in (None, 202, 204, 404, 410, 429, 503, 507):
            self._report("unexpected answer", delete.namespace, delete.id, f"HTTP {attempt.status}")

    def _not_found(self, batch: _Batch, episode: _Expected) -> None:
        """Either it was never stored or it is erased."""
        if batch.stored == {True} and episode.erased == {False}:
            self._report("lost", batch.append.namespace, episode.name, "acknowledged, and a delete did not find it")
        elif batch.stored == {True}:
            episode.erased = {True}
        elif episode.erased == {False}:
            batch.stored = {False}

    def _report(self, kind: Kind, namespace: str, episode: str, detail: str) -> None:
        self.violations.append(Violation(kind, namespace, episode, detail))


def verify(get: Get, journal: Journal, *, settle_s: float = 5.0) -> list[Violation]:
    """What the service broke, read through its own API with `get(url, params=...)`; an empty list if nothing.

    Acknowledged and not deleted: there once, with the fields sent. Deleted: gone, `settle_s` after a 202 at the latest.
    Unknown outcome: there or not, a batch whole, nothing twice. Nothing is there that was never sent.
    """
    until = time.monotonic() + settle_s
    while True:
        violations = _verify_once(get, journal)
        if time.monotonic() >= until or not any(violation.kind == "came back" for violation in violations):
            return violations
        time.sleep(0.05)


def _verify_once(get: Get, journal: Journal) -> list[Violation]:
    replay = _Replay(journal)
    violations = list(replay.violations)
    by_namespace: dict[str, list[_Batch]] = defaultdict(list)
    for batch in replay.batches.values():
        by_namespace[batch.append.namespace].append(batch)
    for namespace, batches in by_namespace.items():
        listing = _Listing(list_episodes(get, namespace))
        for batch in batches:
            violations += _check_batch(batch, listing)
        violations += [
            Violation("invented", namespace, item["id"], str(item["content"])[:80]) for item in listing.unclaimed()
        ]
        violations += _check_erased(get, batches)
    return violations


def list_episodes(get: Get, namespace: str) -> list[dict[str, Any]]:
    """All pages. A namespace that nothing was ever stored in may answer 404."""
    items: list[dict[str, Any]] = []
    seen: set[str | None] = {None}
    cursor: str | None = None
    while True:
        params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        response = get(path_of(namespace), params=params)
        if response.status_code == 404:
            return items
        response.raise_for_status()
        page = response.json()
        items += page["items"]
        cursor = page.get("next_cursor")
        if cursor in seen:
            assert cursor is None, f"the list of {namespace} comes back to cursor {cursor}"
            return items
        seen.add(cursor)


class _Listing:
    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = items
        self._by_id, self._by_content = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
        for place, item in enumerate(items):
            self._by_id[item["id"]].add(place)
            self._by_content[str(item["content"])].add(place)
        self._claimed: set[int] = set()

    def find(self, sent: dict[str, Any]) -> list[dict[str, Any]]:
        """By id or by content: a copy under another id is the same episode twice."""
        places = self._by_id.get(sent.get("id", ""), set()) | self._by_content.get(sent["content"], set())
        self._claimed |= places
        return [self._items[place] for place in sorted(places)]

    def unclaimed(self) -> list[dict[str, Any]]:
        return [item for place, item in enumerate(self._items) if place not in self._claimed]


def _check_batch(batch: _Batch, listing: _Listing) -> Iterator[Violation]:
    namespace = batch.append.namespace
    found = [(episode, listing.find(episode.sent)) for episode in batch.episodes]
    missing = [episode.name for episode, items in found if not items and episode.erased == {False}]
    present = [episode.name for episode, items in found if items]
    if batch.stored == {True}:
        yield from (Violation("lost", namespace, name) for name in missing)
    elif missing and present:
        yield Violation("half a batch", namespace, present[0], f"there: {len(present)}, missing: {len(missing)}")
    if batch.stored == {False}:
        yield from (Violation("invented", namespace, name, "it was not stored") for name in present)
    for episode, items in found:
        if len(items) > 1:
            yield Violation("twice", namespace, episode.name, ", ".join(item["id"] for item in items))
        if items and episode.erased == {True}:
            yield Violation("came back", namespace, episode.name)
        if len(items) == 1:
            yield from _check_fields(batch, episode, items[0])


def _check_fields(batch: _Batch, episode: _Expected, item: dict[str, Any]) -> Iterator[Violation]:
    wanted = {"session_id": batch.append.body["session_id"], "kind": "message", "metadata": {}} | episode.sent
    if episode.receipt is not None:
        wanted |= {"id": episode.receipt[0], "seq": episode.receipt[1]}
    for name, value in wanted.items():
        got = item.get(name)
        same = _instant(got) == _instant(value) if name == "occurred_at" else got == value
        if not same:
            yield Violation("changed", batch.append.namespace, episode.name, f"{name}: {got!r} for {value!r}"[:200])


def _instant(text: Any) -> tuple[datetime, timedelta | None]:
    """The moment and the offset it was told in: both are kept."""
    moment = datetime.fromisoformat(str(text))
    return moment, moment.utcoffset()


def _check_erased(get: Get, batches: Iterable[_Batch]) -> Iterator[Violation]:
    """The list may hide what the episode's own address still tells."""
    for batch in batches:
        for episode in batch.episodes:
            if episode.erased == {True} and "id" in episode.sent:
                status = get(path_of(batch.append.namespace, episode.sent["id"])).status_code
                if status not in (404, 410):
                    yield Violation("came back", batch.append.namespace, episode.name, f"GET answers {status}")
