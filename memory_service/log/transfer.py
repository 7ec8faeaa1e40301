"""Export and import as JSON Lines. A line is an episode, or what an extractor said of one; the two round-trip to the same digest.

    {"type": "header", "format": 1, "namespace": ..., "embedder": ...}
    {"type": "episode", "id": ..., "content": ..., "occurred_at": ..., ...}
    {"type": "record", "episode_id": ..., "kind": "index" | "note" | "graph", "payload": {...}, "vectors": base64 | null, ...}
    {"type": "merge" | "retraction", ...}: what people said of the graph (see transfer_graph)

A file of plain episodes without `type` and header is an import too. Nothing is stored unless every line is good.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, ValidationError
from sqlalchemy import Connection, select

from graph.model import Extraction
from memory_service import limits, wire
from memory_service.errors import EpisodeConflict, Gone, InvalidImport
from memory_service.instants import EARLIEST, LATEST, Instant, format_instant, from_micros, to_micros
from memory_service.log.episodes import Draft, append, draft
from memory_service.log.graph import GRAPH, Named, add_imported
from memory_service.log.outbox import Dispatcher, Job, NoDispatcher, complete, enqueue
from memory_service.log.records import (
    BLANK,
    INDEX,
    NOTE,
    Extract,
    IndexPayload,
    Link,
    NotePayload,
    keep_records,
)
from memory_service.log.schema import episodes, record_sources, records
from memory_service.log.text import searchable_text
from memory_service.log.transfer_graph import (
    MergeLine,
    RetractionLine,
    Spoken,
    ends,
    read_extraction,
    word_lines,
)
from memory_service.log.writer import Transaction

FORMAT: Final = 1
_VECTOR_BYTES: Final = 2
_Payload = NotePayload | IndexPayload | Extraction

_Share = Annotated[float, Field(ge=0, le=1)]
_Position = Annotated[int, Field(ge=0, le=limits.MAX_CONTENT_BYTES)]
_Micros = Annotated[int, Field(ge=to_micros(EARLIEST), le=to_micros(LATEST))]


class _HeaderLine(wire.Request):
    type: Literal["header"]
    format: Literal[1]
    namespace: str
    embedder: str | None = None
    exported_at: Instant | None = None


class _EpisodeLine(wire.EpisodeIn):
    type: Literal["episode"] = "episode"
    recorded_at: Instant | None = None
    """Told by an export; an import is recorded when it is imported."""


class _LinkLine(wire.Request):
    episode_id: wire.Id
    kind: Literal["similar", "shared_name"]
    weight: _Share


class _NoteLine(wire.Request):
    context: wire.Text
    keywords: list[wire.Text]
    tags: list[wire.Text]
    importance: _Share
    links: list[_LinkLine]


class _IndexLine(wire.Request):
    passages: list[tuple[_Position, _Position]]
    times: list[tuple[_Micros, _Micros]]
    model: str


class _RecordLine(wire.Request):
    type: Literal["record"]
    episode_id: wire.Id
    kind: Literal["index", "note", "graph"]
    extractor: Annotated[wire.Text, Field(max_length=128)]
    payload: dict[str, Any]
    vectors: str | None = None
    sources: list[wire.Id] = Field(default_factory=list[str])


@dataclass
class Import:
    """A file that was read and found good."""

    drafts: list[Draft] = field(default_factory=list[Draft])
    draft_lines: list[int] = field(default_factory=list[int])
    records: list[tuple[int, _RecordLine, _Payload, bytes | None]] = field(default_factory=list[Any])
    words: list[tuple[int, Named]] = field(default_factory=list[Any])
    """What people said of the graph."""


# --- export ---------------------------------------------------------------------------------------------------------


def export_lines(connection: Connection, namespace: str, embedder: str | None, now_micros: int) -> Iterator[str]:
    """The namespace's log as lines without their newline, in log order."""
    header = {"type": "header", "format": FORMAT, "namespace": namespace, "embedder": embedder}
    yield _line({**header, "exported_at": format_instant(from_micros(now_micros))})
    query = select(episodes).where(episodes.c.namespace == namespace).order_by(episodes.c.seq)
    for row in connection.execution_options(yield_per=500).execute(query):
        yield _line(_episode_out(row))
    yield from _record_lines(connection, namespace)
    for line in word_lines(connection, namespace):
        yield _line(line)


