"""Personalised PageRank over a bounded part of the graph. A first version: power iteration, two hops around the seeds."""

from collections import defaultdict
from collections.abc import Sequence

from graph.stores.port import GraphView, Moment


def pagerank(view: GraphView, seeds: Sequence[str], at: Moment) -> dict[str, float]:
    """Scores of the seeds and of what lies around them (Haveliwala 2002), summing to 1."""
    edges = {fact.id: (fact.subject_id, fact.object_id or "") for fact in view.edges(list(seeds), at, 100, None)}
    border = sorted({end for pair in edges.values() for end in pair} - set(seeds))[:200]
    edges |= {fact.id: (fact.subject_id, fact.object_id or "") for fact in view.edges(border, at, 50, None)}
    near: dict[str, list[str]] = defaultdict(list)
    for one, other in edges.values():
        near[one].append(other)
        near[other].append(one)
    start = {seed: 1 / len(seeds) for seed in seeds}
    ranks = dict(start)
    for _ in range(10):
        spread: dict[str, float] = defaultdict(float)
        for node, rank in ranks.items():
            for other in near.get(node, ()):
                spread[other] += rank / len(near[node])
        ranks = {node: 0.5 * start.get(node, 0.0) + 0.5 * spread[node] for node in {*start, *spread}}
    return ranks
