"""Kills a real service under load, again and again, and checks that it kept what it promised.

    outcome = run(seed, folder)          # folder is new, and gone afterwards unless something was violated
    assert outcome.violations == []

A seed is a scenario: how many lives the processes on one store have, what ends each, and what is sent meanwhile. Then the
service is started once more, unknown outcomes are retried as clients do, the queue drains, the service is stopped, and
its answers and its files are checked.

Which moments a seed hits depends on the machine; what is sent, and where the named points and syncs lie, does not.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Literal

import httpx2

from memory_service import failpoints
from tests.crash import checks, loadgen, powerloss
from tests.crash.loadgen import Delete, Journal, Outcome, Plan
from tests.crash.processes import SMALL_LIMITS, Process, environment

Kind = Literal["point", "random", "worker", "power"]

KINDS: Final[tuple[Kind, ...]] = ("point", "random", "worker", "point", "power")
"""By seed, in turn: 50 seeds reach every named point at least once."""

NAMESPACES: Final = ("load-a", "load-b", "load-c")
_POINTS_PER_TURN: Final = KINDS.count("point")
_POINT_S: Final = 120.0
"""The last stage comes after all of the others: a busy machine takes its time."""

_DRAIN_S: Final = 60.0
_STALE_S: Final = 0.3
"""The metrics may tell a queue of a quarter of a second ago."""
_SEARCHES: Final = 40
_MOST_HITS: Final = {"append": 20, "stage": 5, "erase": 4, "snapshot": 2}
"""The highest count at which a point is armed: the load reaches it."""

_QUEUE: Final = re.compile(r"^memory_queue_episodes (\S+)$", re.M)


# --- what happens -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """One life of a process, and its end: at a named point, in a sync, or at a moment after the load began."""

    victim: Literal["serve", "worker"] = "serve"
    failpoint: str | None = None
    sync: int | None = None
    after_sync: bool = False
    at_start: bool = False
    """Syncs are counted from the start of the process, the making of the store included."""
    moment_s: float = 0.0
    torn: bool = False
    retries_first: bool = False

    def __str__(self) -> str:
        end = self.failpoint or f"{self.moment_s * 1000:.0f}ms"
        if self.sync is not None:
            end = f"sync{'+' if self.after_sync else '-'}{self.sync}{' from start' if self.at_start else ''}"
        return f"{self.victim}@{end}{' torn' if self.torn else ''}"


@dataclass(frozen=True)
class Scenario:
    seed: int
    kind: Kind
    lives: tuple[Life, ...]
    small_limits: bool

    def __str__(self) -> str:
        return f"{self.kind:6} {', '.join(map(str, self.lives))}{' (small limits)' if self.small_limits else ''}"


def scenario(seed: int) -> Scenario:
    """Equal seeds are equal scenarios."""
    chance = Random(f"crash:{seed}")
    kind = KINDS[seed % len(KINDS)]
    lives = tuple(_lives(kind, seed, chance))
    small = any(life.failpoint is not None and life.failpoint.startswith("snapshot") for life in lives)
    return Scenario(seed, kind, lives, small or chance.random() < 0.5)


def _lives(kind: Kind, seed: int, chance: Random) -> Iterator[Life]:
    if kind == "point":
        turn = seed // len(KINDS) * _POINTS_PER_TURN + KINDS[: seed % len(KINDS)].count("point")
        yield Life(failpoint=_armed(failpoints.POINTS[turn % len(failpoints.POINTS)], chance))
    elif kind == "random":
        for _ in range(chance.randint(1, 3)):
            yield Life(moment_s=chance.uniform(0.02, 0.7), retries_first=chance.random() < 0.5)
    elif kind == "worker":
        for _ in range(2):
            yield _worker_life(chance)
        if chance.random() < 0.3:
            yield Life(moment_s=chance.uniform(0.02, 0.5))
    else:
        for n in range(chance.randint(1, 2)):
            yield _power_life(chance, first=n == 0)


def _armed(point: str, chance: Random) -> str:
    return f"{point}:{chance.randint(1, _MOST_HITS[point.partition(':')[0]])}"


def _worker_life(chance: Random) -> Life:
    if chance.random() < 0.5:
        return Life("worker", moment_s=chance.uniform(0.02, 0.7))
    stages = [point for point in failpoints.POINTS if point.startswith("stage")]
    return Life("worker", failpoint=_armed(chance.choice(stages), chance))


def _power_life(chance: Random, *, first: bool) -> Life:
    torn, way = chance.random() < 0.5, chance.random()
    if way < 0.3:
        return Life(moment_s=chance.uniform(0.02, 0.6), torn=torn)
    if way < 0.5:
        points = [point for point in failpoints.POINTS if point.startswith(("append", "stage"))]
        return Life(failpoint=_armed(chance.choice(points), chance), torn=torn)
    at_start = first and chance.random() < 0.4
    nth = chance.randint(1, 12 if at_start else 60)
    return Life(sync=nth, after_sync=chance.random() < 0.5, at_start=at_start, torn=torn)


# --- running one seed ---------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What became of a seed."""

    scenario: Scenario
    violations: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unknown: int = 0
    """Attempts whose outcome the client could not tell."""
    facts: int = 0
    """Versions of facts that the store ended with."""
    seconds: float = 0.0
    folder: Path | None = None
    """Where the files are, if something was violated."""

    def __str__(self) -> str:
        counts = (
            f"{self.acknowledged:4} acknowledged, {self.unknown:3} unknown, {self.facts:4} facts, {self.seconds:5.1f} s"
        )
        verdict = "ok" if not self.violations else f"VIOLATED (files in {self.folder})"
        return f"seed {self.scenario.seed:4}  {counts}  {verdict}  {self.scenario}"


