"""Facts, entities and communities as results of a search.

Candidates are bounded: what the query names, and what the best episodes say. A fact scores by how much of the query its words
cover and by its best source; an entity by its name in the query and by its facts; a community by its members.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from graph.ledger.store import Ledger
from graph.predicates import predicate
from graph.resolution.names import name_key
from graph.rows import FactVersion
from graph.stores.port import FactFilter, GraphView, Moment
from memory_service import wire, wire_graph
from memory_service.clock import Clock
from memory_service.instants import to_micros, within_calendar
from memory_service.knowledge.ids import episodes_of, facts_of
from memory_service.knowledge.reader import GraphReader, asked
from memory_service.log.database import Database
from memory_service.log.schema import AnyRow
from memory_service.log.views import NamespaceView
from retrieval.analysis import terms
from retrieval.query import Query

GRAPH_TYPES: Final = frozenset({"fact", "entity", "community"})
_WORD: Final = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_MAX_NAME_WORDS: Final = 4
_FACTS_OF_ONE: Final = 100
"""Facts looked at of an entity that the query names, the latest first."""

_EPISODES_SHOWN: Final = 10
HEARD: Final = 50
"""Best episodes whose facts are candidates."""

_FACTS_HEARD: Final = 400
_WORDS_SHARE: Final = 0.5
_AROUND: Final = 0.4
_NAMED: Final = 0.6
_WHOLE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Heard:
    """An episode that the search found, with its score."""

    seq: int
    id: str
    score: float


class GraphSearcher:
    """Searches graphs beside the index. Thread-safe. Raises GraphUnavailable, KnownAtUnsupported."""

    def __init__(self, reader: GraphReader, database: Database, clock: Clock) -> None:
        self._reader = reader
        self._database = database
        self._clock = clock

    def search(
        self, view: NamespaceView, request: wire.SearchRequest, query: Query, heard: Sequence[Heard]
    ) -> list[wire.SearchResult]:
        """Results of the graph types that the request names, best first, at most `limit` of each."""
        types = GRAPH_TYPES & set(request.types or ())
        if not types:
            return []
        found = _Finding(self, view, request, query, heard)
        results: list[wire.SearchResult] = []
        if "fact" in types:
            results += found.facts()
        if "entity" in types:
            results += found.entities()
        if "community" in types:
            results += found.communities()
        return results

    def moment(self, request: wire.Filters) -> Moment:
        """True now, as known now, unless the request says otherwise."""
        as_of = self._clock.now_micros() if request.as_of is None else to_micros(request.as_of)
        return Moment(as_of, None if request.known_at is None else to_micros(request.known_at))

    def graph(self, namespace: str) -> GraphView:
        return self._reader.view(namespace)

    def communities(self, namespace: str, known_at: int | None, around: Collection[str]) -> list[wire_graph.Community]:
        return self._reader.communities(namespace, known_at, around)

    def named(self, namespace: str, text: str, known_at: int | None) -> list[str]:
        """Entities whose names the text holds, in order."""
        return named_entities(self._database, namespace, text, known_at)

    def facts_of(self, namespace: str, episode_ids: Sequence[str], known_at: int | None) -> list[str]:
        """Ids of the facts that the episodes say, at most as many as a question may ask for."""
        with self._database.read() as connection:
            return facts_of(connection, namespace, episode_ids, known_at)[:_FACTS_HEARD]

    def episodes_naming_each(self, view: NamespaceView, entities: Sequence[str], limit: int) -> dict[str, list[str]]:
        """Ids of the newest episodes that name each entity."""
        with self._database.read() as connection:
            seqs = {each: episodes_of(connection, view.namespace, each, limit) for each in entities}
        with view.snapshot() as snapshot:
            ids = snapshot.ids({seq for own in seqs.values() for seq in own})
        return {each: [ids[seq] for seq in own if seq in ids] for each, own in seqs.items()}


def named_entities(database: Database, namespace: str, text: str, known_at: int | None) -> list[str]:
    """Entities that go by a run of the text's words. Longer names first: "Ana Silva" before "Ana"."""
    words = _WORD.findall(text)
    runs = [
        name_key(" ".join(words[start : start + length]))
        for length in range(min(_MAX_NAME_WORDS, len(words)), 0, -1)
        for start in range(len(words) - length + 1)
    ]
    with database.read() as connection:
        ledger = Ledger(connection, namespace)
        rows = ledger.nodes_named(set(runs))
        entities = ledger.entities_of([row["id"] for row in rows], 2**62 - 1 if known_at is None else known_at)
    by_key: dict[str, list[str]] = {}
    for row in rows:
        by_key.setdefault(row["name_key"], []).append(entities[row["id"]])
    return list(dict.fromkeys(entity for run in runs for entity in by_key.get(run, ())))


