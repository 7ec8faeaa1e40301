"""Opening the graph store that MEMORY_GRAPH_URL names."""

from graph.errors import StoreError, StoreUnavailable
from graph.stores.port import GraphStore
from graph.stores.sql import SqlGraphStore
from memory_service.errors import ConfigurationError

_BOLT = ("bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://")
_SQL = ("postgresql://", "postgresql+psycopg://", "sqlite://")


def open_graph_store(url: str) -> GraphStore:
    """Raises ConfigurationError for an address that is none, or a store that refuses us. One that is down may come back."""
    store = _store(url)
    try:
        store.migrate()
    except StoreUnavailable:
        pass  # the projector makes the schema when it is there
    except StoreError as error:
        store.close()
        raise ConfigurationError(f"MEMORY_GRAPH_URL: {error}") from error
    return store


def _store(url: str) -> GraphStore:
    if url.startswith(_BOLT):
        try:
            from graph.stores.neo4j import Neo4jGraphStore
        except ImportError as error:
            raise ConfigurationError("MEMORY_GRAPH_URL names a Bolt server: install the `neo4j` extra.") from error
        try:
            return Neo4jGraphStore(url)
        except ValueError as error:
            raise ConfigurationError(f"MEMORY_GRAPH_URL: {error}") from None
    if url.startswith(_SQL):
        plain = url.replace("postgresql://", "postgresql+psycopg://", 1)
        try:
            return SqlGraphStore(plain)
        except ImportError as error:
            raise ConfigurationError("MEMORY_GRAPH_URL names PostgreSQL: install the `postgresql` extra.") from error
    raise ConfigurationError(
        "MEMORY_GRAPH_URL must begin with bolt://, neo4j://, postgresql:// or sqlite://, and name a database."
    )