def run(seed: int, folder: Path) -> Report:
    """Plays a seed's scenario on a store of its own."""
    report = Report(scenario(seed))
    began = time.monotonic()
    play = _Play(report, folder)
    try:
        play.run()
    except Exception as error:  # noqa: BLE001 - one seed's failure is a finding of that seed, not the end of all
        report.violations.append(f"the run failed: {type(error).__name__}: {error}")
    finally:
        play.end()
    report.seconds = time.monotonic() - began
    if report.violations:
        report.folder = folder
    else:
        shutil.rmtree(folder)
    return report


class _Play:
    """A scenario under way: the processes, their folders, and the journal of all that was sent."""

    def __init__(self, report: Report, folder: Path) -> None:
        self.report = report
        self.scenario = report.scenario
        self.folder, self.data = folder, folder / "data"
        self.shadow, self.control = folder / "shadow", folder / "control"
        self.journal = Journal()
        self.processes: list[Process] = []
        self.server: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        for number, life in enumerate(self.scenario.lives):
            self._live(number, life)
        self._recover()
        self._check_answers()
        self._stop()
        self._check_files()

    def end(self) -> None:
        for process in self.processes:
            process.kill()

    def violated(self, what: str) -> None:
        self.report.violations.append(what)

    # --- lives ----------------------------------------------------------------------------------------------------

    def _live(self, number: int, life: Life) -> None:
        if life.at_start:
            powerloss.kill_at_sync(self.control, life.sync or 1, after=life.after_sync)
        victim = self._start_for(life)
        if victim is not None:
            self._load(number, life, victim)
        self._bury(life)

    def _start_for(self, life: Life) -> Process | None:
        """The process that will die; None when it did so before it was up."""
        if self.server is None:
            failpoint = life.failpoint if life.victim == "serve" else None
            self.server = self._start("serve", failpoint)
        if self.server is None or life.victim == "serve":
            return self.server
        return self._start("worker", life.failpoint)

    def _start(self, command: str, failpoint: str | None = None) -> Process | None:
        more = {"MEMORY_FAILPOINT": failpoint} if failpoint else {}
        if self.scenario.kind == "worker" and command == "serve":
            more["MEMORY_WORKER"] = "off"
        if self.scenario.kind == "power":
            more |= powerloss.environment(self.data, self.shadow, self.control)
        log = self.folder / f"{len(self.processes)}-{command}.log"
        program = SMALL_LIMITS if self.scenario.small_limits else None
        process = Process(command, environment(self.data, **more), log, program=program)
        self.processes.append(process)
        return process if process.started() else None

    def _load(self, number: int, life: Life, victim: Process) -> None:
        assert self.server is not None
        connect = self.server.connect
        if life.retries_first:
            self._retry(connect)
        if life.sync is not None and not life.at_start:
            powerloss.kill_at_sync(self.control, life.sync, after=life.after_sync)
        load = loadgen.start(connect, self._plan(number, life), self.journal)
        reads = _Reads(connect, load.stop, self.violated)
        self._await_end(life, victim)
        load.stop.set()
        load.join()
        reads.join()

    def _plan(self, number: int, life: Life) -> Plan:
        """Bounded where the end does not come by the clock: the load ends, and the worker goes on to the point."""
        kind = (life.failpoint or "").partition(":")[0]
        return Plan(
            seed=self.scenario.seed * 100 + number,
            operations=40 if life.failpoint else 400,
            namespaces=NAMESPACES,
            max_batch=6,
            deletes={"erase": 0.3, "snapshot": 0.0}.get(kind, 0.1),
        )

    def _await_end(self, life: Life, victim: Process) -> None:
        if life.failpoint is None and life.sync is None:
            victim.died(life.moment_s)
        elif not victim.died(_POINT_S):
            self.violated(f"{life} was never reached")
        if victim.is_alive:
            victim.kill()
        elif not victim.was_killed:
            self.violated(f"the {victim.name} ended by itself: {victim.said()[-500:]}")

    def _bury(self, life: Life) -> None:
        if life.victim == "serve":
            self.server = None
        if self.scenario.kind == "power":
            powerloss.clear(self.control)
            torn = Random(f"torn:{self.scenario.seed}") if life.torn else None
            powerloss.restore(self.data, self.shadow, torn)

    def _retry(self, connect: Callable[[], httpx2.Client]) -> None:
        try:
            loadgen.retry_unknown(connect, self.journal)
        except httpx2.TransportError:
            return  # it died again: the outcome stays unknown, and is retried after the next start

    # --- afterwards -----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        self.report.unknown = self.journal.count(Outcome.UNKNOWN)
        if self.server is not None and any(attempt.status is None for attempt in self.journal.attempts):
            self.violated("a server that was not killed did not answer")
        self.server = self.server or self._start("serve")
        worker = self._start("worker") if self.scenario.kind == "worker" else self.server
        if self.server is None or worker is None:
            last = self.processes[-1]
            raise AssertionError(f"it does not start again (exit status {last.status}): {last.said()[-500:]}")
        loadgen.retry_unknown(self.server.connect, self.journal)
        afterwards = Plan(self.scenario.seed * 100 + 99, threads=2, operations=6, namespaces=NAMESPACES, max_batch=6)
        loadgen.run(self.server.connect, afterwards, self.journal)
        if self.journal.unknown():
            self.violated("it does not take writes again")
        self.report.acknowledged = self.journal.count(Outcome.ACKNOWLEDGED)

    def _check_answers(self) -> None:
        assert self.server is not None
        with self.server.connect() as client:
            self.report.violations += [str(v) for v in loadgen.verify(client.get, self.journal)]
            if not drained(client):
                self.violated(f"the queue stood still for {_DRAIN_S:.0f} s")
            chance = Random(f"search:{self.scenario.seed}")
            for namespace in NAMESPACES:
                self.report.violations += _unsettled(client, namespace, chance)
            self.report.violations += _found_though_erased(client, self.journal)

    def _stop(self) -> None:
        for process in self.processes[::-1]:
            if process.is_alive and not process.stop():
                self.violated(f"the {process.name} did not stop cleanly: {process.said()[-500:]}")
        for process in self.processes:
            if process.has_traceback:
                self.violated(f"a traceback in {process.log}: {process.said()[-800:]}")

    def _check_files(self) -> None:
        self.report.violations += [f"left behind: {name}" for name in checks.leftovers(self.data)]
        self.report.violations += checks.unsound(self.data)
        self.report.facts = checks.facts(self.data)
        before, after = checks.digests(self.data, self.folder / "copy")
        if before != after:
            self.violated(f"the digest {before[:12]} is {after[:12]} after a replay")
        if self.scenario.kind == "power":
            powerloss.restore(self.data, self.shadow)
            cut, _ = checks.digests(self.data, self.folder / "copy")
            if cut != before:
                self.violated("a power cut after a clean stop lost something")


