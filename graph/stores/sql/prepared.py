"""Statements that are made into text once and then run as they are.

Building and keying a statement costs SQLAlchemy five to ten times what SQLite needs to run it by key, and an episode's facts take
dozens of them. What is run for every episode is therefore prepared; what is run now and then is built where it is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlalchemy import ClauseElement, Connection, Dialect, Table

Build: TypeAlias = Callable[[Connection], Any]


@dataclass(frozen=True, slots=True)
class _Text:
    sql: str
    names: tuple[str, ...] | None
    """Parameters in their order; None where the driver takes them by name."""

    constants: Mapping[str, Any]
    """Parameters that the statement itself brings."""

    def parameters(self, values: Mapping[str, Any]) -> Any:
        given = {**self.constants, **values} if self.constants else values
        return given if self.names is None else tuple(given[name] for name in self.names)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One statement. All that changes from call to call is a parameter of it, a list too: see `dialect.listed`.

    Values go to the driver as they are, and come as it gives them: a Boolean of SQLite is 0 or 1.
    """

    build: Build
    """Makes the statement for the kind of database that a connection leads to."""
    by: tuple[Table, str] | None = None
    """A table with the index to find its rows by. Without statistics, SQLite takes an index for as good as another that begins
    with the namespace alike, and reads all of a namespace by it; told which, it fails where it cannot use it."""
    _texts: dict[str, _Text] = field(default_factory=dict[str, _Text], compare=False)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        text = self._text(connection)
        return connection.exec_driver_sql(text.sql, text.parameters(values)).all()

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        text = self._text(connection)
        connection.exec_driver_sql(text.sql, text.parameters(values))

    def run_many(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """For each of the values. They may hold more than the statement has parameters, never less."""
        if values:
            text = self._text(connection)
            connection.exec_driver_sql(text.sql, [text.parameters(each) for each in values])

    def _text(self, connection: Connection) -> _Text:
        kind = connection.dialect.name
        if kind not in self._texts:
            made = _compiled(self.build(connection), connection.dialect)
            self._texts[kind] = (
                replace(made, sql=_found_by(made.sql, *self.by)) if self.by and kind == "sqlite" else made
            )
        return self._texts[kind]


def index_on(table: Table, *columns: str) -> tuple[Table, str]:
    """The index over the namespace and then these columns, for `Prepared.by`. Raises StopIteration where there is none."""
    wanted = ("namespace", *columns)
    found = (i for i in table.indexes if tuple(column.name for column in i.columns)[: len(wanted)] == wanted)
    return table, str(next(found).name)


def primary_key(table: Table) -> tuple[Table, str]:
    """The index that SQLite makes of a primary key, where the rows do not stand in it themselves."""
    return table, f"sqlite_autoindex_{table.name}_1"


def _found_by(sql: str, table: Table, index: str) -> str:
    before, place, after = sql.partition(f"FROM {table.name} ")
    assert place, f"the statement reads {table.name}"
    return f"{before}{place}INDEXED BY {index} {after}"


def _compiled(statement: ClauseElement, dialect: Dialect) -> _Text:
    made: Any = statement.compile(dialect=dialect)
    constants = {name: bound.value for name, bound in made.binds.items() if not bound.required}
    return _Text(str(made), tuple(made.positiontup) if made.positional else None, constants)
