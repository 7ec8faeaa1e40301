"""How two entities hang together: the shortest simple paths between them, by breadth-first search from both ends.

A simple path of n facts has its first half within n/2 steps of one end and its second within n/2 of the other (Pohl 1971,
"Bi-directional search"), so that two small balls hold all paths that one large one would.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from graph.limits import MAX_EDGES_PER_STEP, MAX_PATH_EXPANSIONS, MAX_PATH_HOPS
from graph.queries.ends import by_end, far_end, known_entities, newest_first
from graph.rows import EntityVersion, FactVersion
from graph.stores.port import GraphView, Moment


@dataclass(frozen=True, slots=True)
class Path:
    """Entities from one end to the other, none twice, and the fact of each step, whichever way it points."""

    entities: tuple[EntityVersion, ...]
    facts: tuple[FactVersion, ...]
    """One fewer than entities. Of several facts between two entities, the newest."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths by length, then by their entities' ids."""

    paths: tuple[Path, ...]
    is_complete: bool
    """False where the search gave up before it had seen everything: there may be shorter paths, or any at all."""
    looked_at: int
    """Facts read."""


def paths(view: GraphView, a: str, b: str, at: Moment, *, max_hops: int, limit: int) -> Paths:
    """The `limit` shortest simple paths of at most `max_hops` facts, which is cut to MAX_PATH_HOPS.

    From an entity to itself there is one, without facts. Reads about MAX_PATH_EXPANSIONS facts at most, and
    MAX_EDGES_PER_STEP of one entity.

    Raises:
        UnknownEntity: one of them is not known, at `at.known_at`.
    """
    ends = known_entities(view, [a, b], at.known_at)
    if a == b:
        return Paths((Path((ends[a],), ()),), is_complete=True, looked_at=0)
    search = _Search(view, at, a, b)
    routes = search.routes(min(max_hops, MAX_PATH_HOPS), limit)
    between = {entity for route in routes for entity in route} - ends.keys()
    # A merge between two reads may have taken an entity away: its paths go with it.
    found = ends | view.entities_by_id(sorted(between), at.known_at)
    made = [_path(route, found, search.graph) for route in routes if all(entity in found for entity in route)]
    return Paths(tuple(made), search.is_complete, search.looked_at)


Graph = dict[str, dict[str, FactVersion]]
"""The newest fact between an entity and each of its neighbours, both ways."""


def _path(route: Sequence[str], entities: dict[str, EntityVersion], graph: Graph) -> Path:
    return Path(tuple(entities[each] for each in route), tuple(graph[one][other] for one, other in pairwise(route)))


@dataclass(slots=True)
class _Ball:
    """All entities within some distance of an end, of which those of the border are not looked around yet."""

    border: list[str]
    seen: set[str] = field(default_factory=set[str])
    radius: int = 0


class _Search:
    """The part of the graph seen so far from both ends."""

    def __init__(self, view: GraphView, at: Moment, a: str, b: str) -> None:
        self._view = view
        self._at = at
        self._a = a
        self._b = b
        self._balls = (_Ball([a], {a}), _Ball([b], {b}))
        self._expanded: set[str] = set()
        self._steps = 0
        self.graph: Graph = defaultdict(dict)
        self.is_complete = True
        self.looked_at = 0

    def routes(self, max_hops: int, limit: int) -> list[list[str]]:
        """Simple paths as entities' ids, the shortest first. All of one length are known before a longer one is sought."""
        found: list[list[str]] = []
        for length in range(1, max_hops + 1):
            if len(found) >= limit or not self._reach(length):
                break
            for route in self._of_length(length):
                if len(found) == limit:
                    break
                found.append(route)
        return found

    def _reach(self, length: int) -> bool:
        """Grows the smaller ball until all paths of this length are seen. False if there can be none any more."""
        while sum(ball.radius for ball in self._balls) < length and all(ball.border for ball in self._balls):
            if self.looked_at >= MAX_PATH_EXPANSIONS:
                self.is_complete = False
                break
            self._grow(min(self._balls, key=lambda ball: (len(ball.border), ball.radius)))
        return self._is_met() or all(ball.border for ball in self._balls)

    def _is_met(self) -> bool:
        one, other = self._balls
        return not one.seen.isdisjoint(other.seen)

    def _grow(self, ball: _Ball) -> None:
        fresh: dict[str, None] = {}
        for start in range(0, len(ball.border), _BATCH):
            batch = ball.border[start : start + _BATCH]
            left = MAX_PATH_EXPANSIONS - self.looked_at
            if left <= 0:
                self.is_complete = False
                break
            for entity, facts in self._around(batch, left):
                fresh.update((far_end(fact, entity), None) for fact in facts)
        ball.border = sorted(fresh.keys() - ball.seen)
        ball.seen.update(ball.border)
        ball.radius += 1

    def _around(self, batch: Sequence[str], left: int) -> Iterator[tuple[str, list[FactVersion]]]:
        """Facts of each of the entities, which the graph then holds. What both ends look at is read once."""
        new = [entity for entity in batch if entity not in self._expanded]
        per_entity = min(MAX_EDGES_PER_STEP, max(1, left // max(1, len(new))))
        facts = self._view.edges(new, self._at, per_entity, None) if new else []
        self.looked_at += len(facts)
        self._expanded.update(new)
        own = by_end(facts, new)
        self.is_complete &= all(len(each) < per_entity for each in own.values())
        for entity, each in own.items():
            for fact in each:
                self._keep(fact)
            yield entity, each
        for entity in batch:
            if entity not in own:
                yield entity, list(self.graph[entity].values())

    def _keep(self, fact: FactVersion) -> None:
        subject, other = fact.subject_id, fact.object_id or fact.subject_id
        if subject == other:
            return
        known = self.graph[subject].get(other)
        if known is None or newest_first(fact) < newest_first(known):
            self.graph[subject][other] = self.graph[other][subject] = fact

    # --- paths within what was seen -----------------------------------------------------------------------------------

    def _of_length(self, length: int) -> Iterator[list[str]]:
        """Depth-first towards b, never where b is too far for what is left."""
        far = self._distances(self._b, length)
        if far.get(self._a, length + 1) <= length:
            self._steps = 0
            yield from self._extend([self._a], length, far)

    def _extend(self, route: list[str], left: int, far: dict[str, int]) -> Iterator[list[str]]:
        if left == 0:
            yield list(route)
            return
        for other in sorted(self.graph[route[-1]]):
            if self._steps >= MAX_PATH_EXPANSIONS:
                self.is_complete = False
                return
            self._steps += 1
            is_early = other == self._b and left > 1
            if other not in route and not is_early and far.get(other, left) < left:
                yield from self._extend([*route, other], left - 1, far)

    def _distances(self, start: str, limit: int) -> dict[str, int]:
        distances = {start: 0}
        border = [start]
        for distance in range(1, limit + 1):
            border = list({far for near in border for far in self.graph[near]} - distances.keys())
            distances.update(dict.fromkeys(border, distance))
        return distances


_BATCH = 200
"""Entities looked around in one read."""
