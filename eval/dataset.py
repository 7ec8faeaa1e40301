"""What every benchmark is read into: histories that are remembered, and the questions asked of each."""

from collections.abc import Callable, Iterable, Iterator
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


@dataclass(frozen=True, slots=True)
class Streamed:
    """Tasks of a file that is read anew for each pass over them, one task at a time: it may be larger than the memory."""

    read: Callable[[], Iterator[Task]]
    questions: tuple[Question, ...]
    """Of all tasks: they are kept, their histories are not."""

    def __iter__(self) -> Iterator[Task]:
        return self.read()


@dataclass(frozen=True)
class Dataset:
    """One benchmark file as it was read."""

    benchmark: str
    path: Path
    sha256: str
    tasks: tuple[Task, ...] | Streamed
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """What was found and how often: episodes, questions, malformed evidence and the like."""

    def questions(self) -> Iterator[Question]:
        if isinstance(self.tasks, Streamed):
            yield from self.tasks.questions
            return
        for task in self.tasks:
            yield from task.questions

    def limited(self, questions: int | None) -> "Dataset":
        """The first questions, and the histories that they need."""
        if questions is None:
            return self
        if isinstance(self.tasks, Streamed):
            streamed = self.tasks
            kept = Streamed(lambda: _first(streamed, questions), streamed.questions[:questions])
            return replace(self, tasks=kept)
        return replace(self, tasks=tuple(_first(self.tasks, questions)))


def _first(tasks: Iterable[Task], questions: int) -> Iterator[Task]:
    """Tasks of the first questions; no task beyond them is read."""
    left = questions
    for task in tasks:
        kept = task.questions[:left]
        yield replace(task, questions=kept)
        left -= len(kept)
        if left <= 0:
            return


def groups_of(tasks: Iterable[Task], max_episodes: int) -> Iterator[list[Task]]:
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
