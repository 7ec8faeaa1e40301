"""An assertion: a claim with its identity, its entities and its place in time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graph.model import Basis, Precision, Scalar, Stance

UNBOUNDED: Final = -(2**62)
"""Sorts before every instant: a start that is not known, or does not matter."""

Place = tuple[int, int, str]
"""Where an assertion stands in its timeline: (start, when it was said, id)."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A claim of one episode about entities."""

    id: str
    episode_id: str
    seq: int
    """Order of arrival: the episode's record in the log."""
    place: int
    """Which claim of its episode."""
    subject: str
    predicate: str
    object_id: str | None
    object_text: str
    """The literal, or the object's name as written; empty where whatever it was ended."""
    stance: Stance
    valid_at: int | None
    invalid_at: int | None
    basis: Basis
    precision: Precision
    occurred_at: int
    qualifiers: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    within: frozenset[str] = frozenset()
    """Entities that contain the object: a town's country."""
    sentence: str = ""
    confidence: float = 1.0
    rule: str = ""

    @property
    def object_key(self) -> str:
        """Equal for equal objects; empty for any object."""
        return self.object_id or literal_key(self.object_text)

    @property
    def sort_key(self) -> Place:
        """Ties of the start go by when it was said, then by id, so that arrival never decides (ground rule 4)."""
        return (UNBOUNDED if self.valid_at is None else self.valid_at, self.occurred_at, self.id)

    @property
    def arrival(self) -> tuple[int, int, str]:
        return (self.seq, self.place, self.id)


def literal_key(text: str) -> str:
    """Literals are equal but for case and spacing."""
    return " ".join(text.casefold().split())
