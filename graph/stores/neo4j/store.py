"""The graph in Neo4j.

    (:Entity {ns, id})                      an id, whether or not a version of it is known yet
    (:EntityVersion)-[:VERSION_OF]->(:Entity)
    (:Entity)-[:SPELT]->(:Name {ns, key})   where to look for a spelling; versions say what to believe
    (:Entity)-[:FACT {...}]->(:Entity)      one version of a fact
    (:Entity)-[:FACT {...}]->(:Literal)     the same, of a literal
    (:Source)                               one version of a fact's source
    (:GraphFeed {ns, position})             how far the namespace's feed is applied
    (:GraphSchema {id, version})

A version of a fact is one relationship that holds all of its properties, its two ends' ids among them. So the graph can be
walked and drawn as one expects, and yet no query of the port walks: an expansion reads all relationships of a node
before it can sort them (26,000 at a hub take 60 ms), while an index on (ns, subject_id, place) gives the first 20 in
order (4 ms with the round trip). `place` is (start descending, id) as one string, so that the index's order is the port's.
Facts as nodes with two relationships each would be indexed as well, at three records to a fact instead of one.
"""

from graph.digest import Row as Version
from graph.digest import digest
from graph.rows import Changes
from graph.stores.neo4j import cypher, schema, write
from graph.stores.neo4j.address import parse_address
from graph.stores.neo4j.driver import Bolt, Transaction, fetch
from graph.stores.neo4j.rows import entity_version, fact_version, source_version
from graph.stores.neo4j.view import Neo4jGraphView


class Neo4jGraphStore:
    """A `GraphStore` on a Bolt server: Neo4j 5.23 or later. Nothing is sent before the first call of a method.

    The URL is `bolt://` or `neo4j://`, and may hold all the rest: bolt://user:password@host:7687/database. A call that
    meets a deadlock or loses its connection is tried again for `retry_s` seconds, then raises StoreUnavailable.
    """

    def __init__(
        self,
        url: str,
        user: str | None = None,
        password: str | None = None,
        database: str | None = None,
        *,
        retry_s: float = 15.0,
        drop_batch: int = 10_000,
    ) -> None:
        self._bolt = Bolt(parse_address(url, user, password, database), retry_s)
        self._drop_batch = drop_batch

    @property
    def name(self) -> str:
        agent = self._bolt.server_agent()
        if schema.is_neo4j(agent):
            return agent.replace("Neo4j/", "neo4j ")
        return f"{agent.partition('(')[2].rstrip(')') or agent} (bolt)".lower()

    def migrate(self) -> None:
        schema.migrate(self._bolt)

    def view(self, namespace: str) -> Neo4jGraphView:
        return Neo4jGraphView(self._bolt, namespace)

    def position(self, namespace: str) -> int:
        rows = self._bolt.read(lambda tx: fetch(tx, cypher.POSITION, ns=namespace))
        return rows[0]["position"] if rows else 0

    def apply(self, namespace: str, changes: Changes, position: int) -> None:
        self._bolt.write(lambda tx: write.apply(tx, namespace, changes, position))

    def drop(self, namespace: str) -> None:
        """In batches: a namespace may hold more than one transaction can. What is interrupted is finished by another."""
        for statement in cypher.DROP:
            while self._drop_some(statement, namespace):
                pass

    def _drop_some(self, statement: str, namespace: str) -> int:
        return self._bolt.write(lambda tx: write.drop(tx, statement, namespace, self._drop_batch))

    def digest(self, namespace: str) -> str:
        return digest(self._bolt.read(lambda tx: _all_versions(tx, namespace)))

    def close(self) -> None:
        self._bolt.close()


async def _all_versions(tx: Transaction, namespace: str) -> list[Version]:
    found: list[Version] = []
    for statement, made in zip(cypher.ALL_ROWS, (entity_version, fact_version, source_version), strict=True):
        found += [made(row["row"]) for row in await fetch(tx, statement, ns=namespace)]
    return found
