"""Records: what extractors said, kept in the log, and the derived rows that follow from them.

`derive` is the one place where a record becomes derived rows: live writes and a rebuild both go through it, so they agree.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from graph.model import Extraction
from memory_service.log import graph
from memory_service.log.graph import GRAPH
from memory_service.log.schema import DERIVED, AnyRow, episodes, note_links, notes, record_sources, records
from memory_service.log.writer import Transaction

INDEX: Final = "index"
NOTE: Final = "note"
ERASURE: Final = "erasure"
BLANK: Final = "{}"
"""The payload of a record that waits to be made anew."""

_NOTE_IDS = uuid.UUID("7f0c2a52-6f0e-5b0a-9c39-3f1d0a5d8f41")


@dataclass(frozen=True, slots=True)
class Link:
    """A typed, weighted link to another episode's note."""

    episode_id: str
    kind: str
    weight: float


@dataclass(frozen=True, slots=True)
class NotePayload:
    """What a note extractor says of one episode."""

    context: str
    keywords: list[str]
    tags: list[str]
    importance: float
    links: list[Link]


@dataclass(frozen=True, slots=True)
class IndexPayload:
    """Passages [start, end) of the searchable text, and time expressions as [start, end) microseconds."""

    passages: list[tuple[int, int]]
    times: list[tuple[int, int]]
    model: str


@dataclass(frozen=True, slots=True)
class Extract:
    """A record to be written."""

    namespace: str
    episode_seq: int
    episode_id: str
    kind: str
    extractor: str
    payload: NotePayload | IndexPayload | Extraction
    vectors: bytes | None = None
    sources: Sequence[int] = ()
    """Seqs of other episodes it was made from."""


def note_id(namespace: str, episode_id: str) -> str:
    """Deterministic: the same episode's note has the same id in every store."""
    return str(uuid.uuid5(_NOTE_IDS, f"{namespace}\n{episode_id}\nnote\n0"))


def missing_episodes(connection: Connection, namespace: str, seqs: Iterable[int]) -> set[int]:
    """Those of the seqs that are no longer in the log. Derived writes ask this in their own transaction (ground rule 8)."""
    wanted = set(seqs)
    query = select(episodes.c.seq).where(episodes.c.namespace == namespace, episodes.c.seq.in_(wanted))
    return wanted - set(connection.execute(query).scalars())


def with_record(connection: Connection, namespace: str, kind: str, seqs: Sequence[int]) -> set[int]:
    """Those of the episodes that have a record of this kind; one that waits to be made anew is none."""
    if not seqs:
        return set()
    query = select(records.c.episode_seq).where(
        records.c.namespace == namespace,
        records.c.kind == kind,
        records.c.episode_seq.in_(seqs),
        records.c.payload != BLANK,
    )
    return set(connection.execute(query).scalars())


def write_records(tx: Transaction, extracts: Sequence[Extract]) -> None:
    """Adds records and all that is derived from them, replacing what was there of the same episode and kind.

    What an episode says of the graph is said once: a second extraction, of a worker whose lease had expired, is left out.
    """
    single = {(e.episode_seq, e.kind): e for e in extracts}
    extracts = [e for e in single.values() if e.kind != GRAPH or _created_at(tx.connection, e) is None]
    keep_records(tx, extracts)
    _add_to_graphs(tx, extracts)


def keep_records(tx: Transaction, extracts: Sequence[Extract]) -> None:
    """`write_records` without the graph, which is the caller's then."""
    rows: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    for extract in extracts:
        before = _created_at(tx.connection, extract)
        if before is not None:
            forget_records(tx.connection, [extract.episode_seq], extract.kind)
        seq = tx.next_seq(extract.namespace)
        rows.append(_record_row(extract, seq, tx.recorded_at, before or tx.recorded_at))
        sources += [{"record_seq": seq, "episode_seq": s} for s in dict.fromkeys(extract.sources)]
    if rows:
        tx.connection.execute(insert(records), rows)
    if sources:
        tx.connection.execute(insert(record_sources), sources)
    for extract, row in zip(extracts, rows, strict=True):
        derive(tx.connection, row, extract.episode_id)


def _add_to_graphs(tx: Transaction, extracts: Sequence[Extract]) -> None:
    by_namespace: dict[str, dict[int, Extraction]] = {}
    for extract in extracts:
        if isinstance(extract.payload, Extraction):
            by_namespace.setdefault(extract.namespace, {})[extract.episode_seq] = extract.payload
    for namespace, extractions in by_namespace.items():
        graph.add_extractions(tx, namespace, extractions)


