"""What can go wrong in an evaluation; each message says what to do.

MemoryServiceError
└── EvalError
    ├── BadData           a file that is truncated, misnamed or in another format
    ├── BadResults        a results folder that cannot be read or does not belong to this run
    ├── SystemFailed      a system under test that cannot start, or died
    └── BudgetSpent       the LLM's hard budget is used up
"""

from pathlib import Path

from memory_service.errors import MemoryServiceError


class EvalError(MemoryServiceError):
    """Root of this package's errors."""


class BadData(EvalError):
    """A data file that cannot be used as it is."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")


class BadResults(EvalError):
    """Results on disk that cannot be read, or that were made with other inputs."""


class SystemFailed(EvalError):
    """A system under test that cannot be measured."""


class BudgetSpent(EvalError):
    """The next LLM call would go beyond --max-usd."""
