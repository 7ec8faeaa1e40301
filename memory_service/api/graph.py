"""Routes of the graph: entities, facts, what lies between them, and how they changed."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from graph.model import Scalar
from graph.resolution.names import name_key
from graph.stores.port import EntityFilter, FactFilter, Moment
from memory_service import limits
from memory_service import wire_graph as wire
from memory_service.api import paging
from memory_service.api.answers import COMMON, answer, responses
from memory_service.api.episodes import service_of
from memory_service.api.security import NamespaceName, PathId, needs
from memory_service.api.strict import StrictRoute, read_json
from memory_service.errors import BadRequest, Invalid, InvalidCursor
from memory_service.instants import Instant, to_micros
from memory_service.knowledge.reader import ChangeCursor, GraphReader
from memory_service.wire import Text

router = APIRouter(prefix="/v1/namespaces/{ns}", tags=["graph"], route_class=StrictRoute)

READ = Depends(needs("read"))
WRITE = Depends(needs("write"))
_LOST = COMMON | responses(404, 503)

AsOf = Annotated[Instant | None, Query(description="What was true then. Default: now.")]
KnownAt = Annotated[Instant | None, Query(description="As it was believed then. Default: as known now.")]
AllTimes = Annotated[bool, Query(description="Facts of every time, whether they are true at `as_of` or not.")]
Predicates = Annotated[
    list[wire.Predicate] | None, Query(max_length=limits.MAX_FILTER_VALUES, description="Only these.")
]
Words = Annotated[Text | None, Query(min_length=1, max_length=256)]
Json = Annotated[str | None, Query(max_length=2048, description='A JSON object of equal values: {"role":"CTO"}.')]
EntityId = Annotated[str | None, Query(pattern=f"^{limits.ID_PATTERN}$")]


def _reader(request: Request) -> GraphReader:
    return service_of(request).graphs


def _moment(request: Request, as_of: Any, known_at: Any, *, all_times: bool = False) -> Moment:
    """True now, as known now, unless something else is asked."""
    now = service_of(request).store.clock.now_micros()
    told = now if as_of is None else to_micros(as_of)
    return Moment(None if all_times else told, _micros(known_at))


def _micros(instant: Any) -> int | None:
    return None if instant is None else to_micros(instant)


_ATTRIBUTES: Final[TypeAdapter[dict[str, Scalar]]] = TypeAdapter(wire.Attributes)


def _scalars(name: str, text: str | None) -> dict[str, Scalar]:
    """Raises Invalid for what is no flat JSON object."""
    if text is None:
        return {}
    try:
        return _ATTRIBUTES.validate_python(read_json(text.encode("utf-8", "surrogatepass")))
    except (BadRequest, ValidationError):
        detail = f"must be a JSON object of at most {limits.MAX_FACT_QUALIFIERS} strings, numbers and booleans"
        raise Invalid(f"{name} {detail}.", errors=[{"pointer": f"query:{name}", "detail": detail}]) from None


# --- entities -----------------------------------------------------------------------------------------------------


@router.get("/entities", response_model=wire.EntityPage, responses=_LOST, dependencies=[READ])
def list_entities(
    ns: NamespaceName,
    request: Request,
    *,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
    type: Annotated[Text | None, Query(max_length=128)] = None,
    name: Annotated[Text | None, Query(min_length=1, max_length=limits.MAX_ENTITY_NAME_CHARS)] = None,
    text: Words = None,
    attributes: Json = None,
    known_at: KnownAt = None,
) -> Response:
    """By id. `name`: one of its names, however it is written; `text`: a part of one."""
    list_name = f"{ns}/entities/{type}/{name}/{text}/{attributes}/{known_at}"
    (after,) = paging.decode(list_name, cursor, [""])
    wanted = EntityFilter(type, None if name is None else [name_key(name)], text, _scalars("attributes", attributes))
    found = _reader(request).entities(ns, wanted, _micros(known_at), after, limit + 1)
    shown, last = paging.page(found, limit)
    following = None if last is None else paging.encode(list_name, [last.id])
    return answer(wire.EntityPage(items=list(shown), next_cursor=following))


@router.get("/entities/{id}", response_model=wire.Entity, responses=_LOST, dependencies=[READ])
def get_entity(ns: NamespaceName, id: PathId, request: Request, known_at: KnownAt = None) -> Response:
    """The entity with a summary; of a merged one, the entity that it is part of."""
    return answer(_reader(request).entity(ns, id, _micros(known_at)))


@router.get("/entities/{id}/timeline", response_model=wire.FactPage, responses=_LOST, dependencies=[READ])
def get_timeline(
    ns: NamespaceName,
    id: PathId,
    request: Request,
    *,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
    known_at: KnownAt = None,
) -> Response:
    """All that was ever true of it, earliest first; what has no known start comes before."""
    list_name = f"{ns}/timeline/{id}/{known_at}"
    after = _fact_cursor(list_name, cursor)
    found, following = _reader(request).timeline(ns, id, _micros(known_at), after, limit)
    return answer(wire.FactPage(items=found, next_cursor=_next(list_name, following)))


@router.get("/entities/{id}/neighbourhood", response_model=wire.Neighbourhood, responses=_LOST, dependencies=[READ])
def get_neighbourhood(
    ns: NamespaceName,
    id: PathId,
    request: Request,
    *,
    hops: Annotated[int, Query(ge=1, le=limits.MAX_HOPS)] = 1,
    per_hop: Annotated[int, Query(ge=1, le=limits.MAX_NEIGHBOURS_PER_HOP)] = 50,
    predicate: Predicates = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> Response:
    """Entities at most `hops` facts away, and the facts that lead there."""
    at = _moment(request, as_of, known_at)
    return answer(_reader(request).neighbourhood(ns, id, at, hops=hops, per_hop=per_hop, predicates=predicate))


@router.post(
    "/entities/{id}/merge", response_model=wire.GraphWritten, responses=_LOST | responses(507), dependencies=[WRITE]
)
async def merge_entities(ns: NamespaceName, id: PathId, body: wire.MergeRequest, request: Request) -> Response:
    """Says that two entities are one. Recorded, and can be undone."""
    return answer(await run_in_threadpool(service_of(request).merge_entities, ns, id, body))


@router.post(
    "/entities/{id}/split", response_model=wire.GraphWritten, responses=_LOST | responses(507), dependencies=[WRITE]
)
async def split_entities(ns: NamespaceName, id: PathId, body: wire.MergeRequest, request: Request) -> Response:
    """Undoes a merge: says that what goes by these two ids is not one. Holds against the service's own rules too."""
    return answer(await run_in_threadpool(service_of(request).split_entities, ns, id, body))


