"""The outbox: what remains to be done for stored episodes. Leases, attempts, backoff and dead letters (ground rule 3)."""

import os
import random
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Protocol

from sqlalchemy import Connection, and_, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from memory_service import limits
from memory_service.log.schema import AnyRow, episodes, outbox
from memory_service.log.writer import Transaction

_MAX_ERROR_CHARS = 500
_TRIED_TOGETHER = 2
"""Attempts that a job may share with others of its batch; from then on it is claimed alone, so that a job which kills its
process does not use up the attempts of those beside it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One stage of one episode. `attempts` counts this attempt."""

    namespace: str
    episode_seq: int
    stage: str
    version: int
    attempts: int

    @property
    def key(self) -> tuple[int, str, int]:
        return (self.episode_seq, self.stage, self.version)

    @property
    def id(self) -> str:
        """The name a dead letter is asked for by."""
        return f"{self.episode_seq}.{self.stage}.{self.version}"


class Dispatcher(Protocol):
    """A worker in this process that takes new jobs straight from a commit, without claiming them in another one."""

    def reserve(self, count: int) -> str | None:
        """The owner name to lease the jobs to, or None when the worker has enough."""
        ...

    def hand_over(self, jobs: Sequence[Job]) -> None:
        """Called after the commit, with jobs leased to this worker."""
        ...

    def undone(self, jobs: Sequence[Job]) -> None:
        """Called after a commit that undid what these jobs had done: whoever waits for them waits again."""
        ...


class NoDispatcher:
    """Leaves all jobs to workers that poll."""

    def reserve(self, count: int) -> str | None:
        return None

    def hand_over(self, jobs: Sequence[Job]) -> None:
        """Never called: nothing was reserved."""

    def undone(self, jobs: Sequence[Job]) -> None:
        """Nobody waits here."""


def owner_name() -> str:
    """Names this process in leases: host, pid and a nonce, so that a reused pid is told apart."""
    return f"{socket.gethostname()[:48]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


_key = tuple_(outbox.c.episode_seq, outbox.c.stage, outbox.c.version)
_upsert = insert(outbox)
_ENQUEUE = _upsert.on_conflict_do_update(
    index_elements=[outbox.c.episode_seq, outbox.c.stage, outbox.c.version],
    set_={
        name: _upsert.excluded[name] for name in ("attempts", "available_at", "owner", "created_at", "error", "dead_at")
    },
)
_DELETE = delete(outbox).where(
    outbox.c.episode_seq == bindparam("k_seq"),
    outbox.c.stage == bindparam("k_stage"),
    outbox.c.version == bindparam("k_version"),
)


def enqueue(tx: Transaction, jobs: Sequence[Job], dispatcher: Dispatcher) -> None:
    """Adds jobs, leased to this process's worker when it has room for them."""
    owner = dispatcher.reserve(len(jobs))
    available_at = tx.recorded_at + (limits.LEASE_MS * 1000 if owner else 0)
    rows = [
        {
            "episode_seq": job.episode_seq,
            "stage": job.stage,
            "version": job.version,
            "namespace": job.namespace,
            "attempts": 1 if owner else 0,
            "available_at": available_at,
            "owner": owner,
            "created_at": tx.recorded_at,
            "error": None,
            "dead_at": None,
        }
        for job in jobs
    ]
    tx.connection.execute(_ENQUEUE, rows)
    if owner:
        handed = [replace(job, attempts=1) for job in jobs]
        tx.after_commit(lambda: dispatcher.hand_over(handed))


def claim(tx: Transaction, stage: str, owner: str, now_micros: int, limit: int) -> list[Job]:
    """Leases due jobs of a stage to the owner, oldest first. The attempt is counted before it is made.

    A job that was tried together with others before, and is still here, comes alone.
    """
    due = (
        select(outbox.c.episode_seq, outbox.c.stage, outbox.c.version, outbox.c.attempts)
        .where(outbox.c.dead_at.is_(None), outbox.c.stage == stage, outbox.c.available_at <= now_micros)
        .order_by(outbox.c.available_at, outbox.c.episode_seq)
        .limit(limit)
    )
    found = tx.connection.execute(due).all()
    together = list(takewhile(lambda row: row.attempts < _TRIED_TOGETHER, found)) or found[:1]
    lease = (
        update(outbox)
        .where(_key.in_([(row.episode_seq, row.stage, row.version) for row in together]))
        .values(owner=owner, available_at=now_micros + limits.LEASE_MS * 1000, attempts=outbox.c.attempts + 1)
        .returning(outbox.c.namespace, outbox.c.episode_seq, outbox.c.stage, outbox.c.version, outbox.c.attempts)
    )
    jobs = [_job(row) for row in tx.connection.execute(lease)]
    return sorted(jobs, key=lambda job: job.episode_seq)


