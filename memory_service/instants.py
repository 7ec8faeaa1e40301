"""Instants: aware, kept in UTC as integer microseconds together with the offset they were given in (ground rule 5)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?")


def parse_instant(value: Any) -> datetime:
    """An aware datetime from RFC 3339 text or a datetime. Raises ValueError with what is wrong."""
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise ValueError("must be an RFC 3339 timestamp with an offset, as 2026-03-01T09:30:00+01:00")
        try:
            value = datetime.fromisoformat(value.upper().replace(" ", "T"))
        except ValueError as error:
            raise ValueError(f"is no possible date and time: {error}") from None
    if not isinstance(value, datetime):
        raise ValueError("must be an RFC 3339 timestamp as text")
    if value.tzinfo is None:
        raise ValueError("has no offset: write Z or +HH:MM, since a naive time names no instant")
    offset = value.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        raise ValueError("has an offset that is not whole minutes")
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside years 1 to 9999 in UTC") from None
    return value


def format_instant(value: datetime) -> str:
    """RFC 3339 text in the offset the instant was given in."""
    return value.isoformat().replace("+00:00", "Z")


def to_micros(value: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (value - _EPOCH) // _MICROSECOND


def to_offset_minutes(value: datetime) -> int:
    """The offset from UTC, in minutes."""
    offset = value.utcoffset()
    assert offset is not None, "instants are aware"
    return int(offset.total_seconds()) // 60


def from_micros(micros: int, offset_minutes: int = 0) -> datetime:
    """The instant of these microseconds, told in the offset."""
    zone = UTC if offset_minutes == 0 else timezone(timedelta(minutes=offset_minutes))
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(zone)


def within_calendar(micros: int) -> datetime:
    """The instant in UTC; before the calendar's first or after its last one, that one. What never held ends before it all."""
    return from_micros(min(max(micros, to_micros(EARLIEST)), to_micros(LATEST)))


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A pydantic field that takes only instants with an offset."""
