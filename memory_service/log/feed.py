"""The feed of a graph store outside: what it was told counts no more once nobody writes down what changes."""

from sqlalchemy import delete, select

from graph.ledger.schema import feed
from graph.stores.sql.schema import positions
from memory_service.log.writer import Transaction


def forget_feed(tx: Transaction) -> None:
    """A store that is named again later is told everything."""
    for table in (feed, positions):
        if tx.connection.execute(select(table).limit(1)).first() is not None:
            tx.connection.execute(delete(table))
