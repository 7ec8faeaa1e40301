"""What lies nearest to some entities by all ways at once: personalised PageRank (Haveliwala 2002, "Topic-sensitive PageRank").

Computed by forward push (Andersen, Chung, Lang 2006, "Local graph partitioning using PageRank vectors", section 3), in rounds of
one read each: the graph is read only where the walk still has weight. HippoRAG (arXiv 2405.14831, section 2.3) ranks passages so,
over entities; here episodes may be nodes beside them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graph.limits import MAX_EDGES_PER_RANKED, MAX_RANKED_EDGES
from graph.queries.ends import by_end, far_end
from graph.stores.port import GraphView, Moment

Beside: TypeAlias = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]
"""The other sides of a bipartite graph: the episodes of an entity, the entities of an episode."""

_BATCH = 200
"""Nodes looked around in one read."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Shares of the walk, best first, then by id. All shares sum up to 1, but for what the tolerance leaves out."""

    entities: dict[str, float]
    episodes: dict[str, float]
    is_complete: bool
    """False where a limit cut the graph."""
    looked_at: int
    """Facts and other edges read."""


def pagerank(
    view: GraphView,
    seeds: Mapping[str, float],
    at: Moment,
    *,
    damping: float = 0.5,
    tolerance: float = 5e-4,
    beside: Beside | None = None,
) -> Ranking:
    """Where a walk ends that starts at a seed, by weight, and before every step stops with probability 1 - damping.

    Steps go along facts between entities, either way, each fact alike. What has none leads back to the seeds. An entity's
    share is short of the exact one by at most `tolerance` times its number of edges. Reads about MAX_RANKED_EDGES edges.

    Args:
        seeds: entities with weights above 0.
        damping: HippoRAG's 0.5 stays nearer to the seeds than the 0.85 of the web.
        beside: gives entities and episodes edges to each other, each like a fact.
    """
    total = sum(seeds.values())
    if not total:
        return Ranking({}, {}, is_complete=True, looked_at=0)
    walk = _Walk(view, at, {seed: weight / total for seed, weight in sorted(seeds.items()) if weight > 0}, beside)
    while walk.push(damping, tolerance):
        pass
    walk.settle(damping)
    return Ranking(
        entities=_ranked({node: share for node, share in walk.shares.items() if node not in walk.episodes}),
        episodes=_ranked({node: share for node, share in walk.shares.items() if node in walk.episodes}),
        is_complete=walk.is_complete,
        looked_at=walk.looked_at,
    )


def _ranked(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


class _Walk:
    """Shares that are settled, and what is still under way. Nodes go in order of id, so that sums are the same each time."""

    def __init__(self, view: GraphView, at: Moment, seeds: Mapping[str, float], beside: Beside | None) -> None:
        self._view = view
        self._at = at
        self._seeds = seeds
        self._beside = beside
        self._under_way: defaultdict[str, float] = defaultdict(float, seeds)
        self._around: dict[str, dict[str, int]] = {}
        self.shares: defaultdict[str, float] = defaultdict(float)
        self.episodes: set[str] = set()
        self.is_complete = True
        self.looked_at = 0

    def push(self, damping: float, tolerance: float) -> bool:
        """One round: settles a part of what is under way at each node that has enough of it. False if none has."""
        waiting = sorted(node for node, amount in self._under_way.items() if amount > tolerance)
        self._read([node for node in waiting if node not in self._around])
        active = [
            node
            for node in waiting
            if node in self._around and self._under_way[node] > tolerance * max(1, sum(self._around[node].values()))
        ]
        for node, amount in [(node, self._under_way.pop(node)) for node in active]:
            self.shares[node] += (1 - damping) * amount
            self._spread(node, damping * amount)
        return bool(active)

    def settle(self, damping: float) -> None:
        """Where the walk is given up, at least what would stop there at once stays."""
        for node, amount in self._under_way.items():
            self.shares[node] += (1 - damping) * amount
        self._under_way.clear()

    def _spread(self, node: str, amount: float) -> None:
        around: Mapping[str, float] = self._around[node] or self._seeds
        total = sum(around.values())
        for other, weight in around.items():
            self._under_way[other] += amount * weight / total

    def _read(self, nodes: Sequence[str]) -> None:
        """Looks around the heaviest of the nodes while the limit allows it."""
        heaviest = sorted(nodes, key=lambda node: (-self._under_way[node], node))
        for start in range(0, len(heaviest), _BATCH):
            if self.looked_at >= MAX_RANKED_EDGES:
                self.is_complete = False
                return
            self._read_batch(heaviest[start : start + _BATCH])

    def _read_batch(self, batch: Sequence[str]) -> None:
        around: dict[str, Counter[str]] = {node: Counter() for node in batch}
        left = max(1, (MAX_RANKED_EDGES - self.looked_at) // len(batch))
        per_node = min(MAX_EDGES_PER_RANKED, left)
        entities = [node for node in batch if node not in self.episodes]
        facts = self._view.edges(entities, self._at, per_node, None) if entities else []
        self.looked_at += len(facts)
        for entity, own in by_end(facts, entities).items():
            self.is_complete &= len(own) < per_node
            around[entity].update(far_end(fact, entity) for fact in own[:per_node])
            del around[entity][entity]
        for node, others in (self._beside(batch) if self._beside else {}).items():
            self.is_complete &= len(others) <= per_node
            around[node].update(others[:per_node])
            self.looked_at += min(len(others), per_node)
            if node not in self.episodes:
                self.episodes.update(others)
        self._around |= {node: dict(sorted(own.items())) for node, own in around.items()}
