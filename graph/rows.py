"""The rows of a graph store: immutable versions of entities and facts, and which episodes each fact comes from.

A version is believed from `created_at` until `expired_at`, which is set once. The key of a row is what a store upserts by.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from graph.model import Basis, Precision, Scalar
from graph.temporal.assertion import UNBOUNDED

FOREVER: Final = 2**62
"""The end of an interval that has none, where a store needs a number."""

Attributes: TypeAlias = tuple[tuple[str, Scalar], ...]
"""Sorted by name."""

VersionKey: TypeAlias = tuple[str, int]
"""(id, created_at)."""

SourceKey: TypeAlias = tuple[str, str, int]
"""(fact id, assertion id, created_at)."""


@dataclass(frozen=True, slots=True)
class EntityVersion:
    """An entity as it was believed to be. Ids of entities merged into it lead to it while the merge stands."""

    id: str
    created_at: int
    expired_at: int | None
    name: str
    type: str
    aliases: tuple[str, ...]
    """Every spelling, sorted, its name among them."""
    name_keys: tuple[str, ...]
    """Normalised spellings: what an entity is looked up by."""
    attributes: Attributes = ()
    first_at: int = 0
    """When it was first known at all."""

    @property
    def key(self) -> VersionKey:
        return (self.id, self.created_at)


@dataclass(frozen=True, slots=True)
class FactVersion:
    """A fact as it was believed to be."""

    id: str
    created_at: int
    expired_at: int | None
    subject_id: str
    subject_name: str
    predicate: str
    object_id: str | None
    """None for a literal."""
    object_text: str
    """The literal, or the object's name."""
    valid_at: int | None
    invalid_at: int | None
    basis: Basis
    precision: Precision
    qualifiers: Attributes
    text: str
    """The fact in words: "Ana lives in Lisbon"."""
    sentence: str
    """What its first source says."""
    confidence: float
    rule: str
    """The extractor's rule."""
    closed_by: str | None
    """The episode that set `invalid_at`."""
    close_rule: str | None

    @property
    def key(self) -> VersionKey:
        return (self.id, self.created_at)

    @property
    def start(self) -> int:
        return UNBOUNDED if self.valid_at is None else self.valid_at

    @property
    def stop(self) -> int:
        return FOREVER if self.invalid_at is None else self.invalid_at


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """That a fact comes from a claim of an episode."""

    fact_id: str
    assertion_id: str
    episode_id: str
    created_at: int
    expired_at: int | None

    @property
    def key(self) -> SourceKey:
        return (self.fact_id, self.assertion_id, self.created_at)


@dataclass(slots=True)
class Changes:
    """Rows to upsert and keys to delete, of one namespace. Applying them twice is applying them once."""

    entities: list[EntityVersion] = field(default_factory=list[EntityVersion])
    facts: list[FactVersion] = field(default_factory=list[FactVersion])
    sources: list[SourceVersion] = field(default_factory=list[SourceVersion])
    gone_entities: list[VersionKey] = field(default_factory=list[VersionKey])
    gone_facts: list[VersionKey] = field(default_factory=list[VersionKey])
    gone_sources: list[SourceKey] = field(default_factory=list[SourceKey])

    def __bool__(self) -> bool:
        return any((self.entities, self.facts, self.sources, self.gone_entities, self.gone_facts, self.gone_sources))
