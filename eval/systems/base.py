"""The interface of a system under test: remember histories, rank their turns for a question."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eval.dataset import History, Question


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to one search."""

    ids: tuple[str, ...]
    """Turns, best first, each once."""
    scores: tuple[float, ...] = ()
    """Of the first ones; empty where the system gives none. Comparable within one system only."""
    context: str | None = None
    """What a reader would be shown, where the system packs it itself."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What it took to remember some histories."""

    seconds: float
    """Until all of it was searchable by meaning."""
    episodes: int
    stored_bytes: int | None = None
    """What the store grew by, None where it is not known."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any])


class System(Protocol):
    """A system under test. One thread uses it."""

    @property
    def name(self) -> str:
        """Its row in the tables."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """All that its results depend on, versions included: results of other settings are never mixed with these."""
        ...

    @property
    def ranks(self) -> bool:
        """False for one that only makes contexts."""
        ...

    def ingest(self, histories: Sequence[History]) -> Ingested:
        """Remembers the histories; returns when all are searchable. Raises SystemFailed."""
        ...

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        """At most `limit` turns of an ingested history. Raises SystemFailed."""
        ...

    def forget(self) -> None:
        """Lets go of what is kept in memory of the histories so far."""
        ...

    def close(self) -> None:
        """Stops what it started. May be called twice."""
        ...
