"""Links to entities: connected components, less what ambiguity, evidence and undone merges forbid.

Nothing depends on the order of its input: links are taken strongest first with ties broken by name, and links of partial names
in rounds that each decide from one state. A greedy best-first agglomeration (Bilenko, Basu and Sahami 2005, section 3) with
cannot-link constraints (Wagstaff et al. 2001).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from graph.resolution.evidence import NOTHING, Evidence, conflict, merge

Pair: TypeAlias = tuple[str, str]
Similarity: TypeAlias = Callable[[str, str], float]
"""Of two nodes' contexts by their ids, in [-1, 1]: as the cosine of their embeddings."""

MIN_SIMILARITY: Final = 0.5
MIN_MARGIN: Final = 0.1
"""By how much the best of several candidates must lead before an embedding may choose it."""


@dataclass(frozen=True, slots=True)
class Node:
    """One name key, with a discriminator where two share it."""

    id: str
    evidence: Evidence = NOTHING


@dataclass(frozen=True, slots=True)
class PairLink:
    """Two nodes that a rule takes for one."""

    a: str
    b: str
    rule: str
    score: float
    partial: str | None = None
    """The node whose name says less, where the link holds only if just one fuller name fits: "katherine", "k jones"."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was not followed, and why."""

    link: PairLink
    kind: Literal["ambiguous", "conflict", "undone"]
    reason: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """One entity."""

    members: tuple[str, ...]
    """Sorted ids of nodes."""
    evidence: Evidence
    links: tuple[PairLink, ...] = ()
    """What joined them, in the order in which it did."""
    refused: tuple[Refusal, ...] = ()
    """What did not join them to others."""


def resolve(
    nodes: Sequence[Node],
    links: Iterable[PairLink],
    must: Collection[Pair] = (),
    cannot: Collection[Pair] = (),
    similarity: Similarity | None = None,
) -> list[Cluster]:
    """The entities, sorted by first member; every node is in just one. Links and pairs with unknown ids are left out.

    `must` (manual merges, aliases that the text gives) overrides evidence; `cannot` (undone merges) overrides everything.
    """
    state = _State(nodes, cannot)
    known = sorted({_ordered(link) for link in links if state.knows(link.a, link.b)}, key=_strength)
    for a, b in sorted({(min(pair), max(pair)) for pair in must if state.knows(*pair)}):
        state.join(PairLink(a, b, "must", 1.0), is_sure=True)
    plain, partial = _apart(state, known)
    for link in plain:
        state.join(link)
    _follow_partial(state, partial, similarity)
    return state.clusters()


def _ordered(link: PairLink) -> PairLink:
    if link.a <= link.b:
        return link
    return PairLink(link.b, link.a, link.rule, link.score, link.partial)


def _strength(link: PairLink) -> tuple[float, str, str, str, str]:
    return -link.score, link.a, link.b, link.rule, link.partial or ""


@dataclass(slots=True)
class _Group:
    """A cluster in the making."""

    members: set[str]
    evidence: Evidence
    enemies: set[str]
    """Nodes that undone merges keep out."""
    links: list[PairLink] = field(default_factory=list[PairLink])
    refused: list[Refusal] = field(default_factory=list[Refusal])


class _State:
    def __init__(self, nodes: Iterable[Node], cannot: Iterable[Pair]) -> None:
        self.evidence: dict[str, Evidence] = {}
        for node in sorted(nodes, key=lambda node: node.id):
            self.evidence[node.id] = merge(self.evidence.get(node.id, NOTHING), node.evidence)
        self.enemies: dict[str, set[str]] = {}
        for a, b in cannot:
            if a != b:
                self.enemies.setdefault(a, set()).add(b)
                self.enemies.setdefault(b, set()).add(a)
        self.groups = {
            id: _Group({id}, evidence, set(self.enemies.get(id, ()))) for id, evidence in self.evidence.items()
        }

    def knows(self, a: str, b: str) -> bool:
        return a in self.evidence and b in self.evidence and a != b

    def group(self, id: str) -> _Group:
        return self.groups[id]

    def forbids(
        self, one: _Group, other: _Group, is_sure: bool = False
    ) -> tuple[Literal["conflict", "undone"], str] | None:
        """Why the two cannot be joined."""
        small, large = (one, other) if len(one.enemies) <= len(other.enemies) else (other, one)
        undone = min(small.enemies & large.members, default=None) if small.enemies else None
        if undone is None and large.enemies and small.members & large.enemies:
            undone = min(small.members & large.enemies)
        if undone is not None:
            return "undone", f"a merge with {undone} was undone"
        found = None if is_sure else conflict(one.evidence, other.evidence)
        return None if found is None else ("conflict", found.reason)

    def join(self, link: PairLink, is_sure: bool = False) -> bool:
        """Joins the link's two groups unless something forbids it; whether they are one now."""
        one, other = self.group(link.a), self.group(link.b)
        if one is other:
            return True
        if (why := self.forbids(one, other, is_sure)) is not None:
            self.refuse(link, *why)
            return False
        large, small = (one, other) if len(one.members) >= len(other.members) else (other, one)
        large.evidence = merge(one.evidence, other.evidence)
        large.members |= small.members
        large.enemies |= small.enemies
        large.links += [*small.links, link]
        large.refused += small.refused
        for id in small.members:
            self.groups[id] = large
        return True

    def refuse(self, link: PairLink, kind: Literal["ambiguous", "conflict", "undone"], reason: str) -> None:
        for group in (self.group(link.a), self.group(link.b)):
            group.refused.append(Refusal(link, kind, reason))

    def clusters(self) -> list[Cluster]:
        groups = {id(group): group for group in self.groups.values()}.values()
        return sorted((_cluster(group) for group in groups), key=lambda cluster: cluster.members)