class _Reads:
    """Searches beside the load: indexes are filled, saved and loaded while writers write."""

    def __init__(
        self, connect: Callable[[], httpx2.Client], stop: threading.Event, violated: Callable[[str], None]
    ) -> None:
        self._connect, self._stop, self._violated = connect, stop, violated
        self._thread = threading.Thread(target=self._run, name="reads")
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        chance = Random(0)
        with self._connect() as client:
            while not self._stop.wait(0.02):
                url = f"/v1/namespaces/{chance.choice(NAMESPACES)}/search"
                try:
                    response = client.post(url, json={"query": chance.choice(loadgen.WORDS)})
                except httpx2.TransportError:
                    return
                if response.status_code != 200:
                    self._violated(f"a search answered {response.status_code}: {response.text[:200]}")


# --- a service that has recovered ---------------------------------------------------------------------------------


def drained(client: httpx2.Client) -> bool:
    """Waits until nothing waits; False once the queue has stood still for long. A busy machine may take its time."""
    time.sleep(_STALE_S)
    deadline, before = time.monotonic() + _DRAIN_S, None
    while time.monotonic() < deadline:
        found = _QUEUE.search(client.get("/metrics").text)
        waiting = None if found is None else float(found[1])
        if waiting == 0:
            return True
        if waiting is not None and (before is None or waiting < before):
            deadline, before = time.monotonic() + _DRAIN_S, waiting
        time.sleep(0.1)
    return False


