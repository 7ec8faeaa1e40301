"""Reading: a view is bound to one namespace, so no query can forget its tenant (ground rule 7)."""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, case, func, select

from memory_service import wire
from memory_service.instants import from_micros, to_micros
from memory_service.log import outbox as queue
from memory_service.log.database import Database
from memory_service.log.graph import GRAPH
from memory_service.log.records import BLANK, ERASURE, INDEX, NOTE
from memory_service.log.schema import (
    AnyRow,
    episodes,
    log_head,
    namespaces,
    note_links,
    notes,
    outbox,
    records,
    tombstones,
)
from memory_service.log.text import searchable_text


def _exists(kind: str) -> Any:
    return (
        select(records.c.seq)
        .where(records.c.episode_seq == episodes.c.seq, records.c.kind == kind, records.c.payload != BLANK)
        .correlate(episodes)
        .exists()
    )


_is_dead = (
    select(outbox.c.stage)
    .where(outbox.c.episode_seq == episodes.c.seq, outbox.c.dead_at.is_not(None))
    .correlate(episodes)
    .exists()
)
_is_enriched = _exists(NOTE) & _exists(GRAPH)
STATUS: Final = case((_is_dead, "dead"), (_is_enriched, "enriched"), (_exists(INDEX), "indexed"), else_="stored")
"""An episode's status follows from what the log and the outbox hold; it is not stored, so it cannot be wrong."""


_HEAD: Final = select(
    log_head.c.seq.label("store_seq"), namespaces.c.head_seq, namespaces.c.created_at, namespaces.c.episodes
).outerjoin_from(log_head, namespaces, namespaces.c.name == bindparam("namespace"))

_BY_SEQ: Final = (
    select(
        episodes,
        notes.c.id.label("note_id"),
        notes.c.context,
        notes.c.keywords,
        notes.c.tags,
        notes.c.created_at.label("note_created_at"),
    )
    .outerjoin(notes, notes.c.episode_seq == episodes.c.seq)
    .where(episodes.c.namespace == bindparam("namespace"), episodes.c.seq.in_(bindparam("seqs", expanding=True)))
)
"""Built once: every search runs it, and building a statement costs more than running it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a namespace stands. `created_at` tells a namespace from its successor of the same name."""

    seq: int
    created_at: int
    episodes: int


class NamespaceView:
    """One namespace, read-only. Every query of this class names it."""

    def __init__(self, database: Database, namespace: str) -> None:
        self._database = database
        self.namespace = namespace

    @contextmanager
    def snapshot(self) -> Generator["NamespaceSnapshot"]:
        """Several reads of one state."""
        with self._database.read() as connection:
            yield NamespaceSnapshot(connection, self.namespace)


