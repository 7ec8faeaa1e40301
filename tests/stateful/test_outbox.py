"""The outbox and its worker: leases, retries, dead letters, and what is erased while someone works on it."""

import asyncio
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from graph.model import Claim, Extraction
from memory_service import limits, wire
from memory_service.clock import FrozenClock
from memory_service.errors import StorageUnavailable
from memory_service.log import erasure
from memory_service.log.episodes import append as append_in
from memory_service.log.episodes import draft
from memory_service.log.outbox import Job, claim, enqueue, fail, owner_name, release_dead_owners
from memory_service.log.records import Extract
from memory_service.log.schema import outbox as table
from memory_service.log.schema import records
from memory_service.log.views import NamespaceView
from memory_service.log.writer import Transaction
from memory_service.pipeline.progress import Progress
from memory_service.pipeline.stages import Stage
from memory_service.pipeline.worker import Worker
from memory_service.service import MemoryService
from tests.stateful.services import append, new_folder, new_worker, open_service, stages, work
from tests.support.polling import eventually

LEASE_S = limits.LEASE_MS / 1000
HOST = owner_name().partition(":")[0]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_folder(tmp_path)


@pytest.fixture
def service(folder: Path, clock: FrozenClock) -> Iterator[MemoryService]:
    service = open_service(folder, clock)
    yield service
    service.close()


def store(service: MemoryService, *names: str, session: str = "s") -> None:
    """Episodes that wait to be indexed."""
    append(service, "ns", [{"id": name, "content": f"about {name}", "session_id": session} for name in names])


def claimed(service: MemoryService, owner: str, stage: str = "index", limit: int = 64) -> list[Job]:
    # A microsecond for each commit of a clock that stands.
    now = service.store.clock.now_micros() + 1_000
    return service.store.writer.write(lambda tx: claim(tx, stage, owner, now, limit))


def row(service: MemoryService, job: Job) -> Any:
    with service.store.database.read() as connection:
        return connection.execute(select(table).where(table.c.episode_seq == job.episode_seq)).one()


def statuses(service: MemoryService) -> dict[str, str]:
    with service.namespace("ns").snapshot() as snapshot:
        return {episode.id: episode.status for episode in snapshot.episodes(0, 1000)}


def letters(service: MemoryService) -> dict[str, str]:
    """Reasons of the dead letters by their episode."""
    with service.namespace("ns").snapshot() as snapshot:
        return {letter.episode_id: letter.reason for _, letter in snapshot.dead_letters((0, "", 0), 100)}


# --- leases -------------------------------------------------------------------------------------------------------


def test_a_leased_job_is_given_to_nobody_else(service: MemoryService) -> None:
    store(service, "a", "b", "c")
    assert len(claimed(service, "one", limit=2)) == 2
    assert len(claimed(service, "two")) == 1
    assert claimed(service, "three") == []


def test_a_lease_that_expires_is_taken_over_and_counted_as_an_attempt(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "a")
    assert [job.attempts for job in claimed(service, "one")] == [1]
    clock.advance(LEASE_S - 1)
    assert claimed(service, "two") == []
    clock.advance(2)
    assert [job.attempts for job in claimed(service, "two")] == [2]


def test_jobs_are_claimed_in_the_order_of_the_log(service: MemoryService) -> None:
    store(service, *(f"e{n}" for n in range(10)))
    seqs = [job.episode_seq for _ in range(5) for job in claimed(service, "one", limit=2)]
    assert seqs == sorted(seqs)
    assert len(seqs) == 10


def test_a_job_that_was_tried_with_others_before_comes_alone(service: MemoryService, clock: FrozenClock) -> None:
    store(service, "a", "b", "c")
    sizes = []
    for _ in range(4):
        sizes.append(len(claimed(service, "one")))
        clock.advance(LEASE_S + 1)
    assert sizes == [3, 3, 1, 1]


def test_leases_of_processes_of_this_host_that_ended_are_freed_and_no_others(service: MemoryService) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    me = owner_name()
    living = subprocess.Popen(["sleep", "60"])
    owners = {
        "ended": f"{HOST}:{ended.pid}:aaaa",
        "before me under my pid": f"{me.rpartition(':')[0]}:bbbb",
        "me": me,
        "living": f"{HOST}:{living.pid}:cccc",
        "elsewhere": f"another-host:{ended.pid}:dddd",
    }
    store(service, *owners.values())
    for owner in owners.values():
        assert len(claimed(service, owner, limit=1)) == 1
    try:
        freed = service.store.writer.write(lambda tx: release_dead_owners(tx, me, tx.recorded_at))
    finally:
        living.kill()
        living.wait()
    assert freed == 2
    assert len(claimed(service, "next")) == 2


