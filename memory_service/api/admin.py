"""Routes of operation: namespaces, export and import, dead letters, keys."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from memory_service import limits, wire
from memory_service.api import paging
from memory_service.api.answers import COMMON, answer, responses
from memory_service.api.episodes import service_of
from memory_service.api.security import AnyGrant, Gatekeeper, NamespaceName, needs, service_admin
from memory_service.api.strict import StrictRoute
from memory_service.errors import Forbidden, NotFound, StorageFull
from memory_service.log.keys import create_key, list_keys, revoke_key

router = APIRouter(prefix="/v1", tags=["operation"], route_class=StrictRoute)

READ = Depends(needs("read"))
WRITE = Depends(needs("write"))
ADMIN = Depends(needs("admin"))
SERVICE_ADMIN = Depends(service_admin)
LetterId = Annotated[str, Path(pattern=r"^[0-9]{1,18}\.[a-z]{1,16}\.[0-9]{1,9}$")]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
_NDJSON = "application/x-ndjson"
_FEW_AT_ONCE = 256


@router.get("/namespaces", response_model=wire.NamespacePage, responses=COMMON)
def list_namespaces(
    request: Request,
    grant: AnyGrant,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
) -> Response:
    """Those that the key can read, by name."""
    if not grant.allows("read"):
        raise Forbidden("This key lacks the scope 'read'.")
    (after,) = paging.decode("namespaces", cursor, [""])
    found: list[wire.Namespace] = []
    while len(found) <= limit and (batch := service_of(request).namespaces(after, _FEW_AT_ONCE)):
        found += [item for item in batch if grant.reaches(item.name)]
        after = batch[-1].name
    shown, last = paging.page(found[: limit + 1], limit)
    next_cursor = None if last is None else paging.encode("namespaces", [last.name])
    return answer(wire.NamespacePage(items=list(shown), next_cursor=next_cursor))


@router.delete(
    "/namespaces/{ns}",
    status_code=204,
    responses=COMMON
    | responses(404)
    | {202: {"model": wire.ErasureResponse, "description": "Accepted, not yet complete"}},
    dependencies=[ADMIN],
)
async def delete_namespace(ns: NamespaceName, request: Request) -> Response:
    """Erases all that the store holds of a namespace."""
    if await run_in_threadpool(service_of(request).erase_namespace, ns):
        return Response(status_code=204)
    return answer(wire.ErasureResponse(pending="old pages wait for a running read to end"), 202)


@router.get(
    "/namespaces/{ns}/export",
    response_class=StreamingResponse,
    responses=COMMON | {200: {"content": {_NDJSON: {"schema": {"type": "string"}}}, "description": "JSON Lines"}},
    dependencies=[READ],
)
def export(ns: NamespaceName, request: Request) -> StreamingResponse:
    """The namespace's log as JSON Lines, from one state of the store."""
    lines = service_of(request).export(ns)
    # The first line opens the store: when that fails, the answer can still be a problem.
    header = next(lines)
    return StreamingResponse((f"{line}\n" for line in chain((header,), lines)), media_type=_NDJSON)


@router.post(
    "/namespaces/{ns}/import",
    response_model=wire.ImportResponse,
    responses=COMMON | responses(409, 410, 413, 415, 507),
    dependencies=[WRITE],
    openapi_extra={"requestBody": {"required": True, "content": {_NDJSON: {"schema": {"type": "string"}}}}},
)
async def import_(ns: NamespaceName, request: Request) -> Response:
    """Stores JSON Lines, all or nothing; what is there already with the same fields is skipped."""
    with tempfile.TemporaryFile() as spool:
        await _spool(request.stream(), spool)
        return answer(await run_in_threadpool(_import_spooled, request, ns, spool))


async def _spool(chunks: AsyncIterator[bytes], spool: IO[bytes]) -> None:
    try:
        async for chunk in chunks:
            spool.write(chunk)
        spool.flush()
    except OSError as error:
        raise StorageFull(f"The import cannot be spooled ({error.strerror}); nothing was imported.") from error


def _import_spooled(request: Request, ns: str, spool: IO[bytes]) -> wire.ImportResponse:
    spool.seek(0)
    return service_of(request).import_lines(ns, _lines(spool))


def _lines(spool: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most one byte more than the limit, so that a file without newlines cannot fill the memory."""
    while line := spool.readline(limits.MAX_IMPORT_LINE_BYTES + 1):
        yield line


@router.get("/namespaces/{ns}/dead-letters", response_model=wire.DeadLetterPage, responses=COMMON, dependencies=[READ])
def list_dead_letters(
    ns: NamespaceName,
    request: Request,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
) -> Response:
    """Work that was given up, with the reason, oldest episode first."""
    name = f"{ns}/dead-letters"
    seq, stage, version = paging.decode(name, cursor, [0, "", 0])
    with service_of(request).namespace(ns).snapshot() as snapshot:
        found = snapshot.dead_letters((seq, stage, version), limit + 1)
    shown, last = paging.page(found, limit)
    next_cursor = None if last is None else paging.encode(name, list(last[0].key))
    return answer(wire.DeadLetterPage(items=[letter for _, letter in shown], next_cursor=next_cursor))


@router.post(
    "/namespaces/{ns}/dead-letters/{id}/retry",
    status_code=204,
    responses=COMMON | responses(404),
    dependencies=[WRITE],
)
def retry_dead_letter(ns: NamespaceName, id: LetterId, request: Request) -> Response:
    """Makes the work due again, with all its attempts."""
    service_of(request).retry_dead_letter(ns, id)
    return Response(status_code=204)


# --- keys -----------------------------------------------------------------------------------------------------------


@router.post(
    "/keys",
    status_code=201,
    response_model=wire.NewKey,
    responses=COMMON | responses(413, 415, 507),
    dependencies=[SERVICE_ADMIN],
)
async def make_key(body: wire.KeyRequest, request: Request) -> Response:
    """A new key. Its secret is in this answer and nowhere else."""
    writer = service_of(request).store.writer
    made = await run_in_threadpool(writer.write, lambda tx: create_key(tx, body.name, body.scopes, body.namespaces))
    _gatekeeper(request).forget()
    return answer(made, 201)


@router.get("/keys", response_model=wire.KeyPage, responses=COMMON, dependencies=[SERVICE_ADMIN])
def get_keys(
    request: Request, limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS, cursor: paging.Cursor = None
) -> Response:
    """All keys, by id, revoked ones too."""
    (after,) = paging.decode("keys", cursor, [""])
    with service_of(request).store.database.read() as connection:
        found = list_keys(connection, after, limit + 1)
    shown, last = paging.page(found, limit)
    next_cursor = None if last is None else paging.encode("keys", [last.id])
    return answer(wire.KeyPage(items=list(shown), next_cursor=next_cursor))


@router.delete("/keys/{id}", status_code=204, responses=COMMON | responses(404), dependencies=[SERVICE_ADMIN])
async def delete_key(id: KeyId, request: Request) -> Response:
    """Revokes a key: here at once, in other processes within five seconds."""
    writer = service_of(request).store.writer
    known = await run_in_threadpool(writer.write, lambda tx: revoke_key(tx, id))
    _gatekeeper(request).forget()
    if not known:
        raise NotFound(f"No key {id!r}.")
    return Response(status_code=204)


def _gatekeeper(request: Request) -> Gatekeeper:
    return request.app.state.gatekeeper
