"""What the graph is made of (Zep, arXiv 2501.13956, section 2.1): mentions and claims come in, entities and facts stand.

Instants are integer microseconds since 1970 in UTC. Intervals are half-open: [valid_at, invalid_at).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool
Stance: TypeAlias = Literal["asserts", "ends", "denies"]
"""What a claim does: says that something holds, that it stopped holding, or that it never held."""

Basis: TypeAlias = Literal["stated", "observed", "unbounded"]
"""Where a start comes from: the text names it; it was true when it was said; or it has none that matters ("born in")."""

Precision: TypeAlias = Literal["instant", "day", "month", "year"]


@dataclass(frozen=True, slots=True)
class Mention:
    """Someone or something that an episode speaks of."""

    name: str
    """As written, without possessives: "Ana Silva"."""
    type: str
    """A name of an entity type; "Thing" where nothing better is known."""
    start: int = 0
    end: int = 0
    """Characters [start, end) of the episode's text where it is named first; equal for a speaker, who is not in it."""
    is_self: bool = False
    """The one who speaks, as "I"."""
    aliases: tuple[str, ...] = ()
    """Other names that the text itself gives: "Robert, whom we call Bob"."""
    key: str | None = None
    """An identity from outside, as a record's primary key: "customer:42". Equal keys are one entity, other keys are others."""
    attributes: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """Attributes of a user-defined entity type."""
    within: tuple[int, ...] = ()
    """Indexes of mentions that contain this one: a town's country."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an episode says of one of its mentions."""

    subject: int
    """Index of a mention."""
    predicate: str
    object: int | str | None
    """Index of a mention, or a literal as text; None only where `stance` is not "asserts": whatever it was, it ended."""
    stance: Stance = "asserts"
    valid_at: int | None = None
    """When it began to hold; where `stance` is "ends", when it stopped."""
    invalid_at: int | None = None
    basis: Basis = "observed"
    precision: Precision = "instant"
    qualifiers: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """Hyper-relational: role, amount, place."""
    start: int = 0
    end: int = 0
    """The sentence: characters [start, end) of the episode's text."""
    confidence: float = 1.0
    rule: str = ""
    """The extractor's rule that made it."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor says of one episode. Claims point at mentions by index, never at ids (ground rule 10)."""

    mentions: tuple[Mention, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The episode, as the graph needs it."""

    id: str
    seq: int
    session_id: str
    text: str
    speaker: str | None
    role: str | None
    occurred_at: int


AnyJson: TypeAlias = Any
