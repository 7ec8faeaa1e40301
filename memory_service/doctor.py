"""The doctor: looks at everything the service needs, one finding each, and says what to do about the bad ones."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pysqlite3

from memory_service.clock import SystemClock
from memory_service.errors import MemoryServiceError
from memory_service.log import graph, outbox
from memory_service.log.database import MIN_SQLITE
from memory_service.log.store import check_file, open_store, sqlite_url
from memory_service.settings import Settings

_LEAST_FREE_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    text: str


def examine(settings: Settings) -> list[Finding]:
    """All findings. Nothing is changed; a store that is absent is no fault."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("SQLite", _sqlite),
        ("data folder", _folder),
        ("free space", _space),
        ("database", _database),
        ("queue", _queue),
        ("graph", _graph),
        ("embedding model", _model),
        ("reranker", _reranker),
    ]
    return [_finding(subject, check, settings) for subject, check in checks]


def _finding(subject: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(subject, True, check(settings))
    except MemoryServiceError as error:
        return Finding(subject, False, str(error))


def _sqlite(_settings: Settings) -> str:
    if pysqlite3.sqlite_version_info < MIN_SQLITE:
        raise MemoryServiceError(f"{pysqlite3.sqlite_version} may lose commits. Install pysqlite3>=0.6.1.")
    return pysqlite3.sqlite_version


def _folder(settings: Settings) -> str:
    folder = settings.data_dir
    if not folder.exists():
        return f"{folder} does not exist yet; the first start makes it"
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise MemoryServiceError(
            f"{folder} cannot be written ({error.strerror}). Give this user the right to, or set MEMORY_DATA_DIR."
        ) from error
    return f"{folder} can be written and synced"


def _space(settings: Settings) -> str:
    free = shutil.disk_usage(_existing_parent(settings.data_dir)).free
    if free < _LEAST_FREE_BYTES:
        raise MemoryServiceError(
            f"{free >> 20} MiB are free. Writes will be refused with 507 when it is full: free space, or move the store."
        )
    return f"{free >> 20} MiB"


def _database(settings: Settings) -> str:
    if not settings.database_path.exists():
        return "there is no store yet; the first start makes it"
    check_file(settings.database_path)
    open_store(sqlite_url(settings.database_path), SystemClock()).close()
    return f"{settings.database_path} is sound, {settings.database_path.stat().st_size >> 20} MiB"


def _queue(settings: Settings) -> str:
    if not settings.database_path.exists():
        return "empty"
    store = open_store(sqlite_url(settings.database_path), SystemClock())
    try:
        with store.database.read() as connection:
            lag = outbox.lag(connection)
    finally:
        store.close()
    if lag.dead:
        raise MemoryServiceError(
            f"{lag.dead} dead letters. List them with GET /v1/namespaces/NS/dead-letters, which gives each one's reason, "
            "and retry them there."
        )
    return f"{lag.waiting} episodes wait"


def _graph(settings: Settings) -> str:
    if not settings.database_path.exists():
        return "empty"
    store = open_store(sqlite_url(settings.database_path), SystemClock())
    try:
        with store.database.read() as connection:
            found = graph.audit(connection)
    finally:
        store.close()
    if found.lost or found.stray:
        raise MemoryServiceError(
            f"Its tables disagree with the log on {found.lost + found.stray} episodes. Stop the service and run "
            "`memory-service rebuild`, which makes them again from the log."
        )
    if found.unread:
        raise MemoryServiceError(
            f"{found.unread} episodes were never read for facts, and nothing waits to read them. Export their namespace and "
            "import it into a fresh store."
        )
    return f"{found.facts} facts are believed, from {found.episodes} episodes"


def _model(settings: Settings) -> str:
    from memory_service.app import build_embedder

    embedder = build_embedder(settings)
    return f"{embedder.name}, {embedder.dimension} dimensions"


def _reranker(settings: Settings) -> str:
    from memory_service.app import build_reranking

    reranking = build_reranking(settings)
    if reranking is None:
        return "none is set, and none is needed"
    reranking.order("Who is there?", ["Nobody."])
    return f"{reranking.name} reads the first {reranking.depth} results"


def _existing_parent(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
