"""The runner: every system over every history of a dataset, a row on disk for each question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from eval.dataset import Dataset, Question, Task, groups_of
from eval.inputs import row_key
from eval.limits import CONTEXT_TURNS, GROUP_EPISODES, KEPT_IDS, SEARCH_LIMIT
from eval.rows import Row, RowLog
from eval.score import Scorer, scorer_for
from eval.systems.base import Ranking, System

TokenCounter = Callable[[str], int]


class Progress(Protocol):
    """Where the runner says how far it is."""

    def begin(self, what: str, total: int | None) -> None: ...

    def advance(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SystemRows:
    """All rows of one system."""

    name: str
    settings: dict[str, Any]
    key: str
    questions: list[Row]
    ingests: list[Row]


class Runner:
    """Runs systems over one dataset. Rows of an earlier, interrupted run with the same inputs are taken over."""

    def __init__(self, dataset: Dataset, log: RowLog, count_tokens: TokenCounter, progress: Progress) -> None:
        self._dataset = dataset
        self._log = log
        self._count_tokens = count_tokens
        self._progress = progress

    def run(self, systems: Sequence[System]) -> list[SystemRows]:
        """Raises what the systems raise; rows so far are kept. Systems share the histories at hand, then let them go."""
        keys = [row_key(self._dataset, system) for system in systems]
        for group in groups_of(self._dataset.tasks, GROUP_EPISODES):
            for system, key in zip(systems, keys, strict=True):
                self._run_group(system, key, group)
            for system in systems:
                system.forget()
        return [self._rows(system, key) for system, key in zip(systems, keys, strict=True)]

    def _run_group(self, system: System, key: str, group: Sequence[Task]) -> None:
        done = {row["question"] for row in self._log.rows if row["key"] == key and "question" in row}
        open_tasks = [task for task in group if any(question.id not in done for question in task.questions)]
        if not open_tasks:
            return
        histories = [task.history for task in open_tasks]
        episodes = sum(len(history.turns) for history in histories)
        self._progress.begin(f"{system.name}: {episodes} episodes", None)
        ingested = system.ingest(histories)
        self._log.append(
            {
                "key": key,
                "ingest": [history.name for history in histories],
                "seconds": round(ingested.seconds, 4),
                "episodes": ingested.episodes,
                "stored_bytes": ingested.stored_bytes,
                "notes": ingested.notes,
            }
        )
        waiting = [(task, question) for task in open_tasks for question in task.questions if question.id not in done]
        self._progress.begin(f"{system.name}: questions", len(waiting))
        asker: _Asker | None = None
        for task, question in waiting:
            if asker is None or asker.task is not task:
                asker = _Asker(task, system, self._count_tokens, scorer_for(self._dataset.benchmark, task.history))
            self._log.append({"key": key, **asker.ask(question)})
            self._progress.advance()

    def _rows(self, system: System, key: str) -> SystemRows:
        own = [row for row in self._log.rows if row["key"] == key]
        asked = {question.id for question in self._dataset.questions()}
        questions = {row["question"]: row for row in own if row.get("question") in asked}
        ingests = [row for row in own if "ingest" in row]
        return SystemRows(system.name, system.settings, key, list(questions.values()), ingests)


class _Asker:
    """Asks one system the questions of one history."""

    def __init__(self, task: Task, system: System, count_tokens: TokenCounter, scorer: Scorer) -> None:
        self.task = task
        self._system = system
        self._count_tokens = count_tokens
        self._scorer = scorer
        self._texts = {turn.id: turn.text for turn in task.history.turns}
        self._tokens: dict[str, int] = {}

    def ask(self, question: Question) -> Row:
        # The first, short search is timed: the second finds the query's vector remembered.
        started = perf_counter()
        self._system.search(self.task.history, question, CONTEXT_TURNS)
        milliseconds = (perf_counter() - started) * 1000
        ranking = self._system.search(self.task.history, question, SEARCH_LIMIT)
        ranked = self._scorer.ranked(ranking)
        row: dict[str, Any] = {
            "question": question.id,
            "group": question.group,
            "answerable": question.answerable,
            "skipped": question.skipped,
            "ms": round(milliseconds, 3),
            "context_tokens": self._context_tokens(ranking),
            "confidence": ranking.scores[0] if ranking.scores else None,
        }
        if self._system.ranks:
            row["ranked"] = ranked[:KEPT_IDS]
            row["gold"] = list(question.gold)
            if question.skipped is None:
                row["metrics"] = self._scorer.metrics(question, ranked)
        return row

    def _context_tokens(self, ranking: Ranking) -> int:
        """Tokens that a reader would be shown: the system's own context, or the texts of its first turns."""
        if ranking.context is not None:
            return self._count_tokens(ranking.context)
        shown = ranking.ids[:CONTEXT_TURNS] if self._system.ranks else ranking.ids
        return sum(self._count(turn) for turn in shown)

    def _count(self, turn: str) -> int:
        if turn not in self._tokens:
            self._tokens[turn] = self._count_tokens(self._texts[turn])
        return self._tokens[turn]
