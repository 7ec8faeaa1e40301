"""Two stores side by side: what one answers after an erasure must be what another answers that never received it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from graph.digest import timeless
from graph.stores.sql.rows import entity_version, fact_version, source_version
from graph.stores.sql.schema import entities, fact_sources, facts
from memory_service import wire
from memory_service.log import graph
from memory_service.log.graph import MERGE, RETRACTION
from memory_service.log.schema import records
from memory_service.service import MemoryService
from tests.stateful.services import append, new_folder, open_service, work

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
_ALL = 200


def twin_of(service: MemoryService, namespaces: list[str], root: Path) -> MemoryService:
    """A fresh service that was given the episodes which live in the other, in the same order, and has done its work.

    Then it was told what people said of the other's graph.
    """
    twin = open_service(new_folder(root))
    for namespace in namespaces:
        if living := survivors(service, namespace):
            append(twin, namespace, living)
    work(twin)
    for namespace in namespaces:
        for kind, payload in words(service, namespace):
            say(twin, namespace, kind, payload)
    return twin


def words(service: MemoryService, namespace: str) -> list[tuple[str, dict[str, Any]]]:
    """What people said of the graph: (kind, payload), in order."""
    query = select(records.c.kind, records.c.payload).where(
        records.c.namespace == namespace, records.c.kind.in_((MERGE, RETRACTION))
    )
    with service.store.database.read() as connection:
        rows = connection.execute(query.order_by(records.c.seq)).all()
    return [(row.kind, json.loads(row.payload)) for row in rows]


def say(service: MemoryService, namespace: str, kind: str, payload: dict[str, Any]) -> None:
    if kind == MERGE:
        service.store.writer.write(lambda tx: graph.merge(tx, namespace, graph.Merge(**payload)))
    else:
        service.store.writer.write(lambda tx: graph.retract(tx, namespace, graph.Retraction(**payload)))


def believed(service: MemoryService, namespace: str) -> list[Any]:
    """Every entity, fact and source that is believed now, without since when."""
    found: list[Any] = []
    tables = ((entities, entity_version), (facts, fact_version), (fact_sources, source_version))
    with service.store.database.read() as connection:
        for table, made in tables:
            query = select(table).where(table.c.namespace == namespace, table.c.expired_at.is_(None))
            found += [timeless(made(row)) for row in connection.execute(query)]
    return sorted(found, key=str)


def survivors(service: MemoryService, namespace: str) -> list[dict[str, Any]]:
    """The episodes as one would send them."""
    with service.namespace(namespace).snapshot() as snapshot:
        found = snapshot.episodes(0, 1000)
    sent = ("id", "session_id", "kind", "role", "speaker", "content", "occurred_at", "metadata")
    return [{name: value for name, value in vars(episode).items() if name in sent} for episode in found]


def notes(service: MemoryService, namespace: str) -> dict[str, dict[str, Any]]:
    """All that a note says, by its id; but for when and how often it was made."""
    with service.namespace(namespace).snapshot() as snapshot:
        found = [note for _, note in snapshot.notes(0, 1000)]
    return {note.id: note.model_dump(exclude={"created_at", "revision", "links"}) | _links(note) for note in found}


def _links(note: wire.Note) -> dict[str, Any]:
    return {"links": sorted((link.kind, link.note_id, link.weight) for link in note.links)}


def scores(service: MemoryService, namespace: str, query: str) -> Any:
    """Score by episode of everything that a search finds; comparable to 1e-4."""
    request = wire.SearchRequest(query=query, limit=_ALL, as_of=AS_OF)
    found = service.search([namespace], request).results
    return pytest.approx({result.id: result.score for result in found}, abs=1e-4)


def assert_alike(one: MemoryService, other: MemoryService, namespace: str, queries: list[str]) -> None:
    """Both give the same notes in the same order, believe the same, and find the same with the same scores."""
    assert believed(one, namespace) == believed(other, namespace)
    told, wanted = notes(one, namespace), notes(other, namespace)
    assert told == wanted
    assert list(told) == list(wanted)
    for query in queries:
        assert scores(one, namespace, query).expected == scores(other, namespace, query), query
