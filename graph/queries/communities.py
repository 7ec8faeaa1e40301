"""Entities that belong together, with an extractive summary (Zep, arXiv 2501.13956, section 2.3, without a language model).

Components of the graph are independent, so that a change touches only its own: what was found for a component is kept under a
hash of its edges. Only ids are kept; names and texts are read anew each time, so that nothing outlives its erasure.
"""

import hashlib
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from threading import Lock

from graph.errors import GraphTooLarge
from graph.ids import community_id
from graph.limits import (
    MAX_COMMUNITIES,
    MAX_LISTED_MEMBERS,
    MAX_PARTITIONED_NAMESPACES,
    MAX_SUMMARY_CHARS,
    MAX_SUMMARY_FACTS,
)
from graph.queries.partition import Edge, Finder, best_finder
from graph.queries.words import ended, fitting, listed
from graph.rows import EntityVersion, FactVersion
from graph.stores.port import FactFilter, GraphView, Moment

FactEdge = tuple[str, str, str]
"""(fact id, subject, object)."""

_SMALL = 3
"""Nodes of a component that is a community as it stands."""

_NAMED = 3
"""Entities that a community is named after."""

_READ = 5_000
"""Rows asked for at once."""


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence of a summary with what it rests on."""

    text: str
    fact_id: str
    episode_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Community:
    """Entities with more facts among them than with others."""

    id: str
    """Made from all its members: the same members are the same community."""
    name: str
    """After its most central entities."""
    members: tuple[EntityVersion, ...]
    """The most central first, at most MAX_LISTED_MEMBERS."""
    size: int
    """Of all members."""
    points: tuple[Point, ...]

    @property
    def summary(self) -> str:
        return " ".join(point.text for point in self.points)

    @property
    def fact_ids(self) -> tuple[str, ...]:
        return tuple(point.fact_id for point in self.points)

    @property
    def episode_ids(self) -> tuple[str, ...]:
        return tuple(sorted({episode for point in self.points for episode in point.episode_ids}))


@dataclass(frozen=True, slots=True)
class Group:
    """A community in ids alone."""

    id: str
    members: tuple[str, ...]
    """By how many facts they have within, most first."""
    facts: tuple[str, ...]
    """What tells most of it, first; at most MAX_SUMMARY_FACTS."""


class Communities:
    """Finds communities, and remembers those of components that have not changed. Thread-safe.

    Args:
        find: divides a connected graph.
    """

    def __init__(self, find: Finder | None = None) -> None:
        self._find = find or best_finder()
        self._known: OrderedDict[str, dict[bytes, tuple[Group, ...]]] = OrderedDict()
        self._lock = Lock()

    def of(
        self, namespace: str, view: GraphView, at: Moment, limit: int, *, around: Collection[str] | None = None
    ) -> list[Community]:
        """The largest communities of the graph at a moment, at most MAX_COMMUNITIES, by size descending, then by id.

        Args:
            limit: of facts between entities.
            around: entities: only communities that one of them is in.

        Raises:
            GraphTooLarge: more than `limit` facts between entities.
        """
        edges = view.all_edges(at, limit + 1)
        if len(edges) > limit:
            raise GraphTooLarge(f"The graph has more than {limit} facts between entities.")
        groups = self.groups(namespace, edges)
        if around is not None:
            groups = [group for group in groups if not set(around).isdisjoint(group.members)]
        return _described(view, at, groups[:MAX_COMMUNITIES])

    def groups(self, namespace: str, edges: Iterable[FactEdge]) -> list[Group]:
        """All communities of two or more entities, by size descending, then by id."""
        before = self._recalled(namespace)
        after: dict[bytes, tuple[Group, ...]] = {}
        for component in components(edges):
            key = _hash(component)
            known = before.get(key)
            after[key] = tuple(_divided(namespace, component, self._find)) if known is None else known
        self._remember(namespace, after)
        return sorted(
            (group for own in after.values() for group in own), key=lambda group: (-len(group.members), group.id)
        )

    def _recalled(self, namespace: str) -> Mapping[bytes, tuple[Group, ...]]:
        with self._lock:
            return self._known.get(namespace, {})

    def _remember(self, namespace: str, found: dict[bytes, tuple[Group, ...]]) -> None:
        with self._lock:
            self._known[namespace] = found
            self._known.move_to_end(namespace)
            while len(self._known) > MAX_PARTITIONED_NAMESPACES:
                self._known.popitem(last=False)


# --- the structure ----------------------------------------------------------------------------------------------------


def components(edges: Iterable[FactEdge]) -> list[list[FactEdge]]:
    """Edges by connected component, each sorted; by union-find, with paths halved as they are walked."""
    parents: dict[str, str] = {}

    def root(node: str) -> str:
        while (parent := parents.setdefault(node, node)) != node:
            parents[node] = node = parents[parent]
        return node

    ordered = sorted(edges)
    for _, subject, target in ordered:
        one, other = root(subject), root(target)
        parents[max(one, other)] = min(one, other)
    own: defaultdict[str, list[FactEdge]] = defaultdict(list)
    for edge in ordered:
        own[root(edge[1])].append(edge)
    return list(own.values())


def _hash(component: Sequence[FactEdge]) -> bytes:
    digest = hashlib.sha256()
    for edge in component:
        digest.update("\0".join((*edge, "")).encode())
    return digest.digest()


def _divided(namespace: str, component: Sequence[FactEdge], find: Finder) -> Iterator[Group]:
    nodes = sorted({end for _, subject, target in component for end in (subject, target)})
    index = {node: place for place, node in enumerate(nodes)}
    labels = [0] * len(nodes) if len(nodes) <= _SMALL else find(len(nodes), _weighted(component, index))
    members: defaultdict[int, list[str]] = defaultdict(list)
    for node, label in zip(nodes, labels, strict=True):
        members[label].append(node)
    within: defaultdict[int, list[FactEdge]] = defaultdict(list)
    for edge in component:
        label = labels[index[edge[1]]]
        if label == labels[index[edge[2]]] and edge[1] != edge[2]:
            within[label].append(edge)
    yield from (_group(namespace, own, within[label]) for label, own in members.items() if len(own) > 1)


def _weighted(component: Sequence[FactEdge], index: Mapping[str, int]) -> dict[Edge, int]:
    """How many facts there are between each two nodes."""
    pairs = Counter(
        (min(index[subject], index[target]), max(index[subject], index[target]))
        for _, subject, target in component
        if subject != target
    )
    return dict(sorted(pairs.items()))


def _group(namespace: str, members: Sequence[str], within: Sequence[FactEdge]) -> Group:
    """`members` are sorted, and joined by what no id holds."""
    degrees = Counter(end for _, subject, target in within for end in (subject, target))
    return Group(
        id=community_id(namespace, "\n".join(members)),
        members=tuple(sorted(members, key=lambda member: (-degrees[member], member))),
        facts=tuple(_telling(within, degrees, MAX_SUMMARY_FACTS)),
    )


def _telling(within: Iterable[FactEdge], degrees: Mapping[str, int], most: int) -> list[str]:
    """The facts between the most central entities, an entity counting less each time that it is told of.

    Greedy over a weight that only falls, so that a stale place in the heap is never too low.
    """
    told: Counter[str] = Counter()

    def weight(edge: FactEdge) -> float:
        return -sum(degrees[end] / (1 + told[end]) for end in edge[1:])

    waiting = [(weight(edge), edge) for edge in within]
    heapify(waiting)
    chosen: list[str] = []
    while waiting and len(chosen) < most:
        stale, edge = heappop(waiting)
        actual = weight(edge)
        if actual > stale:
            heappush(waiting, (actual, edge))
            continue
        chosen.append(edge[0])
        told.update(edge[1:])
    return chosen


# --- in words ---------------------------------------------------------------------------------------------------------


def _described(view: GraphView, at: Moment, groups: Sequence[Group]) -> list[Community]:
    """What went away between two reads is left out."""
    entities: dict[str, EntityVersion] = {}
    facts: dict[str, FactVersion] = {}
    sources: dict[str, list[str]] = {}
    for ids in _parts([member for group in groups for member in group.members[:MAX_LISTED_MEMBERS]]):
        entities |= view.entities_by_id(ids, at.known_at)
    for ids in _parts([fact for group in groups for fact in group.facts]):
        facts |= {fact.id: fact for fact in view.facts(FactFilter(ids=ids), at, None, len(ids))}
        sources |= view.sources(ids, at.known_at)
    made: list[Community] = []
    for group in groups:
        members = tuple(entities[each] for each in group.members[:MAX_LISTED_MEMBERS] if each in entities)
        if members:
            told = [(facts[each], sources.get(each, [])) for each in group.facts if each in facts]
            name = listed([member.name for member in members[:_NAMED]], _NAMED)
            made.append(Community(group.id, name, members, len(group.members), _points(told)))
    return made


def _points(told: Sequence[tuple[FactVersion, Sequence[str]]]) -> tuple[Point, ...]:
    """As many as fit, a sentence that two facts make only once."""
    texts: dict[str, Point] = {}
    for fact, episodes in told:
        text = ended(fact.text)
        texts.setdefault(text, Point(text, fact.id, tuple(episodes)))
    return tuple(texts[text] for text in fitting(texts, MAX_SUMMARY_CHARS))


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _READ] for start in range(0, len(ids), _READ))
