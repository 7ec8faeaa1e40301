"""SORT by a language model: with the excerpt before it (in context), and with nothing but the book's title (no text)."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from eval.llm.client import Llm
from eval.llm.prompts import prompt
from eval.llm.reading import JUDGE_TOKENS, PROMPT_VERSION
from eval.llm.stage import costs
from eval.rows import Row, RowLog
from eval.run import Progress, SystemRows
from eval.sort.build import Book, Pair
from eval.sort.memory import segments

CONDITIONS: Final = ("in context", "no text")
_LETTER: Final = re.compile(r"\b([AB])\b")


class ReadingRunner:
    """Asks a model for every pair."""

    def __init__(self, books: Mapping[str, Book], llm: Llm, log: RowLog, progress: Progress) -> None:
        self._books = books
        self._llm = llm
        self._log = log
        self._progress = progress

    def run(self, pairs: Sequence[Pair]) -> list[SystemRows]:
        """Rows of each condition. Raises BudgetSpent and EvalError; rows so far are kept."""
        return [self._condition(condition, pairs) for condition in CONDITIONS]

    def _condition(self, condition: str, pairs: Sequence[Pair]) -> SystemRows:
        settings = {**self._llm.settings, "condition": condition, "prompts": PROMPT_VERSION}
        digests = sorted(book.sha256 for book in self._books.values())
        key = hashlib.sha256(json.dumps([settings, digests], sort_keys=True).encode()).hexdigest()[:16]
        known = {row["question"]: row for row in self._log.rows if row["key"] == key}
        self._progress.begin(f"{self._llm.model}, {condition}", len(pairs))
        rows: list[Row] = []
        for pair in pairs:
            # Word by word only: paraphrases test memory, and with the text at hand they would test reading.
            name = f"verbatim/{pair.id}"
            if name not in known:
                known[name] = {"key": key, **_row(condition, name, self._books[pair.book], pair, self._llm)}
                self._log.append(known[name])
            rows.append(known[name])
            self._progress.advance()
        return SystemRows(f"{self._llm.model}, {condition}", settings, key, rows, [])


def _row(condition: str, name: str, book: Book, pair: Pair, llm: Llm) -> Row:
    first, second = segments(book, pair, "verbatim")
    values = {"title": book.name, "first": first, "second": second}
    if condition == "in context":
        excerpt = book.text(pair.excerpt_start, pair.excerpt_words)
        reply = llm.ask(prompt("sort_in_context_v1", excerpt=excerpt, **values), JUDGE_TOKENS)
    else:
        reply = llm.ask(prompt("sort_no_text_v1", **values), JUDGE_TOKENS)
    answer = letter(reply.text)
    return {
        "question": name,
        "group": f"verbatim, {pair.excerpt_words} words",
        "bin": pair.bin,
        "segment_words": pair.segment_words,
        "answerable": True,
        "skipped": None,
        "ms": 0.0,
        "confidence": None,
        "context_tokens": reply.prompt_tokens,
        "answer": answer,
        "metrics": {"accuracy": float(answer == pair.answer)},
        **costs([reply]),
    }


def letter(reply: str) -> str | None:
    """The one letter that a reply names; None, which is wrong, where it names none or both."""
    named = set(_LETTER.findall(reply.upper()))
    return named.pop() if len(named) == 1 else None
