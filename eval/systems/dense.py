"""Plain dense retrieval over single turns: the cosine of all-MiniLM-L6-v2's vectors, texts cut at its 256 tokens."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from eval.dataset import History, Question, Turn
from eval.systems.base import Ingested, Ranking
from eval.systems.bm25 import top
from retrieval.embedders.base import Embedder


class Dense:
    """The other half of most memory systems."""

    name = "MiniLM"
    ranks = True

    def __init__(self, embedder: Embedder, *, cached: bool) -> None:
        """cached: whether the embedder remembers texts of earlier runs, which makes ingest's time meaningless."""
        self._embedder = embedder
        self._cached = cached
        self._vectors: dict[str, np.ndarray] = {}

    @property
    def settings(self) -> dict[str, Any]:
        return {"model": self._embedder.name, "text": "the turn, after its speaker's name where it has one"}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        started = perf_counter()
        for history in histories:
            self._vectors[history.name] = self._embedder.embed([_key(turn) for turn in history.turns])
        size = sum(self._vectors[history.name].nbytes for history in histories)
        episodes = sum(len(history.turns) for history in histories)
        return Ingested(perf_counter() - started, episodes, size, {"embedding cache": self._cached})

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        query = self._embedder.embed([question.text])[0]
        return top(history, self._vectors[history.name] @ query, limit)

    def forget(self) -> None:
        self._vectors.clear()

    def close(self) -> None:
        self.forget()


def _key(turn: Turn) -> str:
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text
