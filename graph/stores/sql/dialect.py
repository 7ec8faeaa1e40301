"""All that differs between SQLite and PostgreSQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
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
from graph.stores.sql.prepared import Prepared
from graph.stores.sql.rows import FACT_NAMES


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, or replaces those of the same primary key. All rows have all of the table's columns."""
    if rows:
        _upsert(table).run_many(connection, rows)


@cache
def _upsert(table: Table) -> Prepared:
    return Prepared(partial(_upsert_statement, table))


def _upsert_statement(table: Table, connection: Connection) -> Any:
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in keys]
    insert: Any = postgresql_insert if _is_postgresql(connection) else sqlite_insert
    statement = insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    if not others:
        return statement.on_conflict_do_nothing(index_elements=keys)
    changed = {name: statement.excluded[name] for name in others}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def json_equals(connection: Connection, column: Column[Any], wanted: Mapping[str, Scalar]) -> Any:
    """Whether the JSON object in a text column has these values at these keys. True is not 1, and 1 is 1.0."""
    if _is_postgresql(connection):
        # The bound value is made JSON by its type: made so here, it would be a JSON string, which no object contains.
        return cast(column, JSONB).op("@>")(cast(dict(wanted), JSONB))
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


def listed(connection: Connection, column: Column[Any], name: str) -> Any:
    """Whether a column is one of the values in the parameter of this name, which `list_parameter` makes."""
    if _is_postgresql(connection):
        many = ARRAY(column.type)
        return column == any_(cast(bindparam(name, type_=many), many))
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def first_of_each(connection: Connection, table: Table, key: str, value: str, *, keys: str, limit: str) -> TextClause:
    """(key, value) for each key of the list parameter `keys`, at most `limit` values of each, in order, by index."""
    found = (
        f"SELECT x.{value} AS value FROM {table.name} AS x WHERE x.namespace = :namespace AND x.{key} = i.value "
        f"ORDER BY x.{value} LIMIT :{limit}"
    )
    if _is_postgresql(connection):
        return text(
            f"SELECT i.value, v.value FROM unnest(CAST(:{keys} AS text[])) AS i(value) CROSS JOIN LATERAL ({found}) AS v"
        )
    return text(
        f"SELECT i.value, v.value FROM json_each(:{keys}) AS i, json_each("
        f"(SELECT json_group_array(value) FROM ({found}))) AS v"
    )


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


def list_parameter(connection: Connection, values: Collection[Any]) -> Any:
    """A list of texts or of numbers as one parameter of a statement."""
    return list(values) if _is_postgresql(connection) else json.dumps(list(values))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