def complete(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Takes finished jobs out."""
    if jobs:
        tx.connection.execute(
            _DELETE, [{"k_seq": j.episode_seq, "k_stage": j.stage, "k_version": j.version} for j in jobs]
        )


def fail(tx: Transaction, job: Job, reason: str, now_micros: int, *, final: bool = False) -> bool:
    """Puts a job back with backoff, or makes it a dead letter. Returns whether it is dead."""
    dead = final or job.attempts >= limits.MAX_ATTEMPTS
    values: dict[str, Any] = {"error": reason[:_MAX_ERROR_CHARS], "owner": None}
    if dead:
        values["dead_at"] = now_micros
    else:
        values["available_at"] = now_micros + backoff_ms(job.attempts) * 1000
    tx.connection.execute(update(outbox).where(_key == job.key).values(values))
    return dead


def backoff_ms(attempts: int) -> int:
    """Exponential with full jitter above half: retries of one outage do not come back as one herd."""
    ceiling = min(limits.BACKOFF_MAX_MS, limits.BACKOFF_BASE_MS * 2 ** (attempts - 1))
    return random.randint(ceiling // 2, ceiling)


def release(tx: Transaction, jobs: Sequence[Job], now_micros: int) -> None:
    """Gives leases back unused: the jobs are due at once and their attempt does not count."""
    free = (
        update(outbox)
        .where(
            outbox.c.episode_seq == bindparam("k_seq"),
            outbox.c.stage == bindparam("k_stage"),
            outbox.c.version == bindparam("k_version"),
            outbox.c.dead_at.is_(None),
        )
        .values(owner=None, available_at=now_micros, attempts=outbox.c.attempts - 1)
    )
    tx.connection.execute(free, [{"k_seq": j.episode_seq, "k_stage": j.stage, "k_version": j.version} for j in jobs])


def release_dead_owners(tx: Transaction, owner: str, now_micros: int) -> int:
    """Frees leases of processes of this host that no longer run, so that a restart need not wait for them to expire."""
    held = select(outbox.c.owner).where(outbox.c.owner.is_not(None)).distinct()
    gone = [name for name in tx.connection.execute(held).scalars() if _is_gone(name, owner)]
    if not gone:
        return 0
    free = update(outbox).where(outbox.c.owner.in_(gone), outbox.c.dead_at.is_(None))
    return tx.connection.execute(free.values(owner=None, available_at=now_micros)).rowcount


def _is_gone(name: str, me: str) -> bool:
    host, _, rest = name.partition(":")
    my_host, _, my_rest = me.partition(":")
    if name == me or host != my_host:
        return False
    pid = int(rest.partition(":")[0])
    if pid == int(my_rest.partition(":")[0]):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def retry_dead(tx: Transaction, namespace: str, key: tuple[int, str, int]) -> bool:
    """Makes a dead letter due again with fresh attempts. False when there is none of this key."""
    revive = update(outbox).where(outbox.c.namespace == namespace, _key == key, outbox.c.dead_at.is_not(None))
    values = {"dead_at": None, "attempts": 0, "available_at": tx.recorded_at, "owner": None}
    return tx.connection.execute(revive.values(values)).rowcount == 1


def dead_letters(connection: Connection, namespace: str, after: tuple[int, str, int], limit: int) -> Sequence[AnyRow]:
    """Dead letters of a namespace by (episode_seq, stage, version)."""
    query = (
        select(outbox, episodes.c.id.label("episode_id"))
        .join(episodes, and_(episodes.c.seq == outbox.c.episode_seq, episodes.c.namespace == outbox.c.namespace))
        .where(outbox.c.namespace == namespace, outbox.c.dead_at.is_not(None), _key > after)
        .order_by(outbox.c.episode_seq, outbox.c.stage, outbox.c.version)
        .limit(limit)
    )
    return connection.execute(query).all()


@dataclass(frozen=True, slots=True)
class Lag:
    """How far enrichment is behind."""

    waiting: int
    dead: int
    oldest_created_at: int | None


def lag(connection: Connection) -> Lag:
    """Counts over all namespaces; they carry no content and no names."""
    alive = select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.dead_at.is_(None))
    waiting, oldest = connection.execute(alive).one()
    dead = connection.execute(select(func.count()).where(outbox.c.dead_at.is_not(None))).scalar_one()
    return Lag(waiting, dead, oldest)


def _job(row: AnyRow) -> Job:
    return Job(row.namespace, row.episode_seq, row.stage, row.version, row.attempts)
