"""The statements. Their text is fixed: data comes in as parameters only, and each names the namespace.

Portable Cypher: no procedures, no plugins. `USING INDEX` and sorting by every property of the index make the plan the
one that is meant (see `schema`).
"""

from collections.abc import Iterable
from typing import Final

# --- what is visible --------------------------------------------------------------------------------------------------

KNOWN: Final = "{x}.created_at <= $known AND {x}.expired_at > $known"
VISIBLE: Final = "f.place > $low AND f.stop > $as_of AND f.created_at <= $known AND f.expired_at > $known"

# --- reading ----------------------------------------------------------------------------------------------------------

ENTITY_CLAUSES: Final = {
    "type": "v.type = $type",
    "keys": "any(k IN v.name_keys WHERE k IN $keys)",
    "text": "any(s IN v.search WHERE s CONTAINS $text)",
    "marks": "all(m IN $marks WHERE m IN v.marks)",
}

FACT_CLAUSES: Final = {
    "subject": "f.subject_id = $subject",
    "object": "f.object_id = $object",
    "predicates": "f.predicate IN $predicates",
    "words": "all(w IN $words WHERE f.search CONTAINS w)",
    "marks": "all(m IN $marks WHERE m IN f.marks)",
    "ids": "f.id IN $ids",
}


def entities(clauses: Iterable[str]) -> str:
    return (
        "MATCH (v:EntityVersion) USING INDEX v:EntityVersion(ns, id, created_at)"
        f" WHERE {_all('v.ns = $ns', 'v.id > $after', KNOWN.format(x='v'), *clauses)}"
        " RETURN properties(v) AS row ORDER BY v.ns, v.id LIMIT $limit"
    )


def entities_of(clauses: Iterable[str]) -> str:
    """Of ids that are given: a few, found one by one."""
    return (
        "MATCH (v:EntityVersion) USING INDEX v:EntityVersion(ns, id, created_at)"
        f" WHERE {_all('v.ns = $ns', 'v.id IN $ids', KNOWN.format(x='v'), *clauses)}"
        " RETURN properties(v) AS row"
    )


SPELT: Final = """
    MATCH (n:Name)<-[:SPELT]-(e:Entity)
    WHERE n.ns = $ns AND n.key IN $keys AND e.id > $after
    RETURN DISTINCT e.id AS id"""


def facts(side: str | None, clauses: Iterable[str]) -> str:
    """In order of place: all, or those whose `side` is $entity."""
    properties = ("ns", "place") if side is None else ("ns", side, "place")
    own = () if side is None else (f"f.{side} = $entity",)
    return (
        f"MATCH ()-[f:FACT]->() USING INDEX f:FACT({', '.join(properties)})"
        f" WHERE {_all('f.ns = $ns', *own, VISIBLE, *clauses)}"
        f" RETURN properties(f) AS row ORDER BY {_by(properties)} LIMIT $limit"
    )


def facts_by_id(clauses: Iterable[str]) -> str:
    return (
        "MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, id, created_at)"
        f" WHERE {_all('f.ns = $ns', VISIBLE, *clauses)}"
        " RETURN properties(f) AS row ORDER BY f.place LIMIT $limit"
    )


def edges(side: str, clauses: Iterable[str]) -> str:
    """Each entity's first facts on one side, read off an index and cut there, however many it has.

    The walk from the entity's node says nothing that the index does not; a server that cannot use an index of
    relationships walks. Neo4j compares the node it finds with the one it has.
    """
    pattern = {"subject_id": "(e)-[f:FACT]->()", "object_id": "(e)<-[f:FACT]-()"}[side]
    return (
        "UNWIND $entities AS entity MATCH (e:Entity {ns: $ns, id: entity}) CALL (e, entity) {"
        f" MATCH {pattern} USING INDEX f:FACT(ns, {side}, place)"
        f" WHERE {_all('f.ns = $ns', f'f.{side} = entity', VISIBLE, 'f.object_id IS NOT NULL', *clauses)}"
        f" RETURN f ORDER BY {_by(('ns', side, 'place'))} LIMIT $limit"
        " } RETURN entity, properties(f) AS row"
    )


HISTORY: Final = """
    MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, id, created_at)
    WHERE f.ns = $ns AND f.id = $id AND f.created_at IS NOT NULL
    RETURN properties(f) AS row ORDER BY f.ns, f.id, f.created_at"""

SOURCES: Final = f"""
    MATCH (s:Source) USING INDEX s:Source(ns, fact_id, assertion_id, created_at)
    WHERE s.ns = $ns AND s.fact_id IN $ids AND s.assertion_id IS NOT NULL AND {KNOWN.format(x="s")}
    RETURN s.fact_id AS fact, s.episode_id AS episode"""

ALL_EDGES: Final = f"""
    MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, id, created_at)
    WHERE f.ns = $ns AND f.id > '' AND {VISIBLE} AND f.object_id IS NOT NULL
    RETURN f.id AS id, f.subject_id AS subject, f.object_id AS object ORDER BY f.ns, f.id LIMIT $limit"""


def changes(moment: str) -> str:
    """Versions whose `moment` (created_at or expired_at) lies in the window, from the one after ($moment, $last)."""
    return (
        f"MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, {moment}, id)"
        f" WHERE f.ns = $ns AND f.{moment} >= $since AND f.{moment} < $until"
        f" AND (f.{moment} > $moment OR f.{moment} = $moment AND f.id > $last)"
        f" RETURN f.{moment} AS moment, properties(f) AS row ORDER BY {_by(('ns', moment, 'id'))} LIMIT $limit"
    )


