"""The seams of extraction: what reads an episode, and what reads the times in its text."""

from dataclasses import dataclass
from typing import Protocol

from graph.model import Extraction, Precision, Source


class Extractor(Protocol):
    """Reads an episode. It neither waits nor keeps anything, and the same episode gives the same extraction."""

    @property
    def name(self) -> str:
        """Of it and its version, as "rules/1": facts of another version may differ."""
        ...

    def extract(self, source: Source) -> Extraction: ...


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A time that a text speaks of."""

    start: int
    end: int
    """Characters [start, end) of the text."""
    begins: int
    ends: int
    """Microseconds since 1970 in UTC, half-open."""
    precision: Precision
    """How exactly the text tells where it begins: a week is no day, so it has the precision of a month."""


class TimeFinder(Protocol):
    """Finds time expressions."""

    def __call__(self, text: str, base: int) -> list[TimeSpan]:
        """Those of the text, in order and apart. `base`: when it was written, in microseconds, by which "yesterday" is read."""
        ...


def no_times(text: str, base: int) -> list[TimeSpan]:
    """Finds none: what is extracted with it has no dates."""
    return []
