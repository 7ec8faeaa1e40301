"""API keys: random secrets of which only a hash is kept, scoped to namespaces and to read, write or admin."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from memory_service import wire
from memory_service.instants import from_micros
from memory_service.log.schema import AnyRow, api_keys
from memory_service.log.writer import Transaction

PREFIX: Final = "msk_"
_SECRET_BYTES = 32
"""256 random bits: a plain SHA-256 suffices, there is nothing to guess slowly."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key may do."""

    key_id: str
    scopes: frozenset[str]
    namespaces: tuple[str, ...]

    def allows(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def reaches(self, namespace: str) -> bool:
        """Whether the namespace is named, or begins with a prefix that ends in `*`."""
        return any(
            namespace.startswith(pattern[:-1]) if pattern.endswith("*") else namespace == pattern
            for pattern in self.namespaces
        )

    @property
    def reaches_all(self) -> bool:
        return "*" in self.namespaces


EVERYTHING: Final = Grant("none", frozenset({"read", "write", "admin"}), ("*",))
"""The grant of a service whose keys are off."""


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def new_secret() -> str:
    """A key's secret, not yet stored."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def create_key(
    tx: Transaction, name: str, scopes: Sequence[wire.Scope], namespaces: Sequence[str], secret: str | None = None
) -> wire.NewKey:
    """Stores a new key's hash; the secret is in the answer and nowhere else."""
    secret = secret or new_secret()
    kept_scopes, kept_namespaces = sorted(set(scopes)), list(dict.fromkeys(namespaces))
    key_id = secrets.token_hex(8)
    row = {
        "id": key_id,
        "name": name,
        "hash": hash_secret(secret),
        "scopes": json.dumps(kept_scopes),
        "namespaces": json.dumps(kept_namespaces),
        "created_at": tx.recorded_at,
        "revoked_at": None,
    }
    tx.connection.execute(insert(api_keys), row)
    return wire.NewKey(
        id=key_id,
        name=name,
        scopes=kept_scopes,
        namespaces=kept_namespaces,
        created_at=from_micros(tx.recorded_at),
        secret=secret,
    )


def revoke_key(tx: Transaction, key_id: str) -> bool:
    """False when there is no such key. Revoking twice keeps the first time."""
    known = tx.connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id)).first()
    mark = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    tx.connection.execute(mark.values(revoked_at=tx.recorded_at))
    return known is not None


def find_grant(connection: Connection, secret: str) -> Grant | None:
    """The grant of a secret, None when it is unknown or revoked."""
    query = select(api_keys).where(api_keys.c.hash == hash_secret(secret), api_keys.c.revoked_at.is_(None))
    row = connection.execute(query).first()
    if row is None:
        return None
    return Grant(row.id, frozenset(json.loads(row.scopes)), tuple(json.loads(row.namespaces)))


def list_keys(connection: Connection, after_id: str, limit: int) -> list[wire.Key]:
    """By id."""
    query = select(api_keys).where(api_keys.c.id > after_id).order_by(api_keys.c.id).limit(limit)
    return [_key(row) for row in connection.execute(query)]


def any_key(connection: Connection) -> bool:
    """Whether a key that still works exists."""
    return connection.execute(select(api_keys.c.id).where(api_keys.c.revoked_at.is_(None)).limit(1)).first() is not None


def _key(row: AnyRow) -> wire.Key:
    return wire.Key(
        id=row.id,
        name=row.name,
        scopes=json.loads(row.scopes),
        namespaces=json.loads(row.namespaces),
        created_at=from_micros(row.created_at),
        revoked_at=None if row.revoked_at is None else from_micros(row.revoked_at),
    )
