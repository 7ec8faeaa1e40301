"""Idempotency keys: the first answer again for 24 hours, in the same transaction as what it answers for."""

import json
from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select, update

from memory_service import limits
from memory_service.errors import Gone, IdempotencyMismatch
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
    answer = json.loads(row.response)
    if any(episode_id is None for episode_id, _ in answer):
        raise Gone(f"What was stored with Idempotency-Key {key!r} was erased since; send it anew with another key.")
    return [Receipt(episode_id, seq) for episode_id, seq in answer]


def remember_answer(tx: Transaction, namespace: str, key: str, body_hash: bytes, receipts: Sequence[Receipt]) -> None:
    """Keeps the answer; an expired row of the key is replaced."""
    tx.connection.execute(delete(idempotency).where(idempotency.c.namespace == namespace, idempotency.c.key == key))
    row = {
        "namespace": namespace,
        "key": key,
        "body_hash": body_hash,
        "response": json.dumps([[r.id, r.seq] for r in receipts]),
        "first_seq": min(r.seq for r in receipts),
        "last_seq": max(r.seq for r in receipts),
        "expires_at": tx.recorded_at + _LIFETIME_MICROS,
    }
    tx.connection.execute(insert(idempotency), row)


def forget_ids(tx: Transaction, namespace: str, seqs: Collection[int]) -> None:
    """Takes erased ids out of the answers kept. The keys stay, so that a late retry cannot store the episodes again."""
    query = select(idempotency.c.key, idempotency.c.response).where(
        idempotency.c.namespace == namespace,
        idempotency.c.last_seq >= min(seqs),
        idempotency.c.first_seq <= max(seqs),
    )
    for row in tx.connection.execute(query).all():
        answer = [[None if seq in seqs else episode_id, seq] for episode_id, seq in json.loads(row.response)]
        own = (idempotency.c.namespace == namespace) & (idempotency.c.key == row.key)
        tx.connection.execute(update(idempotency).where(own).values(response=json.dumps(answer)))


def drop_expired(tx: Transaction) -> int:
    """Deletes answers past their time."""
    return tx.connection.execute(delete(idempotency).where(idempotency.c.expires_at <= tx.recorded_at)).rowcount
