"""Reading one namespace of the Neo4j store."""

from collections.abc import Sequence
from typing import Any

from graph.rows import FOREVER, EntityVersion, FactVersion
from graph.stores.neo4j import cypher
from graph.stores.neo4j.driver import Bolt, Row, Transaction, fetch
from graph.stores.neo4j.rows import ANY_TIME, entity_version, fact_version, marks, place
from graph.stores.pages import whole_page
from graph.stores.port import EntityFilter, FactFilter, Moment

SIDES = ("subject_id", "object_id")


class Neo4jGraphView:
    """A `GraphView` over a connection that it is given."""

    def __init__(self, bolt: Bolt, namespace: str) -> None:
        self._bolt = bolt
        self._namespace = namespace

    def entities(self, wanted: EntityFilter, known_at: int | None, after: str, limit: int) -> list[EntityVersion]:
        clauses, given = _entity_conditions(wanted)
        parameters = {**given, "known": _known(known_at), "after": after, "limit": limit}
        if wanted.name_keys is None:
            return [entity_version(row["row"]) for row in self._read(cypher.entities(clauses), **parameters)]
        return self._bolt.read(lambda tx: self._spelt(tx, clauses, parameters))

    async def _spelt(self, tx: Transaction, clauses: list[str], given: dict[str, Any]) -> list[EntityVersion]:
        """By spellings: where to look says the index of names, what to believe the versions."""
        named = await fetch(tx, cypher.SPELT, ns=self._namespace, keys=given["keys"], after=given["after"])
        ids = sorted(row["id"] for row in named)
        rows = await fetch(tx, cypher.entities_of(clauses), ns=self._namespace, ids=ids, **given) if ids else []
        return sorted((entity_version(row["row"]) for row in rows), key=lambda v: v.id)[: given["limit"]]

    def entities_by_id(self, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]:
        if not ids:
            return {}
        rows = self._read(cypher.entities_of(()), ids=list(ids), known=_known(known_at))
        return {row["row"]["id"]: entity_version(row["row"]) for row in rows}

    def facts(self, wanted: FactFilter, at: Moment, after: tuple[int, str] | None, limit: int) -> list[FactVersion]:
        clauses, given = _fact_conditions(wanted)
        parameters = {**given, **_moment(at, after), "entity": wanted.entity, "limit": limit}
        if wanted.ids is not None:
            if wanted.entity is not None:
                clauses.append("$entity IN [f.subject_id, f.object_id]")
            statements = [cypher.facts_by_id(clauses)]
        elif wanted.entity is not None:
            # Each side by its own index: one statement with OR would sort all the facts of a hub.
            statements = [cypher.facts(side, clauses) for side in SIDES]
        else:
            statements = [_narrowest(wanted, clauses, parameters)]
        found: dict[str, FactVersion] = {}
        for rows in self._read_all(statements, **parameters):
            found.update((row["row"]["id"], fact_version(row["row"])) for row in rows)
        return sorted(found.values(), key=lambda fact: (-fact.start, fact.id))[:limit]

    def fact_history(self, fact_id: str) -> list[FactVersion]:
        return [fact_version(row["row"]) for row in self._read(cypher.HISTORY, id=fact_id)]

    def edges(
        self, entity_ids: Sequence[str], at: Moment, per_entity: int, predicates: Sequence[str] | None
    ) -> list[FactVersion]:
        clauses = [] if predicates is None else [cypher.FACT_CLAUSES["predicates"]]
        given = {"predicates": None if predicates is None else list(predicates), "limit": per_entity}
        entities = list(dict.fromkeys(entity_ids))
        statements = [cypher.edges(side, clauses) for side in SIDES]
        own: dict[str, dict[str, Row]] = {entity: {} for entity in entities}
        for rows in self._read_all(statements, entities=entities, **given, **_moment(at, None)):
            for row in sorted(rows, key=lambda row: row["row"]["place"]):
                own[row["entity"]].setdefault(row["row"]["id"], row["row"])
        kept = {row["id"]: row for rows in own.values() for row in list(rows.values())[:per_entity]}
        return [fact_version(row) for row in kept.values()]

    def sources(self, fact_ids: Sequence[str], known_at: int | None) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {fact: set() for fact in fact_ids}
        for row in self._read(cypher.SOURCES, ids=list(found), known=_known(known_at)) if found else []:
            found[row["fact"]].add(row["episode"])
        return {fact: sorted(episodes) for fact, episodes in found.items()}

    def changes(
        self, since: int, until: int, after: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, FactVersion]]:
        moment, last = after or (ANY_TIME, "")
        window = {"since": max(since, moment), "until": min(until, FOREVER), "moment": moment, "last": last}
        statements = [cypher.changes("created_at"), cypher.changes("expired_at")]
        rows = [row for found in self._read_all(statements, **window, limit=limit) for row in found]
        found = [(row["moment"], fact_version(row["row"])) for row in rows]
        found.sort(key=lambda pair: (pair[0], pair[1].id, pair[1].created_at))
        return whole_page(found, limit)

    def all_edges(self, at: Moment, limit: int) -> list[tuple[str, str, str]]:
        rows = self._read(cypher.ALL_EDGES, **_moment(at, None), limit=limit)
        return [(row["id"], row["subject"], row["object"]) for row in rows]

    # --- one transaction --------------------------------------------------------------------------------------------

    def _read(self, statement: str, **parameters: Any) -> list[Row]:
        return self._read_all([statement], **parameters)[0]

    def _read_all(self, statements: Sequence[str], **parameters: Any) -> list[list[Row]]:
        async def work(tx: Transaction) -> list[list[Row]]:
            return [await fetch(tx, statement, ns=self._namespace, **parameters) for statement in statements]

        return self._bolt.read(work)


