"""All that differs between SQLite and PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    String,
    Table,
    TextClause,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from graph.model import Scalar
from graph.stores.sql.rows import FACT_NAMES


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, or replaces those of the same primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in keys]
    insert: Any = postgresql_insert if _is_postgresql(connection) else sqlite_insert
    statement = insert(table)
    if others:
        changed = {name: statement.excluded[name] for name in others}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, list(rows))


def json_equals(connection: Connection, column: Column[Any], wanted: Mapping[str, Scalar]) -> Any:
    """Whether the JSON object in a text column has these values at these keys. True is not 1, and 1 is 1.0."""
    if _is_postgresql(connection):
        return cast(column, JSONB).op("@>")(cast(json.dumps(wanted), JSONB))
    return and_(*(_sqlite_equals(column, key, value) for key, value in wanted.items()))


def _sqlite_equals(column: Column[Any], key: str, value: Scalar) -> Any:
    # json_each and not json_extract: a path cannot quote every key that JSON allows.
    item = func.json_each(column).table_valued("key", "type", "atom")
    match: Any
    if isinstance(value, bool):
        match = item.c.type == ("true" if value else "false")
    else:
        kinds = ["text"] if isinstance(value, str) else ["integer", "real"]
        match = and_(item.c.type.in_(kinds), item.c.atom == value)
    return (
        select(literal_column("1")).select_from(item).where(item.c.key == key, match).correlate(column.table).exists()
    )


def contains(connection: Connection, column: Column[Any], word: str) -> Any:
    """Whether a text column holds the word as it is written."""
    if _is_postgresql(connection):
        return func.strpos(column, word) > 0
    return func.instr(column, word) > 0


def among(connection: Connection, column: Column[Any], values: Sequence[str]) -> Any:
    """Whether a text column is one of any number of values, which are one parameter."""
    if _is_postgresql(connection):
        return column == any_(cast(bindparam(None, list(values), ARRAY(String)), ARRAY(String)))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


def edges_statement(
    connection: Connection, side: str, *, is_past: bool, is_dated: bool, has_predicates: bool
) -> TextClause:
    """Each entity's first facts on one side, found by index and cut there, however many it has."""
    return _edges(_is_postgresql(connection), side, is_past=is_past, is_dated=is_dated, has_predicates=has_predicates)


@cache
def _edges(is_postgresql: bool, side: str, *, is_past: bool, is_dated: bool, has_predicates: bool) -> TextClause:
    conditions = [
        f"x.{side} = i.value",
        "x.namespace = :namespace",
        "x.object_id IS NOT NULL",
        "x.created_at <= :known_at AND (x.expired_at IS NULL OR x.expired_at > :known_at)"
        if is_past
        else "x.expired_at IS NULL",
    ]
    if is_dated:
        conditions.append("x.start <= :as_of AND x.stop > :as_of")
    if is_postgresql:
        if has_predicates:
            conditions.append("x.predicate = ANY(:predicates)")
        return _postgresql_edges(side, " AND ".join(conditions))
    if has_predicates:
        conditions.append("x.predicate IN (SELECT value FROM json_each(:predicates))")
    return _sqlite_edges(side, " AND ".join(conditions))


_COLUMNS = ", ".join(f"f.{name}" for name in FACT_NAMES)


def _sqlite_edges(side: str, conditions: str) -> TextClause:
    return text(
        f"SELECT i.value AS entity, {_COLUMNS} FROM json_each(:ids) AS i JOIN graph_facts AS f ON f.rowid IN ("
        f"SELECT x.rowid FROM graph_facts AS x WHERE {conditions} ORDER BY x.start DESC, x.id LIMIT :per_entity)"
    )


def _postgresql_edges(side: str, conditions: str) -> TextClause:
    return text(
        f"SELECT i.value AS entity, {_COLUMNS} FROM unnest(CAST(:ids AS text[])) AS i(value) CROSS JOIN LATERAL ("
        f"SELECT x.* FROM graph_facts AS x WHERE {conditions} ORDER BY x.start DESC, x.id LIMIT :per_entity) AS f"
    )


def list_parameter(connection: Connection, values: Sequence[str]) -> Any:
    """A list as one parameter of a statement."""
    return list(values) if _is_postgresql(connection) else json.dumps(list(values))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
