"""Services in this process whose worker runs only when it is told to, so that every state between can be looked at."""

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from memory_service import wire
from memory_service.app import build_service
from memory_service.clock import Clock, FrozenClock
from memory_service.log.digest import logical_digest
from memory_service.log.episodes import Receipt
from memory_service.pipeline.graph import GraphStage
from memory_service.pipeline.notes import DeterministicNoteMaker
from memory_service.pipeline.progress import Progress
from memory_service.pipeline.stages import IndexStage, NoteStage, Stage
from memory_service.pipeline.worker import Worker
from memory_service.service import Idempotency, MemoryService, request_hash
from memory_service.settings import Settings

DRAIN_S = 30.0


def new_folder(root: Path | None = None) -> Path:
    """A folder with an empty store in it, copied: making its tables anew takes ten times as long."""
    folder = Path(mkdtemp(prefix="store-", dir=root))
    shutil.copy2(_template() / "memory.db", folder)
    return folder


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="store-template-"))
    open_service(folder).close()
    return folder


def open_service(folder: Path, clock: Clock | None = None) -> MemoryService:
    """The service without a worker of its own."""
    settings = Settings(data_dir=folder, embedding_model="test", auth="off", worker="off")  # type: ignore[call-arg]
    return build_service(settings, clock or FrozenClock())


def stages(service: MemoryService) -> list[Stage]:
    """The stages as the service has them."""
    return [IndexStage(service.searcher.embedder), NoteStage(DeterministicNoteMaker(), service.indexes), GraphStage()]


def new_worker(service: MemoryService, own_stages: Sequence[Stage] | None = None) -> Worker:
    """A worker that is not started. Several may work for one service, one after another."""
    return Worker(service.store, own_stages or stages(service), Progress())


def work(service: MemoryService, own_stages: Sequence[Stage] | None = None) -> None:
    """Has a worker do all there is to do."""
    worker = new_worker(service, own_stages)
    worker.start()
    try:
        assert worker.drain(DRAIN_S), "the worker did not finish"
    finally:
        worker.close()


def append(
    service: MemoryService, namespace: str, episodes: Iterable[dict[str, Any]], key: str | None = None
) -> list[Receipt]:
    """Stores a batch, as the API does."""
    request = wire.AppendRequest.model_validate({"episodes": list(episodes)})
    once = None if key is None else Idempotency(key, request_hash(request, namespace))
    return asyncio.run(service.append(namespace, request, once))


def digest(service: MemoryService, namespace: str | None = None, *, history: bool = False) -> str:
    with service.store.database.read() as connection:
        return logical_digest(connection, namespace, history=history)
