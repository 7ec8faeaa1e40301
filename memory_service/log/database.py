"""The database: engine, pragmas, schema version, and what its errors mean. All that is SQLite's own stands here."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pysqlite3
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from memory_service import limits
from memory_service.errors import MemoryServiceError, StorageFull, StorageUnavailable

MIN_SQLITE: Final = (3, 51, 3)
"""Older ones can lose a commit when a WAL reset races with a checkpoint."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-4000",
    "PRAGMA journal_size_limit=67108864",
    f"PRAGMA busy_timeout={limits.SQLITE_BUSY_MS}",
)

# pysqlite3 gives no error codes, so SQLite's own (stable) messages tell the errors apart.
_FULL: Final = ("database or disk is full",)
_CORRUPT: Final = ("file is not a database", "database disk image is malformed")
_LOCKED: Final = ("database is locked", "database table is locked")


class Database:
    """Connections to one store. Thread-safe; a write connection holds the store's single writer lock."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _sqlite_engine(url)
        self._closed = threading.Event()

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(make_url(self.url).database or "")

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection in one read transaction: all its statements see the same state."""
        with translated_errors(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A connection in one write transaction, committed (and synced) at the end. Only the writer uses it."""
        with (
            translated_errors(),
            self._engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    def checkpoint(self) -> bool:
        """Moves the WAL into the database and empties it. False when a reader still needs it.

        It does not wait: SQLite would wait with the write lock held, and all writers with it.
        """
        with translated_errors():
            raw = self._engine.raw_connection()
            try:
                cursor = raw.cursor()
                cursor.execute("PRAGMA busy_timeout=0")
                busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                raw.cursor().execute(f"PRAGMA busy_timeout={limits.SQLITE_BUSY_MS}")
                raw.close()
        return not busy

    def backup(self, target: Path) -> None:
        """Copies the store, consistent as of one moment, while it is in use (SQLite's online backup)."""
        with translated_errors():
            raw = self._engine.raw_connection()
            try:
                copy = pysqlite3.connect(str(target))
                raw.driver_connection.backup(copy, pages=1024)  # type: ignore[union-attr]
                copy.close()
            finally:
                raw.close()

    def close(self) -> None:
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """SQLAlchemy URL of a database file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _sqlite_engine(url: str) -> Engine:
    if pysqlite3.sqlite_version_info < MIN_SQLITE:
        raise StorageUnavailable(
            f"SQLite {pysqlite3.sqlite_version} may lose commits; {'.'.join(map(str, MIN_SQLITE))} or newer is needed. "
            "Install pysqlite3>=0.6.1."
        )
    engine = create_engine(
        url,
        module=pysqlite3,
        poolclass=QueuePool,
        pool_size=16,
        max_overflow=32,
        # Errors are logged: without this they would carry the statement's parameters, which are content.
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": limits.SQLITE_BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _record: object) -> None:
    # The driver's own implicit transactions would begin too late to take the writer lock.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def translated_errors() -> Generator[None]:
    """Turns the driver's errors into the service's; integrity errors are the caller's business and pass."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise storage_error(error.orig or error) from error
    except pysqlite3.Error as error:
        raise storage_error(error) from error


def means_damage(error: BaseException) -> bool:
    """Whether a driver's error says that the file itself is bad, and not that it cannot be used now."""
    return any(part in str(error) for part in _CORRUPT)


def storage_error(error: BaseException) -> MemoryServiceError:
    """What a driver's error means to a caller."""
    message = str(error)
    if any(part in message for part in _FULL):
        return StorageFull("The disk is full; nothing was stored. Free space, then send the request again.")
    if means_damage(error):
        return StorageUnavailable(f"The database is damaged ({message}). Run `memory-service doctor`.")
    if any(part in message for part in _LOCKED):
        return StorageUnavailable("Another process holds the database's write lock; nothing was stored. Try again.")
    return StorageUnavailable(f"The database failed ({message}); nothing was stored. Run `memory-service doctor`.")
