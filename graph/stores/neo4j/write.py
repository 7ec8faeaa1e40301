"""Writing changes in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from graph.rows import Changes, EntityVersion, FactVersion, VersionKey
from graph.stores.neo4j import cypher
from graph.stores.neo4j.driver import Row, Transaction, fetch
from graph.stores.neo4j.rows import entity_row, fact_row, literal_id, source_row

BATCH: Final = 1_000
"""Rows to a statement: enough that a round trip does not count, few enough to hold no lock for long in the parser."""

T = TypeVar("T")


@dataclass(slots=True)
class Loose:
    """Nodes that may have lost what they were there for."""

    entities: set[str] = field(default_factory=set[str])
    literals: set[str] = field(default_factory=set[str])
    names: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(entity, spelling)."""


async def apply(tx: Transaction, namespace: str, changes: Changes, position: int) -> None:
    """Deletes, then upserts. The position comes first: writing it makes other writers of the namespace wait."""
    loose = Loose()
    await fetch(tx, cypher.SET_POSITION, ns=namespace, position=position)
    await _write_facts(tx, namespace, changes, loose)
    await _write_entities(tx, namespace, changes, loose)
    await _write_sources(tx, namespace, changes)
    await _sweep(tx, namespace, loose)


async def _write_facts(tx: Transaction, namespace: str, changes: Changes, loose: Loose) -> None:
    rows = {version.key: _placed(namespace, version) for version in changes.facts}
    # In place where it can be: readers see what is committed bit by bit, and must not miss a fact that is only rewritten.
    for done in await _each(tx, cypher.REWRITE_FACTS, namespace, list(rows.values())):
        del rows[done["id"], done["created_at"]]
    # A relationship cannot be moved to other ends: it is taken away and put anew.
    kept = {version.key for version in changes.facts}
    gone = [key for key in changes.gone_facts if key not in kept]
    for row in await _each(tx, cypher.REMOVE_FACTS, namespace, _keys([*gone, *rows])):
        loose.entities |= {row["tail"], row["head"]}
        loose.literals.add(row["head"])
    entities = [row for row in rows.values() if row["fact"]["object_id"] is not None]
    literals = [row for row in rows.values() if row["fact"]["object_id"] is None]
    await _each(tx, cypher.PUT_ENTITY_FACTS, namespace, entities)
    await _each(tx, cypher.PUT_LITERAL_FACTS, namespace, literals)


def _placed(namespace: str, version: FactVersion) -> Row:
    head = literal_id(version.object_text) if version.object_id is None else version.object_id
    return {"fact": fact_row(namespace, version), "head": head}


async def _write_entities(tx: Transaction, namespace: str, changes: Changes, loose: Loose) -> None:
    versions = {version.key: version for version in changes.entities}
    for row in await _each(tx, cypher.OLD_NAMES, namespace, _keys([*changes.gone_entities, *versions])):
        now = versions.get((row["id"], row["created_at"]))
        lost = set(row["keys"]) - set(now.name_keys if now else ())
        loose.names |= {(row["id"], key) for key in lost}
    loose.entities |= {entity for entity, _ in changes.gone_entities}
    await _each(tx, cypher.REMOVE_ENTITIES, namespace, _keys(changes.gone_entities))
    await _each(tx, cypher.PUT_ENTITIES, namespace, [entity_row(namespace, version) for version in versions.values()])
    await _add_names(tx, namespace, versions.values())


async def _add_names(tx: Transaction, namespace: str, versions: Iterable[EntityVersion]) -> None:
    # Only those it lacks: a MERGE of each would look through all of them, and an entity may have 10,000.
    wanted = {(version.id, key) for version in versions for key in version.name_keys}
    entities = [{"id": entity} for entity in sorted({entity for entity, _ in wanted})]
    wanted -= {(row["id"], row["key"]) for row in await _each(tx, cypher.SPELLINGS, namespace, entities)}
    await _each(tx, cypher.PUT_NAMES, namespace, [{"id": entity, "key": key} for entity, key in sorted(wanted)])


async def _write_sources(tx: Transaction, namespace: str, changes: Changes) -> None:
    gone = [{"fact_id": f, "assertion_id": a, "created_at": at} for f, a, at in changes.gone_sources]
    await _each(tx, cypher.REMOVE_SOURCES, namespace, gone)
    await _each(tx, cypher.PUT_SOURCES, namespace, [source_row(namespace, version) for version in changes.sources])


async def _sweep(tx: Transaction, namespace: str, loose: Loose) -> None:
    """Erased is erased: no spelling, literal or id stays behind as a node of its own."""
    names = [{"id": entity, "key": key} for entity, key in sorted(loose.names)]
    await _each(tx, cypher.REMOVE_NAMES, namespace, names)
    for label, key, values in (
        ("Name", "key", {key for _, key in loose.names}),
        ("Literal", "id", loose.literals),
        ("Entity", "id", loose.entities),
    ):
        for batch in _batches(sorted(values)):
            await fetch(tx, cypher.sweep(label, key), ns=namespace, values=batch)


async def drop(tx: Transaction, statement: str, namespace: str, limit: int) -> int:
    """Deletes at most so many; returns how many it were."""
    return (await fetch(tx, statement, ns=namespace, limit=limit))[0]["deleted"]


async def _each(tx: Transaction, statement: str, namespace: str, rows: Sequence[Row]) -> list[Row]:
    found: list[Row] = []
    for batch in _batches(rows):
        found += await fetch(tx, statement, ns=namespace, rows=batch)
    return found


def _keys(keys: Iterable[VersionKey]) -> list[Row]:
    return [{"id": id_, "created_at": created_at} for id_, created_at in dict.fromkeys(keys)]


def _batches(values: Iterable[T]) -> Iterable[list[T]]:
    rest: Any = iter(values)
    while batch := list(islice(rest, BATCH)):
        yield batch
