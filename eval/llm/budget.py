"""What calls have cost and may yet cost, against a hard limit: each call's most is set aside before it is made.

The account of a folder is kept in a file, so that what was asked by a run that was killed counts in the next one. A call
that never came back may have been billed: it counts at its most.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eval.errors import BudgetSpent
from eval.rows import Row, RowLog

FILE: Final = "spending.jsonl"


class Budget:
    """The spending of one folder. In memory until `kept` binds it to the folder's file."""

    def __init__(self, max_usd: float | None = None) -> None:
        """max_usd: None is no limit."""
        self.max_usd = max_usd
        self._usd: dict[int, float] = {}
        """Of each call: its cost once it is known, its most until then."""
        self._earlier_usd = 0.0
        """Spent by runs that kept no account."""
        self._log: RowLog | None = None

    @property
    def spent_usd(self) -> float:
        """The most that has been spent."""
        return self._earlier_usd + sum(self._usd.values())

    @contextmanager
    def kept(self, folder: Path, rows: Sequence[Row]) -> Generator[None]:
        """Reads and continues the folder's account. `rows`: the folder's own, which tell what runs without an account spent.

        Raises EvalError when it cannot be read or written.
        """
        log = RowLog(folder / FILE)
        try:
            self._usd |= {row["call"]: row.get("usd", row.get("most_usd")) for row in log.rows}
            told = sum(row.get("llm_spent_usd", 0.0) for row in rows)
            self._earlier_usd = max(0.0, told - sum(self._usd.values()))
            self._log = log
            yield
        finally:
            self._log = None
            log.close()

    def reserve(self, most_usd: float) -> int:
        """Sets a call's most aside; returns the call's number. Raises BudgetSpent when it does not fit."""
        if self.max_usd is not None and self.spent_usd + most_usd > self.max_usd:
            raise BudgetSpent(
                f"The next call may cost ${most_usd:.4f}, and ${self.spent_usd:.4f} of ${self.max_usd:.4f} is spent. What was "
                "answered is kept; give a larger --max-usd and run the same command again."
            )
        call = max(self._usd, default=0) + 1
        self._note(call, most_usd, "most_usd")
        return call

    def settle(self, call: int, usd: float) -> None:
        """Puts what a call did cost in place of what was set aside for it."""
        self._note(call, usd, "usd")

    def _note(self, call: int, usd: float, kind: str) -> None:
        if self._log is not None:
            self._log.append({"call": call, kind: usd})
        self._usd[call] = usd
