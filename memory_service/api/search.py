"""Routes of search, context and notes."""

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from memory_service import limits, wire
from memory_service.api import paging
from memory_service.api.answers import COMMON, answer, responses
from memory_service.api.episodes import service_of
from memory_service.api.security import AnyGrant, NamespaceName, PathId, needs
from memory_service.api.strict import StrictRoute
from memory_service.errors import Forbidden, NotFound

router = APIRouter(prefix="/v1", tags=["search"], route_class=StrictRoute)

READ = Depends(needs("read"))


@router.post(
    "/namespaces/{ns}/search",
    response_model=wire.SearchResponse,
    responses=COMMON | responses(413, 415),
    dependencies=[READ],
)
async def search(ns: NamespaceName, body: wire.SearchRequest, request: Request) -> Response:
    """What the namespace knows of the query, best first."""
    return answer(await run_in_threadpool(service_of(request).search, [ns], body))


@router.post("/search", response_model=wire.SearchResponse, responses=COMMON | responses(413, 415))
async def search_many(body: wire.MultiSearchRequest, request: Request, grant: AnyGrant) -> Response:
    """One search over several namespaces: a user's and the team's together."""
    unreachable = [name for name in body.namespaces if not grant.reaches(name)]
    if unreachable or not grant.allows("read"):
        raise Forbidden(f"This key cannot read namespace {(unreachable or body.namespaces)[0]!r}.")
    names = list(dict.fromkeys(body.namespaces))
    return answer(await run_in_threadpool(service_of(request).search, names, body))


@router.post(
    "/namespaces/{ns}/context",
    response_model=wire.ContextResponse,
    responses=COMMON | responses(413, 415),
    dependencies=[READ],
)
async def context(ns: NamespaceName, body: wire.ContextRequest, request: Request) -> Response:
    """What the namespace knows, packed into a token budget with citations."""
    return answer(await run_in_threadpool(service_of(request).context, ns, body))


@router.get("/namespaces/{ns}/notes", response_model=wire.NotePage, responses=COMMON, dependencies=[READ])
def list_notes(
    ns: NamespaceName,
    request: Request,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
) -> Response:
    """In the order of their episodes."""
    name = f"{ns}/notes"
    (after,) = paging.decode(name, cursor, [0])
    with service_of(request).namespace(ns).snapshot() as snapshot:
        found = snapshot.notes(after, limit + 1)
    shown, last = paging.page(found, limit)
    next_cursor = None if last is None else paging.encode(name, [last[0]])
    return answer(wire.NotePage(items=[note for _, note in shown], next_cursor=next_cursor))


@router.get(
    "/namespaces/{ns}/notes/{id}", response_model=wire.Note, responses=COMMON | responses(404), dependencies=[READ]
)
def get_note(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """One note with its links."""
    with service_of(request).namespace(ns).snapshot() as snapshot:
        found = snapshot.note(id)
    if found is None:
        raise NotFound(f"No note {id!r} here.")
    return answer(found)
