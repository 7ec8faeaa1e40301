"""The parts that requests are made of: paths, parameters, bodies and keys, checked before anything is sent."""

import json
import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel

from memory_service.limits import ID_PATTERN, IDEMPOTENCY_KEY_PATTERN

_ID = re.compile(ID_PATTERN)
_IDEMPOTENCY_KEY = re.compile(IDEMPOTENCY_KEY_PATTERN)
JSON_HEADERS = {"Content-Type": "application/json"}


def path(*segments: str) -> str:
    """The path /v1/... of literal segments and ids. Raises ValueError for an id that cannot stand in a URL."""
    return "/".join(["/v1", *map(_segment, segments)])


def _segment(value: str) -> str:
    # An id with a slash, or one of dots, would name another resource: a DELETE of episode ".." is its namespace's.
    if not _ID.fullmatch(value) or value in {".", ".."}:
        raise ValueError(f"{value!r} is no id: 1 to 128 of A-Z a-z 0-9 . _ : ~ # @ - and neither '.' nor '..'")
    return quote(value, safe="")


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given; the service has its own defaults for the others."""
    return {name: value for name, value in fields.items() if value is not None}


def json_body(request: BaseModel) -> bytes:
    """The fields that were set, as JSON. Raises ValueError for NaN and infinities, which JSON cannot hold."""
    fields = request.model_dump(mode="json", exclude_unset=True)
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def idempotency_headers(key: str | None) -> dict[str, str]:
    """The header that makes a repeated append the same append. Raises ValueError for a key that the service would refuse."""
    key = str(uuid4()) if key is None else key
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise ValueError(f"idempotency_key {key[:80]!r} must be 1 to 256 printable ASCII characters without spaces")
    return {"Idempotency-Key": key}