class _Finding:
    """One search in one namespace."""

    def __init__(
        self,
        searcher: GraphSearcher,
        view: NamespaceView,
        request: wire.SearchRequest,
        query: Query,
        heard: Sequence[Heard],
    ) -> None:
        self._searcher = searcher
        self._view = view
        self._request = request
        self._query = query
        self._at = searcher.moment(request)
        self._graph = searcher.graph(view.namespace)
        self._heard = {each.id: each.score for each in heard[:HEARD]}
        self._named = searcher.named(view.namespace, query.text, self._at.known_at)
        self._scored = self._score_facts()

    # --- candidates -----------------------------------------------------------------------------------------------------

    def _score_facts(self) -> list[tuple[float, FactVersion, list[str]]]:
        """Facts with their scores and their episodes in order of relevance, best first."""
        facts = {fact.id: fact for fact in self._candidates()}
        if not facts:
            return []
        sources = asked(lambda: self._graph.sources(list(facts), self._at.known_at))
        allowed = self._allowed({episode for own in sources.values() for episode in own})
        scored: list[tuple[float, FactVersion, list[str]]] = []
        for fact in facts.values():
            episodes = sorted(
                (e for e in sources[fact.id] if e in allowed), key=lambda e: (-self._heard.get(e, 0.0), e)
            )
            if episodes:
                scored.append((self._score(fact, episodes), fact, episodes))
        return sorted(scored, key=lambda each: (-each[0], each[1].id))

    def _candidates(self) -> list[FactVersion]:
        found: list[FactVersion] = []
        for entity in self._named:
            wanted = FactFilter(entity=entity)
            found += asked(lambda wanted=wanted: self._graph.facts(wanted, self._at, None, _FACTS_OF_ONE))
        heard = self._searcher.facts_of(self._view.namespace, list(self._heard), self._at.known_at)
        if heard:
            found += asked(lambda: self._graph.facts(FactFilter(ids=heard), self._at, None, len(heard)))
        return found

    def _score(self, fact: FactVersion, episodes: Sequence[str]) -> float:
        heard = max((self._heard.get(episode, 0.0) for episode in episodes), default=0.0)
        is_named = fact.subject_id in self._named or fact.object_id in self._named
        return _WORDS_SHARE * covered(fact, self._query) + (1 - _WORDS_SHARE) * heard + (0.1 if is_named else 0.0)

    def _allowed(self, episode_ids: set[str]) -> dict[str, AnyRow]:
        """Those of the episodes that the request's filters let through."""
        with self._view.snapshot() as snapshot:
            rows = snapshot.by_id(sorted(episode_ids))
        return {row.id: row for row in rows if _fits(row, self._request)}

    # --- results --------------------------------------------------------------------------------------------------------

    def facts(self) -> list[wire.SearchResult]:
        return [
            self._result("fact", fact.id, fact.text, score, episodes).model_copy(update=_valid(fact))
            for score, fact, episodes in self._scored[: self._request.limit]
        ]

    def entities(self) -> list[wire.SearchResult]:
        best = self._entity_scores()
        ids = sorted(best, key=lambda entity: (-best[entity], entity))[: self._request.limit]
        versions = asked(lambda: self._graph.entities_by_id(ids, self._at.known_at))
        known = [entity for entity in ids if entity in versions]
        naming = self._episodes_naming(known)
        return [
            self._result("entity", entity, self._described(versions[entity].name, entity), best[entity], episodes)
            for entity in known
            if (episodes := self._episodes_of(entity, naming[entity]))
        ]

    def _entity_scores(self) -> dict[str, float]:
        best: dict[str, float] = dict.fromkeys(self._named, _NAMED)
        for score, fact, _ in self._scored:
            for side in (fact.subject_id, fact.object_id):
                if side is not None:
                    bonus = _NAMED if side in self._named else 0.0
                    best[side] = max(best.get(side, 0.0), bonus + score / 2)
        return best

    def _described(self, name: str, entity: str) -> str:
        """Its name, and what the found facts say of it."""
        said = [fact.text for _, fact, _ in self._scored if entity in (fact.subject_id, fact.object_id)]
        return ". ".join([name, *said[:5]])

    def _episodes_of(self, entity: str, named: Sequence[str]) -> list[str]:
        """Those that say its facts, then those that name it."""
        own = [e for _, fact, episodes in self._scored if entity in (fact.subject_id, fact.object_id) for e in episodes]
        return list(dict.fromkeys([*own, *named]))[:_EPISODES_SHOWN]

    def _episodes_naming(self, entities: Sequence[str]) -> dict[str, list[str]]:
        """The newest of each that the filters let through, read together."""
        found = self._searcher.episodes_naming_each(self._view, entities, _EPISODES_SHOWN)
        allowed = self._allowed({episode for own in found.values() for episode in own})
        return {entity: [episode for episode in own if episode in allowed] for entity, own in found.items()}

    def communities(self) -> list[wire.SearchResult]:
        best = self._entity_scores()
        found: list[tuple[float, wire_graph.Community]] = []
        for community in self._searcher.communities(self._view.namespace, self._at.known_at, best):
            score = max((best.get(member.id, 0.0) for member in community.members), default=0.0)
            if score > 0:
                found.append((_WHOLE * score, community))
        ranked = sorted(found, key=lambda pair: (-pair[0], pair[1].id))[: self._request.limit]
        results: list[wire.SearchResult] = []
        for score, community in ranked:
            allowed = self._allowed(set(community.episode_ids))
            episodes = [episode for episode in community.episode_ids if episode in allowed]
            if episodes:
                text = f"{community.name}: {community.summary}"
                results.append(self._result("community", community.id, text, score, episodes))
        return results

    def _result(
        self, type_: wire.ResultType, id_: str, text: str, score: float, episodes: list[str]
    ) -> wire.SearchResult:
        return wire.SearchResult(
            type=type_,
            id=id_,
            namespace=self._view.namespace,
            text=text,
            score=round(score, 6),
            episode_ids=episodes[:_EPISODES_SHOWN],
        )


