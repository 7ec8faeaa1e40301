"""Cursors: opaque to the caller, checked when they come back. A cursor belongs to one list of one namespace."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from memory_service import limits
from memory_service.errors import InvalidCursor

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=limits.MAX_PAGE_ITEMS, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="next_cursor of the page before.")]


def encode(list_name: str, position: Sequence[str | int]) -> str:
    """A cursor behind this position."""
    body = json.dumps([_tag(list_name), *position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def decode(list_name: str, cursor: str | None, start: Sequence[str | int]) -> list[Any]:
    """The position a cursor stands for, or `start` without one. Raises InvalidCursor."""
    if cursor is None:
        return list(start)
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        tag, *position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise InvalidCursor("The cursor is damaged; start the list again.") from None
    if tag != _tag(list_name) or [type(p) for p in position] != [type(s) for s in start]:
        raise InvalidCursor("The cursor belongs to another list; start the list again.")
    if not all(_is_storable(p) for p in position):
        raise InvalidCursor("The cursor is damaged; start the list again.")
    return position


def _is_storable(value: str | int) -> bool:
    """Whether a database takes the value: anyone can forge a cursor."""
    if isinstance(value, int):
        return 0 <= value < 2**62
    return value.isprintable()


def page(items: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """One more than `limit` was read: the items to show, and the last of them when there is more behind it."""
    shown = items[:limit]
    return shown, shown[-1] if len(items) > limit else None


def _tag(list_name: str) -> str:
    return hashlib.sha256(list_name.encode()).hexdigest()[:8]
