"""The named arguments that several operations share, as types."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from memory_service.wire import EpisodeKind, ResultType


class EpisodeFields(TypedDict, total=False):
    """The fields of one episode besides its content. Instants need an offset, as datetimes and as RFC 3339 text."""

    id: str | None
    """Your own; the service makes one up if there is none. The same id with other content is a conflict."""
    kind: EpisodeKind
    role: str | None
    speaker: str | None
    occurred_at: datetime | str | None
    session_id: str | None
    metadata: Mapping[str, Any] | None


class SearchFilters(TypedDict, total=False):
    """What narrows a search or a context. Instants need an offset, as datetimes and as RFC 3339 text."""

    types: Sequence[ResultType] | None
    as_of: datetime | str | None
    """The moment the question is asked from; relative times in the query are read from here."""
    known_at: datetime | str | None
    """Hides all that was recorded later."""
    after: datetime | str | None
    """Only what occurred at or after this."""
    before: datetime | str | None
    """Only what occurred before this."""
    session_id: str | Sequence[str] | None
    role: str | Sequence[str] | None
    speaker: str | Sequence[str] | None
    metadata: Mapping[str, str | bool | int | float | None] | None
    """Equal values at top-level keys."""
    min_seq: int | None
    """Read your own writes: the `seq` of the append that must be visible."""


class EntityFilters(TypedDict, total=False):
    """What narrows a list of entities; all that is given must fit."""

    type: str | None
    name: str | None
    """One of its names, however it is written."""
    text: str | None
    """A part of one of its names."""
    attributes: Mapping[str, str | bool | int | float] | None
    """Equal values."""
    known_at: datetime | str | None
    """As it was believed then. Default: as known now."""


class FactFilters(TypedDict, total=False):
    """What narrows a list of facts; all that is given must fit. Instants need an offset, as datetimes and as RFC 3339 text."""

    entity: str | None
    """Its id; as subject or as object."""
    subject: str | None
    object: str | None
    predicates: Sequence[str] | None
    """Any of these."""
    text: str | None
    """Words that all occur in the fact or in the sentence that says it."""
    qualifiers: Mapping[str, str | bool | int | float] | None
    """Equal values."""
    as_of: datetime | str | None
    """What was true then. Default: now."""
    known_at: datetime | str | None
    """As it was believed then. Default: as known now."""
    all_times: bool
    """Facts of every time, whether they are true at `as_of` or not."""
