"""The writer: one thread that owns all writes of this process and lets concurrent ones share a commit (ground rule 1)."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError

from memory_service import limits
from memory_service.clock import Clock
from memory_service.errors import StorageUnavailable
from memory_service.log.database import Database
from memory_service.log.schema import log_head, namespaces

T = TypeVar("T")
_logger = logging.getLogger(__name__)

_READ_HEAD = select(log_head.c.seq, log_head.c.recorded_at)
_MOVE_HEAD = update(log_head).values(seq=bindparam("new_seq"), recorded_at=bindparam("new_recorded_at"))
_new_namespace = upsert(namespaces)
_TOUCH = _new_namespace.on_conflict_do_update(
    index_elements=[namespaces.c.name],
    set_={
        "head_seq": _new_namespace.excluded.head_seq,
        "episodes": namespaces.c.episodes + _new_namespace.excluded.episodes,
    },
)


@dataclass
class Transaction:
    """One submission's part of a commit. `seq` and `recorded_at` are given under the writer lock, so they are monotone."""

    connection: Connection
    recorded_at: int
    seq: int
    touched: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Namespace to (its newest seq, episodes added less episodes erased)."""
    deleted: set[str] = field(default_factory=set[str])
    """Namespaces whose earlier changes count no more, those of other units in the same commit included."""
    callbacks: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    feeds_graph: bool = False
    """Whether a graph store outside this database is to be told of changes."""

    def next_seq(self, namespace: str, *, episodes: int = 0) -> int:
        """The next seq, for a row of this namespace. `episodes` is what the row changes in the count."""
        self.seq += 1
        _, count = self.touched.get(namespace, (0, 0))
        self.touched[namespace] = (self.seq, count + episodes)
        return self.seq

    def forget(self, namespace: str) -> None:
        """Drops what this commit knows of a namespace that this transaction has deleted."""
        self.touched.pop(namespace, None)
        self.deleted.add(namespace)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Runs once the commit is durable; not at all when it fails."""
        self.callbacks.append(callback)


@dataclass
class _Submission(Generic[T]):
    work: Callable[[Transaction], T]
    future: "Future[T]" = field(default_factory=Future)


class Writer:
    """Takes units of work and commits those that wait together, each in its own savepoint.

    A unit that raises is rolled back alone and its error goes to its caller. A commit (or sync) that fails, fails all units
    that shared it, and none of them is acknowledged.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._queue: queue.SimpleQueue[_Submission[Any] | None] = queue.SimpleQueue()
        self._stopped = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()
        self.feeds_graph = False
        self.commits = 0
        self.submissions = 0

    def submit(self, work: Callable[[Transaction], T]) -> "Future[T]":
        """Queues the work; the future is done when its commit is durable, or with the error that undid it."""
        submission = _Submission(work)
        # A caller that gives up cannot call the work back: from here on its future refuses to be cancelled, which would
        # make the writer's answer an error.
        submission.future.set_running_or_notify_cancel()
        with self._lock:
            if self._stopped:
                raise StorageUnavailable("The service is stopping; nothing was stored.")
            self._queue.put(submission)
        return submission.future

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Submits and waits. Not for the event loop's thread."""
        return self.submit(work).result()

    @property
    def is_healthy(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Commits what is queued, then stops."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, stop = self._drain(first)
            self._commit_group(group)
            if stop:
                return

    def _drain(self, first: _Submission[Any]) -> tuple[list[_Submission[Any]], bool]:
        group = [first]
        while len(group) < limits.MAX_GROUP_COMMITS:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _commit_group(self, group: Sequence[_Submission[Any]]) -> None:
        outcomes: list[tuple[_Submission[Any], Any, BaseException | None]] = []
        callbacks: list[Callable[[], None]] = []
        try:
            with self._database.write() as connection:
                callbacks = self._run_group(connection, group, outcomes)
        except BaseException as error:  # noqa: BLE001 - every caller of the group is told, none is acknowledged
            for submission in group:
                submission.future.set_exception(error)
            return
        self.commits += 1
        self.submissions += len(group)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                # What is committed stays committed: its callers must be told, and the next ones served.
                _logger.exception("a callback after a commit failed")
        for submission, result, failure in outcomes:
            if failure is None:
                submission.future.set_result(result)
            else:
                submission.future.set_exception(failure)

    def _run_group(
        self,
        connection: Connection,
        group: Sequence[_Submission[Any]],
        outcomes: list[tuple[_Submission[Any], Any, BaseException | None]],
    ) -> list[Callable[[], None]]:
        head = connection.execute(_READ_HEAD).one()
        # Each unit has a moment of its own: what is derived from one is not mixed up with what is derived from another.
        recorded_at = max(self._clock.now_micros(), head.recorded_at + 1) - 1
        seq, touched, callbacks = head.seq, dict[str, tuple[int, int]](), list[Callable[[], None]]()
        for submission in group:
            recorded_at += 1
            tx = Transaction(connection, recorded_at, seq, feeds_graph=self.feeds_graph)
            connection.exec_driver_sql("SAVEPOINT unit")
            try:
                result = submission.work(tx)
            except Exception as error:
                if _fails_the_group(error):
                    raise
                connection.exec_driver_sql("ROLLBACK TO unit")
                outcomes.append((submission, None, error))
            else:
                outcomes.append((submission, result, None))
                seq = tx.seq
                _merge_touched(touched, tx)
                callbacks.extend(tx.callbacks)
            connection.exec_driver_sql("RELEASE unit")
        if seq != head.seq:
            connection.execute(_MOVE_HEAD, {"new_seq": seq, "new_recorded_at": recorded_at})
            _move_namespace_heads(connection, touched, recorded_at)
        return callbacks


def _fails_the_group(error: Exception) -> bool:
    """A full disk or a failed read leaves the whole transaction in doubt (SQLite may have rolled it back)."""
    return isinstance(error, DBAPIError) and not isinstance(error, IntegrityError)


def _merge_touched(into: dict[str, tuple[int, int]], tx: Transaction) -> None:
    for namespace in tx.deleted:
        into.pop(namespace, None)
    for namespace, (seq, episodes) in tx.touched.items():
        _, before = into.get(namespace, (0, 0))
        into[namespace] = (seq, before + episodes)


def _move_namespace_heads(connection: Connection, touched: dict[str, tuple[int, int]], recorded_at: int) -> None:
    rows = [
        {"name": name, "head_seq": seq, "episodes": count, "created_at": recorded_at}
        for name, (seq, count) in touched.items()
    ]
    if rows:
        connection.execute(_TOUCH, rows)


def initialise_head(connection: Connection) -> None:
    """Gives a new store its log head."""
    if connection.execute(_READ_HEAD).first() is None:
        connection.execute(insert(log_head), {"id": 1, "seq": 0, "recorded_at": 0})