class NamespaceSnapshot:
    """Reads of one namespace in one transaction."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self.namespace = namespace

    # --- where it stands ------------------------------------------------------------------------------------------

    def head(self) -> tuple[Head | None, int]:
        """The namespace's head (None while nothing is stored in it), and the newest seq of the whole store."""
        row = self._connection.execute(_HEAD, {"namespace": self.namespace}).one()
        head = None if row.created_at is None else Head(row.head_seq, row.created_at, row.episodes)
        return head, row.store_seq

    # --- what users read ------------------------------------------------------------------------------------------

    def episode(self, episode_id: str) -> wire.Episode | None:
        query = self._episodes_with_status().where(episodes.c.id == episode_id)
        row = self._connection.execute(query).first()
        return None if row is None else _episode(row)

    def is_erased(self, id_hash: bytes) -> bool:
        query = select(tombstones.c.erased_at).where(
            tombstones.c.namespace == self.namespace, tombstones.c.id_hash == id_hash
        )
        return self._connection.execute(query).first() is not None

    def episodes(self, after_seq: int, limit: int, session_id: str | None = None) -> list[wire.Episode]:
        """In order of seq."""
        query = self._episodes_with_status().where(episodes.c.seq > after_seq)
        if session_id is not None:
            query = query.where(episodes.c.session_id == session_id)
        rows = self._connection.execute(query.order_by(episodes.c.seq).limit(limit))
        return [_episode(row) for row in rows]

    def status(self, episode_id: str) -> wire.StatusResponse | None:
        query = (
            select(
                episodes.c.seq,
                STATUS.label("status"),
                func.max(outbox.c.attempts).label("attempts"),
                func.max(outbox.c.error).label("error"),
            )
            .select_from(episodes)
            .outerjoin(outbox, outbox.c.episode_seq == episodes.c.seq)
            .where(episodes.c.namespace == self.namespace, episodes.c.id == episode_id)
            .group_by(episodes.c.seq)
        )
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return wire.StatusResponse(
            id=episode_id, seq=row.seq, status=row.status, attempts=row.attempts or 0, reason=row.error
        )

    def statuses(self, seqs: Sequence[int]) -> dict[int, wire.EpisodeStatus]:
        query = select(episodes.c.seq, STATUS.label("status")).where(
            episodes.c.namespace == self.namespace, episodes.c.seq.in_(seqs)
        )
        return {row.seq: row.status for row in self._connection.execute(query)}

    def sessions(self, after_id: str, limit: int) -> list[wire.Session]:
        """By id."""
        query = (
            select(
                episodes.c.session_id,
                func.count().label("episode_count"),
                func.min(episodes.c.occurred_at).label("first"),
                func.max(episodes.c.occurred_at).label("last"),
            )
            .where(episodes.c.namespace == self.namespace, episodes.c.session_id > after_id)
            .group_by(episodes.c.session_id)
            .order_by(episodes.c.session_id)
            .limit(limit)
        )
        return [
            wire.Session(
                id=row.session_id,
                episodes=row.episode_count,
                first_occurred_at=from_micros(row.first),
                last_occurred_at=from_micros(row.last),
            )
            for row in self._connection.execute(query)
        ]

    def notes(self, after_seq: int, limit: int) -> list[tuple[int, wire.Note]]:
        """In order of their episodes' seq, which comes with each."""
        query = self._notes_with_episodes().where(notes.c.episode_seq > after_seq).order_by(notes.c.episode_seq)
        return self._with_links(self._connection.execute(query.limit(limit)).all())

    def note(self, note_id: str) -> wire.Note | None:
        rows = self._connection.execute(self._notes_with_episodes().where(notes.c.id == note_id)).all()
        found = self._with_links(rows)
        return found[0][1] if found else None

    def dead_letters(self, after: tuple[int, str, int], limit: int) -> list[tuple[queue.Job, wire.DeadLetter]]:
        rows = queue.dead_letters(self._connection, self.namespace, after, limit)
        jobs = [queue.Job(r.namespace, r.episode_seq, r.stage, r.version, r.attempts) for r in rows]
        return [
            (
                job,
                wire.DeadLetter(
                    id=job.id,
                    episode_id=row.episode_id,
                    stage=row.stage,
                    attempts=row.attempts,
                    reason=row.error or "",
                    dead_at=from_micros(row.dead_at),
                ),
            )
            for job, row in zip(jobs, rows, strict=True)
        ]

    # --- what search and the pipeline read ------------------------------------------------------------------------

    def by_seq(self, seqs: Sequence[int]) -> dict[int, AnyRow]:
        """Episodes with their note's columns (note_id and so on; None without a note)."""
        found = self._connection.execute(_BY_SEQ, {"namespace": self.namespace, "seqs": list(seqs)})
        return {row.seq: row for row in found}

    def ids(self, seqs: Iterable[int]) -> dict[int, str]:
        """Ids of these seqs."""
        query = select(episodes.c.seq, episodes.c.id).where(
            episodes.c.namespace == self.namespace, episodes.c.seq.in_(list(seqs))
        )
        return {row.seq: row.id for row in self._connection.execute(query)}

    def by_id(self, ids: Sequence[str]) -> Sequence[AnyRow]:
        """Episodes of these ids."""
        query = select(episodes).where(episodes.c.namespace == self.namespace, episodes.c.id.in_(ids))
        return self._connection.execute(query).all()

    def appended_since(self, after_seq: int, limit: int) -> Sequence[AnyRow]:
        """Episodes of later seqs, whole, in order."""
        query = select(episodes).where(episodes.c.namespace == self.namespace, episodes.c.seq > after_seq)
        return self._connection.execute(query.order_by(episodes.c.seq).limit(limit)).all()

    def index_records_since(self, after_seq: int, limit: int) -> Sequence[AnyRow]:
        """Index and erasure records of later seqs, in order."""
        query = select(
            records.c.seq, records.c.kind, records.c.episode_seq, records.c.payload, records.c.vectors
        ).where(records.c.namespace == self.namespace, records.c.seq > after_seq, records.c.kind.in_([INDEX, ERASURE]))
        return self._connection.execute(query.order_by(records.c.seq).limit(limit)).all()

    def seqs_with_record(self, kind: str, seqs: Sequence[int]) -> set[int]:
        """Those of the episodes that have a record of this kind."""
        query = select(records.c.episode_seq).where(
            records.c.namespace == self.namespace, records.c.kind == kind, records.c.episode_seq.in_(seqs)
        )
        return set(self._connection.execute(query).scalars())

    def lengths(self, seqs: Sequence[int]) -> dict[int, int]:
        """Characters of the episodes' contents."""
        query = select(episodes.c.seq, func.length(episodes.c.content).label("chars")).where(
            episodes.c.namespace == self.namespace, episodes.c.seq.in_(seqs)
        )
        return {row.seq: row.chars for row in self._connection.execute(query)}

    def turns_before(self, session_id: str, seq: int, limit: int) -> list[AnyRow]:
        """The session's episodes of earlier seqs, nearest last."""
        query = (
            select(episodes)
            .where(episodes.c.namespace == self.namespace, episodes.c.session_id == session_id, episodes.c.seq < seq)
            .order_by(episodes.c.seq.desc())
            .limit(limit)
        )
        return list(self._connection.execute(query))[::-1]

    def seqs_with_metadata(self, wanted: Mapping[str, wire.Scalar]) -> list[int]:
        """Seqs of the episodes whose metadata has equal values at these top-level keys, ascending."""
        query = select(episodes.c.seq).where(episodes.c.namespace == self.namespace)
        for key, value in wanted.items():
            query = query.where(_metadata_equals(key, value))
        return list(self._connection.execute(query.order_by(episodes.c.seq)).scalars())

    def seqs_with_notes(self, known_at: datetime | None) -> list[int]:
        """Seqs of the episodes that have a note (that was known then), ascending."""
        query = select(notes.c.episode_seq).where(notes.c.namespace == self.namespace)
        if known_at is not None:
            query = query.where(notes.c.created_at <= to_micros(known_at))
        return list(self._connection.execute(query.order_by(notes.c.episode_seq)).scalars())

    def erased_since(self, after_seq: int) -> bool:
        """Whether anything was erased in later seqs."""
        query = select(records.c.seq).where(
            records.c.namespace == self.namespace, records.c.kind == ERASURE, records.c.seq > after_seq
        )
        return self._connection.execute(query.limit(1)).first() is not None

    # --- helpers --------------------------------------------------------------------------------------------------

    def _episodes_with_status(self) -> Select[Any]:
        return select(episodes, STATUS.label("status")).where(episodes.c.namespace == self.namespace)

    def _notes_with_episodes(self) -> Select[Any]:
        revisions = (
            select(func.count())
            .select_from(records)
            .where(records.c.episode_seq == notes.c.episode_seq, records.c.kind == NOTE)
            .scalar_subquery()
        )
        return (
            select(
                notes,
                episodes.c.id.label("episode_id"),
                episodes.c.kind.label("episode_kind"),
                episodes.c.content,
                revisions.label("revision"),
            )
            .join(episodes, and_(episodes.c.seq == notes.c.episode_seq, episodes.c.namespace == notes.c.namespace))
            .where(notes.c.namespace == self.namespace)
        )

    def _with_links(self, rows: Sequence[AnyRow]) -> list[tuple[int, wire.Note]]:
        target = notes.alias()
        query = (
            select(note_links)
            .join(target, and_(target.c.namespace == note_links.c.namespace, target.c.id == note_links.c.target_id))
            .where(note_links.c.namespace == self.namespace, note_links.c.source_id.in_([row.id for row in rows]))
            .order_by(note_links.c.weight.desc(), note_links.c.target_id, note_links.c.kind)
        )
        links: dict[str, list[wire.NoteLink]] = {}
        for link in self._connection.execute(query):
            found = wire.NoteLink(note_id=link.target_id, kind=link.kind, weight=round(link.weight, 4))
            links.setdefault(link.source_id, []).append(found)
        return [(row.episode_seq, _note(row, links.get(row.id, []))) for row in rows]


