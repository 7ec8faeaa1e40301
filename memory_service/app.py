"""The composition root: settings in, a running service out. Nothing else constructs the parts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import memory_service
from graph.errors import InvalidMapping
from graph.stores.port import GraphStore
from graph.types import TypeRegistry
from memory_service.api import admin, episodes, graph, health, search
from memory_service.api.answers import add_problem_handlers, add_problem_schema
from memory_service.api.middleware import RequestFrame
from memory_service.api.security import Gatekeeper
from memory_service.clock import Clock, SystemClock
from memory_service.controller.context import ContextPacker
from memory_service.errors import ConfigurationError, ModelMissing, ProblemError
from memory_service.knowledge.outside import open_graph_store
from memory_service.knowledge.projection import Projector
from memory_service.knowledge.reader import GraphReader
from memory_service.knowledge.views import EmbeddedGraphs, OutsideGraphs
from memory_service.log.database import sqlite_url
from memory_service.log.feed import forget_feed
from memory_service.log.outbox import NoDispatcher
from memory_service.log.store import Store, open_store
from memory_service.observability.traces import instrument
from memory_service.pipeline.graph import GraphStage, RecordReader
from memory_service.pipeline.notes import DeterministicNoteMaker
from memory_service.pipeline.progress import Progress
from memory_service.pipeline.stages import IndexStage, NoteStage
from memory_service.pipeline.worker import Worker
from memory_service.recall.cache import IndexCache
from memory_service.recall.graph_channel import GraphChannel
from memory_service.recall.graph_search import GraphSearcher
from memory_service.recall.reranking import Reranking
from memory_service.recall.searcher import Searcher
from memory_service.service import MemoryService
from memory_service.settings import Settings
from retrieval.embedders import Embedder, EmbedderError
from retrieval.embedders.resolve import load_embedder
from retrieval.embedders.stored import StoredEmbedder
from retrieval.embedders.wrappers import BatchingEmbedder, CachedEmbedder
from retrieval.rerankers import RerankerError
from retrieval.rerankers.resolve import load_reranker

_log = structlog.get_logger(__name__)
_QUERY_CACHE_BYTES = 8 * 1024 * 1024
"""About 4,000 query vectors: agents ask the same question again."""


def build_embedder(settings: Settings) -> Embedder:
    """Raises ModelMissing."""
    try:
        embedder = load_embedder(settings.embedding_model, settings.model_dir, settings.embedding_threads)
        if settings.embedding_cache_dir is None:
            return embedder
        return StoredEmbedder(embedder, settings.embedding_cache_dir)
    except EmbedderError as error:
        raise ModelMissing(str(error)) from error


def build_reranking(settings: Settings) -> Reranking | None:
    """None where no reranker is set. Its model is loaded by the first search. Raises ModelMissing."""
    if settings.reranker_model is None:
        return None
    try:
        return Reranking(load_reranker(settings.reranker_model), settings.rerank_depth)
    except RerankerError as error:
        raise ModelMissing(f"MEMORY_RERANKER_MODEL: {error}") from error


@cache
def types_of(module: str) -> TypeRegistry:
    """Once for a process: predicates are its own from then on."""
    types = TypeRegistry()
    try:
        import_module(module).register(types)
    except ImportError as error:
        raise ConfigurationError(
            f"MEMORY_GRAPH_TYPES: cannot import {module!r} ({error}). Install it where the service is installed."
        ) from error
    except (AttributeError, ValueError, TypeError) as error:
        raise ConfigurationError(f"MEMORY_GRAPH_TYPES: {module}.register(types) fails: {error}.") from error
    return types


def build_types(settings: Settings) -> TypeRegistry:
    """The entity and fact types that the settings name. Raises ConfigurationError."""
    return TypeRegistry() if settings.graph_types is None else types_of(settings.graph_types)


def build_records(settings: Settings) -> RecordReader | None:
    """The reader of business records that the settings name. Raises ConfigurationError."""
    if settings.graph_mapping is None:
        return None
    from graph.extraction.records import RecordExtractor, load_mapping

    try:
        return RecordExtractor(load_mapping(settings.graph_mapping.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, InvalidMapping) as error:
        raise ConfigurationError(f"MEMORY_GRAPH_MAPPING: {settings.graph_mapping}: {error}") from error


def build_store(settings: Settings, clock: Clock | None = None) -> Store:
    """Opens (and makes or migrates) the store that the settings name."""
    url = settings.database_url or sqlite_url(settings.database_path)
    return open_store(url, clock or SystemClock())


def build_service(
    settings: Settings,
    clock: Clock | None = None,
    embedder: Embedder | None = None,
    *,
    save_snapshots: bool = True,
) -> MemoryService:
    """All parts wired together; the worker is not started. Raises StartupError subclasses."""
    reranking = build_reranking(settings)
    types = build_types(settings)
    records = build_records(settings)
    store = build_store(settings, clock)
    try:
        own_embedder = embedder or build_embedder(settings)
        store.bind_embedder(own_embedder.name)
    except BaseException:
        store.close()
        raise
    indexes = IndexCache(
        settings.data_dir / "index", own_embedder, settings.index_cache_bytes, save_snapshots=save_snapshots
    )
    _purge_what_a_killed_process_left(store, indexes)
    progress = Progress()
    stages = [IndexStage(own_embedder), NoteStage(DeterministicNoteMaker(), indexes), GraphStage(types, records)]
    worker = Worker(store, stages, progress)
    queries = CachedEmbedder(BatchingEmbedder(own_embedder), _QUERY_CACHE_BYTES)
    outside = _outside_graphs(settings, store)
    views = EmbeddedGraphs(store.database) if outside is None else OutsideGraphs(outside)
    graphs = GraphReader(views, store.database, store.clock)
    graph_searcher = GraphSearcher(graphs, store.database, store.clock)
    channel = GraphChannel(graph_searcher) if settings.graph_channel == "on" else None
    searcher = Searcher(indexes, queries, store.clock, reranking=reranking, graphs=graph_searcher, channel=channel)
    return MemoryService(
        store=store,
        worker=worker,
        progress=progress,
        indexes=indexes,
        searcher=searcher,
        packer=ContextPacker(searcher),
        graphs=graphs,
        types=types,
        projector=None if outside is None else Projector(store, outside),
        dispatcher=worker if settings.worker == "inline" else NoDispatcher(),
        max_queue_episodes=settings.max_queue_episodes,
    )


def _outside_graphs(settings: Settings, store: Store) -> GraphStore | None:
    """The graph store that the settings name. Raises ConfigurationError, and closes the log's store then."""
    if settings.graph_url is None:
        # Nobody writes down what changes from now on: a store that is named again later is told everything.
        store.writer.write(forget_feed)
        return None
    store.writer.feeds_graph = True
    try:
        return open_graph_store(settings.graph_url.get_secret_value())
    except BaseException:
        store.close()
        raise


