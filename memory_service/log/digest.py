"""The logical digest: equal for stores that answer alike. Ids, texts, times, links and rounded vectors; no seqs, no leases."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from graph.digest import digest as graph_digest
from graph.stores.sql.store import sql_digest
from memory_service.log.graph import MERGE, RETRACTION
from memory_service.log.records import BLANK, ERASURE
from memory_service.log.schema import episodes, namespaces, note_links, notes, records

_DECIMALS: Final = 3
_EMPTY_GRAPH: Final = graph_digest(())
_EPISODE_FIELDS: Final = (
    "id session_id kind role speaker content occurred_at offset_minutes metadata".split()  # noqa: SIM905
)


def logical_digest(connection: Connection, namespace: str | None = None, *, history: bool = False) -> str:
    """SHA-256 over all that a user can read of one namespace, or of every one. Hex.

    history: also over what was believed of the graph when. An import records what it brings when it is imported, so it keeps
    what is believed and not since when.
    """
    total = hashlib.sha256()
    for line in _lines(connection, namespace, history):
        total.update(json.dumps(line, ensure_ascii=False, sort_keys=True).encode())
        total.update(b"\n")
    return total.hexdigest()


def _lines(connection: Connection, namespace: str | None, history: bool) -> Iterator[list[Any]]:
    yield from _episode_lines(connection, namespace)
    yield from _record_lines(connection, namespace)
    yield from _note_lines(connection, namespace)
    yield from _link_lines(connection, namespace)
    yield from _word_lines(connection, namespace)
    yield from _graph_lines(connection, namespace, history)


def _episode_lines(connection: Connection, namespace: str | None) -> Iterator[list[Any]]:
    query = select(episodes).order_by(episodes.c.namespace, episodes.c.id)
    if namespace is not None:
        query = query.where(episodes.c.namespace == namespace)
    for row in connection.execute(query).mappings():
        yield ["episode", row["namespace"], *(row[name] for name in _EPISODE_FIELDS)]


def _record_lines(connection: Connection, namespace: str | None) -> Iterator[list[Any]]:
    query = (
        select(records, episodes.c.id.label("episode_id"))
        .join(episodes, episodes.c.seq == records.c.episode_seq)
        .where(records.c.kind != ERASURE, records.c.payload != BLANK)
        .order_by(records.c.namespace, episodes.c.id, records.c.kind, records.c.seq)
    )
    if namespace is not None:
        query = query.where(records.c.namespace == namespace)
    for row in connection.execute(query):
        vectors = None if row.vectors is None else rounded_vectors(row.vectors)
        yield ["record", row.namespace, row.episode_id, row.kind, row.extractor, json.loads(row.payload), vectors]


def _note_lines(connection: Connection, namespace: str | None) -> Iterator[list[Any]]:
    query = (
        select(notes, episodes.c.id.label("episode_id"))
        .join(episodes, episodes.c.seq == notes.c.episode_seq)
        .order_by(notes.c.namespace, notes.c.id)
    )
    if namespace is not None:
        query = query.where(notes.c.namespace == namespace)
    for row in connection.execute(query):
        yield [
            "note",
            row.namespace,
            row.id,
            row.episode_id,
            row.context,
            json.loads(row.keywords),
            json.loads(row.tags),
            round(row.importance, _DECIMALS),
            row.extractor,
        ]


def _link_lines(connection: Connection, namespace: str | None) -> Iterator[list[Any]]:
    columns = (note_links.c.namespace, note_links.c.source_id, note_links.c.target_id, note_links.c.kind)
    query = select(note_links).order_by(*columns)
    if namespace is not None:
        query = query.where(note_links.c.namespace == namespace)
    for row in connection.execute(query):
        yield ["link", row.namespace, row.source_id, row.target_id, row.kind, round(row.weight, _DECIMALS)]


def _word_lines(connection: Connection, namespace: str | None) -> Iterator[list[Any]]:
    """What people said of the graph. Which of two words on the same is the last one is told by the graph."""
    query = select(records).where(records.c.kind.in_((MERGE, RETRACTION)))
    if namespace is not None:
        query = query.where(records.c.namespace == namespace)
    found = [[row.kind, row.namespace, json.loads(row.payload)] for row in connection.execute(query)]
    yield from sorted(found, key=lambda line: json.dumps(line, sort_keys=True))


def _graph_lines(connection: Connection, namespace: str | None, history: bool) -> Iterator[list[Any]]:
    query = select(namespaces.c.name).order_by(namespaces.c.name)
    for name in connection.execute(query).scalars().all():
        # An empty namespace and none answer alike.
        if namespace in (None, name) and (found := sql_digest(connection, name, history=history)) != _EMPTY_GRAPH:
            yield ["graph", name, found]


def rounded_vectors(blob: bytes) -> str:
    """A hash of the vectors at three decimals: float noise below that does not count."""
    values = np.frombuffer(blob, dtype=np.float16).astype(np.float32)
    # Adding zero turns -0.0 into 0.0, which are equal as numbers and not as bytes.
    return hashlib.sha256((np.round(values, _DECIMALS) + 0.0).tobytes()).hexdigest()
