"""Where graphs are read: the log's own database, or a store outside that follows it."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

from graph.errors import StoreError
from graph.stores.port import GraphStore, GraphView
from graph.stores.sql.view import SqlGraphView
from memory_service.errors import GraphUnavailable
from memory_service.log.database import Database


class GraphViews(Protocol):
    """Hands out views scoped to one namespace (ground rule 7)."""

    def view(self, namespace: str) -> GraphView: ...


class EmbeddedGraphs:
    """Graphs in the log's database: what is committed is read at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def view(self, namespace: str) -> GraphView:
        return SqlGraphView(self._connect, namespace)

    def _connect(self) -> AbstractContextManager[Connection]:
        return self._database.read()


class OutsideGraphs:
    """Graphs in a store of their own, as far as it has been told."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store

    def view(self, namespace: str) -> GraphView:
        return self._store.view(namespace)


def unavailable(error: StoreError) -> GraphUnavailable:
    """What a graph store's error means to a caller. Nothing is lost: the store is told again when it is back."""
    return GraphUnavailable(f"The graph store does not answer ({error}). Episodes are stored and searched meanwhile.")
