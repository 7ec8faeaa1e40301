"""Deterministic ids (ground rule 2): UUIDv5 over namespace, sources, kind and place, so that every store has the same."""

import uuid
from typing import Final

_IDS: Final = uuid.UUID("3a5b3f0e-4c0b-5f4e-8a43-2d1f5f5f9a11")


def assertion_id(namespace: str, episode_id: str, place: int) -> str:
    """Of the place-th claim of an episode; also the id of the fact that it is the first source of."""
    return _made(namespace, episode_id, "fact", str(place))


def node_id(namespace: str, key: str, variant: str = "") -> str:
    """Of a name, or of one of several who share it."""
    return _made(namespace, key, "entity", variant)


def community_id(namespace: str, members: str) -> str:
    return _made(namespace, members, "community", "0")


def _made(*parts: str) -> str:
    # Parts hold no NUL: the service refuses it in every text.
    return str(uuid.uuid5(_IDS, "\0".join(parts)))
