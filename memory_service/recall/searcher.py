"""Searching: filters to a mask, the query's vector, scores from the index, texts and notes from SQL."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memory_service import limits, wire
from memory_service.clock import Clock
from memory_service.errors import ModelUnavailable, NotCaughtUp
from memory_service.instants import from_micros, to_micros
from memory_service.log.schema import AnyRow
from memory_service.log.text import searchable_text
from memory_service.log.views import NamespaceSnapshot, NamespaceView
from memory_service.observability import metrics
from memory_service.observability.traces import tracer
from memory_service.recall.cache import IndexCache
from memory_service.recall.graph_channel import CHANNEL as GRAPH_CHANNEL
from memory_service.recall.graph_channel import DEPTH as GRAPH_DEPTH
from memory_service.recall.graph_channel import GraphChannel
from memory_service.recall.graph_search import GRAPH_TYPES, HEARD, GraphSearcher, Heard
from memory_service.recall.reranking import CHANNEL, Reranking
from retrieval.embedders import Embedder, EmbedderError
from retrieval.index import MemoryIndex
from retrieval.query import Query, read_query
from retrieval.scoring import Hit, search
from retrieval.sentences import cited_span

Mask = NDArray[np.bool_]
_MIN_SEQ_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Found:
    """A hit with what SQL holds of it."""

    namespace: str
    hit: Hit
    row: AnyRow
    passages: list[tuple[int, int]]
    """Spans of all its passages, in order; empty while it has none."""
    best: int | None
    """Which of them fitted best."""


class Searcher:
    """Answers searches over one or several namespaces. Thread-safe."""

    def __init__(
        self,
        indexes: IndexCache,
        embedder: Embedder,
        clock: Clock,
        *,
        reranking: Reranking | None = None,
        graphs: GraphSearcher | None = None,
        channel: GraphChannel | None = None,
    ) -> None:
        self._indexes = indexes
        self.embedder = embedder
        self._clock = clock
        self._reranking = reranking
        self._graphs = graphs
        self._channel = channel

    def search(self, views: Sequence[NamespaceView], request: wire.SearchRequest) -> wire.SearchResponse:
        """The best results of all the namespaces together. Raises NotCaughtUp, ModelUnavailable."""
        started = time.perf_counter()
        is_of_graph = bool(GRAPH_TYPES & set(request.types or ()))
        depth = max(request.limit, HEARD) if is_of_graph else request.limit
        found, query, seq = self.find(views, request, request.query, depth)
        results = [self._result(item, request) for item in found[: request.limit]] if wants_episodes(request) else []
        if self._graphs is not None and is_of_graph:
            results = self._with_graph(views, request, query, found, results)
        usage = wire.Usage(
            embedding_tokens=self.embedder.count_tokens(query.embed_text),
            took_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        return wire.SearchResponse(results=results, seq=seq, usage=usage)

    def _with_graph(
        self,
        views: Sequence[NamespaceView],
        request: wire.SearchRequest,
        query: Query,
        found: Sequence[_Found],
        results: list[wire.SearchResult],
    ) -> list[wire.SearchResult]:
        """The results together with those of the graph types, best first. Ties: as the types are listed."""
        assert self._graphs is not None, "asked for only where there is one"
        for view in views:
            heard = [Heard(f.row.seq, f.row.id, f.hit.score) for f in found if f.namespace == view.namespace]
            results += self._graphs.search(view, request, query, heard)
        return sorted(results, key=lambda result: -result.score)[: request.limit]

    def find(
        self, views: Sequence[NamespaceView], filters: wire.Filters, text: str, limit: int
    ) -> tuple[list[_Found], Query, int]:
        """Hits with their rows, best first; the query as it was read; and the seq up to which was searched."""
        if filters.min_seq is not None:
            self._await_seq(views[0], filters.min_seq)
        now = filters.as_of or from_micros(self._clock.now_micros())
        found: list[_Found] = []
        query, seq = None, 0
        depth = max(self._reranking.depth if self._reranking else 0, GRAPH_DEPTH if self._channel else 0)
        for view in views:
            part, query, seen = self._find_in(view, filters, text, now, max(limit, depth))
            found += self._with_channel_of_graph(view, filters, query, part)
            seq = seen if seq == 0 else min(seq, seen)
        assert query is not None, "a search names at least one namespace"
        found.sort(key=lambda item: -item.hit.score)
        return self._reranked(text, found)[:limit], query, seq

    def _with_channel_of_graph(
        self, view: NamespaceView, filters: wire.Filters, query: Query, found: list[_Found]
    ) -> list[_Found]:
        """The hits with what they gain from the graph, in any order."""
        if self._channel is None:
            return found
        gains = self._channel.gains(view, filters, query, [item.row.id for item in found])
        return [_raised(item, gains[item.row.id]) if item.row.id in gains else item for item in found]

    def _reranked(self, text: str, found: list[_Found]) -> list[_Found]:
        """The first ones in the reranker's order, then the rest. Scores stay: they compare across queries, its own do not."""
        if self._reranking is None or not found:
            return found
        head = found[: self._reranking.depth]
        placed = self._reranking.order(text, [_told(item) for item in head])
        return [_with_channel(head[place], CHANNEL, score) for place, score in placed] + found[len(head) :]

    def _await_seq(self, view: NamespaceView, min_seq: int) -> None:
        deadline = time.monotonic() + limits.MAX_MIN_SEQ_WAIT_MS / 1000
        while True:
            with view.snapshot() as snapshot:
                _, seq = snapshot.head()
            if seq >= min_seq:
                return
            if time.monotonic() >= deadline:
                raise NotCaughtUp(f"This process has read up to seq {seq}, not {min_seq}.", retry_after_s=1.0)
            time.sleep(_MIN_SEQ_LOOK_S)

    def _find_in(
        self, view: NamespaceView, filters: wire.Filters, text: str, now: datetime, limit: int
    ) -> tuple[list[_Found], Query, int]:
        """One namespace. The query is embedded before the index is locked: that is most of the time."""
        query = read_query(text, self._indexes.name_terms(view), now)
        with tracer.start_as_current_span("embed"), metrics.search_seconds.labels("embed").time():
            vector = self._vector(query)
        with (
            tracer.start_as_current_span("score"),
            metrics.search_seconds.labels("score").time(),
            self._indexes.current(view) as (index, snapshot, seq),
        ):
            hits = search(index, query, vector, _mask(index, snapshot, filters), limit=limit)
            found = _hydrate(view.namespace, index, snapshot, hits)
        return found, query, seq

    def _vector(self, query: Query) -> NDArray[np.float32]:
        try:
            return self.embedder.embed([query.embed_text])[0]
        except EmbedderError as error:
            raise ModelUnavailable(f"The query cannot be embedded: {error}") from error

    def _result(self, item: _Found, request: wire.SearchRequest) -> wire.SearchResult:
        row = item.row
        note = _note_brief(row, request.known_at)
        as_note = request.types is not None and "episode" not in request.types and note is not None
        text = searchable_text(row.kind, row.content)
        start, end = cited_span(len(text), item.passages, item.best)
        return wire.SearchResult(
            type="note" if as_note else "episode",
            id=note.id if as_note and note is not None else row.id,
            namespace=item.namespace,
            text=text[start:end],
            score=round(item.hit.score, 6),
            episode_ids=[row.id],
            session_id=row.session_id,
            role=row.role,
            speaker=row.speaker,
            occurred_at=from_micros(row.occurred_at, row.offset_minutes),
            span=wire.Span(start=start, end=end),
            note=note,
            explain={name: round(value, 6) for name, value in item.hit.channels.items()} if request.explain else None,
        )


