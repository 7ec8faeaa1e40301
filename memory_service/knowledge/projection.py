"""A graph store outside follows the log's: a thread reads the feed of changed rows and applies them, in order and idempotently.

The feed is written in the transactions that change the graph. A batch and the store's new position are applied together; only
then do its rows leave the feed. A store that was down, or was emptied, or restored from a backup, catches up: where its position
is not the one that was last told, its namespace is dropped and told again from the beginning.
"""

import json
import threading
from collections.abc import Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Connection, delete, func, select, tuple_

from graph.errors import StoreError
from graph.ledger.schema import feed
from graph.rows import Changes
from graph.stores.port import GraphStore
from graph.stores.sql.dialect import upsert
from graph.stores.sql.rows import entity_version, fact_version, source_version
from graph.stores.sql.schema import AnyRow, positions
from memory_service.log.feed import DROP, VERSIONS, tell_everything
from memory_service.log.schema import namespaces
from memory_service.log.store import Store
from memory_service.observability import metrics

_log = structlog.get_logger(__name__)
_BATCH: Final = 2_000
_KEYS: Final = 300
_POLL_S: Final = 0.5
_OUTAGE_S: Final = 2.0


class Projector:
    """Tells an outside graph store what changed. One per store of the log; runs beside the worker."""

    def __init__(self, store: Store, target: GraphStore) -> None:
        self._store = store
        self._target = target
        self._stopping = threading.Event()
        self._nudge = threading.Event()
        self._is_migrated = False
        self._is_reachable = True
        self._checked: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="graph-projector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends after the batch at hand, and closes the store outside."""
        self._stopping.set()
        self._nudge.set()
        if self._thread.is_alive():
            self._thread.join()
        self._target.close()

    @property
    def is_healthy(self) -> bool:
        return self._thread.ident is None or self._thread.is_alive()

    @property
    def is_reachable(self) -> bool:
        """Whether the store outside answered when it was last spoken to."""
        return self._is_reachable

    def catch_up(self, namespace: str) -> None:
        """Applies what the feed holds of a namespace. Raises StoreError."""
        if not self._is_migrated:
            self._target.migrate()
            self._is_migrated = True
        self._check_position(namespace)
        while rows := self._read(namespace):
            self._apply(namespace, rows)

    def lag(self) -> int:
        """Rows of the feed that the store has not been told."""
        with self._store.database.read() as connection:
            return connection.execute(select(func.count()).select_from(feed)).scalar_one()

    def wait(self, namespace: str, timeout_s: float) -> bool:
        """Whether the store has been told all of a namespace before the time is up."""
        deadline = threading.Event()
        timer = threading.Timer(timeout_s, deadline.set)
        timer.start()
        try:
            while not deadline.is_set():
                if not self._read(namespace, 1):
                    return True
                self._nudge.set()
                deadline.wait(0.02)
        finally:
            timer.cancel()
        return False

    # --- the loop -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = _POLL_S
            try:
                self._step()
            except StoreError as error:
                _log.warning("graph_store_outage", error=str(error))
                metrics.graph_store_outages.inc()
                self._is_reachable = False
                pause = _OUTAGE_S
            except Exception as error:  # noqa: BLE001 - logged and counted; a thread that ends would leave the store behind
                _log.warning("graph_projection_failed", error=type(error).__name__, exc_info=True)
                metrics.graph_store_outages.inc()
                pause = _OUTAGE_S
            self._nudge.wait(pause)
            self._nudge.clear()

    def _step(self) -> None:
        for namespace in self._waiting():
            if self._stopping.is_set():
                return
            self.catch_up(namespace)
            self._is_reachable = True
        metrics.graph_store_lag.set(self.lag())

    def _waiting(self) -> list[str]:
        """Namespaces with something to tell, and at the first look every one: the store may have lost it."""
        with self._store.database.read() as connection:
            fed = set(connection.execute(select(feed.c.namespace).distinct()).scalars())
            known = set(connection.execute(select(namespaces.c.name)).scalars())
        return sorted(fed | (known - self._checked))

    # --- one namespace --------------------------------------------------------------------------------------------------

    def _check_position(self, namespace: str) -> None:
        if namespace in self._checked:
            return
        query = select(positions.c.position).where(positions.c.namespace == namespace)
        with self._store.database.read() as connection:
            told = connection.execute(query).scalar() or 0
        if self._target.position(namespace) != told or told == 0:
            self._store.writer.write(lambda tx: tell_everything(tx.connection, namespace))
        self._checked.add(namespace)

    def _read(self, namespace: str, limit: int = _BATCH) -> Sequence[AnyRow]:
        query = select(feed).where(feed.c.namespace == namespace).order_by(feed.c.id).limit(limit)
        with self._store.database.read() as connection:
            return connection.execute(query).all()

    def _apply(self, namespace: str, rows: Sequence[AnyRow]) -> None:
        """An order to drop stands alone: what comes after it is a new beginning."""
        cut = next((place for place, row in enumerate(rows) if row.kind == DROP), None)
        done = rows[:1] if cut == 0 else rows[:cut]
        last = done[-1].id
        with self._store.database.read() as connection:
            is_there = _exists(connection, namespace)
            changes = _changes(connection, namespace, done)
        if cut == 0:
            self._target.drop(namespace)
        if cut != 0 or is_there:
            self._target.apply(namespace, changes, last)
        self._store.writer.write(lambda tx: _forget(tx.connection, namespace, last))


def _forget(connection: Connection, namespace: str, last: int) -> None:
    """Of a namespace that is no more, not even the name stays."""
    connection.execute(delete(feed).where(feed.c.namespace == namespace, feed.c.id <= last))
    if _exists(connection, namespace):
        upsert(connection, positions, [{"namespace": namespace, "position": last}])
    else:
        connection.execute(delete(positions).where(positions.c.namespace == namespace))


def _exists(connection: Connection, namespace: str) -> bool:
    query = select(namespaces.c.name).where(namespaces.c.name == namespace)
    return connection.execute(query).first() is not None


def _changes(connection: Connection, namespace: str, rows: Sequence[AnyRow]) -> Changes:
    """What the fed keys hold now; those that hold nothing are gone."""
    changes = Changes()
    keys: dict[str, list[Any]] = {kind: [] for kind in VERSIONS}
    for row in rows:
        if row.kind in keys:
            keys[row.kind].append(tuple(json.loads(row.row_key)))
    changes.entities, changes.gone_entities = _rows(connection, namespace, "entity", keys, entity_version)
    changes.facts, changes.gone_facts = _rows(connection, namespace, "fact", keys, fact_version)
    changes.sources, changes.gone_sources = _rows(connection, namespace, "source", keys, source_version)
    return changes


def _rows(
    connection: Connection, namespace: str, kind: str, keys: dict[str, list[Any]], made: Any
) -> tuple[list[Any], list[Any]]:
    table, names = VERSIONS[kind]
    wanted = sorted(set(keys[kind]))
    key = tuple_(*(table.c[name] for name in names))
    found: list[Any] = []
    for start in range(0, len(wanted), _KEYS):
        part = wanted[start : start + _KEYS]
        query = select(table).where(table.c.namespace == namespace, key.in_(part))
        found += [made(row) for row in connection.execute(query)]
    present = {version.key for version in found}
    return found, [each for each in wanted if each not in present]
