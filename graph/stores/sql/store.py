"""The SQL store as one that stands alone, with a database of its own."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, create_engine, delete, event, select
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from graph.digest import Row, digest, timeless
from graph.errors import StoreError, StoreRefused, StoreTooNew, StoreUnavailable
from graph.rows import Changes
from graph.stores.sql.dialect import upsert
from graph.stores.sql.rows import entity_version, fact_version, source_version
from graph.stores.sql.schema import (
    SCHEMA_VERSION,
    entities,
    fact_sources,
    facts,
    graph_info,
    metadata,
    positions,
)
from graph.stores.sql.view import SqlGraphView
from graph.stores.sql.write import drop, write

_REFUSALS = ("password authentication failed", "no password supplied", "does not exist", "permission denied")


class SqlGraphStore:
    """A `GraphStore` in SQLite or PostgreSQL, named by a SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        options: dict[str, Any] = {"hide_parameters": True}
        if parsed.get_backend_name() == "sqlite":
            options |= {"module": import_module("pysqlite3"), "connect_args": {"check_same_thread": False}}
        else:
            options |= {"pool_pre_ping": True}
        self._engine = create_engine(parsed, **options)
        if parsed.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin)

    @property
    def name(self) -> str:
        with self._connect() as connection:
            version = connection.dialect.server_version_info or ()
            return f"{connection.dialect.name} {'.'.join(map(str, version))}"

    def migrate(self) -> None:
        with self._write() as connection:
            metadata.create_all(connection)
            known = connection.execute(select(graph_info.c.value).where(graph_info.c.key == "schema")).scalar()
            if known is not None and known > SCHEMA_VERSION:
                raise StoreTooNew(
                    f"The graph store has schema {known}; this version reads up to {SCHEMA_VERSION}. Upgrade the service."
                )
            upsert(connection, graph_info, [{"key": "schema", "value": SCHEMA_VERSION}])

    def view(self, namespace: str) -> SqlGraphView:
        return SqlGraphView(self._connect, namespace)

    def position(self, namespace: str) -> int:
        query = select(positions.c.position).where(positions.c.namespace == namespace)
        with self._connect() as connection:
            return connection.execute(query).scalar() or 0

    def apply(self, namespace: str, changes: Changes, position: int) -> None:
        with self._write() as connection:
            write(connection, namespace, changes)
            upsert(connection, positions, [{"namespace": namespace, "position": position}])

    def drop(self, namespace: str) -> None:
        with self._write() as connection:
            drop(connection, namespace)
            connection.execute(delete(positions).where(positions.c.namespace == namespace))

    def digest(self, namespace: str) -> str:
        with self._connect() as connection:
            return sql_digest(connection, namespace)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connect(self) -> Generator[Connection]:
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Generator[Connection]:
        with (
            _translated(),
            self._engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection


def sql_digest(connection: Connection, namespace: str, *, history: bool = True) -> str:
    """The digest of a namespace's versions as they stand on this connection; without history, of what is believed now."""
    rows: list[Row] = []
    for table, made in ((entities, entity_version), (facts, fact_version), (fact_sources, source_version)):
        query: Any = select(table).where(table.c.namespace == namespace)
        if not history:
            query = query.where(table.c.expired_at.is_(None))
        rows += [made(row) for row in connection.execute(query)]
    return digest(rows if history else [timeless(row) for row in rows])


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own implicit transactions would begin too late to take the writer lock.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _translated() -> Generator[None]:
    """Errors of the driver as the port's, without the address, which may hold a password."""
    try:
        yield
    except StoreError:
        raise
    except OperationalError as error:
        message = str(error.orig).strip().splitlines()[-1]
        refused = any(part in message for part in _REFUSALS)
        kind = StoreRefused if refused else StoreUnavailable
        raise kind(f"The graph database {'refuses us' if refused else 'cannot be reached'}: {message}") from error
    except DBAPIError as error:
        raise StoreUnavailable(f"The graph database failed: {error.orig}") from error
