"""The graph in Neo4j, or in a database that speaks its protocol."""

from graph.stores.neo4j.store import Neo4jGraphStore

__all__ = ["Neo4jGraphStore"]
