"""The logical digest of a graph: equal for stores that answer alike."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, replace

from graph.rows import EntityVersion, FactVersion, SourceVersion

Row = EntityVersion | FactVersion | SourceVersion


def digest(rows: Iterable[Row]) -> str:
    """SHA-256 in hex over rows in any order."""
    lines = sorted(json.dumps([type(row).__name__, *astuple(row)], ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def timeless(row: Row) -> Row:
    """The row without when it was believed."""
    if isinstance(row, EntityVersion):
        return replace(row, created_at=0, first_at=0)
    return replace(row, created_at=0)
