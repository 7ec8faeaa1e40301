"""A store's life: opening, migrating, refusing what it cannot read, backup and restore."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pysqlite3
from sqlalchemy import column, insert, inspect, select, table, update

import migrations
from memory_service.clock import Clock
from memory_service.errors import (
    ConfigurationError,
    EmbedderMismatch,
    SchemaMismatch,
    StorageCorrupt,
    StorageFull,
    StorageUnavailable,
)
from memory_service.log.database import Database, means_damage, sqlite_url
from memory_service.log.schema import namespaces, store_info
from memory_service.log.views import NamespaceView
from memory_service.log.writer import Transaction, Writer, initialise_head

if TYPE_CHECKING:
    from alembic.config import Config

_EMBEDDER = "embedder"
_VERSION = table("alembic_version", column("version_num"))


class Store:
    """An open store: a database with its schema, and the one writer of this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.writer = Writer(database, clock)

    def namespace(self, name: str) -> NamespaceView:
        """The only way to read episodes and notes."""
        return NamespaceView(self.database, name)

    def namespace_names(self) -> list[str]:
        """Of all namespaces; they are for housekeeping, not for answers."""
        with self.database.read() as connection:
            return list(connection.execute(select(namespaces.c.name)).scalars())

    def bind_embedder(self, name: str) -> None:
        """Remembers which embedder fills the store. Raises EmbedderMismatch when it was another."""

        def work(tx: Transaction) -> None:
            known = tx.connection.execute(select(store_info.c.value).where(store_info.c.key == _EMBEDDER)).scalar()
            if known is None:
                tx.connection.execute(insert(store_info), {"key": _EMBEDDER, "value": name})
            elif known != name:
                raise EmbedderMismatch(
                    f"The store's vectors come from {known!r}, and MEMORY_EMBEDDING_MODEL names {name!r}. "
                    "Set it back, or run `memory-service rebuild --embed-again` to compute all vectors anew."
                )

        self.writer.write(work)

    def rebind_embedder(self, tx: Transaction, name: str) -> None:
        """Changes the remembered embedder; for a rebuild that embeds again."""
        changed = tx.connection.execute(update(store_info).where(store_info.c.key == _EMBEDDER).values(value=name))
        if changed.rowcount == 0:
            tx.connection.execute(insert(store_info), {"key": _EMBEDDER, "value": name})

    def close(self) -> None:
        self.writer.close()
        self.database.close()


def open_store(url: str, clock: Clock) -> Store:
    """Opens the store, making or migrating it. Raises StartupError subclasses that say what to do."""
    database = Database(url)
    _startup(database, lambda: _prepare_folder(database.path))
    _startup(database, lambda: _bring_level(database))
    return Store(database, clock)


def _startup(database: Database, step: Callable[[], None]) -> None:
    try:
        step()
    except (StorageFull, StorageUnavailable) as error:
        path = database.path
        if "damaged" in error.detail:
            raise StorageCorrupt(
                f"{path} is damaged or no database. Run `memory-service doctor`; then restore a backup with "
                "`memory-service restore`, or move the file away to start an empty store."
            ) from error
        raise ConfigurationError(f"Cannot open {path}: {error.detail}") from error


def _prepare_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"MEMORY_DATA_DIR: cannot make {path.parent}: {error.strerror}.") from error
    if not os.access(path.parent, os.W_OK):
        raise ConfigurationError(f"MEMORY_DATA_DIR: {path.parent} is not writable by this user.")


def alembic_config(url: str) -> "Config":
    """Alembic's configuration for this store; there is no ini file to find."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _bring_level(database: Database) -> None:
    """Migrates what is not of the newest revision."""
    with database.read() as connection:
        is_made = inspect(connection).has_table(_VERSION.name)
        current = connection.execute(select(_VERSION.c.version_num)).scalar() if is_made else None
    if current == migrations.HEAD:
        with database.write():
            return  # a store that another process has locked is told now, and not by the first write
    if current is not None:
        _refuse_foreign(database, current)
    _migrate(database)


def _refuse_foreign(database: Database, current: str) -> None:
    """A revision that this version does not know was written by a newer one."""
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    scripts = ScriptDirectory.from_config(alembic_config(database.url))
    try:
        scripts.get_revision(current)
    except CommandError:
        raise SchemaMismatch(
            f"{database.path} was written by a newer version (schema {current}; this version knows up to "
            f"{scripts.get_current_head()}). Upgrade the package; nothing was changed."
        ) from None


def _migrate(database: Database) -> None:
    from alembic import command

    config = alembic_config(database.url)
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        initialise_head(connection)


def back_up(store: Store, target: Path) -> None:
    """A consistent copy of the running store, whole or not at all."""
    if target.exists():
        raise ConfigurationError(f"{target} exists; choose another name, a backup is never overwritten.")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        store.database.backup(part)
        check_file(part)
        _sync(part)
        os.replace(part, target)
    except OSError as error:
        raise ConfigurationError(f"Cannot write the backup {target}: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def restore(backup: Path, database_path: Path) -> None:
    """Puts a backup in the place of an absent store. Derived files of another store must not stay beside it."""
    if not backup.is_file():
        raise ConfigurationError(f"{backup} is not a file.")
    if database_path.exists():
        raise ConfigurationError(f"{database_path} exists; stop the service and move it away first.")
    check_file(backup)
    database_path.parent.mkdir(parents=True, exist_ok=True)
    part = database_path.with_name(database_path.name + ".part")
    shutil.copyfile(backup, part)
    _sync(part)
    for leftover in ("-wal", "-shm"):
        database_path.with_name(database_path.name + leftover).unlink(missing_ok=True)
    shutil.rmtree(database_path.parent / "index", ignore_errors=True)
    os.replace(part, database_path)


def check_file(path: Path) -> None:
    """Raises StorageCorrupt unless SQLite finds the file sound, ConfigurationError when it cannot be read now."""
    try:
        connection = pysqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
        connection.close()
    except pysqlite3.Error as error:
        if means_damage(error):
            raise StorageCorrupt(f"{path} is damaged or no database ({error}).") from error
        raise ConfigurationError(
            f"{path} cannot be read now ({error}). Look whether its disk is full and its folder can be written."
        ) from error
    if found != ["ok"]:
        raise StorageCorrupt(f"{path} is damaged: {found[0]}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["Store", "alembic_config", "back_up", "check_file", "open_store", "restore", "sqlite_url"]
