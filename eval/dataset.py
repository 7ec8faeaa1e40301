"""What every benchmark is read into: histories that are remembered, and the questions asked of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Turn:
    """One episode. `id` is unique in its history and a valid episode id."""

    id: str
    session: str
    speaker: str | None
    role: str | None
    text: str
    at: datetime
    ranks: bool = True
    """False for a turn that is remembered, yet is dropped from a ranking before its cut: LongMemEval's assistant turns."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and where in its history the answer stands."""

    id: str
    text: str
    group: str
    """Category or question type."""
    answer: str
    gold: tuple[str, ...]
    """Ids of the evidence turns."""
    asked_at: datetime | None = None
    answerable: bool = True
    skipped: str | None = None
    """Why retrieval is not scored, None where it is."""
    wrong_answer: str | None = None
    """LoCoMo's adversarial answer."""


@dataclass(frozen=True, slots=True)
class History:
    """What one namespace holds, in the order in which it is told."""

    name: str
    turns: tuple[Turn, ...]

    def sessions(self) -> dict[str, str]:
        """Session of each turn."""
        return {turn.id: turn.session for turn in self.turns}


@dataclass(frozen=True, slots=True)
class Task:
    """A history with its questions."""

    history: History
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Dataset:
    """One benchmark file as it was read."""

    benchmark: str
    path: Path
    sha256: str
    tasks: tuple[Task, ...]
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """What was found and how often: episodes, questions, malformed evidence and the like."""

    def questions(self) -> Iterator[Question]:
        for task in self.tasks:
            yield from task.questions

    def limited(self, questions: int | None) -> "Dataset":
        """The first questions, and the histories that they need."""
        if questions is None:
            return self
        left, kept = questions, list[Task]()
        for task in self.tasks:
            if left <= 0:
                break
            kept.append(replace(task, questions=task.questions[:left]))
            left -= len(kept[-1].questions)
        return replace(self, tasks=tuple(kept))


def groups_of(tasks: Sequence[Task], max_episodes: int) -> Iterator[list[Task]]:
    """Tasks in portions of at most so many episodes; a larger history is a portion of its own."""
    portion: list[Task] = []
    size = 0
    for task in tasks:
        if portion and size + len(task.history.turns) > max_episodes:
            yield portion
            portion, size = [], 0
        portion.append(task)
        size += len(task.history.turns)
    if portion:
        yield portion
