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
