"""Questions about the graph, answered in the contract's models. Every answer is of one namespace."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graph.errors import GraphTooLarge, StoreError, UnknownEntity
from graph.queries.communities import Communities
from graph.queries.neighbourhood import neighbourhood
from graph.queries.paths import paths
from graph.queries.summary import summary
from graph.queries.timeline import Cursor, timeline
from graph.rows import EntityVersion, FactVersion
from graph.stores.port import EntityFilter, FactFilter, GraphView, Moment
from memory_service import limits
from memory_service import wire_graph as wire
from memory_service.clock import Clock
from memory_service.errors import Invalid, KnownAtUnsupported, NotFound
from memory_service.instants import from_micros
from memory_service.knowledge import answers
from memory_service.knowledge.ids import entity_of
from memory_service.knowledge.views import GraphViews, unavailable
from memory_service.log.database import Database

T = TypeVar("T")
_SUMMARY_FACTS = 20


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """A place in the list of changes. A fact can change twice at one moment: the old belief expires, the new one begins."""

    at: int
    fact_id: str
    """The last fact whose changes of the moment were all shown."""
    shown: int = 0
    """How many were shown after it: 1 where the page ended between two changes of one fact."""


class GraphReader:
    """Reads graphs wherever they are kept. Thread-safe. Raises NotFound, GraphUnavailable."""

    def __init__(self, views: GraphViews, database: Database, clock: Clock) -> None:
        self._views = views
        self._database = database
        self._clock = clock
        self._communities = Communities()

    def view(self, namespace: str) -> GraphView:
        """The namespace's graph itself."""
        return self._views.view(namespace)

    # --- entities -------------------------------------------------------------------------------------------------------

    def entities(
        self, namespace: str, wanted: EntityFilter, known_at: int | None, after: str, limit: int
    ) -> list[wire.Entity]:
        """By id."""
        view = self._views.view(namespace)
        found = asked(lambda: view.entities(wanted, known_at, after, limit))
        return [answers.entity(namespace, version, "") for version in found]

    def entity(self, namespace: str, entity_id: str, known_at: int | None) -> wire.Entity:
        """The entity that the id stands for now, or stood for then. Raises NotFound."""
        view = self._views.view(namespace)
        version = self._version(view, namespace, entity_id, known_at)
        facts = asked(lambda: self._current_facts(view, version.id, known_at))
        return answers.entity(namespace, version, summary(version, facts))

    def _current_facts(self, view: GraphView, entity_id: str, known_at: int | None) -> list[FactVersion]:
        at = Moment(self._clock.now_micros(), known_at)
        return view.facts(FactFilter(entity=entity_id), at, None, _SUMMARY_FACTS)

    def actual(self, namespace: str, entity_id: str, known_at: int | None) -> str:
        """The id that facts know it by. One that nobody has stays as it is, and finds nothing."""
        with self._database.read() as connection:
            return entity_of(connection, namespace, entity_id, known_at)

    def resolve(self, namespace: str, entity_id: str, known_at: int | None) -> str:
        """The id of the entity that this one is part of. Raises NotFound."""
        return self._version(self._views.view(namespace), namespace, entity_id, known_at).id

    def _version(self, view: GraphView, namespace: str, entity_id: str, known_at: int | None) -> EntityVersion:
        with self._database.read() as connection:
            actual = entity_of(connection, namespace, entity_id, known_at)
        found = asked(lambda: view.entities_by_id([actual], known_at)).get(actual)
        if found is None:
            raise NotFound(f"No entity {entity_id!r} here{'' if known_at is None else ' at that time'}.")
        return found

    # --- facts ----------------------------------------------------------------------------------------------------------

    def facts(
        self, namespace: str, wanted: FactFilter, at: Moment, after: Cursor | None, limit: int
    ) -> tuple[list[wire.Fact], Cursor | None]:
        """By start, latest first; and where the next page begins."""
        view = self._views.view(namespace)
        found = asked(lambda: view.facts(wanted, at, after, limit + 1))
        shown = found[:limit]
        following = (shown[-1].start, shown[-1].id) if len(found) > limit else None
        return self._told(view, shown, at.known_at), following

    def history(self, namespace: str, fact_id: str) -> list[wire.Fact]:
        """Every version ever believed, oldest first. Raises NotFound."""
        view = self._views.view(namespace)
        found = asked(lambda: view.fact_history(fact_id))
        if not found:
            raise NotFound(f"No fact {fact_id!r} here.")
        return [self._told(view, [version], version.created_at)[0] for version in found]

    def timeline(
        self, namespace: str, entity_id: str, known_at: int | None, after: Cursor | None, limit: int
    ) -> tuple[list[wire.Fact], Cursor | None]:
        """All that was ever true of an entity, earliest first."""
        view = self._views.view(namespace)
        actual = self.resolve(namespace, entity_id, known_at)
        page = asked(lambda: timeline(view, actual, known_at, after, limit))
        return self._told(view, page.facts, known_at), page.next

    def _told(self, view: GraphView, versions: Sequence[FactVersion], known_at: int | None) -> list[wire.Fact]:
        if not versions:
            return []
        sources = asked(lambda: view.sources([version.id for version in versions], known_at))
        return answers.facts(versions, sources)

    # --- structure ------------------------------------------------------------------------------------------------------

    def neighbourhood(
        self, namespace: str, entity_id: str, at: Moment, *, hops: int, per_hop: int, predicates: Sequence[str] | None
    ) -> wire.Neighbourhood:
        view = self._views.view(namespace)
        actual = self.resolve(namespace, entity_id, at.known_at)
        found = asked(lambda: neighbourhood(view, actual, at, hops=hops, per_hop=per_hop, predicates=predicates))
        return wire.Neighbourhood(
            entities=[
                wire.Neighbour(distance=n.distance, **answers.entity(namespace, n.entity, "").model_dump())
                for n in found.entities
            ],
            facts=self._told(view, found.facts, at.known_at),
            is_complete=found.is_complete,
        )

    def paths(self, namespace: str, a: str, b: str, at: Moment, *, max_hops: int, limit: int) -> wire.Paths:
        view = self._views.view(namespace)
        source, target = (self.resolve(namespace, one, at.known_at) for one in (a, b))
        found = asked(lambda: paths(view, source, target, at, max_hops=max_hops, limit=limit))
        every = {fact.id: fact for path in found.paths for fact in path.facts}
        told = {fact.id: fact for fact in self._told(view, list(every.values()), at.known_at)}
        return wire.Paths(
            items=[
                wire.Path(
                    entities=[wire.EntityRef(id=each.id, name=each.name) for each in path.entities],
                    facts=[told[fact.id] for fact in path.facts],
                )
                for path in found.paths
            ],
            is_complete=found.is_complete,
        )

    def changes(
        self, namespace: str, since: int, until: int, after: ChangeCursor | None, limit: int
    ) -> tuple[list[wire.Change], ChangeCursor | None]:
        """What was begun and what ceased to be believed in [since, until)."""
        view = self._views.view(namespace)
        place = after or ChangeCursor(since, "")
        most = limit + place.shown + 1
        found = asked(lambda: view.changes(since, until, (place.at, place.fact_id), most))[place.shown :]
        made = [self._change(view, moment, version) for moment, version in found[:limit]]
        return made, _following(place, [(moment, version.id) for moment, version in found], limit)

    def _change(self, view: GraphView, moment: int, version: FactVersion) -> wire.Change:
        return wire.Change(
            at=from_micros(moment),
            kind="believed" if moment == version.created_at else "expired",
            fact=self._told(view, [version], version.created_at)[0],
        )

    def communities(
        self, namespace: str, known_at: int | None, around: Collection[str] | None = None
    ) -> list[wire.Community]:
        """Of what is true and believed now; `around`: only those that one of these entities is in. Communities have no versions.

        Raises KnownAtUnsupported for a past known_at, Invalid for a graph that is too large.
        """
        if known_at is not None and known_at < self._clock.now_micros():
            raise KnownAtUnsupported("Communities have no versions: they are told as known now.")
        view = self._views.view(namespace)
        at = Moment(as_of=self._clock.now_micros())
        found = asked(lambda: self._communities.of(namespace, view, at, limits.MAX_COMMUNITY_EDGES, around=around))
        return [
            wire.Community(
                id=each.id,
                name=each.name,
                summary=each.summary,
                members=[wire.EntityRef(id=member.id, name=member.name) for member in each.members],
                fact_ids=list(each.fact_ids),
                episode_ids=list(each.episode_ids),
            )
            for each in found
        ]


def _following(place: ChangeCursor, keys: Sequence[tuple[int, str]], limit: int) -> ChangeCursor | None:
    """Where the next page begins; None at the end. `keys` are those of the page and of what comes behind it."""
    if len(keys) <= limit:
        return None
    if keys[limit] != keys[limit - 1]:
        return ChangeCursor(*keys[limit - 1])
    return ChangeCursor(*keys[limit - 2], 1) if limit > 1 else ChangeCursor(place.at, place.fact_id, 1)


def asked(question: Callable[[], T]) -> T:
    """The store's answer; its errors as the contract's."""
    try:
        return question()
    except UnknownEntity as error:
        raise NotFound(str(error)) from None
    except GraphTooLarge as error:
        raise Invalid(f"{error} No communities are told of so many.") from None
    except StoreError as error:
        raise unavailable(error) from error
