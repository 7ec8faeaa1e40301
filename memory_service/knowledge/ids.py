"""Ids of entities: one that was merged into another leads to it."""

from sqlalchemy import Connection

from graph.ledger.store import Ledger

FOREVER = 2**62


def entity_of(connection: Connection, namespace: str, entity_id: str, known_at: int | None) -> str:
    """The entity that this one was part of, as known then; itself where it was nobody's."""
    ledger = Ledger(connection, namespace)
    return ledger.entities_of([entity_id], FOREVER - 1 if known_at is None else known_at)[entity_id]


def episodes_of(connection: Connection, namespace: str, entity_id: str, limit: int) -> list[int]:
    """Seqs of the newest episodes that name the entity."""
    ledger = Ledger(connection, namespace)
    nodes = ledger.nodes_of([entity_id], FOREVER - 1)[entity_id]
    return ledger.episodes_naming(nodes, limit)