POSITION: Final = "MATCH (p:GraphFeed) WHERE p.ns = $ns RETURN p.position AS position"

ALL_ROWS: Final = (
    "MATCH (v:EntityVersion) WHERE v.ns = $ns RETURN properties(v) AS row",
    "MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, place) WHERE f.ns = $ns AND f.place > '' RETURN properties(f) AS row",
    "MATCH (s:Source) WHERE s.ns = $ns RETURN properties(s) AS row",
)

# --- writing ----------------------------------------------------------------------------------------------------------

SET_POSITION: Final = "MERGE (p:GraphFeed {ns: $ns}) SET p.position = $position"

REWRITE_FACTS: Final = """
    UNWIND $rows AS row
    MATCH (a)-[f:FACT {ns: $ns, id: row.fact.id, created_at: row.fact.created_at}]->(b)
    USING INDEX f:FACT(ns, id, created_at)
    WHERE a.id = row.fact.subject_id AND b.id = row.head
    SET f = row.fact
    RETURN f.id AS id, f.created_at AS created_at"""

REMOVE_FACTS: Final = """
    UNWIND $rows AS row
    MATCH (a)-[f:FACT {ns: $ns, id: row.id, created_at: row.created_at}]->(b) USING INDEX f:FACT(ns, id, created_at)
    WITH f, a.id AS tail, b.id AS head
    DELETE f
    RETURN tail, head"""

_PUT_FACTS: Final = """
    UNWIND $rows AS row
    MERGE (a:Entity {{ns: $ns, id: row.fact.subject_id}})
    MERGE (b:{label} {{ns: $ns, id: row.head}}){then}
    CREATE (a)-[f:FACT]->(b)
    SET f = row.fact"""

PUT_ENTITY_FACTS: Final = _PUT_FACTS.format(label="Entity", then="")
PUT_LITERAL_FACTS: Final = _PUT_FACTS.format(label="Literal", then=" ON CREATE SET b.text = row.fact.object_text")

OLD_NAMES: Final = """
    UNWIND $rows AS row
    MATCH (v:EntityVersion {ns: $ns, id: row.id, created_at: row.created_at})
    RETURN v.id AS id, v.created_at AS created_at, v.name_keys AS keys"""

REMOVE_ENTITIES: Final = """
    UNWIND $rows AS row
    MATCH (v:EntityVersion {ns: $ns, id: row.id, created_at: row.created_at})
    DETACH DELETE v"""

PUT_ENTITIES: Final = """
    UNWIND $rows AS row
    MERGE (e:Entity {ns: $ns, id: row.id})
    MERGE (v:EntityVersion {ns: $ns, id: row.id, created_at: row.created_at})
    SET v = row
    MERGE (v)-[:VERSION_OF]->(e)"""

SPELLINGS: Final = """
    UNWIND $rows AS row
    MATCH (e:Entity {ns: $ns, id: row.id})-[:SPELT]->(n:Name)
    RETURN row.id AS id, n.key AS key"""

PUT_NAMES: Final = """
    UNWIND $rows AS row
    MATCH (e:Entity {ns: $ns, id: row.id})
    MERGE (n:Name {ns: $ns, key: row.key})
    CREATE (e)-[:SPELT]->(n)"""

REMOVE_NAMES: Final = """
    UNWIND $rows AS row
    MATCH (e:Entity {ns: $ns, id: row.id})-[s:SPELT]->(n:Name {ns: $ns, key: row.key})
    WHERE NOT EXISTS { MATCH (v:EntityVersion {ns: $ns, id: row.id}) WHERE row.key IN v.name_keys }
    DELETE s"""

REMOVE_SOURCES: Final = """
    UNWIND $rows AS row
    MATCH (s:Source {ns: $ns, fact_id: row.fact_id, assertion_id: row.assertion_id, created_at: row.created_at})
    DELETE s"""

PUT_SOURCES: Final = """
    UNWIND $rows AS row
    MERGE (s:Source {ns: $ns, fact_id: row.fact_id, assertion_id: row.assertion_id, created_at: row.created_at})
    SET s = row"""


def sweep(label: str, key: str) -> str:
    """Deletes those of the given nodes that nothing is tied to any more."""
    return (
        f"UNWIND $values AS value MATCH (n:{label} {{ns: $ns, {key}: value}}) WHERE NOT EXISTS {{ (n)--() }} DELETE n"
    )


DROP: Final = (
    "MATCH (n:GraphFeed) WHERE n.ns = $ns WITH n LIMIT $limit DELETE n RETURN count(*) AS deleted",
    "MATCH ()-[f:FACT]->() USING INDEX f:FACT(ns, place) WHERE f.ns = $ns AND f.place > ''"
    " WITH f LIMIT $limit DELETE f RETURN count(*) AS deleted",
    *(
        f"MATCH (n:{label}) WHERE n.ns = $ns WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted"
        for label in ("EntityVersion", "Name", "Source", "Literal", "Entity")
    ),
)
"""The position first: a namespace dropped by half is one whose feed begins anew."""


def _all(*clauses: str) -> str:
    return " AND ".join(clauses)


def _by(properties: Iterable[str]) -> str:
    return ", ".join(f"f.{name}" for name in properties)
