"""Idempotency keys: the first answer again for 24 hours, in the same transaction as what it answers for."""

import json
from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from memory_service import limits
from memory_service.errors import IdempotencyMismatch
from memory_service.log.episodes import Receipt
from memory_service.log.schema import idempotency
from memory_service.log.writer import Transaction

_LIFETIME_MICROS = limits.IDEMPOTENCY_HOURS * 3_600_000_000


def first_answer(tx: Transaction, namespace: str, key: str, body_hash: bytes) -> list[Receipt] | None:
    """The answer given before, or None. Raises IdempotencyMismatch when the key came with another body."""
    query = select(idempotency).where(idempotency.c.namespace == namespace, idempotency.c.key == key)
    row = tx.connection.execute(query).first()
    if row is None or row.expires_at <= tx.recorded_at:
        return None
    if row.body_hash != body_hash:
        raise IdempotencyMismatch(
            f"Idempotency-Key {key!r} was used within {limits.IDEMPOTENCY_HOURS} h with another body."
        )
    return [Receipt(episode_id, seq) for episode_id, seq in json.loads(row.response)]


def remember_answer(tx: Transaction, namespace: str, key: str, body_hash: bytes, receipts: Sequence[Receipt]) -> None:
    """Keeps the answer; an expired row of the key is replaced."""
    tx.connection.execute(delete(idempotency).where(idempotency.c.namespace == namespace, idempotency.c.key == key))
    row = {
        "namespace": namespace,
        "key": key,
        "body_hash": body_hash,
        "response": json.dumps([[r.id, r.seq] for r in receipts]),
        "expires_at": tx.recorded_at + _LIFETIME_MICROS,
    }
    tx.connection.execute(insert(idempotency), row)


def drop_expired(tx: Transaction) -> int:
    """Deletes answers past their time."""
    return tx.connection.execute(delete(idempotency).where(idempotency.c.expires_at <= tx.recorded_at)).rowcount
