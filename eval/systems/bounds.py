"""What bounds every system: the evidence itself, and everything there is."""

from collections.abc import Sequence
from typing import Any

from eval.dataset import History, Question
from eval.systems.base import Ingested, Ranking


class OracleEvidence:
    """Finds the evidence and nothing else: what is left to lose at each cutoff, and the best a reader can be given."""

    name = "oracle evidence"
    ranks = True

    @property
    def settings(self) -> dict[str, Any]:
        return {"turns": "the evidence, in the order of the file"}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        return Ingested(0.0, sum(len(history.turns) for history in histories))

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        return Ranking(question.gold[:limit])

    def forget(self) -> None:
        pass

    def close(self) -> None:
        pass


class FullContext:
    """Shows a reader the whole history, oldest first. It ranks nothing: only its context and its cost can be judged."""

    name = "full context"
    ranks = False

    @property
    def settings(self) -> dict[str, Any]:
        return {"turns": "all, oldest first"}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        return Ingested(0.0, sum(len(history.turns) for history in histories))

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        return Ranking(tuple(turn.id for turn in history.turns))

    def forget(self) -> None:
        pass

    def close(self) -> None:
        pass
