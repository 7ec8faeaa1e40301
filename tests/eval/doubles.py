"""Doubles for the runner's tests."""

from collections.abc import Sequence
from typing import Any

from eval.dataset import History, Question
from eval.systems.base import Ingested, Ranking


class Quiet:
    """Progress that nobody watches."""

    def begin(self, what: str, total: int | None) -> None:
        pass

    def advance(self) -> None:
        pass


class Scripted:
    """A system that ranks all turns oldest first, counts what it is asked, and can be made to fail."""

    ranks = True

    def __init__(self, name: str = "scripted", fail_at: int | None = None, **settings: Any) -> None:
        self.name = name
        self.settings = settings
        self.fail_at = fail_at
        self.ingested: list[str] = []
        self.asked: list[str] = []
        self.closed = False

    def ingest(self, histories: Sequence[History]) -> Ingested:
        self.ingested += [history.name for history in histories]
        return Ingested(2.0, sum(len(history.turns) for history in histories), 1000)

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        if self.fail_at is not None and len(set(self.asked)) >= self.fail_at and question.id not in self.asked:
            raise KeyboardInterrupt
        self.asked.append(question.id)
        return Ranking(tuple(turn.id for turn in history.turns)[:limit], (0.5,))

    def forget(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def words(text: str) -> int:
    return len(text.split())