def _raised(item: _Found, gain: float) -> _Found:
    hit = item.hit
    channels = {**hit.channels, GRAPH_CHANNEL: gain}
    return replace(item, hit=replace(hit, score=hit.score + gain, channels=channels))


def wants_episodes(filters: wire.Filters) -> bool:
    """Whether episodes or their notes are asked for."""
    return filters.types is None or bool({"episode", "note"} & set(filters.types))


def _mask(index: MemoryIndex, snapshot: NamespaceSnapshot, filters: wire.Filters) -> Mask | None:
    """Documents that the filters let through, exactly and before anything is ranked; None when nothing is filtered."""
    parts: list[Mask] = []
    occurred = index.column("occurred_at")
    if filters.after is not None:
        parts.append(occurred >= to_micros(filters.after))
    if filters.before is not None:
        parts.append(occurred < to_micros(filters.before))
    if filters.known_at is not None:
        parts.append(index.column("recorded_at") <= to_micros(filters.known_at))
    coded = (
        (filters.session_id, index.sessions, "session"),
        (filters.speaker, index.speakers, "speaker"),
        (filters.role, index.roles, "role"),
    )
    for wanted, codes, column in coded:
        if wanted is not None:
            known = [code for value in wanted if (code := codes.find(value)) is not None]
            parts.append(np.isin(index.column(column), known))
    if filters.metadata:
        parts.append(np.isin(index.column("seq"), snapshot.seqs_with_metadata(filters.metadata)))
    if filters.types is not None and "episode" not in filters.types:
        parts.append(np.isin(index.column("seq"), snapshot.seqs_with_notes(filters.known_at)))
    return np.logical_and.reduce(parts) if parts else None


def _hydrate(namespace: str, index: MemoryIndex, snapshot: NamespaceSnapshot, hits: Sequence[Hit]) -> list[_Found]:
    """Texts and notes from SQL, which has the last word: what it does not hold is not shown."""
    seqs = index.column("seq")
    rows = snapshot.by_seq([int(seqs[hit.doc]) for hit in hits])
    found: list[_Found] = []
    for hit in hits:
        row = rows.get(int(seqs[hit.doc]))
        if row is not None:
            passages, best = _passages(index, hit)
            found.append(_Found(namespace, hit, row, passages, best))
    return found


def _passages(index: MemoryIndex, hit: Hit) -> tuple[list[tuple[int, int]], int | None]:
    first, count = int(index.column("first_row")[hit.doc]), int(index.column("row_count")[hit.doc])
    if count == 0:
        return [], None
    starts, ends = index.column("row_start")[first : first + count], index.column("row_end")[first : first + count]
    spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
    return spans, None if hit.row is None else hit.row - first


def _told(item: _Found) -> str:
    """What a reranker reads of a hit: the text that is shown, and who said it."""
    text = searchable_text(item.row.kind, item.row.content)
    start, end = cited_span(len(text), item.passages, item.best)
    return f"{item.row.speaker}: {text[start:end]}" if item.row.speaker else text[start:end]


def _with_channel(item: _Found, name: str, value: float) -> _Found:
    return replace(item, hit=replace(item.hit, channels={**item.hit.channels, name: value}))


def _note_brief(row: AnyRow, known_at: datetime | None) -> wire.NoteBrief | None:
    if row.note_id is None or (known_at is not None and row.note_created_at > to_micros(known_at)):
        return None
    return wire.NoteBrief(
        id=row.note_id, context=row.context, keywords=json.loads(row.keywords), tags=json.loads(row.tags)
    )
