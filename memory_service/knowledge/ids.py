"""Ids of entities: one that was merged into another leads to it."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from graph.ledger.store import Ledger
from graph.stores.sql.schema import fact_sources

FOREVER = 2**62


def entity_of(connection: Connection, namespace: str, entity_id: str, known_at: int | None) -> str:
    """The entity that this one was part of, as known then; itself where it was nobody's."""
    ledger = Ledger(connection, namespace)
    return ledger.entities_of([entity_id], FOREVER - 1 if known_at is None else known_at)[entity_id]


def facts_of(connection: Connection, namespace: str, episode_ids: Sequence[str], known_at: int | None) -> list[str]:
    """Ids of the facts that any of the episodes was a source of."""
    query = select(fact_sources.c.fact_id).where(
        fact_sources.c.namespace == namespace, fact_sources.c.episode_id.in_(episode_ids)
    )
    if known_at is None:
        query = query.where(fact_sources.c.expired_at.is_(None))
    return sorted(set(connection.execute(query).scalars()))


def episodes_of(connection: Connection, namespace: str, entity_id: str, limit: int) -> list[int]:
    """Seqs of the newest episodes that name the entity."""
    ledger = Ledger(connection, namespace)
    nodes = ledger.nodes_of([entity_id], FOREVER - 1)[entity_id]
    return ledger.episodes_naming(nodes, limit)
