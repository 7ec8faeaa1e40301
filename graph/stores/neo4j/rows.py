"""Versions to properties and back.

Open ends are FOREVER, so that one comparison tells what is visible. A fact's `place` is its (start descending, id) as one
string: an index on it gives that order, and a page continues from it exactly, however many facts share a start.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from graph.model import Scalar
from graph.rows import FOREVER, Attributes, EntityVersion, FactVersion, SourceVersion
from graph.stores.neo4j.driver import Row
from graph.temporal.assertion import UNBOUNDED

ANY_TIME: Final = -(2**63)
"""Before every end."""


def place(start: int, fact_id: str = "") -> str:
    """Sorts by (start descending, id). Without an id it sorts before all facts of this start."""
    clamped = min(max(start, UNBOUNDED), FOREVER)
    return f"{FOREVER - clamped:016x} {fact_id}"


def literal_id(text: str) -> str:
    """What a literal's node is found by: a text can be too long for an index."""
    return hashlib.sha256(text.encode()).hexdigest()


def marks(values: Mapping[str, Scalar] | Attributes) -> list[str]:
    """One string to a name and value, equal for what is equal: True is not 1, and 1 is 1.0."""
    pairs: Iterable[tuple[str, Scalar]] = values.items() if isinstance(values, Mapping) else values
    return [json.dumps([name, *_kind(value)], ensure_ascii=False) for name, value in pairs]


def _kind(value: Scalar) -> tuple[str, str]:
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, str):
        return ("text", value)
    is_whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer())
    return ("number", str(int(value)) if is_whole else repr(value))


def entity_row(namespace: str, version: EntityVersion) -> Row:
    return {
        "ns": namespace,
        "id": version.id,
        "created_at": version.created_at,
        "expired_at": _end(version.expired_at),
        "name": version.name,
        "type": version.type,
        "aliases": list(version.aliases),
        "name_keys": list(version.name_keys),
        "search": [alias.casefold() for alias in version.aliases],
        "attributes": _json(version.attributes),
        "marks": marks(version.attributes),
        "first_at": version.first_at,
    }


def entity_version(row: Row) -> EntityVersion:
    return EntityVersion(
        id=row["id"],
        created_at=row["created_at"],
        expired_at=_open(row["expired_at"]),
        name=row["name"],
        type=row["type"],
        aliases=tuple(row["aliases"]),
        name_keys=tuple(row["name_keys"]),
        attributes=_attributes(row["attributes"]),
        first_at=row["first_at"],
    )


def fact_row(namespace: str, version: FactVersion) -> Row:
    """Properties that are None are left out by the database: a literal has no object_id, and is in no index of objects."""
    return {
        "ns": namespace,
        "id": version.id,
        "created_at": version.created_at,
        "expired_at": _end(version.expired_at),
        "subject_id": version.subject_id,
        "subject_name": version.subject_name,
        "predicate": version.predicate,
        "object_id": version.object_id,
        "object_text": version.object_text,
        "start": version.start,
        "stop": version.stop,
        "place": place(version.start, version.id),
        "basis": version.basis,
        "precision": version.precision,
        "qualifiers": _json(version.qualifiers),
        "marks": marks(version.qualifiers),
        "text": version.text,
        "sentence": version.sentence,
        "search": f"{version.text}\n{version.sentence}".casefold(),
        "confidence": float(version.confidence),
        "rule": version.rule,
        "closed_by": version.closed_by,
        "close_rule": version.close_rule,
    }


def fact_version(row: Row) -> FactVersion:
    return FactVersion(
        id=row["id"],
        created_at=row["created_at"],
        expired_at=_open(row["expired_at"]),
        subject_id=row["subject_id"],
        subject_name=row["subject_name"],
        predicate=row["predicate"],
        object_id=row.get("object_id"),
        object_text=row["object_text"],
        valid_at=None if row["start"] == UNBOUNDED else row["start"],
        invalid_at=_open(row["stop"]),
        basis=row["basis"],
        precision=row["precision"],
        qualifiers=_attributes(row["qualifiers"]),
        text=row["text"],
        sentence=row["sentence"],
        confidence=row["confidence"],
        rule=row["rule"],
        closed_by=row.get("closed_by"),
        close_rule=row.get("close_rule"),
    )


def source_row(namespace: str, version: SourceVersion) -> Row:
    return {
        "ns": namespace,
        "fact_id": version.fact_id,
        "assertion_id": version.assertion_id,
        "episode_id": version.episode_id,
        "created_at": version.created_at,
        "expired_at": _end(version.expired_at),
    }


def source_version(row: Row) -> SourceVersion:
    return SourceVersion(
        row["fact_id"], row["assertion_id"], row["episode_id"], row["created_at"], _open(row["expired_at"])
    )


def _end(moment: int | None) -> int:
    return FOREVER if moment is None else moment


def _open(moment: int) -> int | None:
    return None if moment == FOREVER else moment


def _json(values: Attributes) -> str:
    return json.dumps(dict(values), ensure_ascii=False)


def _attributes(text: str) -> Attributes:
    found: dict[str, Any] = json.loads(text)
    return tuple(sorted(found.items()))
