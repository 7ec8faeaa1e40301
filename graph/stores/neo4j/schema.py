"""Constraints and indexes, as a numbered list; how far it was run stands in a node.

Every index begins with the namespace and ends with what its queries sort by, so that a page is read off it and no
more: that is also why queries name their index and sort by all of its properties. On an empty database the planner
would rather scan, and would keep that plan for the first minutes of a bulk load.

Servers that speak Bolt without being Neo4j differ here and nowhere else (`await_indexes`).
"""

from typing import Final

from graph.errors import StoreTooNew
from graph.stores.neo4j.driver import Bolt, Transaction, fetch

MIGRATIONS: Final[tuple[tuple[int, tuple[str, ...]], ...]] = (
    (
        1,
        (
            "CREATE CONSTRAINT graph_entity IF NOT EXISTS FOR (n:Entity) REQUIRE (n.ns, n.id) IS UNIQUE",
            "CREATE CONSTRAINT graph_literal IF NOT EXISTS FOR (n:Literal) REQUIRE (n.ns, n.id) IS UNIQUE",
            "CREATE CONSTRAINT graph_name IF NOT EXISTS FOR (n:Name) REQUIRE (n.ns, n.key) IS UNIQUE",
            "CREATE CONSTRAINT graph_feed IF NOT EXISTS FOR (n:GraphFeed) REQUIRE (n.ns) IS UNIQUE",
            "CREATE CONSTRAINT graph_entity_version IF NOT EXISTS"
            " FOR (n:EntityVersion) REQUIRE (n.ns, n.id, n.created_at) IS UNIQUE",
            "CREATE CONSTRAINT graph_source IF NOT EXISTS"
            " FOR (n:Source) REQUIRE (n.ns, n.fact_id, n.assertion_id, n.created_at) IS UNIQUE",
            "CREATE CONSTRAINT graph_fact IF NOT EXISTS"
            " FOR ()-[f:FACT]-() REQUIRE (f.ns, f.id, f.created_at) IS UNIQUE",
            "CREATE INDEX graph_fact_place IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.ns, f.place)",
            "CREATE INDEX graph_fact_subject IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.ns, f.subject_id, f.place)",
            "CREATE INDEX graph_fact_object IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.ns, f.object_id, f.place)",
            "CREATE INDEX graph_fact_begun IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.ns, f.created_at, f.id)",
            "CREATE INDEX graph_fact_ended IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.ns, f.expired_at, f.id)",
        ),
    ),
)
"""Never changed once released: what comes later is appended."""

SCHEMA_VERSION: Final = MIGRATIONS[-1][0]
AWAIT_INDEXES_S: Final = 300


def migrate(bolt: Bolt) -> None:
    """Runs what this database has not had. Raises StoreTooNew, and then changes nothing."""
    known = bolt.read(_schema_version)
    if known > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The graph store has schema {known}; this version reads up to {SCHEMA_VERSION}. Upgrade the service."
        )
    for version, statements in MIGRATIONS:
        if version > known:
            for statement in statements:
                _define(bolt, statement)
            await_indexes(bolt)
            _set_version(bolt, version)


def await_indexes(bolt: Bolt) -> None:
    """Waits until the indexes are filled. Only Neo4j fills them behind one's back."""
    if is_neo4j(bolt.server_agent()):
        _define(bolt, f"CALL db.awaitIndexes({AWAIT_INDEXES_S})")


def is_neo4j(agent: str) -> bool:
    """Others call themselves compatible with it."""
    return agent.startswith("Neo4j/") and "compatible" not in agent


def _define(bolt: Bolt, statement: str) -> None:
    # Definitions cannot share a transaction with data, and some servers want one each.
    async def work(tx: Transaction) -> None:
        await fetch(tx, statement)

    bolt.write(work)


async def _schema_version(tx: Transaction) -> int:
    rows = await fetch(tx, "MATCH (s:GraphSchema) RETURN max(s.version) AS version")
    return (rows[0]["version"] or 0) if rows else 0


def _set_version(bolt: Bolt, version: int) -> None:
    async def work(tx: Transaction) -> None:
        await fetch(tx, "MERGE (s:GraphSchema {id: 'graph'}) SET s.version = $version", version=version)

    bolt.write(work)