def _unsettled(client: httpx2.Client, namespace: str, chance: Random) -> Iterator[str]:
    """What a drained namespace still owes: dead letters, episodes that are not enriched, or that no search finds."""
    letters = client.get(f"/v1/namespaces/{namespace}/dead-letters").json()["items"]
    if letters:
        yield f"dead letters in {namespace}: {letters[:2]}"
    episodes = loadgen.list_episodes(client.get, namespace)
    for episode in episodes:
        if episode["status"] != "enriched":
            yield f"{namespace}/{episode['id']} is {episode['status']}"
    for episode in chance.sample(episodes, min(_SEARCHES, len(episodes))):
        word = episode["content"].split(" ")[1]
        if (found := _best_by_words(client, namespace, word)) != episode["id"]:
            yield f"{namespace}/{episode['id']} is not what {word} finds, but {found}"


def _best_by_words(client: httpx2.Client, namespace: str, query: str) -> str | None:
    """The episode that holds the query's words, by the lexical part of the score: the test embedder's is mostly noise."""
    body = {"query": query, "limit": 200, "explain": True}
    results = client.post(f"/v1/namespaces/{namespace}/search", json=body).json()["results"]
    best = max(results, key=lambda result: result["explain"]["lexical"], default=None)
    return best["id"] if best is not None and best["explain"]["lexical"] > 0 else None


def _found_though_erased(client: httpx2.Client, journal: Journal) -> Iterator[str]:
    """Words that only erased episodes held and that still find something."""
    gone = {
        (attempt.operation.namespace, attempt.operation.id)
        for attempt in journal.attempts
        if isinstance(attempt.operation, Delete) and attempt.outcome is Outcome.ACKNOWLEDGED
    }
    for namespace, identity in sorted(gone)[:_SEARCHES]:
        tag = identity.removeprefix("e#").removesuffix("~x")
        if (found := _best_by_words(client, namespace, loadgen.word_of(tag))) is not None:
            yield f"{namespace}/{identity} was erased, and its word finds {found}"
