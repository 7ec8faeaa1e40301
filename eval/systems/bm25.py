"""Plain BM25 (Robertson and Zaragoza 2009) over single turns: k1 1.5, b .75, stemmed, stop words out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

import numpy as np

from eval.dataset import History, Question
from eval.systems.base import Ingested, Ranking
from retrieval.analysis import terms

K1: Final = 1.5
B: Final = 0.75


class Bm25:
    """The baseline that most memory systems do not beat by much."""

    name = "BM25"
    ranks = True

    def __init__(self) -> None:
        self._indexes: dict[str, _Index] = {}

    @property
    def settings(self) -> dict[str, Any]:
        return {"k1": K1, "b": B, "terms": "retrieval.analysis.terms", "text": "the turn"}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        started = perf_counter()
        for history in histories:
            self._indexes[history.name] = _Index([turn.text for turn in history.turns])
        return Ingested(perf_counter() - started, sum(len(history.turns) for history in histories))

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        return top(history, self._indexes[history.name].scores(question.text), limit)

    def forget(self) -> None:
        self._indexes.clear()

    def close(self) -> None:
        self.forget()


def top(history: History, scores: np.ndarray, limit: int) -> Ranking:
    """The turns of the highest scores; ties by age."""
    order = np.argsort(-scores, kind="stable")[:limit]
    return Ranking(tuple(history.turns[i].id for i in order), tuple(float(scores[i]) for i in order))


class _Index:
    """Postings of one history."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = np.zeros(len(texts))
        for doc, text in enumerate(texts):
            counts = Counter(terms(text))
            lengths[doc] = counts.total()
            for term, count in counts.items():
                postings[term].append((doc, count))
        self._norm = K1 * (1 - B + B * lengths / max(lengths.mean(), 1.0))
        self._postings = {term: np.array(pairs).T for term, pairs in postings.items()}

    def scores(self, query: str) -> np.ndarray:
        total = np.zeros(self._size)
        for term in terms(query):
            if term in self._postings:
                docs, counts = self._postings[term]
                idf = np.log(1 + (self._size - len(docs) + 0.5) / (len(docs) + 0.5))
                total[docs] += idf * counts * (K1 + 1) / (counts + self._norm[docs])
        return total