def _purge_what_a_killed_process_left(store: Store, indexes: IndexCache) -> None:
    """Erasures that were committed and not purged: their old pages and snapshots go now, or at the next start."""
    indexes.sweep(store)
    try:
        store.database.checkpoint()
    except ProblemError as error:
        # A full disk must not keep the service from answering reads.
        _log.warning("start_without_checkpoint", reason=error.slug)


def build_app(settings: Settings, service: MemoryService) -> FastAPI:
    """The ASGI application over a built service. Its lifespan starts the worker and closes everything."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if settings.worker == "inline":
            service.start()
        yield
        service.close()

    app = FastAPI(
        title="Agent memory service",
        version=memory_service.__version__,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        # A redirect would name the address that the request's Host header claims.
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.gatekeeper = Gatekeeper(service.store.database, settings.auth, settings.rate_limit)
    local_host = settings.host if settings.auth == "off" else None
    app.add_middleware(RequestFrame, max_body_bytes=settings.max_body_bytes, local_host=local_host)
    for module in (episodes, search, graph, admin, health):
        app.include_router(module.router)
    add_problem_handlers(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    instrument(app, settings.otel_endpoint)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document FastAPI makes, with our problems instead of its own and with the key scheme."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        add_problem_schema(schema)
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, operations in schema["paths"].items():
            if path.startswith("/v1"):
                for operation in operations.values():
                    operation["security"] = [{"key": []}]
        app.openapi_schema = schema
    return app.openapi_schema
