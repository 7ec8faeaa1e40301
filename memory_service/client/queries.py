"""Query parameters: what a URL can carry of instants, lists, objects and booleans."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from memory_service.client.steps import Param
from memory_service.instants import format_instant, parse_instant

_INSTANTS = frozenset({"as_of", "known_at", "since", "until"})


def query(fields: Mapping[str, Any]) -> dict[str, Param]:
    """The fields that were given. Raises ValueError for an instant without an offset, and for NaN and infinities."""
    return {name: _param(name, value) for name, value in fields.items() if value is not None}


def _param(name: str, value: Any) -> Param:
    if name in _INSTANTS or isinstance(value, datetime):
        return format_instant(parse_instant(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if isinstance(value, Iterable):
        return [str(each) for each in value]
    raise TypeError(f"{name} is a {type(value).__name__}, which no query holds")
