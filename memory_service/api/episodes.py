"""Routes of episodes and sessions."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from memory_service import limits, wire
from memory_service.api import paging
from memory_service.api.answers import COMMON, answer, responses
from memory_service.api.security import NamespaceName, PathId, needs
from memory_service.api.strict import StrictRoute
from memory_service.service import Idempotency, MemoryService, request_hash

router = APIRouter(prefix="/v1/namespaces/{ns}", tags=["episodes"], route_class=StrictRoute)

IdempotencyKey = Annotated[str | None, Header(pattern=f"^{limits.IDEMPOTENCY_KEY_PATTERN}$")]
WaitMs = Annotated[int, Query(ge=0, le=limits.MAX_WAIT_MS, description="Longest time to wait.")]
SessionFilter = Annotated[str | None, Query(pattern=f"^{limits.ID_PATTERN}$", description="Only this session's.")]

READ = Depends(needs("read"))
WRITE = Depends(needs("write"))


def service_of(request: Request) -> MemoryService:
    return request.app.state.service


@router.post(
    "/episodes",
    status_code=202,
    response_model=wire.AppendResponse,
    responses=COMMON | responses(409, 410, 413, 415, 507),
    dependencies=[WRITE],
)
async def append_episodes(
    ns: NamespaceName,
    body: wire.AppendRequest,
    request: Request,
    *,
    wait: Annotated[Literal["indexed", "enriched"] | None, Query(description="Answer when this is reached.")] = None,
    timeout_ms: WaitMs = 10_000,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Stores episodes. 202 means durable; `wait` blocks until they are indexed or enriched, or the time is up."""
    service = service_of(request)
    once = None if idempotency_key is None else Idempotency(idempotency_key, request_hash(body, ns))
    receipts = await service.append(ns, body, once)
    statuses: dict[int, wire.EpisodeStatus] = {}
    if wait is not None:
        statuses = await service.wait(ns, [r.seq for r in receipts], wait, timeout_ms / 1000)
    stored = [wire.EpisodeReceipt(id=r.id, seq=r.seq, status=statuses.get(r.seq, "stored")) for r in receipts]
    return answer(wire.AppendResponse(episodes=stored, seq=max(r.seq for r in receipts)), 202)


@router.get("/episodes", response_model=wire.EpisodePage, responses=COMMON, dependencies=[READ])
def list_episodes(
    ns: NamespaceName,
    request: Request,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
    session_id: SessionFilter = None,
) -> Response:
    """In the order in which they were stored."""
    name = f"{ns}/episodes/{session_id or ''}"
    (after,) = paging.decode(name, cursor, [0])
    with service_of(request).namespace(ns).snapshot() as snapshot:
        found = snapshot.episodes(after, limit + 1, session_id)
    shown, last = paging.page(found, limit)
    return answer(
        wire.EpisodePage(items=list(shown), next_cursor=None if last is None else paging.encode(name, [last.seq]))
    )


@router.get("/episodes/{id}", response_model=wire.Episode, responses=COMMON | responses(404, 410), dependencies=[READ])
def get_episode(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """One episode, whole."""
    return answer(service_of(request).episode(ns, id))


@router.get(
    "/episodes/{id}/status",
    response_model=wire.StatusResponse,
    responses=COMMON | responses(404, 410),
    dependencies=[READ],
)
def get_status(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """How far it is, and why not further."""
    return answer(service_of(request).status(ns, id))


_ERASURE = COMMON | responses(404) | {202: {"model": wire.ErasureResponse, "description": "Accepted, not yet complete"}}


@router.delete("/episodes/{id}", status_code=204, responses=_ERASURE, dependencies=[WRITE])
async def delete_episode(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """Erases an episode and all that came of it. 204: it can be read nowhere; 202: ask again until 204."""
    service = service_of(request)
    return _erased(await run_in_threadpool(service.erase_episode, ns, id))


@router.delete("/sessions/{id}", status_code=204, responses=_ERASURE, dependencies=[WRITE])
async def delete_session(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """Erases every episode of a session."""
    service = service_of(request)
    return _erased(await run_in_threadpool(service.erase_session, ns, id))


@router.get("/sessions", response_model=wire.SessionPage, responses=COMMON, dependencies=[READ])
def list_sessions(
    ns: NamespaceName,
    request: Request,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
) -> Response:
    """By id."""
    name = f"{ns}/sessions"
    (after,) = paging.decode(name, cursor, [""])
    with service_of(request).namespace(ns).snapshot() as snapshot:
        found = snapshot.sessions(after, limit + 1)
    shown, last = paging.page(found, limit)
    return answer(
        wire.SessionPage(items=list(shown), next_cursor=None if last is None else paging.encode(name, [last.id]))
    )


def _erased(complete: bool) -> Response:
    if complete:
        return Response(status_code=204)
    return answer(wire.ErasureResponse(pending="old pages wait for a running read to end; send the request again"), 202)