def _metadata_equals(key: str, value: wire.Scalar) -> Any:
    """JSON true is not 1, and a missing key is not null: so the types are compared too.

    json_each and not json_extract: a path cannot quote every key that JSON allows.
    """
    item = func.json_each(episodes.c.metadata).table_valued("key", "type", "atom")
    match: Any
    if value is None:
        match = item.c.type == "null"
    elif isinstance(value, bool):
        match = item.c.type == ("true" if value else "false")
    else:
        kinds = ["text"] if isinstance(value, str) else ["integer", "real"]
        match = and_(item.c.type.in_(kinds), item.c.atom == value)
    return select(item.c.key).where(item.c.key == key, match).correlate(episodes).exists()


def _episode(row: AnyRow) -> wire.Episode:
    return wire.Episode(
        id=row.id,
        namespace=row.namespace,
        session_id=row.session_id,
        kind=row.kind,
        role=row.role,
        speaker=row.speaker,
        content=json.loads(row.content) if row.kind == "json" else row.content,
        occurred_at=from_micros(row.occurred_at, row.offset_minutes),
        recorded_at=from_micros(row.recorded_at),
        metadata=json.loads(row.metadata),
        seq=row.seq,
        status=row.status,
    )


def _note(row: AnyRow, links: list[wire.NoteLink]) -> wire.Note:
    return wire.Note(
        id=row.id,
        episode_ids=[row.episode_id],
        content=searchable_text(row.episode_kind, row.content),
        context=row.context,
        keywords=json.loads(row.keywords),
        tags=json.loads(row.tags),
        links=links,
        importance=row.importance,
        revision=row.revision,
        created_at=from_micros(row.created_at),
        extractor=row.extractor,
    )
