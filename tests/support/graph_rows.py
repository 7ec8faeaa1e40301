"""Rows of a graph, built by hand: what a test does not speak of is filled in."""

from collections.abc import Callable
from typing import Any, TypeAlias

from graph.model import Scalar
from graph.rows import Attributes, EntityVersion, FactVersion, SourceVersion
from graph.stores.port import GraphView

Filled: TypeAlias = Callable[..., GraphView]
"""`filled(entities=[...], facts=[...], ...)` applies rows to a store and returns the view."""


def attributes(**values: Scalar) -> Attributes:
    return tuple(sorted(values.items()))


def entity(id: str, created_at: int = 100, expired_at: int | None = None, **given: Any) -> EntityVersion:
    """Named as its id, unless `name` or `aliases` say otherwise."""
    name = given.pop("name", id)
    aliases = tuple(sorted({name, *given.pop("aliases", ())}))
    keys = given.pop("name_keys", None) or tuple(sorted(alias.casefold() for alias in aliases))
    fields: dict[str, Any] = {"type": "Thing", "first_at": created_at, **given}
    return EntityVersion(id, created_at, expired_at, name, aliases=aliases, name_keys=keys, **fields)


def fact(
    id: str, subject: str = "ana", object: str | None = "lisbon", created_at: int = 100, **given: Any
) -> FactVersion:
    """`object=None` with `literal="..."` for a literal."""
    literal = given.pop("literal", None)
    text = literal if object is None else object
    fields: dict[str, Any] = {
        "expired_at": None,
        "subject_name": subject,
        "predicate": "lives_in",
        "object_id": object,
        "object_text": text or "",
        "valid_at": None,
        "invalid_at": None,
        "basis": "stated",
        "precision": "day",
        "qualifiers": (),
        "text": f"{subject} lives in {text}",
        "sentence": "",
        "confidence": 0.5,
        "rule": "test",
        "closed_by": None,
        "close_rule": None,
        **given,
    }
    return FactVersion(id=id, subject_id=subject, created_at=created_at, **fields)


def source(
    fact_id: str, episode_id: str, created_at: int = 100, expired_at: int | None = None, assertion_id: str | None = None
) -> SourceVersion:
    return SourceVersion(fact_id, assertion_id or f"a-{episode_id}", episode_id, created_at, expired_at)
