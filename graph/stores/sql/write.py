"""Writing versions on a connection whose transaction the caller owns."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete

from graph.rows import Changes, EntityVersion
from graph.stores.sql.dialect import upsert
from graph.stores.sql.rows import entity_row, fact_row, source_row
from graph.stores.sql.schema import TABLES, entities, entity_names, fact_sources, facts


def write(connection: Connection, namespace: str, changes: Changes) -> None:
    """Deletes, then upserts. Idempotent."""
    _delete(connection, namespace, entities, ("id", "created_at"), changes.gone_entities)
    _delete(connection, namespace, facts, ("id", "created_at"), changes.gone_facts)
    _delete(connection, namespace, fact_sources, ("fact_id", "assertion_id", "created_at"), changes.gone_sources)
    upsert(connection, entities, [entity_row(namespace, version) for version in changes.entities])
    upsert(connection, entity_names, _names(namespace, changes.entities))
    upsert(connection, facts, [fact_row(namespace, version) for version in changes.facts])
    upsert(connection, fact_sources, [source_row(namespace, version) for version in changes.sources])


def _names(namespace: str, versions: Iterable[EntityVersion]) -> list[dict[str, str]]:
    pairs = {(key, version.id) for version in versions for key in version.name_keys}
    return [{"namespace": namespace, "name_key": key, "entity_id": entity} for key, entity in sorted(pairs)]


def _delete(
    connection: Connection, namespace: str, table: Table, names: tuple[str, ...], keys: Sequence[tuple[Any, ...]]
) -> None:
    if not keys:
        return
    same = and_(table.c.namespace == namespace, *(table.c[name] == bindparam(f"k_{name}") for name in names))
    parameters = [{f"k_{name}": value for name, value in zip(names, key, strict=True)} for key in keys]
    connection.execute(delete(table).where(same), parameters)


def drop(connection: Connection, namespace: str) -> None:
    """Deletes all versions of a namespace."""
    for table in TABLES:
        connection.execute(delete(table).where(table.c.namespace == namespace))