# --- facts --------------------------------------------------------------------------------------------------------


@router.post(
    "/facts",
    status_code=202,
    response_model=wire.FactsResponse,
    responses=_LOST | responses(409, 410, 413, 415, 507),
    dependencies=[WRITE],
)
async def state_facts(ns: NamespaceName, body: wire.FactsIn, request: Request) -> Response:
    """Stores facts, each as an episode of its own. Durable and visible when it answers."""
    return answer(await run_in_threadpool(service_of(request).state_facts, ns, body), 202)


@router.get("/facts", response_model=wire.FactPage, responses=_LOST, dependencies=[READ])
def list_facts(
    ns: NamespaceName,
    request: Request,
    *,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
    entity: EntityId = None,
    subject: EntityId = None,
    object: EntityId = None,
    predicate: Predicates = None,
    text: Words = None,
    qualifiers: Json = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    all_times: AllTimes = False,
) -> Response:
    """By when they began, latest first. True now, as known now, unless something else is asked."""
    reader, known = _reader(request), _micros(known_at)
    asked = (entity, subject, object, predicate, text, qualifiers, as_of, known_at, all_times)
    list_name = f"{ns}/facts/{asked}"
    ids = [None if each is None else reader.actual(ns, each, known) for each in (entity, subject, object)]
    wanted = FactFilter(ids[0], ids[1], ids[2], predicate, text, _scalars("qualifiers", qualifiers))
    at = _moment(request, as_of, known_at, all_times=all_times)
    found, following = reader.facts(ns, wanted, at, _fact_cursor(list_name, cursor), limit)
    return answer(wire.FactPage(items=found, next_cursor=_next(list_name, following)))


