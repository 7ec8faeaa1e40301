"""Liveness, readiness and metrics. Open without a key: they name no tenant."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from memory_service import wire
from memory_service.api.answers import answer
from memory_service.api.episodes import service_of
from memory_service.errors import ProblemError
from memory_service.observability import metrics
from memory_service.service import MemoryService

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=wire.Health)
async def healthz() -> Response:
    """The process answers."""
    return answer(wire.Health(status="ok"))


@router.get("/readyz", response_model=wire.Health, responses={503: {"model": wire.Health, "description": "Not ready"}})
async def readyz(request: Request) -> Response:
    """The store can be read and the worker, if this process has one, runs."""
    checks = await run_in_threadpool(_checks, service_of(request))
    ready = all(value == "ok" for value in checks.values())
    return answer(wire.Health(status="ok" if ready else "degraded", checks=checks), 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(request: Request) -> Response:
    """Prometheus text."""
    await run_in_threadpool(_refresh, service_of(request))
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _checks(service: MemoryService) -> dict[str, str]:
    checks = {"writer": "ok" if service.store.writer.is_healthy else "stopped"}
    checks |= {"worker": "ok" if service.worker.is_healthy else "stopped"}
    if service.projector is not None:
        checks |= {"graph projector": "ok" if service.projector.is_healthy else "stopped"}
    try:
        service.queue.lag(fresh=True)
        checks["store"] = "ok"
    except ProblemError as error:
        checks["store"] = error.slug
    return checks


def _refresh(service: MemoryService) -> None:
    """Metrics stay readable when the store is not: then they say so."""
    try:
        service.queue.lag(fresh=True)
        metrics.store_up.set(1)
    except ProblemError:
        metrics.store_up.set(0)
    service.indexes.publish()
