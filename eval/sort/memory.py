"""SORT from memory: the whole text is stored sentence by sentence; which segment came first is read off what is found."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from eval.dataset import Dataset, History, Question, Task, Turn
from eval.inputs import row_key
from eval.limits import CONTEXT_TURNS
from eval.rows import Row, RowLog
from eval.run import Progress, SystemRows
from eval.sort.build import Book, Pair, pairs_of
from eval.sort.variants import VARIANTS
from eval.systems.base import System

_FIRST: Final = datetime(2023, 1, 1, tzinfo=UTC)
_MIN_WORDS: Final = 4
"""A shorter sentence is stored with the one before: "Yes." can be found nowhere."""


def dataset_of(path: Path, books: Sequence[Book], pairs_per_cell: int) -> Dataset:
    """Books as histories and segments as questions, two for each pair and variant."""
    tasks: list[Task] = []
    counts = {"books": len(books), "words": 0, "pairs": 0, "episodes": 0}
    for book in books:
        history = history_of(book)
        pairs = list(pairs_of(book, pairs_per_cell))
        questions = tuple(question_of(pair, variant) for variant in VARIANTS for pair in pairs)
        tasks.append(Task(history, questions))
        counts["words"] += len(book.words)
        counts["pairs"] += len(pairs)
        counts["episodes"] += len(history.turns)
    digest = "+".join(book.sha256[:16] for book in books) + f"+{pairs_per_cell}"
    return Dataset("sort", path, digest, tuple(tasks), counts)


def history_of(book: Book) -> History:
    """One episode for each sentence, a second apart; its id holds the place of its first word."""
    turns: list[Turn] = []
    bounds = [*book.starts, len(book.words)]
    start = 0
    for index in range(1, len(bounds)):
        if bounds[index] - start >= _MIN_WORDS or index == len(bounds) - 1:
            at = _FIRST + timedelta(seconds=len(turns))
            turns.append(Turn(f"w{start}", "book", None, None, book.text(start, bounds[index] - start), at))
            start = bounds[index]
    return History(book.name, tuple(turns))


def question_of(pair: Pair, variant: str) -> Question:
    return Question(f"{variant}/{pair.id}", "", f"{variant}, {pair.excerpt_words} words", pair.answer, ())


def segments(book: Book, pair: Pair, variant: str) -> tuple[str, str]:
    """Both segments as the variant shows them: the one shown first, then the other. Always the same for one pair."""
    rng = random.Random(f"{variant}/{pair.id}")
    change = VARIANTS[variant]
    first, second = (change(book.text(start, pair.segment_words), rng) for start in (pair.first, pair.second))
    return first, second


class MemoryRunner:
    """Asks systems for the place of each segment. Rows are kept as by run.Runner, an interruption resumed alike."""

    def __init__(self, dataset: Dataset, books: Sequence[Book], pairs_per_cell: int, log: RowLog) -> None:
        self._dataset = dataset
        self._books = {book.name: book for book in books}
        self._pairs = {pair.id: pair for book in books for pair in pairs_of(book, pairs_per_cell)}
        self._log = log

    def run(
        self, systems: Sequence[System], count_tokens: Callable[[str], int], progress: Progress
    ) -> list[SystemRows]:
        """Raises what the systems raise; rows so far are kept."""
        return [self._run(system, count_tokens, progress) for system in systems if system.ranks]

    def _run(self, system: System, count_tokens: Callable[[str], int], progress: Progress) -> SystemRows:
        key = row_key(self._dataset, system)
        done = {row["question"] for row in self._log.rows if row["key"] == key and "question" in row}
        for task in self._dataset.tasks:
            waiting = [question for question in task.questions if question.id not in done]
            if not waiting:
                continue
            progress.begin(f"{system.name}: {task.history.name}", len(waiting))
            self._ingest(system, key, task.history)
            self._texts = {turn.id: turn.text for turn in task.history.turns}
            for question in waiting:
                row = self._ask(system, task.history, question)
                row["context_tokens"] = sum(count_tokens(self._texts[turn]) for turn in row.pop("shown"))
                self._log.append({"key": key, **row})
                progress.advance()
            system.forget()
        own = [row for row in self._log.rows if row["key"] == key]
        questions = {row["question"]: row for row in own if "question" in row}
        ingests = [row for row in own if "ingest" in row]
        return SystemRows(system.name, system.settings, key, list(questions.values()), ingests)

    def _ingest(self, system: System, key: str, history: History) -> None:
        told = system.ingest([history])
        self._log.append(
            {
                "key": key,
                "ingest": [history.name],
                "seconds": round(told.seconds, 4),
                "episodes": told.episodes,
                "stored_bytes": told.stored_bytes,
                "notes": told.notes,
            }
        )

    def _ask(self, system: System, history: History, question: Question) -> Row:
        variant, _, pair_id = question.id.partition("/")
        pair = self._pairs[pair_id]
        started = perf_counter()
        found: list[tuple[str, ...]] = []
        for text in segments(self._books[pair.book], pair, variant):
            asked = Question(question.id, text, question.group, "", ())
            found.append(system.search(history, asked, CONTEXT_TURNS).ids)
        answer = order(*found)
        return {
            "question": question.id,
            "group": question.group,
            "bin": pair.bin,
            "segment_words": pair.segment_words,
            "answerable": True,
            "skipped": None,
            "ms": round((perf_counter() - started) * 1000 / 2, 3),
            "confidence": None,
            "answer": answer,
            "shown": found[0],
            "metrics": {"accuracy": float(answer == pair.answer)},
        }


def order(first: Sequence[str], second: Sequence[str]) -> str:
    """A when the best place of the segment shown first comes earlier. A tie or nothing found is answered A.

    That is a guess that is right half of the time, as pairs are counterbalanced.
    """
    if not first or not second:
        return "A"
    return "B" if _place(second[0]) < _place(first[0]) else "A"


def _place(turn: str) -> int:
    return int(turn.removeprefix("w"))
