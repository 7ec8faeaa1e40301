"""Evidence and attributes as JSON texts."""

import json
from collections.abc import Mapping
from typing import Any

from graph.model import Scalar
from graph.resolution.evidence import NOTHING, Evidence


def evidence_json(evidence: Evidence) -> str | None:
    """None for what says nothing."""
    if evidence == NOTHING:
        return None
    body: dict[str, Any] = {"type": evidence.type}
    if evidence.constants:
        body["constants"] = {name: sorted(values) for name, values in sorted(evidence.constants.items())}
    if evidence.intervals:
        body["intervals"] = sorted(evidence.intervals)
    if evidence.keys:
        body["keys"] = sorted(evidence.keys)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def evidence_of(text: str | None) -> Evidence:
    if text is None:
        return NOTHING
    body = json.loads(text)
    return Evidence(
        type=body["type"],
        constants={name: frozenset(values) for name, values in body.get("constants", {}).items()},
        intervals=frozenset((p, o, s, e) for p, o, s, e in body.get("intervals", ())),
        keys=frozenset(body.get("keys", ())),
    )


def scalars_json(values: Mapping[str, Scalar]) -> str:
    return "{}" if not values else json.dumps(dict(values), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def scalars_of(text: str | None) -> dict[str, Scalar]:
    return {} if text in (None, "{}") else json.loads(text or "{}")
