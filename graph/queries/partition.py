"""Dividing one connected graph into communities: by Leiden where it is installed, else by label propagation.

A finder takes the number of nodes and weighted edges between different ones, at most one for a pair, and gives each node a label.
It is deterministic.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from graph.limits import MAX_LEIDEN_EDGES

Edge: TypeAlias = tuple[int, int]
Finder: TypeAlias = Callable[[int, Mapping[Edge, int]], list[int]]

_SEED: Final = 1
_ROUNDS: Final = 20
"""Label propagation gains with every move, at last next to nothing."""


def best_finder() -> Finder:
    """Leiden on graphs that it does not take long for, if igraph and leidenalg can be imported."""
    installed = all(find_spec(name) is not None for name in ("igraph", "leidenalg"))
    return leiden_if_small if installed else propagate_labels


def leiden_if_small(nodes: int, edges: Mapping[Edge, int]) -> list[int]:
    """leidenalg lets no other thread run meanwhile, which for a large graph is many seconds; Python does."""
    return leiden(nodes, edges) if len(edges) <= MAX_LEIDEN_EDGES else propagate_labels(nodes, edges)


def leiden(nodes: int, edges: Mapping[Edge, int]) -> list[int]:
    """Maximises modularity by the Leiden algorithm (Traag, Waltman, van Eck 2019, arXiv 1810.08473), with a fixed seed."""
    igraph: Any = import_module("igraph")
    leidenalg: Any = import_module("leidenalg")
    graph = igraph.Graph(n=nodes, edges=list(edges))
    found = leidenalg.find_partition(
        graph, leidenalg.ModularityVertexPartition, weights=list(edges.values()), seed=_SEED
    )
    return list(found.membership)


def propagate_labels(nodes: int, edges: Mapping[Edge, int]) -> list[int]:
    """Each node in turn takes the label around it that adds most to modularity (Barber, Clark 2009, arXiv 0903.3138), then each
    label as one node, and so on (Blondel et al. 2008, arXiv 0803.0476).

    Plain propagation (Raghavan, Albert, Kumara 2007) lets the label of a hub flood the graph. All sums are of whole numbers,
    and nothing is drawn by lot.
    """
    labels = list(range(nodes))
    while True:
        spread = _Spread(nodes, edges)
        for _ in range(_ROUNDS):
            if sum(spread.move(node) for node in range(nodes)) == 0:
                break
        found = {label: place for place, label in enumerate(sorted(set(spread.labels)))}
        if len(found) == nodes:
            return labels
        into = [found[label] for label in spread.labels]
        labels = [into[label] for label in labels]
        nodes, edges = len(found), _merged(edges, into)


def _merged(edges: Mapping[Edge, int], into: Sequence[int]) -> dict[Edge, int]:
    """The graph of labels. What is within one is a loop of it."""
    merged: defaultdict[Edge, int] = defaultdict(int)
    for (one, other), weight in edges.items():
        merged[min(into[one], into[other]), max(into[one], into[other])] += weight
    return merged


class _Spread:
    """Labels of nodes, and how many ends of edges each label has."""

    def __init__(self, nodes: int, edges: Mapping[Edge, int]) -> None:
        self._around: list[dict[int, int]] = [{} for _ in range(nodes)]
        self._degrees = [0] * nodes
        for (one, other), weight in edges.items():
            self._degrees[one] += weight
            self._degrees[other] += weight
            if one != other:
                self._around[one][other] = self._around[other][one] = weight
        self._all = sum(self._degrees)
        self._totals = list(self._degrees)
        self.labels = list(range(nodes))

    def move(self, node: int) -> bool:
        """Gives the node its best label. False if it has it."""
        own, degree = self.labels[node], self._degrees[node]
        self._totals[own] -= degree
        towards: dict[int, int] = {own: 0}
        for other, weight in self._around[node].items():
            label = self.labels[other]
            towards[label] = towards.get(label, 0) + weight
        # The weight towards a label, less what chance would give it, times the weight of the graph.
        gains = {label: self._all * weight - degree * self._totals[label] for label, weight in towards.items()}
        most = max(gains.values())
        best = own if gains[own] == most else min(label for label, gain in gains.items() if gain == most)
        self._totals[best] += degree
        self.labels[node] = best
        return best != own
