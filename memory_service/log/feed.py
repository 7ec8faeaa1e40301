"""The feed of a graph store outside: keys of the versions that it has yet to be told of, written where they change.

What a key's version holds is looked up when the store is told, so that telling twice is telling once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select

from graph.ledger.schema import feed
from graph.rows import Changes
from graph.stores.sql.schema import entities, fact_sources, facts, positions
from memory_service.log.writer import Transaction

DROP: Final = "drop"
"""The kind of a row that orders to let go of a whole namespace."""

VERSIONS: Final[dict[str, tuple[Table, tuple[str, ...]]]] = {
    "entity": (entities, ("id", "created_at")),
    "fact": (facts, ("id", "created_at")),
    "source": (fact_sources, ("fact_id", "assertion_id", "created_at")),
}
"""The table of each kind of row, and the columns of its key."""

_ROWS: Final = 1_000


def teller(connection: Connection, namespace: str) -> Callable[[Changes], None]:
    """What writes down the keys of changed rows."""

    def tell(changes: Changes) -> None:
        _write(connection, namespace, "entity", [*(row.key for row in changes.entities), *changes.gone_entities])
        _write(connection, namespace, "fact", [*(row.key for row in changes.facts), *changes.gone_facts])
        _write(connection, namespace, "source", [*(row.key for row in changes.sources), *changes.gone_sources])

    return tell


def tell_drop(connection: Connection, namespace: str) -> None:
    """Forgets what was to be told of a namespace, and orders to let go of it."""
    connection.execute(delete(feed).where(feed.c.namespace == namespace))
    connection.execute(insert(feed), {"namespace": namespace, "kind": DROP, "row_key": "[]"})


def tell_everything(connection: Connection, namespace: str) -> None:
    """Puts every version of a namespace into the feed, after an order to let go of what the store holds of it."""
    tell_drop(connection, namespace)
    for kind, (table, names) in VERSIONS.items():
        query = select(*(table.c[name] for name in names)).where(table.c.namespace == namespace)
        _write(connection, namespace, kind, [tuple(row) for row in connection.execute(query)])


def forget_feed(tx: Transaction) -> None:
    """What was told, and what was to be, counts no more: a store that is named again later is told everything."""
    for table in (feed, positions):
        if tx.connection.execute(select(table).limit(1)).first() is not None:
            tx.connection.execute(delete(table))


def _write(connection: Connection, namespace: str, kind: str, keys: Sequence[Iterable[Any]]) -> None:
    for start in range(0, len(keys), _ROWS):
        part = keys[start : start + _ROWS]
        rows = [{"namespace": namespace, "kind": kind, "row_key": json.dumps(list(key))} for key in part]
        connection.execute(insert(feed), rows)