def covered(fact: FactVersion, query: Query) -> float:
    """The share of the query that the fact's words cover, in [0, 1].

    Its sentence may say several things: that it holds the query's words tells less of the fact than the fact's own.
    """
    own, around = set(terms(fact.text)) | _asked_by(fact.predicate), set(terms(fact.sentence))
    total = sum(query.term_weights.values())
    matched = sum(
        weight * (1.0 if term in own else _AROUND)
        for term, weight in query.term_weights.items()
        if term in own or term in around
    )
    return matched / total if total else 0.0


@cache
def _asked_by(name: str) -> frozenset[str]:
    """Terms by which a predicate is asked for: nobody asks where somebody "lives in"."""
    return frozenset(terms(predicate(name).about))


def _valid(fact: FactVersion) -> dict[str, Any]:
    return {
        "valid_at": None if fact.valid_at is None else within_calendar(fact.valid_at),
        "invalid_at": None if fact.invalid_at is None else within_calendar(fact.invalid_at),
    }


def _fits(row: AnyRow, filters: wire.Filters) -> bool:
    """Whether an episode passes the filters that the index's mask knows."""
    if filters.known_at is not None and row.recorded_at > to_micros(filters.known_at):
        return False
    if filters.after is not None and row.occurred_at < to_micros(filters.after):
        return False
    if filters.before is not None and row.occurred_at >= to_micros(filters.before):
        return False
    wanted = ((filters.session_id, row.session_id), (filters.speaker, row.speaker), (filters.role, row.role))
    if any(values is not None and own not in values for values, own in wanted):
        return False
    return not filters.metadata or _has(json.loads(row.metadata), filters.metadata)


def _has(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Equal values at top-level keys; true is not 1."""
    return all(
        key in metadata and metadata[key] == value and isinstance(metadata[key], bool) == isinstance(value, bool)
        for key, value in wanted.items()
    )
