"""What lies around an entity: breadth-first search through the facts between entities, under a limit at every step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from graph.errors import UnknownEntity
from graph.limits import MAX_EDGES_PER_HOP, MAX_HOPS, MAX_NEIGHBOURS, MAX_NEIGHBOURS_PER_HOP
from graph.queries.ends import by_end, far_end
from graph.rows import EntityVersion, FactVersion
from graph.stores.port import GraphView, Moment


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entity and how many facts lead to it."""

    entity: EntityVersion
    distance: int


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Entities by distance, the one asked for first, at 0; and the facts that lead from one of them to another."""

    entities: tuple[Neighbour, ...]
    facts: tuple[FactVersion, ...]
    """By the hop that met them, the newest of each entity first. None between two entities of the last hop."""
    is_complete: bool
    """False where a limit may have left something out."""


def neighbourhood(
    view: GraphView, entity_id: str, at: Moment, *, hops: int, per_hop: int, predicates: Sequence[str] | None = None
) -> Neighbourhood:
    """Entities at most `hops` facts away; at each hop at most `per_hop` new ones, by turns of the entities before them.

    Looks at no more than MAX_EDGES_PER_HOP facts a hop, however many an entity has. `hops` and `per_hop` are cut to MAX_HOPS
    and MAX_NEIGHBOURS_PER_HOP.

    Raises:
        UnknownEntity: it is not known, at `at.known_at`.
    """
    search = _Search(view, at, min(per_hop, MAX_NEIGHBOURS_PER_HOP), predicates, entity_id)
    for _ in range(min(hops, MAX_HOPS)):
        search.step()
    # A merge between two reads may have taken an entity away: its facts go with it.
    found = view.entities_by_id(list(search.distances), at.known_at)
    if entity_id not in found:
        raise UnknownEntity(f"There is no entity {entity_id}.")
    return Neighbourhood(
        entities=tuple(Neighbour(found[each], far) for each, far in search.distances.items() if each in found),
        facts=tuple(f for f in search.facts.values() if f.subject_id in found and f.object_id in found),
        is_complete=search.is_complete,
    )


class _Search:
    """A breadth-first search, hop by hop."""

    def __init__(self, view: GraphView, at: Moment, per_hop: int, predicates: Sequence[str] | None, start: str) -> None:
        self._view = view
        self._at = at
        self._per_hop = per_hop
        self._predicates = predicates
        self._border = [start]
        self.distances = {start: 0}
        self.facts: dict[str, FactVersion] = {}
        self.is_complete = True

    def step(self) -> None:
        """Looks once around all entities of the hop before."""
        if not self._border or self._per_hop < 1:
            return
        per_entity = max(1, min(self._per_hop, MAX_EDGES_PER_HOP // len(self._border)))
        facts = self._view.edges(self._border, self._at, per_entity, self._predicates)
        own = by_end(facts, self._border)
        self.is_complete &= all(len(each) < per_entity for each in own.values())
        distance = self.distances[self._border[0]] + 1
        fresh: list[str] = []
        for entity, fact in _turns(self._border, own):
            other = far_end(fact, entity)
            if other not in self.distances:
                if len(fresh) == self._per_hop or len(self.distances) > MAX_NEIGHBOURS:
                    self.is_complete = False
                    continue
                self.distances[other] = distance
                fresh.append(other)
            self.facts[fact.id] = fact
        self._border = fresh


def _turns(border: Sequence[str], own: Mapping[str, Sequence[FactVersion]]) -> Iterator[tuple[str, FactVersion]]:
    """The first fact of each entity, then the second of each: a hub does not crowd out the others."""
    for turn in zip_longest(*(own.get(entity, ()) for entity in border)):
        yield from ((entity, fact) for entity, fact in zip(border, turn, strict=True) if fact is not None)