@dataclass
class Handed:
    """A dispatcher that takes jobs and does nothing with them."""

    owner: str | None = "here:1:x"
    jobs: list[Job] = field(default_factory=list)
    to_do_again: list[Job] = field(default_factory=list)

    def reserve(self, count: int) -> str | None:
        return self.owner

    def hand_over(self, jobs: Sequence[Job]) -> None:
        self.jobs.extend(jobs)

    def undone(self, jobs: Sequence[Job]) -> None:
        self.to_do_again.extend(jobs)


def test_new_jobs_go_to_this_process_under_lease_straight_from_their_commit(service: MemoryService) -> None:
    handed, item = Handed(), draft(wire.EpisodeIn(id="a", content="x"), None)
    service.store.writer.write(lambda tx: append_in(tx, "ns", [item], ("index", 1), handed))
    assert [(job.stage, job.attempts) for job in handed.jobs] == [("index", 1)]
    assert row(service, handed.jobs[0]).owner == handed.owner
    assert claimed(service, "another") == []


def test_jobs_of_a_unit_that_fails_are_not_handed_over(service: MemoryService) -> None:
    handed, item = Handed(), draft(wire.EpisodeIn(id="a", content="x"), None)

    def failing(tx: Transaction) -> None:
        append_in(tx, "ns", [item], ("index", 1), handed)
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        service.store.writer.write(failing)
    assert handed.jobs == []


class Stepping:
    """A stage that waits before each of its batches, until it is let go."""

    def __init__(self, stage: Stage) -> None:
        self.name, self.version, self._stage = stage.name, stage.version, stage
        self.begun, self._allowed = 0, threading.Semaphore(0)

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        self.begun += 1
        assert self._allowed.acquire(timeout=30)
        return self._stage.extract(view, jobs)

    def let_go(self, batches: int = 1) -> None:
        self._allowed.release(batches)


