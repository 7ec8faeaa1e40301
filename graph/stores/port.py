"""The port of a graph store. Every adapter passes one contract suite (ground rule 12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from graph.model import Scalar
from graph.rows import Changes, EntityVersion, FactVersion


@dataclass(frozen=True, slots=True)
class Moment:
    """From where the graph is looked at: what was true then, as known then. None is now."""

    as_of: int | None = None
    """None: facts of every time."""
    known_at: int | None = None
    """None: as known now."""


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """All that is given must fit."""

    type: str | None = None
    name_keys: Sequence[str] | None = None
    """Entities with any of these normalised spellings."""
    text: str | None = None
    """Entities with a spelling that holds this, letters' case apart."""
    attributes: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])


@dataclass(frozen=True, slots=True)
class FactFilter:
    """All that is given must fit."""

    entity: str | None = None
    """As subject or object."""
    subject: str | None = None
    object: str | None = None
    predicates: Sequence[str] | None = None
    text: str | None = None
    """Every word occurs in the fact's text or sentence, letters' case apart."""
    qualifiers: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    ids: Sequence[str] | None = None


class GraphView(Protocol):
    """One namespace, read-only (ground rule 7). Raises StoreError."""

    def entities(self, wanted: EntityFilter, known_at: int | None, after: str, limit: int) -> list[EntityVersion]:
        """By id, from the one after `after`. At most one version of each: that believed at known_at."""
        ...

    def entities_by_id(self, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]: ...

    def facts(self, wanted: FactFilter, at: Moment, after: tuple[int, str] | None, limit: int) -> list[FactVersion]:
        """By (start descending, id), from the one after `after`, which is a pair of those."""
        ...

    def fact_history(self, fact_id: str) -> list[FactVersion]:
        """All versions ever believed, by created_at."""
        ...

    def edges(
        self, entity_ids: Sequence[str], at: Moment, per_entity: int, predicates: Sequence[str] | None
    ) -> list[FactVersion]:
        """Facts between entities that touch one of these: for each at most per_entity, by (start descending, id), subject
        side first. A fact that touches two of them comes once."""
        ...

    def sources(self, fact_ids: Sequence[str], known_at: int | None) -> dict[str, list[str]]:
        """Episode ids of each fact, sorted."""
        ...

    def changes(
        self, since: int, until: int, after: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, FactVersion]]:
        """Versions whose belief began or ended in [since, until), with that moment, by (moment, id). One that did both
        comes twice. A page never parts those of one (moment, id), and may be a little longer for it."""
        ...

    def all_edges(self, at: Moment, limit: int) -> list[tuple[str, str, str]]:
        """(fact id, subject, object) of facts between entities, by fact id."""
        ...


class GraphStore(Protocol):
    """A database that holds graphs of many namespaces. Thread-safe."""

    @property
    def name(self) -> str:
        """The kind of database with its version, for people."""
        ...

    def migrate(self) -> None:
        """Makes or brings up to date its schema. Raises StoreTooNew, StoreRefused, StoreUnavailable."""
        ...

    def view(self, namespace: str) -> GraphView: ...

    def position(self, namespace: str) -> int:
        """How far the namespace's feed is applied; 0 where nothing is."""
        ...

    def apply(self, namespace: str, changes: Changes, position: int) -> None:
        """Writes the changes and the new position together, or nothing. Deletes first, then upserts. Idempotent."""
        ...

    def drop(self, namespace: str) -> None:
        """Deletes all that it holds of a namespace."""
        ...

    def digest(self, namespace: str) -> str:
        """SHA-256 over all versions, in hex: equal for stores that hold the same."""
        ...

    def close(self) -> None: ...