def _record_lines(connection: Connection, namespace: str) -> Iterator[str]:
    ids = {
        row.seq: row.id
        for row in connection.execute(select(episodes.c.seq, episodes.c.id).where(episodes.c.namespace == namespace))
    }
    sources: dict[int, list[str]] = {}
    links = (
        select(record_sources)
        .join(records, records.c.seq == record_sources.c.record_seq)
        .where(records.c.namespace == namespace)
        .order_by(record_sources.c.record_seq, record_sources.c.episode_seq)
    )
    for row in connection.execute(links):
        sources.setdefault(row.record_seq, []).append(ids[row.episode_seq])
    query = (
        select(records)
        .where(records.c.namespace == namespace, records.c.kind.in_((INDEX, NOTE, GRAPH)), records.c.payload != BLANK)
        .order_by(records.c.seq)
    )
    for row in connection.execution_options(yield_per=500).execute(query):
        yield _line(
            {
                "type": "record",
                "episode_id": ids[row.episode_seq],
                "kind": row.kind,
                "extractor": row.extractor,
                "payload": json.loads(row.payload),
                "vectors": None if row.vectors is None else base64.b64encode(row.vectors).decode(),
                "sources": sources.get(row.seq, []),
            }
        )


def _episode_out(row: Any) -> dict[str, Any]:
    return {
        "type": "episode",
        "id": row.id,
        "kind": row.kind,
        "session_id": row.session_id,
        "role": row.role,
        "speaker": row.speaker,
        "content": json.loads(row.content) if row.kind == "json" else row.content,
        "occurred_at": format_instant(from_micros(row.occurred_at, row.offset_minutes)),
        "recorded_at": format_instant(from_micros(row.recorded_at)),
        "metadata": json.loads(row.metadata),
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- reading an import ------------------------------------------------------------------------------------------------


def read_import(lines: Iterable[bytes], embedder: str, dimension: int) -> Import:
    """Checks every line. Raises InvalidImport with the number of the first bad one. Vectors of other models are left out."""
    result = Import()
    for number, raw in enumerate(lines, 1):
        if raw.strip():
            _read_line(result, number, raw, embedder, dimension)
    _check_record_targets(result)
    _check_words(result)
    return result


def _read_line(result: Import, number: int, raw: bytes, embedder: str, dimension: int) -> None:
    if len(raw) > limits.MAX_IMPORT_LINE_BYTES:
        raise _bad(number, f"is longer than {limits.MAX_IMPORT_LINE_BYTES} bytes")
    try:
        value = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _bad(number, f"is not JSON in UTF-8 ({type(error).__name__})") from None
    if not isinstance(value, dict):
        raise _bad(number, "is not a JSON object")
    kind = value.get("type", "episode")
    try:
        if kind == "header":
            _HeaderLine.model_validate(value)
        elif kind == "episode":
            check_sizes(line := _EpisodeLine.model_validate(value))
            result.drafts.append(draft(line, None))
            result.draft_lines.append(number)
        elif kind == "record":
            _read_record(result, number, _RecordLine.model_validate(value), embedder, dimension)
        elif kind == "merge":
            result.words.append((number, MergeLine.model_validate(value).named()))
        elif kind == "retraction":
            result.words.append((number, RetractionLine.model_validate(value).named()))
        else:
            raise _bad(number, f"has the unknown type {str(kind)[:40]!r}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise _bad(number, f"is wrong at {where or 'its root'}: {first['msg']}") from None
    except ValueError as error:
        raise _bad(number, str(error)) from None


def check_sizes(episode: wire.EpisodeIn) -> None:
    """Raises ValueError when content or metadata is over its limit."""
    content = episode.content if isinstance(episode.content, str) else json.dumps(episode.content, ensure_ascii=False)
    if len(content) * 4 > limits.MAX_CONTENT_BYTES and len(content.encode()) > limits.MAX_CONTENT_BYTES:
        raise ValueError(f"content is larger than {limits.MAX_CONTENT_BYTES} bytes")
    if episode.metadata and len(json.dumps(episode.metadata)) > limits.MAX_METADATA_BYTES:
        raise ValueError(f"metadata is larger than {limits.MAX_METADATA_BYTES} bytes")


def _read_record(result: Import, number: int, line: _RecordLine, embedder: str, dimension: int) -> None:
    if line.kind == NOTE:
        note = _NoteLine.model_validate(line.payload)
        links = [Link(link.episode_id, link.kind, link.weight) for link in note.links]
        if len({(link.episode_id, link.kind) for link in links}) < len(links):
            raise _bad(number, "has a link twice")
        payload = NotePayload(note.context, note.keywords, note.tags, note.importance, links)
        result.records.append((number, line, payload, None))
        return
    if line.kind == GRAPH:
        if line.sources or line.vectors is not None:
            raise _bad(number, "has sources or vectors, which what is said of the graph has not")
        result.records.append((number, line, read_extraction(line.payload), None))
        return
    index = _IndexLine.model_validate(line.payload)
    try:
        vectors = base64.b64decode(line.vectors or "", validate=True)
    except (binascii.Error, ValueError):
        raise _bad(number, "has vectors that are not base64") from None
    if index.model != embedder:
        return
    if not index.passages or len(vectors) != len(index.passages) * dimension * _VECTOR_BYTES:
        raise _bad(number, "has vectors whose size does not fit its passages")
    if not np.isfinite(np.frombuffer(vectors, np.float16)).all():
        raise _bad(number, "has vectors that are no numbers")
    if any(start > end for start, end in (*index.passages, *index.times)):
        raise _bad(number, "has a span that ends before it begins")
    result.records.append((number, line, IndexPayload(index.passages, index.times, index.model), vectors))


def _check_record_targets(result: Import) -> None:
    lengths = {item.id: len(searchable_text(item.kind, item.content)) for item in result.drafts if item.id is not None}
    seen: set[tuple[str, str]] = set()
    for number, line, payload, _ in result.records:
        linked = [link.episode_id for link in payload.links] if isinstance(payload, NotePayload) else []
        unknown = {line.episode_id, *line.sources, *linked} - lengths.keys()
        if unknown:
            raise _bad(number, f"speaks of the episode {sorted(unknown)[0]!r}, which the file does not hold")
        if (line.episode_id, line.kind) in seen:
            raise _bad(number, f"is a second {line.kind} record of the episode {line.episode_id!r}")
        seen.add((line.episode_id, line.kind))
        if isinstance(payload, IndexPayload) and max(end for _, end in payload.passages) > lengths[line.episode_id]:
            raise _bad(number, "has a passage that ends beyond its episode's text")
        if isinstance(payload, Extraction) and ends(payload) > lengths[line.episode_id]:
            raise _bad(number, "has a span that ends beyond its episode's text")


def _check_words(result: Import) -> None:
    if not result.words:
        return
    spoken = Spoken([(line.episode_id, said) for _, line, said, _ in result.records if isinstance(said, Extraction)])
    for number, word in result.words:
        if (unknown := spoken.unknown(word)) is not None:
            raise _bad(number, f"speaks of {unknown}, which the file does not hold")


def _bad(number: int, what: str) -> InvalidImport:
    return InvalidImport(
        f"Line {number} {what}. Nothing was imported.",
        errors=[{"pointer": f"/{number}", "detail": what, "line": number}],
    )


# --- writing an import ------------------------------------------------------------------------------------------------


def write_import(
    tx: Transaction, namespace: str, data: Import, versions: dict[str, int], dispatcher: Dispatcher
) -> wire.ImportResponse:
    """Stores it all in this transaction. Episodes that are there already with the same fields are skipped."""
    before = tx.seq
    try:
        receipts = append(tx, namespace, data.drafts, (INDEX, versions[INDEX]), NoDispatcher())
    except (EpisodeConflict, Gone) as error:
        raise type(error)(f"{error.detail} Nothing was imported.", errors=_with_lines(error.errors, data)) from None
    seqs = {receipt.id: receipt.seq for receipt in receipts}
    fresh = {episode_id: seq for episode_id, seq in seqs.items() if seq > before}
    extracts = [
        Extract(
            namespace,
            fresh[line.episode_id],
            line.episode_id,
            line.kind,
            line.extractor,
            payload,
            vectors,
            [seqs[s] for s in line.sources],
        )
        for _, line, payload, vectors in data.records
        if line.episode_id in fresh
    ]
    keep_records(tx, extracts)
    said = {extract.episode_seq: extract.payload for extract in extracts if isinstance(extract.payload, Extraction)}
    new_words = add_imported(tx, namespace, said, [word for _, word in data.words])
    _queue_what_is_missing(tx, namespace, (fresh.values(), extracts), versions, dispatcher)
    return wire.ImportResponse(
        episodes=len(fresh), records=len(extracts) + new_words, skipped=len(receipts) - len(fresh), seq=tx.seq
    )


def _queue_what_is_missing(
    tx: Transaction,
    namespace: str,
    imported: tuple[Iterable[int], Iterable[Extract]],
    versions: dict[str, int],
    dispatcher: Dispatcher,
) -> None:
    """Episodes that came with their records have nothing left to do."""
    fresh, extracts = imported
    have = {(e.episode_seq, e.kind) for e in extracts}
    indexed = [Job(namespace, seq, INDEX, versions[INDEX], 1) for seq in fresh if (seq, INDEX) in have]
    complete(tx, indexed)
    for kind in (NOTE, GRAPH):
        # The worker enqueues what comes after a note, once that is made.
        ready = [job.episode_seq for job in indexed if kind == NOTE or (job.episode_seq, NOTE) in have]
        lacking = [Job(namespace, seq, kind, versions[kind], 1) for seq in ready if (seq, kind) not in have]
        if lacking:
            enqueue(tx, lacking, dispatcher)


def _with_lines(errors: list[dict[str, Any]], data: Import) -> list[dict[str, Any]]:
    """Pointers into the batch become line numbers of the file."""
    found: list[dict[str, Any]] = []
    for error in errors:
        index = int(str(error["pointer"]).split("/")[2])
        found.append({**error, "line": data.draft_lines[index]})
    return found
