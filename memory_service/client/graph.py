"""Operations on the graph: entities, facts with two times each, and what lies between them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, Unpack
from uuid import uuid4

from pydantic import BaseModel

from memory_service.client.arguments import EntityFilters, FactFilters
from memory_service.client.base import Requester
from memory_service.client.operation import iteration, operation
from memory_service.client.queries import query
from memory_service.client.requests import JSON_HEADERS, given, json_body, path
from memory_service.client.steps import Call, Emit, Flow, Stream
from memory_service.limits import MAX_PAGE_ITEMS
from memory_service.wire import Request
from memory_service.wire_graph import (
    Change,
    ChangePage,
    CommunityPage,
    Entity,
    EntityPage,
    Fact,
    FactIn,
    FactPage,
    FactsIn,
    FactsResponse,
    GraphWritten,
    MergeRequest,
    Neighbourhood,
    Paths,
    RetractRequest,
)

FactLike: TypeAlias = FactIn | Mapping[str, Any]
Instant: TypeAlias = datetime | str
"""With an offset, as a datetime and as RFC 3339 text."""

M = TypeVar("M", bound=BaseModel)


class GraphOperations(Requester):
    """All of them raise ProblemError subclasses, ConnectionFailed, and ValueError for arguments that cannot be sent.

    Facts and entities are shown as known at `known_at` (default: now), facts that were true at `as_of` (default: now). The id of
    an entity that was merged leads to the one it is part of. GraphUnavailable: the graph store outside does not answer.
    """

    # --- entities -----------------------------------------------------------------------------------------------------

    @operation
    def entities(
        self, namespace: str, *, limit: int | None = None, cursor: str | None = None, **filters: Unpack[EntityFilters]
    ) -> Flow[EntityPage]:
        """One page of entities, by id; `limit` is at most 200. Raises InvalidCursor."""
        asked = {**filters, "limit": limit, "cursor": cursor}
        return (yield from self._look(EntityPage, namespace, ("entities",), asked))

    @iteration
    def iter_entities(self, namespace: str, **filters: Unpack[EntityFilters]) -> Stream[Entity]:
        """Every entity, fetched a page at a time as the iteration goes on."""
        yield from self._every(EntityPage, namespace, ("entities",), filters)

    @operation
    def entity(self, namespace: str, entity_id: str, *, known_at: Instant | None = None) -> Flow[Entity]:
        """One entity with a summary of what is true of it. Raises NotFound."""
        return (yield from self._look(Entity, namespace, ("entities", entity_id), {"known_at": known_at}))

    @operation
    def timeline(
        self,
        namespace: str,
        entity_id: str,
        *,
        known_at: Instant | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Flow[FactPage]:
        """One page of all that was ever true of an entity, earliest first. Raises NotFound, InvalidCursor."""
        asked = {"known_at": known_at, "limit": limit, "cursor": cursor}
        return (yield from self._look(FactPage, namespace, ("entities", entity_id, "timeline"), asked))

    @iteration
    def iter_timeline(self, namespace: str, entity_id: str, *, known_at: Instant | None = None) -> Stream[Fact]:
        """All that was ever true of an entity, earliest first, fetched a page at a time. Raises NotFound."""
        segments, asked = ("entities", entity_id, "timeline"), {"known_at": known_at}
        yield from self._every(FactPage, namespace, segments, asked)

    @operation
    def neighbourhood(
        self,
        namespace: str,
        entity_id: str,
        *,
        hops: int = 1,
        per_hop: int | None = None,
        predicates: Iterable[str] | None = None,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> Flow[Neighbourhood]:
        """Entities at most `hops` facts away (at most 4), `per_hop` of each entity, and the facts between. Raises NotFound."""
        asked = {"hops": hops, "per_hop": per_hop, "predicate": predicates, "as_of": as_of, "known_at": known_at}
        return (yield from self._look(Neighbourhood, namespace, ("entities", entity_id, "neighbourhood"), asked))

    @operation
    def merge_entities(
        self, namespace: str, entity_id: str, other_id: str, *, reason: str | None = None
    ) -> Flow[GraphWritten]:
        """Says that two entities are one; their id is in the answer. It is not retried. Raises NotFound, Invalid."""
        body = MergeRequest.model_validate(given(entity_id=other_id, reason=reason))
        return (yield from self._write(GraphWritten, body, namespace, "entities", entity_id, "merge"))

    @operation
    def split_entities(
        self, namespace: str, entity_id: str, other_id: str, *, reason: str | None = None
    ) -> Flow[GraphWritten]:
        """Undoes a merge: says that what went by these two ids is not one. It is not retried. Raises NotFound, Invalid."""
        body = MergeRequest.model_validate(given(entity_id=other_id, reason=reason))
        return (yield from self._write(GraphWritten, body, namespace, "entities", entity_id, "split"))

    # --- facts --------------------------------------------------------------------------------------------------------

    @operation
    def state_facts(self, namespace: str, facts: Iterable[FactLike]) -> Flow[FactsResponse]:
        """Stores facts, all or none, each as an episode of its own, which can be erased like any other.

        They are durable when this returns, and stored once however often it retried: those without an `id` are given one.
        Raises NotFound for an entity's id that nobody has, EpisodeConflict, Gone, Invalid, BackPressure, StorageFull.
        """
        body = FactsIn(facts=[_named(FactIn.model_validate(fact)) for fact in facts])
        return (yield from self._write(FactsResponse, body, namespace, "facts", repeatable=True))

    @operation
    def facts(
        self, namespace: str, *, limit: int | None = None, cursor: str | None = None, **filters: Unpack[FactFilters]
    ) -> Flow[FactPage]:
        """One page of facts, by when they began, latest first: those true now, as known now, unless asked otherwise.

        `limit` is at most 200. Raises InvalidCursor.
        """
        asked = {**_renamed(filters), "limit": limit, "cursor": cursor}
        return (yield from self._look(FactPage, namespace, ("facts",), asked))

    @iteration
    def iter_facts(self, namespace: str, **filters: Unpack[FactFilters]) -> Stream[Fact]:
        """Every fact that fits, fetched a page at a time as the iteration goes on. Else as `facts`."""
        asked = _renamed(filters)
        yield from self._every(FactPage, namespace, ("facts",), asked)

    @operation
    def fact_history(self, namespace: str, fact_id: str) -> Flow[FactPage]:
        """Every version of a fact that was ever believed, oldest first. Raises NotFound."""
        return (yield from self._look(FactPage, namespace, ("facts", fact_id, "history"), {}))

    @operation
    def retract_fact(self, namespace: str, fact_id: str, *, reason: str | None = None) -> Flow[GraphWritten]:
        """Believes a fact no more: what it had closed is open again. It is not retried. Raises NotFound."""
        body = RetractRequest.model_validate(given(reason=reason))
        return (yield from self._write(GraphWritten, body, namespace, "facts", fact_id, "retract"))

    # --- structure and change -----------------------------------------------------------------------------------------

    @operation
    def paths(
        self,
        namespace: str,
        source: str,
        target: str,
        *,
        max_hops: int | None = None,
        limit: int | None = None,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> Flow[Paths]:
        """The shortest ways from one entity to another, through facts that hold. Raises NotFound."""
        asked = {"source": source, "target": target, "max_hops": max_hops, "limit": limit}
        times = {"as_of": as_of, "known_at": known_at}
        return (yield from self._look(Paths, namespace, ("paths",), asked | times))

    @operation
    def changes(
        self,
        namespace: str,
        since: Instant,
        *,
        until: Instant | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Flow[ChangePage]:
        """One page of what was begun and what ceased to be believed in [since, until), in that order. Raises InvalidCursor."""
        asked = {"since": since, "until": until, "limit": limit, "cursor": cursor}
        return (yield from self._look(ChangePage, namespace, ("changes",), asked))

    @iteration
    def iter_changes(self, namespace: str, since: Instant, *, until: Instant | None = None) -> Stream[Change]:
        """Every change of belief in [since, until), fetched a page at a time as the iteration goes on."""
        asked = {"since": since, "until": until}
        yield from self._every(ChangePage, namespace, ("changes",), asked)

    @operation
    def communities(
        self, namespace: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Flow[CommunityPage]:
        """One page of entities that belong together, the largest first, as known now. Raises InvalidCursor."""
        asked = {"limit": limit, "cursor": cursor}
        return (yield from self._look(CommunityPage, namespace, ("communities",), asked))

    # --- requests -----------------------------------------------------------------------------------------------------

    def _look(self, model: type[M], namespace: str, segments: tuple[str, ...], asked: Mapping[str, Any]) -> Flow[M]:
        call = Call("GET", path("namespaces", namespace, *segments), params=query(asked), repeatable=True)
        return (yield from self._ask(call, model))

    def _every(
        self, model: type[BaseModel], namespace: str, segments: tuple[str, ...], asked: Mapping[str, Any]
    ) -> Stream[Any]:
        cursor: str | None = None
        while True:
            place = {**asked, "limit": MAX_PAGE_ITEMS, "cursor": cursor}
            page: Any = yield from self._look(model, namespace, segments, place)
            for item in page.items:
                yield Emit(item)
            cursor = page.next_cursor
            if cursor is None:
                return

    def _write(self, model: type[M], body: Request, *segments: str, repeatable: bool = False) -> Flow[M]:
        target = path("namespaces", *segments)
        call = Call("POST", target, body=json_body(body), headers=JSON_HEADERS, repeatable=repeatable)
        return (yield from self._ask(call, model))


def _renamed(filters: FactFilters) -> dict[str, Any]:
    """As the contract names them: a parameter that is given several times has a singular name."""
    return {"predicate" if name == "predicates" else name: value for name, value in filters.items()}


def _named(fact: FactIn) -> FactIn:
    """With an id, so that a fact that is sent twice is stored once."""
    return fact if fact.id is not None else fact.model_copy(update={"id": uuid4().hex})
