"""Appending episodes, inside the writer's transaction: ids, conflicts, tombstones, the outbox row (ground rules 1, 3, 8)."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import insert, select

from memory_service.errors import EpisodeConflict, Gone
from memory_service.instants import to_micros, to_offset_minutes
from memory_service.log.outbox import Dispatcher, Job, enqueue
from memory_service.log.schema import episodes, tombstones
from memory_service.log.writer import Transaction
from memory_service.wire import EpisodeIn

T = TypeVar("T")

DEFAULT_SESSION = "default"
_PARAMETERS = 1000
_SAME_FIELDS = ("session_id", "kind", "role", "speaker", "content", "metadata")


@dataclass(frozen=True, slots=True)
class Draft:
    """An episode as it will be stored, before it has a seq. Made outside the writer lock, so that the lock is short."""

    id: str | None
    session_id: str
    kind: str
    role: str | None
    speaker: str | None
    content: str
    occurred_at: int | None
    offset_minutes: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append answers for one episode."""

    id: str
    seq: int


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def draft(episode: EpisodeIn, session_id: str | None) -> Draft:
    """The draft of a validated request."""
    content = episode.content if isinstance(episode.content, str) else canonical_json(episode.content)
    occurred_at = episode.occurred_at
    return Draft(
        id=episode.id,
        session_id=episode.session_id or session_id or DEFAULT_SESSION,
        kind=episode.kind,
        role=episode.role,
        speaker=episode.speaker,
        content=content,
        occurred_at=None if occurred_at is None else to_micros(occurred_at),
        offset_minutes=0 if occurred_at is None else to_offset_minutes(occurred_at),
        metadata="{}" if not episode.metadata else canonical_json(episode.metadata),
    )


def id_hash(episode_id: str) -> bytes:
    """What a tombstone keeps of an erased id."""
    return hashlib.sha256(episode_id.encode()).digest()


def append(
    tx: Transaction, namespace: str, drafts: Sequence[Draft], first_stage: tuple[str, int], dispatcher: Dispatcher
) -> list[Receipt]:
    """Stores the episodes with their outbox rows. Raises EpisodeConflict or Gone, and then stores none of them."""
    known = _existing(tx, namespace, drafts)
    _refuse_erased(tx, namespace, [d for d in drafts if d.id is not None and d.id not in known])
    receipts: list[Receipt] = []
    rows: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(drafts):
        episode_id = item.id or uuid.uuid4().hex
        if (before := known.get(episode_id) or rows.get(episode_id)) is not None:
            _refuse_other_fields(before, item, index)
            receipts.append(Receipt(episode_id, before["seq"]))
            continue
        rows[episode_id] = row = _row(tx, namespace, episode_id, item)
        receipts.append(Receipt(episode_id, row["seq"]))
    if rows:
        tx.connection.execute(insert(episodes), list(rows.values()))
        stage, version = first_stage
        enqueue(tx, [Job(namespace, row["seq"], stage, version, 1) for row in rows.values()], dispatcher)
    return receipts


def _row(tx: Transaction, namespace: str, episode_id: str, item: Draft) -> dict[str, Any]:
    return {
        "seq": tx.next_seq(namespace, episodes=1),
        "namespace": namespace,
        "id": episode_id,
        "session_id": item.session_id,
        "kind": item.kind,
        "role": item.role,
        "speaker": item.speaker,
        "content": item.content,
        "occurred_at": tx.recorded_at if item.occurred_at is None else item.occurred_at,
        "offset_minutes": item.offset_minutes,
        "recorded_at": tx.recorded_at,
        "metadata": item.metadata,
    }


def _existing(tx: Transaction, namespace: str, drafts: Iterable[Draft]) -> dict[str, dict[str, Any]]:
    ids = [d.id for d in drafts if d.id is not None]
    found: dict[str, dict[str, Any]] = {}
    for part in _chunks(ids):
        query = select(episodes).where(episodes.c.namespace == namespace, episodes.c.id.in_(part))
        found.update((row["id"], dict(row)) for row in tx.connection.execute(query).mappings())
    return found


def _refuse_erased(tx: Transaction, namespace: str, drafts: Sequence[Draft]) -> None:
    hashes = {id_hash(d.id): d.id for d in drafts if d.id is not None}
    for part in _chunks(list(hashes)):
        query = select(tombstones.c.id_hash).where(tombstones.c.namespace == namespace, tombstones.c.id_hash.in_(part))
        row = tx.connection.execute(query).first()
        if row is not None:
            raise Gone(f"Episode {hashes[row.id_hash]!r} was erased; its id cannot be used again.")


def _chunks(items: list[T]) -> Iterator[list[T]]:
    """A database takes only so many parameters in one statement, and an import may bring any number."""
    for start in range(0, len(items), _PARAMETERS):
        yield items[start : start + _PARAMETERS]


def _refuse_other_fields(before: dict[str, Any], item: Draft, index: int) -> None:
    """An omitted occurred_at means "now", so it fits whatever time the first request was given."""
    differing = [name for name in _SAME_FIELDS if before[name] != getattr(item, name)]
    if item.occurred_at is not None and (before["occurred_at"], before["offset_minutes"]) != (
        item.occurred_at,
        item.offset_minutes,
    ):
        differing.append("occurred_at")
    if differing:
        pointers = [
            {"pointer": f"/episodes/{index}/{name}", "detail": "differs from what is stored"} for name in differing
        ]
        raise EpisodeConflict(
            f"Episode {before['id']!r} is stored with another {', '.join(differing)}.", errors=pointers
        )
