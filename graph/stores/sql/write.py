"""Writing versions on a connection whose transaction the caller owns."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, select

from graph.rows import Changes, EntityVersion
from graph.stores.sql.dialect import upsert
from graph.stores.sql.prepared import Prepared
from graph.stores.sql.rows import entity_row, entity_version, fact_row, source_row
from graph.stores.sql.schema import TABLES, entities, entity_names, fact_sources, facts

_PARAMETERS: Final = 500


def write(connection: Connection, namespace: str, changes: Changes) -> None:
    """Deletes, then upserts. Idempotent."""
    _delete(connection, namespace, entities, ("id", "created_at"), changes.gone_entities)
    _forget_names(connection, namespace, [entity for entity, _ in changes.gone_entities])
    _delete(connection, namespace, facts, ("id", "created_at"), changes.gone_facts)
    _delete(connection, namespace, fact_sources, ("fact_id", "assertion_id", "created_at"), changes.gone_sources)
    upsert(connection, entities, [entity_row(namespace, version) for version in changes.entities])
    upsert(connection, entity_names, _names(namespace, changes.entities))
    upsert(connection, facts, [fact_row(namespace, version) for version in changes.facts])
    upsert(connection, fact_sources, [source_row(namespace, version) for version in changes.sources])


def _forget_names(connection: Connection, namespace: str, ids: Sequence[str]) -> None:
    """Spellings that only deleted versions had must go with them."""
    if not ids:
        return
    for part in (ids[start : start + _PARAMETERS] for start in range(0, len(ids), _PARAMETERS)):
        own = entity_names.c.entity_id.in_(part)
        connection.execute(delete(entity_names).where(entity_names.c.namespace == namespace, own))
        left = select(entities).where(entities.c.namespace == namespace, entities.c.id.in_(part))
        versions = [entity_version(row) for row in connection.execute(left)]
        upsert(connection, entity_names, _names(namespace, versions))


def _names(namespace: str, versions: Iterable[EntityVersion]) -> list[dict[str, str]]:
    pairs = {(key, version.id) for version in versions for key in version.name_keys}
    return [{"namespace": namespace, "name_key": key, "entity_id": entity} for key, entity in sorted(pairs)]


def _delete(
    connection: Connection, namespace: str, table: Table, names: tuple[str, ...], keys: Sequence[tuple[Any, ...]]
) -> None:
    values = [{"namespace": namespace, **dict(zip(names, key, strict=True))} for key in keys]
    _deleting(table, names).run_many(connection, values)


@cache
def _deleting(table: Table, names: tuple[str, ...]) -> Prepared:
    same = and_(*(table.c[name] == bindparam(name) for name in ("namespace", *names)))
    return Prepared(lambda _: delete(table).where(same))


def drop(connection: Connection, namespace: str) -> None:
    """Deletes all versions of a namespace."""
    for table in TABLES:
        connection.execute(delete(table).where(table.c.namespace == namespace))
