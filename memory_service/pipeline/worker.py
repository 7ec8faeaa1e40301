"""The worker: takes jobs from the outbox, runs their stage, and writes records, in one thread of its own.

Jobs come straight from commits of this process (already leased to it), or are claimed from the outbox: retries that are due,
work of processes that died, and all work when this is a process of its own.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import select

from memory_service import failpoints, limits
from memory_service.errors import MemoryServiceError, ProblemError
from memory_service.log import outbox
from memory_service.log.idempotency import drop_expired
from memory_service.log.outbox import Job
from memory_service.log.records import Extract, missing_episodes, with_record, write_records
from memory_service.log.schema import log_head
from memory_service.log.schema import outbox as outbox_table
from memory_service.log.store import Store
from memory_service.log.views import NamespaceView
from memory_service.log.writer import Transaction
from memory_service.observability import metrics
from memory_service.pipeline.progress import Progress
from memory_service.pipeline.stages import Stage
from retrieval.embedders.wrappers import TransientEmbedderError

_log = structlog.get_logger(__name__)

_HANDED_OVER_MAX = 2048
"""Jobs held in memory under lease: what the worker can do well before LEASE_MS."""

_OUTAGE_PAUSE_S = 1.0
_SILENCE_S = 0.02
_LONGEST_DEFERRAL_S = 0.2
_HOUSEKEEPING_S = 600.0


class Worker:
    """Runs the stages in the order given: an earlier one's jobs go first, since it makes episodes searchable."""

    def __init__(self, store: Store, stages: Sequence[Stage], progress: Progress) -> None:
        self._store = store
        self._stages = {stage.name: stage for stage in stages}
        self._progress = progress
        self.owner = outbox.owner_name()
        self._handed: dict[str, deque[Job]] = {stage.name: deque() for stage in stages}
        self._condition = threading.Condition()
        self._stopping = False
        self._started = False
        self._last_first = 0.0
        self._backlog = False
        """Jobs wait in the outbox that found no room here: until they are claimed, newer ones line up behind them."""
        self._next_housekeeping = 0.0
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    @property
    def first_stage(self) -> tuple[str, int]:
        """Name and version of the stage that new episodes enter."""
        first = next(iter(self._stages.values()))
        return first.name, first.version

    @property
    def versions(self) -> dict[str, int]:
        """Version of each stage by its name."""
        return {name: stage.version for name, stage in self._stages.items()}

    def start(self) -> None:
        """Takes over what dead processes of this host left, then works until closed."""
        self._store.writer.write(lambda tx: outbox.release_dead_owners(tx, self.owner, tx.recorded_at))
        self._started = True
        self._thread.start()

    def close(self) -> None:
        """Finishes the batch at hand, gives the other leases back, and stops."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_healthy(self) -> bool:
        """False only when it was started and its thread has ended by itself."""
        return not self._started or self._thread.is_alive()

    # --- the dispatcher port ----------------------------------------------------------------------------------------

    def reserve(self, count: int) -> str | None:
        with self._condition:
            if self._stopping or not self._thread.is_alive():
                return None
            held = sum(len(queue) for queue in self._handed.values())
            self._backlog = self._backlog or held + count > _HANDED_OVER_MAX
            return None if self._backlog else self.owner

    def undone(self, jobs: Sequence[Job]) -> None:
        names = list(self._stages)
        for job in jobs:
            for name in names[names.index(job.stage) :]:
                self._progress.forget(name, [job.episode_seq])

    def hand_over(self, jobs: Sequence[Job]) -> None:
        with self._condition:
            for job in jobs:
                self._handed[job.stage].append(job)
            if jobs[0].stage == self.first_stage[0]:
                self._last_first = time.monotonic()
            self._condition.notify_all()

    # --- the loop ----------------------------------------------------------------------------------------------------

    def drain(self, timeout_s: float) -> bool:
        """Waits until nothing is waiting, here or in the outbox. False when the time is up."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with self._store.database.read() as connection:
                if outbox.lag(connection).waiting == 0:
                    return True
            time.sleep(0.02)
        return False

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._step()
            except Exception as error:  # noqa: BLE001 - logged and counted; a worker that ends would leave the queue to grow
                # Leases keep the jobs at hand, which are taken up again when they expire, and end as dead letters at last.
                known = isinstance(error, MemoryServiceError)
                _log.warning("worker_outage", error=str(error) if known else type(error).__name__, exc_info=not known)
                metrics.worker_outages.inc()
                self._pause(_OUTAGE_PAUSE_S)
        self._give_back()

    def _step(self) -> None:
        jobs = self._take_handed() or self._claim()
        if jobs:
            self._process(jobs)
            return
        self._housekeep()
        self._pause(limits.WORKER_POLL_MS / 1000)

    def _pause(self, seconds: float) -> None:
        with self._condition:
            if not self._stopping and not any(self._handed.values()):
                self._condition.wait(seconds)

    def _take_handed(self) -> list[Job]:
        """A batch of one stage. Later stages let the first one go ahead: it makes episodes searchable."""
        with self._condition:
            self._let_the_first_stage_go_ahead()
            waiting = next((queue for queue in self._handed.values() if queue), None)
            if waiting is None:
                return []
            jobs = [waiting.popleft()]
            while waiting and len(jobs) < limits.WORKER_BATCH_EPISODES:
                jobs.append(waiting.popleft())
            return jobs

    def _let_the_first_stage_go_ahead(self) -> None:
        """While new episodes keep coming one by one, notes wait for a moment of silence, but not for long."""
        first, *later = self._handed.values()
        deadline = time.monotonic() + _LONGEST_DEFERRAL_S
        while not first and any(later) and not self._stopping and time.monotonic() < deadline:
            if sum(map(len, later)) >= limits.WORKER_BATCH_EPISODES:
                return
            silence = time.monotonic() - self._last_first
            if silence >= _SILENCE_S:
                return
            self._condition.wait(_SILENCE_S - silence)

    def _claim(self) -> list[Job]:
        now, stage = self._due()
        if stage is None:
            self._backlog = False
            return []
        jobs = self._store.writer.write(
            lambda tx: outbox.claim(tx, stage, self.owner, now, limits.WORKER_BATCH_EPISODES)
        )
        for job in jobs:
            if job.attempts > limits.MAX_ATTEMPTS:
                self._fail(job, "the worker died during every attempt at this episode")
        return [job for job in jobs if job.attempts <= limits.MAX_ATTEMPTS]

    def _due(self) -> tuple[int, str | None]:
        """The log's time, and the first stage with due jobs.

        Asked by a read first, so that an idle worker does not take the writer lock twice a second. The log's time goes on
        where the clock is set back: what was enqueued at it is due.
        """
        with self._store.database.read() as connection:
            recorded_at = connection.execute(select(log_head.c.recorded_at)).scalar_one()
            now = max(self._store.clock.now_micros(), recorded_at + 1)
            for name in self._stages:
                due = select(outbox_table.c.stage).where(
                    outbox_table.c.dead_at.is_(None), outbox_table.c.stage == name, outbox_table.c.available_at <= now
                )
                if connection.execute(due.limit(1)).first() is not None:
                    return now, name
        return now, None

    # --- one batch ----------------------------------------------------------------------------------------------------

    def _process(self, jobs: Sequence[Job]) -> None:
        groups: dict[tuple[str, str], list[Job]] = defaultdict(list)
        # A job may be here twice: a note that an erasure undid asks again for what waited to come after it.
        for job in {job.key: job for job in jobs}.values():
            groups[job.namespace, job.stage].append(job)
        for (namespace, stage), group in groups.items():
            for portion in self._portions(self._store.namespace(namespace), group):
                self._attempt(self._stages[stage], portion)

    def _portions(self, view: NamespaceView, jobs: Sequence[Job]) -> Iterator[list[Job]]:
        """Splits a batch by the length of its texts: a few books take as long as thousands of turns, and a lease is short."""
        with view.snapshot() as snapshot:
            lengths = snapshot.lengths([job.episode_seq for job in jobs])
        portion: list[Job] = []
        chars = 0
        for job in jobs:
            own = lengths.get(job.episode_seq, 0)
            if portion and chars + own > limits.WORKER_BATCH_CHARS:
                yield portion
                portion, chars = [], 0
            portion.append(job)
            chars += own
        yield portion

    def _attempt(self, stage: Stage, jobs: Sequence[Job]) -> None:
        """The group at once; where that fails, each alone, so that one bad episode fails alone."""
        view = self._store.namespace(jobs[0].namespace)
        started = time.perf_counter()
        try:
            failpoints.reach(f"stage:{stage.name}:before")
            extracts = stage.extract(view, jobs)
            # What is derived from a record is made while it is written, and may fail there.
            self._write(stage, jobs, extracts)
        except (ProblemError, TransientEmbedderError):
            # An outage of the store or of an embedding endpoint is not the episode's fault.
            raise
        except Exception as error:  # noqa: BLE001 - told in the job's reason, the log and a metric
            if len(jobs) > 1:
                for job in jobs:
                    self._attempt(stage, [job])
            else:
                self._fail(jobs[0], f"{type(error).__name__}: {error}")
            return
        metrics.stage_seconds.labels(stage.name).observe(time.perf_counter() - started)
        metrics.stage_episodes.labels(stage.name).inc(len(extracts))

    def _write(self, stage: Stage, jobs: Sequence[Job], extracts: Sequence[Extract]) -> None:
        failpoints.reach(f"stage:{stage.name}:extracted")
        reached = self._store.writer.write(lambda tx: self._apply(tx, stage, jobs, extracts))
        failpoints.reach(f"stage:{stage.name}:written")
        for name, seqs in reached.items():
            self._progress.reached(name, seqs)

    def _apply(
        self, tx: Transaction, stage: Stage, jobs: Sequence[Job], extracts: Sequence[Extract]
    ) -> dict[str, list[int]]:
        """Records, done jobs and next jobs in one transaction. What was erased meanwhile is not written back.

        Returns the episodes that have reached a stage, by its name.
        """
        namespace = jobs[0].namespace
        needed = {job.episode_seq for job in jobs} | {s for e in extracts for s in e.sources}
        missing = missing_episodes(tx.connection, namespace, needed)
        writable = [e for e in extracts if e.episode_seq not in missing and missing.isdisjoint(e.sources)]
        stale = {e.episode_seq for e in extracts if e.episode_seq not in missing} - {e.episode_seq for e in writable}
        write_records(tx, writable)
        outbox.complete(tx, [job for job in jobs if job.episode_seq not in stale])
        for job in jobs:
            if job.episode_seq in stale:
                outbox.fail(tx, replace(job, attempts=1), "a source was erased meanwhile", tx.recorded_at)
        done = [job.episode_seq for job in jobs if job.episode_seq not in stale | missing]
        return {stage.name: done} | self._carry_on(tx, namespace, stage, done)

    def _carry_on(self, tx: Transaction, namespace: str, stage: Stage, seqs: Sequence[int]) -> dict[str, list[int]]:
        """Enqueues each episode for the first of the later stages whose record it lacks; returns the stages that it has.

        It may have some: a note is made anew after an erasure, while what the episode says of the graph stands.
        """
        names, had = list(self._stages), dict[str, list[int]]()
        for name in names[names.index(stage.name) + 1 :]:
            have = with_record(tx.connection, namespace, name, seqs)
            lacking = [Job(namespace, seq, name, self._stages[name].version, 1) for seq in seqs if seq not in have]
            if lacking:
                outbox.enqueue(tx, lacking, self)
            had[name] = seqs = [seq for seq in seqs if seq in have]
        return had

    def _fail(self, job: Job, reason: str) -> None:
        def work(tx: Transaction) -> bool:
            return outbox.fail(tx, job, reason, tx.recorded_at)

        dead = self._store.writer.write(work)
        _log.warning("stage_failed", stage=job.stage, seq=job.episode_seq, attempts=job.attempts, dead=dead)
        metrics.stage_failures.labels(job.stage).inc()
        if dead:
            metrics.dead_letters_total.labels(job.stage).inc()
            self._progress.reached(job.stage, [job.episode_seq])

    # --- housekeeping ---------------------------------------------------------------------------------------------------

    def _housekeep(self) -> None:
        if time.monotonic() >= self._next_housekeeping:
            self._next_housekeeping = time.monotonic() + _HOUSEKEEPING_S
            self._store.writer.write(drop_expired)

    def _give_back(self) -> None:
        """On a clean stop, jobs not begun are made due at once."""
        left = [job for queue in self._handed.values() for job in queue]
        if not left:
            return

        def work(tx: Transaction) -> None:
            outbox.release(tx, left, tx.recorded_at)

        try:
            self._store.writer.write(work)
        except MemoryServiceError as error:
            _log.warning("leases_not_returned", error=str(error), jobs=len(left))