def test_work_is_done_in_the_order_of_the_log_though_not_all_of_it_fits_in_memory(
    service: MemoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory_service.pipeline.worker._HANDED_OVER_MAX", 4)
    index, note = Stepping(stages(service)[0]), Recording(stages(service)[1])
    worker = new_worker(service, [index, note])
    worker.start()

    def dispatched(*names: str) -> None:
        items = [draft(wire.EpisodeIn(id=name, content=f"about {name}"), None) for name in names]
        service.store.writer.write(lambda tx: append_in(tx, "ns", items, worker.first_stage, worker))

    dispatched("a")
    eventually(lambda: index.begun == 1)
    dispatched("b1", "b2", "b3")
    dispatched("c1", "c2")  # no room: they stay in the outbox
    index.let_go()
    eventually(lambda: index.begun == 2)
    dispatched("d1")  # there is room again
    index.let_go(100)
    assert worker.drain(30)
    worker.close()
    assert note.seqs == sorted(note.seqs)


def test_two_processes_share_the_work_and_do_nothing_twice(folder: Path) -> None:
    here, there = open_service(folder), open_service(folder)
    seen = [Recording(stages(one)[0]) for one in (here, there)]
    workers = [new_worker(one, [mine, *stages(one)[1:]]) for one, mine in zip((here, there), seen, strict=True)]
    for worker in workers:
        worker.start()
    for n in range(40):
        store(here, *(f"e{n}.{k}" for k in range(10)))
    for worker in workers:
        assert worker.drain(30)
    for worker in workers:
        worker.close()
    done = Counter(seq for mine in seen for seq in mine.seqs)
    assert len(done) == 400
    assert set(done.values()) == {1}
    assert set(statuses(here).values()) == {"enriched"}
    here.close()
    there.close()


# --- retries and dead letters -------------------------------------------------------------------------------------


class Wrapped:
    """A stage that does what another does, and something besides."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def version(self) -> int:
        return self.stage.version

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        return self.stage.extract(view, jobs)


class Recording(Wrapped):
    """Remembers what it was given."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.seqs: list[int] = []

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        self.seqs += [job.episode_seq for job in jobs]
        return super().extract(view, jobs)


class Failing(Wrapped):
    """Cannot do episodes whose id begins with "bad"."""

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        extracts = super().extract(view, jobs)
        if any(extract.episode_id.startswith("bad") for extract in extracts):
            raise ValueError("the moon is full")
        return extracts


def test_a_failed_attempt_waits_longer_each_time_and_the_last_makes_a_dead_letter(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "a")
    for attempt in range(1, limits.MAX_ATTEMPTS + 1):
        (job,) = claimed(service, "one")
        assert job.attempts == attempt
        now = clock.now_micros()
        dead = service.store.writer.write(lambda tx, job=job, now=now: fail(tx, job, "no luck", now))
        assert dead == (attempt == limits.MAX_ATTEMPTS)
        if not dead:
            longest = limits.BACKOFF_BASE_MS * 2 ** (attempt - 1) * 1000
            assert longest / 2 <= row(service, job).available_at - now <= longest
            assert claimed(service, "two") == []
            clock.advance(longest / 1e6 + 1)
    clock.advance(3600)
    assert claimed(service, "two") == []
    assert letters(service) == {"a": "no luck"}


def test_an_episode_that_cannot_be_done_is_dead_with_its_reason_and_the_others_are_done(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "good", "bad", "better")
    index, *later = stages(service)
    worker = new_worker(service, [Failing(index), *later])
    worker.start()
    eventually(lambda: statuses(service)["better"] == "enriched")
    eventually(lambda: clock.advance(1) or letters(service))
    worker.close()
    assert letters(service) == {"bad": "ValueError: the moon is full"}
    assert statuses(service) == {"good": "enriched", "bad": "dead", "better": "enriched"}


def test_a_dead_letter_that_is_retried_has_fresh_attempts(service: MemoryService, clock: FrozenClock) -> None:
    store(service, "bad")
    (job,) = claimed(service, "one")
    service.store.writer.write(lambda tx: fail(tx, job, "no luck", clock.now_micros(), final=True))
    assert statuses(service) == {"bad": "dead"}
    service.retry_dead_letter("ns", job.id)
    work(service)
    assert statuses(service) == {"bad": "enriched"}
    assert letters(service) == {}


def test_a_job_whose_every_attempt_ended_with_its_process_becomes_a_dead_letter(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "deadly", "innocent")
    index, *later = stages(service)
    deadly = claimed(service, "one", limit=1)[0]
    service.store.writer.write(
        lambda tx: tx.connection.execute(
            update(table).where(table.c.episode_seq == deadly.episode_seq).values(attempts=limits.MAX_ATTEMPTS)
        )
    )
    clock.advance(LEASE_S + 1)
    recording = Recording(index)
    work(service, [recording, *later])
    assert deadly.episode_seq not in recording.seqs, "it is not tried again"
    assert statuses(service) == {"deadly": "dead", "innocent": "enriched"}
    assert letters(service) == {"deadly": "the worker died during every attempt at this episode"}


class Unusable(Wrapped):
    """The store fails under it, once."""

    failed = False

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        if not self.failed:
            self.failed = True
            raise StorageUnavailable("the disk is away")
        return super().extract(view, jobs)


def test_an_outage_of_the_store_leaves_the_work_under_lease_and_stops_no_worker(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "a", "b")
    index, *later = stages(service)
    unusable = Unusable(index)
    worker = new_worker(service, [unusable, *later])
    worker.start()
    eventually(lambda: unusable.failed)
    assert letters(service) == {}
    clock.advance(LEASE_S + 1)
    assert worker.drain(30)
    assert worker.is_healthy
    worker.close()
    assert statuses(service) == {"a": "enriched", "b": "enriched"}


# --- erasure under lease ------------------------------------------------------------------------------------------


class Paused(Wrapped):
    """Stops after it has extracted and before anything is written, until it is let go."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.extracted, self.go = threading.Event(), threading.Event()

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        extracts = super().extract(view, jobs)
        self.extracted.set()
        assert self.go.wait(30)
        return extracts


def paused_worker(service: MemoryService, stage: str) -> tuple[Worker, Paused]:
    """A worker that has extracted this stage of all that is stored."""
    mine = [Paused(own) if own.name == stage else own for own in stages(service)]
    worker = new_worker(service, mine)
    worker.start()
    paused = next(own for own in mine if isinstance(own, Paused))
    assert paused.extracted.wait(30)
    return worker, paused


def finish(worker: Worker, paused: Paused, clock: FrozenClock) -> None:
    paused.go.set()
    eventually(lambda: clock.advance(1) or worker.drain(0.1))
    worker.close()


def notes(service: MemoryService) -> dict[str, wire.Note]:
    with service.namespace("ns").snapshot() as snapshot:
        return {note.episode_ids[0]: note for _, note in snapshot.notes(0, 1000)}


def records_of(service: MemoryService, kind: str) -> int:
    with service.store.database.read() as connection:
        return connection.execute(select(func.count()).where(records.c.kind == kind)).scalar_one()


@pytest.mark.parametrize("stage", ["index", "note", "graph"])
def test_an_episode_erased_while_it_is_worked_on_is_not_written_back(
    service: MemoryService, clock: FrozenClock, stage: str
) -> None:
    store(service, "erased", session="one")
    store(service, "kept", session="two")
    worker, paused = paused_worker(service, stage)
    service.erase_episode("ns", "erased")
    finish(worker, paused, clock)
    assert statuses(service) == {"kept": "enriched"}
    assert set(notes(service)) == {"kept"}
    assert [records_of(service, kind) for kind in ("index", "note", "graph")] == [1, 1, 1]


@pytest.mark.parametrize("stage", ["index", "note", "graph"])
def test_a_namespace_erased_while_it_is_worked_on_is_not_written_back(
    service: MemoryService, clock: FrozenClock, stage: str
) -> None:
    store(service, "erased")
    worker, paused = paused_worker(service, stage)
    service.erase_namespace("ns")
    store(service, "erased")  # its successor of the same name and with the same id
    finish(worker, paused, clock)
    assert statuses(service) == {"erased": "enriched"}
    assert [records_of(service, kind) for kind in ("index", "note", "graph")] == [1, 1, 1]
    assert [(item.name, item.episodes) for item in service.namespaces("", 10)] == [("ns", 1)]


def test_a_note_whose_source_is_erased_while_it_is_made_is_made_without_it(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "erased", "kept")
    worker, paused = paused_worker(service, "note")
    service.erase_episode("ns", "erased")
    finish(worker, paused, clock)
    assert statuses(service) == {"kept": "enriched"}
    assert "erased" not in notes(service)["kept"].context
    assert notes(service)["kept"].links == []
    assert letters(service) == {}


def test_a_clean_stop_gives_back_what_was_not_begun_without_counting_it(service: MemoryService) -> None:
    store(service, "begun")
    worker, paused = paused_worker(service, "index")
    item = draft(wire.EpisodeIn(id="handed-over", content="x"), None)
    service.store.writer.write(lambda tx: append_in(tx, "ns", [item], worker.first_stage, worker))
    assert claimed(service, "another") == [], "it is leased"
    closing = threading.Thread(target=worker.close)
    closing.start()
    eventually(lambda: worker.reserve(1) is None)  # it is stopping
    paused.go.set()
    closing.join()
    assert [job.attempts for job in claimed(service, "next")] == [1]
    assert statuses(service) == {"begun": "indexed", "handed-over": "stored"}


# --- what is done again ---------------------------------------------------------------------------------------------


def left(service: MemoryService) -> list[str]:
    """Stages of the jobs in the outbox."""
    with service.store.database.read() as connection:
        return sorted(connection.execute(select(table.c.stage)).scalars())


def test_a_note_made_anew_asks_for_no_second_extraction(service: MemoryService) -> None:
    store(service, "erased", "kept")
    work(service)
    assert records_of(service, "graph") == 2
    service.erase_episode("ns", "erased")
    assert (left(service), statuses(service)) == (["note"], {"kept": "indexed"})
    extracting = Recording(stages(service)[2])
    work(service, [*stages(service)[:2], extracting])
    assert extracting.seqs == []
    assert (left(service), statuses(service)) == ([], {"kept": "enriched"})


def test_whoever_waits_for_an_episode_whose_note_is_undone_waits_until_it_is_made_again(
    service: MemoryService,
) -> None:
    progress = Progress()
    worker = Worker(service.store, stages(service), progress)
    worker.start()
    store(service, "erased", "kept")
    assert worker.drain(30)
    seq = service.episode("ns", "kept").seq

    def reached(stage: str) -> bool:
        return asyncio.run(progress.wait(stage, [seq], 0.01))

    assert [reached(stage) for stage in ("index", "note", "graph")] == [True, True, True]
    service.store.writer.write(lambda tx: erasure.erase_episode(tx, "ns", "erased", worker.versions, Handed(None)))
    worker.undone([Job("ns", seq, "note", 1, 1)])
    assert [reached(stage) for stage in ("index", "note", "graph")] == [True, False, False]
    assert worker.drain(30)
    eventually(lambda: reached("graph"))
    worker.close()


def test_an_erasure_tells_the_worker_what_it_undid(service: MemoryService) -> None:
    store(service, "erased", "kept")
    work(service)
    handed = Handed()
    versions = {"index": 1, "note": 1, "graph": 1}
    service.store.writer.write(lambda tx: erasure.erase_episode(tx, "ns", "erased", versions, handed))
    kept = service.episode("ns", "kept").seq
    assert [(job.episode_seq, job.stage) for job in handed.to_do_again] == [(kept, "note")]


def test_an_extraction_by_a_worker_whose_lease_had_expired_is_left_out(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "a")
    slow, paused = paused_worker(service, "graph")
    clock.advance(LEASE_S + 1)
    work(service)
    assert statuses(service) == {"a": "enriched"}
    finish(slow, paused, clock)
    assert (records_of(service, "graph"), left(service), letters(service)) == (1, [], {})


@pytest.mark.parametrize("stage", ["index", "note", "graph"])
def test_a_job_that_is_handed_over_twice_is_done_once(service: MemoryService, stage: str) -> None:
    store(service, "a", "b")
    own = stages(service)
    if stage != "index":
        work(service, own[: [each.name for each in own].index(stage)])
    jobs = [Job("ns", service.episode("ns", name).seq, stage, 1, 1) for name in ("a", "b")]
    service.store.writer.write(lambda tx: enqueue(tx, jobs, Handed()))
    worker = new_worker(service)
    worker.hand_over([*jobs, *jobs])
    worker.start()
    assert worker.drain(30)
    worker.close()
    assert [records_of(service, kind) for kind in ("index", "note", "graph")] == [2, 2, 2]
    assert set(statuses(service).values()) == {"enriched"}
    assert letters(service) == {}


def test_an_erasure_between_a_note_and_its_extraction_leads_to_one_extraction(
    service: MemoryService, clock: FrozenClock
) -> None:
    store(service, "erased", "kept")
    first, note, extracting = stages(service)
    index, slow = Stepping(first), Recording(extracting)
    worker = new_worker(service, [index, note, slow])
    worker.start()

    def dispatched(name: str) -> None:
        item = draft(wire.EpisodeIn(id=name, content="about nothing", session_id="other"), None)
        service.store.writer.write(lambda tx: append_in(tx, "ns", [item], worker.first_stage, worker))

    index.let_go()
    eventually(lambda: set(statuses(service).values()) == {"enriched"})
    versions = worker.versions
    dispatched("held")  # the index stage goes ahead of all others, and stands still
    eventually(lambda: index.begun == 2)
    service.store.writer.write(lambda tx: erasure.erase_episode(tx, "ns", "erased", versions, worker))
    index.let_go(100)
    eventually(lambda: clock.advance(1) or worker.drain(0.1))
    worker.close()
    assert records_of(service, "graph") == 2
    assert len(slow.seqs) == len(set(slow.seqs))


class Unwritable(Wrapped):
    """What it says of episodes whose id begins with "bad" cannot become part of the graph."""

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        nobody = Extraction((), (Claim(7, "likes", "tea"),))
        return [
            replace(extract, payload=nobody) if extract.episode_id.startswith("bad") else extract
            for extract in super().extract(view, jobs)
        ]


def test_an_episode_whose_record_cannot_be_written_fails_alone(service: MemoryService, clock: FrozenClock) -> None:
    store(service, "good", "bad", "better")
    *first, extracting = stages(service)
    worker = new_worker(service, [*first, Unwritable(extracting)])
    worker.start()
    eventually(lambda: statuses(service)["better"] == "enriched")
    eventually(lambda: clock.advance(1) or letters(service))
    worker.close()
    assert letters(service) == {"bad": "InvalidClaim: Claim 0: no mention 7."}
    assert statuses(service) == {"good": "enriched", "bad": "dead", "better": "enriched"}
