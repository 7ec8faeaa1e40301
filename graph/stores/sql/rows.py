"""Rows to versions and back."""

import json
from typing import Any

from graph.model import Scalar
from graph.rows import FOREVER, Attributes, EntityVersion, FactVersion, SourceVersion
from graph.stores.sql.schema import AnyRow
from graph.temporal.assertion import UNBOUNDED


def entity_row(namespace: str, version: EntityVersion) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "id": version.id,
        "created_at": version.created_at,
        "expired_at": version.expired_at,
        "name": version.name,
        "type": version.type,
        "aliases": _json(version.aliases),
        "name_keys": _json(version.name_keys),
        "search_text": "\n".join(version.aliases).casefold(),
        "attributes": _json(dict(version.attributes)),
        "first_at": version.first_at,
    }


def entity_version(row: AnyRow) -> EntityVersion:
    return EntityVersion(
        id=row.id,
        created_at=row.created_at,
        expired_at=row.expired_at,
        name=row.name,
        type=row.type,
        aliases=tuple(json.loads(row.aliases)),
        name_keys=tuple(json.loads(row.name_keys)),
        attributes=_attributes(row.attributes),
        first_at=row.first_at,
    )


def fact_row(namespace: str, version: FactVersion) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "id": version.id,
        "created_at": version.created_at,
        "expired_at": version.expired_at,
        "subject_id": version.subject_id,
        "subject_name": version.subject_name,
        "predicate": version.predicate,
        "object_id": version.object_id,
        "object_text": version.object_text,
        "start": version.start,
        "stop": version.stop,
        "basis": version.basis,
        "precision": version.precision,
        "qualifiers": _json(dict(version.qualifiers)),
        "text": version.text,
        "sentence": version.sentence,
        "search_text": f"{version.text}\n{version.sentence}".casefold(),
        "confidence": version.confidence,
        "rule": version.rule,
        "closed_by": version.closed_by,
        "close_rule": version.close_rule,
    }


def fact_version(row: AnyRow) -> FactVersion:
    return FactVersion(
        id=row.id,
        created_at=row.created_at,
        expired_at=row.expired_at,
        subject_id=row.subject_id,
        subject_name=row.subject_name,
        predicate=row.predicate,
        object_id=row.object_id,
        object_text=row.object_text,
        valid_at=None if row.start == UNBOUNDED else row.start,
        invalid_at=None if row.stop == FOREVER else row.stop,
        basis=row.basis,
        precision=row.precision,
        qualifiers=_attributes(row.qualifiers),
        text=row.text,
        sentence=row.sentence,
        confidence=row.confidence,
        rule=row.rule,
        closed_by=row.closed_by,
        close_rule=row.close_rule,
    )


def source_row(namespace: str, version: SourceVersion) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "fact_id": version.fact_id,
        "assertion_id": version.assertion_id,
        "created_at": version.created_at,
        "expired_at": version.expired_at,
        "episode_id": version.episode_id,
    }


def source_version(row: AnyRow) -> SourceVersion:
    return SourceVersion(row.fact_id, row.assertion_id, row.episode_id, row.created_at, row.expired_at)


def _json(value: object) -> str:
    return "{}" if value == {} else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _attributes(text: str) -> Attributes:
    if text == "{}":
        return ()
    found: dict[str, Scalar] = json.loads(text)
    return tuple(sorted(found.items()))