def _cluster(group: _Group) -> Cluster:
    refused = sorted(set(group.refused), key=lambda r: (_strength(r.link), r.kind, r.reason))
    return Cluster(
        tuple(sorted(group.members)), group.evidence, tuple(sorted(group.links, key=_strength)), tuple(refused)
    )


# --- links that may lead to two entities ----------------------------------------------------------------------------


def _apart(state: _State, links: Sequence[PairLink]) -> tuple[list[PairLink], list[PairLink]]:
    """Links to be followed at once, and those that hold only if they lead to one entity.

    A sure link is of the second kind too where its node has another as strong, and the two lead to nodes that cannot be one:
    "katherine jonse" does not choose between two Katherine Joneses because one of them sorts first.
    """
    torn = _torn(state, [link for link in links if link.partial is None])
    plain: list[PairLink] = []
    partial: list[PairLink] = []
    for link in links:
        sides = [id for id in (link.a, link.b) if (id, link.score) in torn]
        if link.partial is not None:
            partial.append(link)
        elif not sides:
            plain.append(link)
        else:
            partial += [PairLink(link.a, link.b, link.rule, link.score, id) for id in sides]
    return plain, partial


def _torn(state: _State, links: Iterable[PairLink]) -> set[tuple[str, float]]:
    """Nodes with the score at which their links lead to nodes that cannot be one, though each could be with them."""
    neighbours: dict[tuple[str, float], set[str]] = {}
    for link in links:
        if state.forbids(state.group(link.a), state.group(link.b)) is None:
            neighbours.setdefault((link.a, link.score), set()).add(link.b)
            neighbours.setdefault((link.b, link.score), set()).add(link.a)
    return {place for place, others in neighbours.items() if len(others) > 1 and _is_divided(state, others)}


def _is_divided(state: _State, ids: Iterable[str]) -> bool:
    groups = {id(group): group for group in map(state.group, sorted(ids))}
    together = _Group(set(), NOTHING, set())
    for group in groups.values():
        if state.forbids(together, group) is not None:
            return True
        together.members |= group.members
        together.enemies |= group.enemies
        together.evidence = merge(together.evidence, group.evidence)
    return False


def _follow_partial(state: _State, links: Sequence[PairLink], similarity: Similarity | None) -> None:
    """Joins each partial name whose candidates are all one entity by now; again until nothing moves.

    Each round decides from one state and then acts, so that no name profits from being looked at first.
    """
    waiting: dict[str, list[PairLink]] = {}
    for link in links:
        waiting.setdefault(link.partial or link.a, []).append(link)
    while waiting:
        decided = {id: link for id in sorted(waiting) if (link := _only_way(state, id, waiting[id])) is not None}
        if not decided and similarity is not None:
            decided = {
                id: link
                for id in sorted(waiting)
                if (link := _likeliest(state, id, waiting[id], similarity)) is not None
            }
        if not decided:
            break
        for id, link in sorted(decided.items(), key=lambda item: _strength(item[1])):
            state.join(link)
            del waiting[id]
    for id in sorted(waiting):
        _tell_ambiguous(state, id, waiting[id])


def _ways(state: _State, partial: str, links: Iterable[PairLink]) -> list[PairLink]:
    """The strongest link to each entity that the partial name could be; none where it is one of them already."""
    own = state.group(partial)
    ways: dict[int, PairLink] = {}
    for link in sorted(links, key=_strength):
        other = state.group(link.b if link.a == partial else link.a)
        if other is own:
            return []
        if state.forbids(own, other) is None:
            ways.setdefault(id(other), link)
    return list(ways.values())


def _only_way(state: _State, partial: str, links: Iterable[PairLink]) -> PairLink | None:
    ways = _ways(state, partial, links)
    return ways[0] if len(ways) == 1 else None


def _likeliest(state: _State, partial: str, links: Iterable[PairLink], similarity: Similarity) -> PairLink | None:
    """The candidate whose context is like the partial name's, and clearly more so than any other's.

    An embedding only ever chooses among names that a rule has already linked. It cannot merge by itself: two sisters, two
    towns or two versions of a product have nearly one vector, for they are spoken of alike.
    """
    ways = _ways(state, partial, links)
    ranked = sorted(((similarity(partial, _other(link, partial)), link) for link in ways), key=lambda r: -r[0])
    if len(ranked) < 2 or ranked[0][0] < MIN_SIMILARITY or ranked[0][0] - ranked[1][0] < MIN_MARGIN:
        return None
    return ranked[0][1]


def _other(link: PairLink, id: str) -> str:
    return link.b if link.a == id else link.a


def _tell_ambiguous(state: _State, partial: str, links: Sequence[PairLink]) -> None:
    ways = _ways(state, partial, links)
    for link in ways:
        state.refuse(link, "ambiguous", f"{partial} could be any of {len(ways)}")
    if not ways:
        for link in links:
            state.join(link)  # refused, each with its reason, unless they are one already