@router.get("/facts/{id}/history", response_model=wire.FactPage, responses=_LOST, dependencies=[READ])
def get_history(ns: NamespaceName, id: PathId, request: Request) -> Response:
    """Every version of a fact that was ever believed, oldest first."""
    return answer(wire.FactPage(items=_reader(request).history(ns, id)))


@router.post(
    "/facts/{id}/retract", response_model=wire.GraphWritten, responses=_LOST | responses(507), dependencies=[WRITE]
)
async def retract_fact(ns: NamespaceName, id: PathId, body: wire.RetractRequest, request: Request) -> Response:
    """Believes a fact no more. What it had closed is open again; what was believed before stays readable at its time."""
    return answer(await run_in_threadpool(service_of(request).retract_fact, ns, id, body))


# --- structure and change -----------------------------------------------------------------------------------------


@router.get("/paths", response_model=wire.Paths, responses=_LOST, dependencies=[READ])
def get_paths(
    ns: NamespaceName,
    request: Request,
    *,
    source: Annotated[str, Query(pattern=f"^{limits.ID_PATTERN}$")],
    target: Annotated[str, Query(pattern=f"^{limits.ID_PATTERN}$")],
    max_hops: Annotated[int, Query(ge=1, le=limits.MAX_PATH_HOPS)] = 4,
    limit: Annotated[int, Query(ge=1, le=limits.MAX_PATHS)] = 5,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> Response:
    """The shortest ways from one entity to another, through facts that hold."""
    at = _moment(request, as_of, known_at)
    return answer(_reader(request).paths(ns, source, target, at, max_hops=max_hops, limit=limit))


@router.get("/changes", response_model=wire.ChangePage, responses=_LOST, dependencies=[READ])
def list_changes(
    ns: NamespaceName,
    request: Request,
    *,
    since: Annotated[Instant, Query(description="From then on.")],
    until: Annotated[Instant | None, Query(description="Before then. Default: now.")] = None,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
) -> Response:
    """What was begun and what ceased to be believed between two times, in that order."""
    list_name = f"{ns}/changes/{since}/{until}"
    begin, end = to_micros(since), 2**62 if until is None else to_micros(until)
    if end < begin:
        raise Invalid("`until` is before `since`.", errors=[{"pointer": "query:until", "detail": "is before since"}])
    found, following = _reader(request).changes(ns, begin, end, _change_cursor(list_name, cursor), limit)
    place = None if following is None else [str(following.at), following.fact_id, following.shown]
    return answer(wire.ChangePage(items=found, next_cursor=None if place is None else paging.encode(list_name, place)))


@router.get("/communities", response_model=wire.CommunityPage, responses=_LOST, dependencies=[READ])
def list_communities(
    ns: NamespaceName,
    request: Request,
    limit: paging.Limit = limits.DEFAULT_PAGE_ITEMS,
    cursor: paging.Cursor = None,
    known_at: KnownAt = None,
) -> Response:
    """Entities that belong together, the largest first, as known now: they have no versions to read at a past `known_at`."""
    list_name = f"{ns}/communities"
    (start,) = paging.decode(list_name, cursor, [0])
    found = _reader(request).communities(ns, _micros(known_at))
    shown = found[start : start + limit]
    following = paging.encode(list_name, [start + limit]) if start + limit < len(found) else None
    return answer(wire.CommunityPage(items=shown, next_cursor=following))


# --- cursors ------------------------------------------------------------------------------------------------------


_PLACE: Final = re.compile(r"-?[0-9]{1,18}")
"""Instants go as text, since those before 1970 are negative; 18 digits are beyond every year, and within 64 bits."""


def _fact_cursor(list_name: str, cursor: str | None) -> tuple[int, str] | None:
    """A place in a list of facts."""
    number, last = paging.decode(list_name, cursor, ["", ""])
    return None if cursor is None else (_number(number), last)


def _change_cursor(list_name: str, cursor: str | None) -> ChangeCursor | None:
    number, last, shown = paging.decode(list_name, cursor, ["", "", 0])
    return None if cursor is None else ChangeCursor(_number(number), last, min(shown, 1))


def _number(text: str) -> int:
    if not _PLACE.fullmatch(text):
        raise InvalidCursor("The cursor is damaged; start the list again.")
    return int(text)


def _next(list_name: str, place: tuple[int, str] | None) -> str | None:
    return None if place is None else paging.encode(list_name, [str(place[0]), place[1]])
