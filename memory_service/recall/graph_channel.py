"""The graph as a channel of episode search: what is true of whom the query names, and who is near them.

Two signals, each as a share of the best: facts of named entities that hold at the asked time, by how much of the query their
words cover; and personalised PageRank (HippoRAG, arXiv 2405.14831) from the named entities, for episodes that name what it
reaches. Off by default: docs/retrieval.md tells what it was measured to give.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from graph.queries.pagerank import pagerank
from graph.stores.port import FactFilter, GraphView, Moment
from memory_service import wire
from memory_service.knowledge.reader import asked
from memory_service.log.views import NamespaceView
from memory_service.recall.graph_search import HEARD, GraphSearcher, covered
from retrieval.query import Query

CHANNEL: Final = "graph"
DEPTH: Final = 100
"""Episodes that the channel can move: it orders what words and vectors found."""

_FACTS_WEIGHT: Final = 0.05
_NEARNESS_WEIGHT: Final = 0.03
_FACTS_OF_ONE: Final = 100
_REACHED: Final = 50
"""Entities of the highest PageRank whose episodes gain."""


class GraphChannel:
    """Adds to the scores of episodes. Thread-safe. Raises GraphUnavailable."""

    def __init__(self, graphs: GraphSearcher) -> None:
        self._graphs = graphs

    def gains(
        self, view: NamespaceView, filters: wire.Filters, query: Query, episode_ids: Sequence[str]
    ) -> dict[str, float]:
        """What each of the episodes gains; those that gain nothing are left out."""
        at = self._graphs.moment(filters)
        named = self._graphs.named(view.namespace, query.text, at.known_at)
        if not named or not episode_ids:
            return {}
        graph, wanted = self._graphs.graph(view.namespace), frozenset(episode_ids)
        told = _shares(self._told(graph, at, named, query), wanted)
        near = _shares(self._near(view, graph, at, named), wanted)
        return {
            episode: _FACTS_WEIGHT * told.get(episode, 0.0) + _NEARNESS_WEIGHT * near.get(episode, 0.0)
            for episode in told.keys() | near.keys()
        }

    def _told(self, graph: GraphView, at: Moment, named: Sequence[str], query: Query) -> dict[str, float]:
        """Episodes that say a fact of a named entity, by the share of the query that the fact covers."""
        facts = {
            fact.id: fact
            for entity in named
            for fact in asked(lambda entity=entity: graph.facts(FactFilter(entity=entity), at, None, _FACTS_OF_ONE))
        }
        shares = {key: share for key, fact in facts.items() if (share := covered(fact, query)) > 0}
        if not shares:
            return {}
        best: dict[str, float] = defaultdict(float)
        for fact, episodes in asked(lambda: graph.sources(list(shares), at.known_at)).items():
            for episode in episodes:
                best[episode] = max(best[episode], shares[fact])
        return best

    def _near(self, view: NamespaceView, graph: GraphView, at: Moment, named: Sequence[str]) -> dict[str, float]:
        """Episodes that name what is near the named entities in the graph, and not those themselves."""
        ranks = asked(lambda: pagerank(graph, dict.fromkeys(named, 1.0), at)).entities
        reached = sorted((e for e in ranks if e not in named), key=lambda e: (-ranks[e], e))[:_REACHED]
        best: dict[str, float] = defaultdict(float)
        for entity, episodes in self._graphs.episodes_naming_each(view, reached, HEARD).items():
            for episode in episodes:
                best[episode] = max(best[episode], ranks[entity])
        return best


def _shares(values: Mapping[str, float], wanted: Iterable[str]) -> dict[str, float]:
    """Of the best among the wanted."""
    own = {key: values[key] for key in wanted if values.get(key)}
    most = max(own.values(), default=1.0)
    return {key: value / most for key, value in own.items()}
