"""Arranging what shares a commit, who holds the store's lock, and how long anyone waits for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from memory_service import limits
from memory_service import service as service_module
from memory_service.log import database
from memory_service.service import MemoryService
from tests.support.polling import eventually


@contextmanager
def one_commit(service: MemoryService, submissions: int) -> Iterator[None]:
    """Holds the writer until this many submissions wait, which then share a commit."""
    writer, free = service.store.writer, threading.Event()
    writer.submit(lambda _tx: free.wait(60))
    eventually(writer._queue.empty)
    try:
        yield
        eventually(lambda: writer._queue.qsize() >= submissions)
    finally:
        free.set()


def queued(service: MemoryService, submissions: int) -> None:
    """Waits until this many submissions are queued."""
    eventually(lambda: service.store.writer._queue.qsize() >= submissions)


@contextmanager
def reading(service: MemoryService) -> Iterator[None]:
    """Someone reads, and keeps the state of the store that they began with."""
    with service.store.database.read() as connection:
        connection.execute(text("SELECT count(*) FROM episodes")).scalar()
        yield


def be_impatient(monkeypatch: pytest.MonkeyPatch, busy_ms: int = 50) -> None:
    """Stores opened from now on wait this long for a lock, and try few times to finish an erasure."""
    monkeypatch.setattr(limits, "SQLITE_BUSY_MS", busy_ms)
    pragmas = [p for p in database._PRAGMAS if "busy_timeout" not in p]
    monkeypatch.setattr(database, "_PRAGMAS", (*pragmas, f"PRAGMA busy_timeout={busy_ms}"))
    monkeypatch.setattr(service_module, "_CHECKPOINT_TRIES", 2)
