"""The shipped scorer with parts switched off, in this process: what each part is worth.

The rows of the service itself go over HTTP. These use the same library with other weights, on the same passages and vectors;
the row with nothing switched off must equal the service's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from eval.dataset import History, Question, Turn
from eval.systems.base import Ingested, Ranking
from retrieval.embedders.base import Embedder
from retrieval.index import Document, MemoryIndex
from retrieval.query import read_query
from retrieval.scoring import DEFAULT, Weights, search
from retrieval.sentences import passages
from retrieval.timex import find_times

ABLATIONS: Final[dict[str, dict[str, float]]] = {
    "shipped scorer, in process": {},
    "− neighbours": {"neighbour": 0.0, "second_neighbour": 0.0},
    "− second neighbours": {"second_neighbour": 0.0},
    "− dense": {"dense": 0.0},
    "− lexical": {"lexical": 0.0},
    "− times": {"time": 0.0},
    "− speaker": {"speaker": 0.0},
    "− question turns": {"question": 0.0},
}
"""Weights that differ from the shipped ones, by the row's name."""

Span = tuple[int, int]
_Passages = tuple[int, Sequence[Span], NDArray[np.float16], Sequence[Span]]


class Shelf:
    """Indexes of the histories at hand, built once for all ablations."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._indexes: dict[str, MemoryIndex] = {}
        self._queries: dict[str, NDArray[np.float32]] = {}

    def index(self, history: History) -> MemoryIndex:
        if history.name not in self._indexes:
            self._indexes[history.name] = build_index(history.turns, self.embedder)
        return self._indexes[history.name]

    def query_vector(self, text: str) -> NDArray[np.float32]:
        """Embedded once for all ablations: their search times are not the service's anyway."""
        if text not in self._queries:
            self._queries[text] = self.embedder.embed([text])[0]
        return self._queries[text]

    def clear(self) -> None:
        self._indexes.clear()
        self._queries.clear()


class Ablation:
    """The library behind the service's search, with its own weights."""

    ranks = True

    def __init__(self, name: str, shelf: Shelf, changed: dict[str, float]) -> None:
        self.name = name
        self._shelf = shelf
        self._changed = changed
        self._weights = Weights(**changed)

    @property
    def settings(self) -> dict[str, Any]:
        shipped = {field: getattr(DEFAULT, field) for field in DEFAULT.__slots__}
        return {"model": self._shelf.embedder.name, "weights": shipped | self._changed, "changed": self._changed}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        started = perf_counter()
        indexes = [self._shelf.index(history) for history in histories]
        episodes = sum(len(history.turns) for history in histories)
        return Ingested(perf_counter() - started, episodes, sum(index.nbytes for index in indexes))

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        index = self._shelf.index(history)
        query = read_query(question.text, index.name_terms, question.asked_at or datetime.now(UTC))
        vector = self._shelf.query_vector(query.embed_text)
        hits = search(index, query, vector, None, limit=limit, weights=self._weights)
        return Ranking(tuple(history.turns[hit.doc].id for hit in hits), tuple(hit.score for hit in hits))

    def forget(self) -> None:
        self._shelf.clear()

    def close(self) -> None:
        self.forget()


def build_index(turns: Sequence[Turn], embedder: Embedder) -> MemoryIndex:
    """The index that the service makes of these turns."""
    index = MemoryIndex(embedder.dimension)
    spans = [passages(turn.text) for turn in turns]
    keys = [turn.text[start:end] for turn, own in zip(turns, spans, strict=True) for start, end in own]
    vectors = embedder.embed(keys).astype(np.float16)
    batch: list[_Passages] = []
    first = 0
    for seq, (turn, own) in enumerate(zip(turns, spans, strict=True), 1):
        at = _micros(turn.at)
        index.add(Document(seq, turn.session, turn.speaker, turn.role, at, at, turn.text))
        times = sorted({(_micros(t.interval_start), _micros(t.interval_end)) for t in find_times(turn.text, turn.at)})
        batch.append((seq, own, vectors[first : first + len(own)], times))
        first += len(own)
    index.set_many(batch)
    return index


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
