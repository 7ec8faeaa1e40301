"""Dividing one connected graph into communities: by Leiden where it is installed, else by label propagation.

A finder takes the number of nodes and weighted edges between different ones, at most one for a pair, and gives each node a label.
It is deterministic.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

Edge: TypeAlias = tuple[int, int]
Finder: TypeAlias = Callable[[int, Mapping[Edge, int]], list[int]]

_SEED: Final = 1
_ROUNDS: Final = 20
"""Label propagation settles in about five; some graphs swing for ever."""


def best_finder() -> Finder:
    """Leiden, if igraph and leidenalg can be imported."""
    installed = all(find_spec(name) is not None for name in ("igraph", "leidenalg"))
    return leiden if installed else propagate_labels


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
    """Each node in turn takes the label that most weigh around it (Raghavan, Albert, Kumara 2007, arXiv 0709.2938).

    Nodes go by index, and ties to the node's own label, then to the smallest, where the paper draws lots.
    """
    around: list[dict[int, int]] = [{} for _ in range(nodes)]
    for (one, other), weight in edges.items():
        around[one][other] = around[other][one] = weight
    labels = list(range(nodes))
    for _ in range(_ROUNDS):
        changed = False
        for node in range(nodes):
            best = _heaviest(labels, node, around[node])
            changed |= best != labels[node]
            labels[node] = best
        if not changed:
            break
    return labels


def _heaviest(labels: Sequence[int], node: int, around: Mapping[int, int]) -> int:
    weights: defaultdict[int, int] = defaultdict(int)
    for other, weight in around.items():
        weights[labels[other]] += weight
    most = max(weights.values(), default=0)
    own = labels[node]
    return own if weights.get(own) == most else min((at for at, w in weights.items() if w == most), default=own)
