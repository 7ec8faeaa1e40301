"""The answering stage: after retrieval, every question of every system is answered and judged; a row on disk for each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eval.dataset import Dataset, History, Question
from eval.limits import CONTEXT_TURNS
from eval.llm.client import Llm, Reply
from eval.llm.reading import PROMPT_VERSION, grade, shown
from eval.rows import Row, RowLog
from eval.run import Progress, SystemRows


class AnswerStage:
    """Answers from the first turns of each ranking, or from the whole history where a system does not rank."""

    def __init__(self, dataset: Dataset, log: RowLog, llm: Llm, progress: Progress) -> None:
        self._dataset = dataset
        self._log = log
        self._llm = llm
        self._progress = progress

    def run(self, systems: Sequence[SystemRows]) -> list[SystemRows]:
        """The same rows with answers, scores and costs added. Raises BudgetSpent and EvalError; rows so far are kept."""
        return [self._run(rows) for rows in systems]

    def _run(self, rows: SystemRows) -> SystemRows:
        key = self._key(rows)
        done = {row["answered"]: row for row in self._log.rows if row["key"] == key}
        by_question = {row["question"]: row for row in rows.questions}
        self._progress.begin(f"{rows.name}: answers", len(by_question))
        merged: list[Row] = []
        for task in self._dataset.tasks:
            for question in task.questions:
                row = by_question[question.id]
                if question.id not in done:
                    done[question.id] = self._answer(key, task.history, question, row)
                merged.append(_merged(row, done[question.id]))
                self._progress.advance()
        return replace(rows, questions=merged)

    def _answer(self, key: str, history: History, question: Question, row: Row) -> Row:
        turns = row["ranked"][:CONTEXT_TURNS] if "ranked" in row else [turn.id for turn in history.turns]
        graded = grade(self._dataset.benchmark, self._llm, question, shown(history, turns))
        made = {
            "key": key,
            "answered": question.id,
            "answer": graded.answer,
            "qa": graded.metrics,
            **costs(graded.replies),
        }
        self._log.append(made)
        return made

    def _key(self, rows: SystemRows) -> str:
        parts: list[Any] = [rows.key, self._llm.settings, PROMPT_VERSION, CONTEXT_TURNS]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def costs(replies: Sequence[Reply]) -> Row:
    """What the replies took: as if asked now, and what was really spent."""
    return {
        "llm_calls": len(replies),
        "llm_cached": sum(reply.cached for reply in replies),
        "llm_tokens": sum(reply.tokens for reply in replies),
        "llm_usd": sum(reply.usd for reply in replies),
        "llm_spent_usd": sum(reply.spent_usd for reply in replies),
    }


def _merged(row: Row, answer: Row) -> Row:
    spent = {name: value for name, value in answer.items() if name.startswith("llm_")}
    return {**row, "answer": answer["answer"], "qa": answer["qa"], **spent}
