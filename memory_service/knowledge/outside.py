"""Opening the graph store that MEMORY_GRAPH_URL names."""

from typing import Final

from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import ArgumentError

from graph.errors import StoreError, StoreUnavailable
from graph.stores.port import GraphStore
from graph.stores.sql import SqlGraphStore
from memory_service.errors import ConfigurationError

_BOLT: Final = ("bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://")
_SQL: Final = ("postgresql://", "postgresql+psycopg://", "sqlite://")
_RETRY_S: Final = 2.0
"""How long a question is asked again: whoever asks waits. What is to be told is tried again without end."""

_CONNECT_S: Final = 5


def open_graph_store(url: str) -> GraphStore:
    """Raises ConfigurationError for an address that is none, or a store that refuses us. One that is down may come back."""
    try:
        store = _store(url)
    except (StoreError, ValueError, ArgumentError) as error:
        # The text of an address that cannot be read is not shown: it may hold a password.
        told = (
            error if isinstance(error, StoreError) else "it cannot be read as scheme://user:password@host:port/database"
        )
        raise ConfigurationError(f"MEMORY_GRAPH_URL: {told}") from None
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
        return Neo4jGraphStore(url, retry_s=_RETRY_S)
    if url.startswith(_SQL):
        try:
            return SqlGraphStore(_sql_url(url))
        except ImportError as error:
            raise ConfigurationError("MEMORY_GRAPH_URL names PostgreSQL: install the `postgresql` extra.") from error
    raise ConfigurationError(
        "MEMORY_GRAPH_URL must begin with bolt://, neo4j://, postgresql:// or sqlite://, and name a database."
    )


def _sql_url(url: str) -> str:
    parsed = make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
    if parsed.get_backend_name() == "postgresql" and "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": str(_CONNECT_S)})
    return parsed.render_as_string(hide_password=False)