def _created_at(connection: Connection, extract: Extract) -> int | None:
    """When the record that this one replaces was first made."""
    query = select(records.c.created_at).where(
        records.c.episode_seq == extract.episode_seq, records.c.kind == extract.kind
    )
    return connection.execute(query).scalar()


def blank_record(connection: Connection, episode_seq: int, kind: str) -> None:
    """Empties a record that was made from something erased; only its place and first time remain."""
    query = select(records).where(records.c.episode_seq == episode_seq, records.c.kind == kind)
    row = {**connection.execute(query).mappings().one(), "extractor": "", "payload": BLANK, "vectors": None}
    forget_records(connection, [episode_seq], kind)
    connection.execute(insert(records), row)


def _record_row(extract: Extract, seq: int, recorded_at: int, created_at: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "namespace": extract.namespace,
        "kind": extract.kind,
        "episode_seq": extract.episode_seq,
        "extractor": extract.extractor,
        "payload": _payload_json(extract.payload),
        "vectors": extract.vectors,
        "created_at": created_at,
        "recorded_at": recorded_at,
    }


def _payload_json(payload: NotePayload | IndexPayload | Extraction) -> str:
    if isinstance(payload, Extraction):
        return graph.extraction_json(payload)
    return json.dumps(asdict(payload), ensure_ascii=False, separators=(",", ":"))


def derive(connection: Connection, record: dict[str, Any], episode_id: str) -> None:
    """Writes the derived rows of one record."""
    if record["kind"] != NOTE or record["payload"] == BLANK:
        return
    payload = json.loads(record["payload"])
    namespace, own_id = record["namespace"], note_id(record["namespace"], episode_id)
    row = {
        "record_seq": record["seq"],
        "namespace": namespace,
        "id": own_id,
        "episode_seq": record["episode_seq"],
        "context": payload["context"],
        "keywords": json.dumps(payload["keywords"], ensure_ascii=False),
        "tags": json.dumps(payload["tags"], ensure_ascii=False),
        "importance": payload["importance"],
        "extractor": record["extractor"],
        "created_at": record["created_at"],
    }
    connection.execute(insert(notes), row)
    links = [
        {
            "namespace": namespace,
            "source_id": own_id,
            "target_id": note_id(namespace, link["episode_id"]),
            "kind": link["kind"],
            "weight": link["weight"],
        }
        for link in payload["links"]
    ]
    if links:
        connection.execute(insert(note_links), links)


def forget_records(connection: Connection, episode_seqs: Sequence[int], kind: str | None = None) -> None:
    """Deletes records of these episodes (of one kind, or all) with what was derived from them."""
    chosen = records.c.episode_seq.in_(episode_seqs) & (records.c.kind != ERASURE)
    if kind is not None:
        chosen &= records.c.kind == kind
    if connection.execute(select(func.count()).select_from(records).where(chosen)).scalar_one() == 0:
        return
    if kind in (None, NOTE):
        own_notes = select(notes.c.id).where(notes.c.episode_seq.in_(episode_seqs))
        own_namespaces = select(notes.c.namespace).where(notes.c.episode_seq.in_(episode_seqs))
        connection.execute(
            delete(note_links).where(note_links.c.namespace.in_(own_namespaces), note_links.c.source_id.in_(own_notes))
        )
        connection.execute(delete(notes).where(notes.c.episode_seq.in_(episode_seqs)))
    chosen_seqs = select(records.c.seq).where(chosen)
    connection.execute(delete(record_sources).where(record_sources.c.record_seq.in_(chosen_seqs)))
    connection.execute(delete(records).where(chosen))


def dependants(connection: Connection, episode_seqs: Sequence[int]) -> list[AnyRow]:
    """Records of other episodes that were made from these: (namespace, episode_seq, kind)."""
    query = (
        select(records.c.namespace, records.c.episode_seq, records.c.kind)
        .join(record_sources, record_sources.c.record_seq == records.c.seq)
        .where(record_sources.c.episode_seq.in_(episode_seqs), records.c.episode_seq.not_in(episode_seqs))
        .distinct()
    )
    return list(connection.execute(query))


def wipe_derived(connection: Connection) -> None:
    """Empties every derived table."""
    for table in DERIVED:
        connection.execute(delete(table))


def replay(connection: Connection, after_seq: int, limit: int) -> int | None:
    """Derives the next records in log order. Returns the last seq done, or None when there is no more."""
    query = (
        select(records, episodes.c.id.label("episode_id"))
        .join(episodes, episodes.c.seq == records.c.episode_seq)
        .where(records.c.seq > after_seq)
        .order_by(records.c.seq)
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    for row in rows:
        derive(connection, dict(row), row["episode_id"])
    return rows[-1]["seq"] if rows else None