# --- conditions -------------------------------------------------------------------------------------------------------


def _known(known_at: int | None) -> int:
    """Now is the last moment: all is created before it, and only what is not expired ends after it."""
    return FOREVER - 1 if known_at is None else min(known_at, FOREVER - 1)


def _moment(at: Moment, after: tuple[int, str] | None) -> dict[str, Any]:
    """Bounds of place and stop. Facts that start after `as_of` sort first, and are stepped over in the index."""
    low = "" if at.as_of is None else place(at.as_of)
    cursor = "" if after is None else place(*after)
    stops_after = ANY_TIME if at.as_of is None else at.as_of
    return {"low": max(low, cursor), "as_of": stops_after, "known": _known(at.known_at)}


def _entity_conditions(wanted: EntityFilter) -> tuple[list[str], dict[str, Any]]:
    given: dict[str, Any] = {
        "type": wanted.type,
        "keys": None if wanted.name_keys is None else list(wanted.name_keys),
        "text": None if wanted.text is None else wanted.text.casefold(),
        "marks": marks(wanted.attributes) or None,
    }
    return _present(given, cypher.ENTITY_CLAUSES)


def _fact_conditions(wanted: FactFilter) -> tuple[list[str], dict[str, Any]]:
    given: dict[str, Any] = {
        "subject": wanted.subject,
        "object": wanted.object,
        "predicates": None if wanted.predicates is None else list(wanted.predicates),
        "words": (wanted.text or "").casefold().split() or None,
        "marks": marks(wanted.qualifiers) or None,
        "ids": None if wanted.ids is None else list(wanted.ids),
    }
    return _present(given, cypher.FACT_CLAUSES)


def _present(given: dict[str, Any], clauses: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    present = {name: value for name, value in given.items() if value is not None}
    return [clauses[name] for name in present], present


def _narrowest(wanted: FactFilter, clauses: list[str], parameters: dict[str, Any]) -> str:
    """By the subject, else by the object, else all of the namespace."""
    for side, value in zip(SIDES, (wanted.subject, wanted.object), strict=True):
        if value is not None:
            parameters["entity"] = value
            return cypher.facts(side, clauses)
    return cypher.facts(None, clauses)
