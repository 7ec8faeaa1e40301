"""From nodes to entities: new names are linked, what is linked is resolved, and entities get versions."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import bindparam, select

from graph import limits
from graph.ledger.rows import scalars_of
from graph.ledger.schema import blocking, links, members, nodes
from graph.ledger.store import Ledger
from graph.planner.names import node_evidence
from graph.resolution.candidates import blocking_keys, linked
from graph.resolution.clusters import Cluster, Node, PairLink, resolve
from graph.resolution.names import name_key
from graph.resolution.rules import NameForm, compare
from graph.rows import Changes, EntityVersion
from graph.stores.sql.dialect import list_parameter, listed
from graph.stores.sql.prepared import Prepared
from graph.stores.sql.rows import ENTITY_COLUMNS, entity_of
from graph.stores.sql.schema import entities

Row = dict[str, Any]
Pair = tuple[str, str]
_RECORD_SCORE: Final = 0.95
_CURRENT: Final = Prepared(
    lambda connection: select(*ENTITY_COLUMNS).where(
        entities.c.namespace == bindparam("namespace"),
        entities.c.expired_at.is_(None),
        listed(connection, entities.c.id, "ids"),
    )
)


class EntityPlanner:
    """Plans one moment's changes of entities."""

    def __init__(self, ledger: Ledger, now: int, changes: Changes) -> None:
        self._ledger = ledger
        self._now = now
        self._changes = changes

    # --- links ----------------------------------------------------------------------------------------------------------

    def link(self, new: Collection[str]) -> set[str]:
        """Pairs new nodes with the names that are like theirs. Returns the nodes that now have a partner."""
        if not new:
            return set()
        rows = self._ledger.nodes(new)
        keys = {node: {k for name in names_of(row) for k in blocking_keys(name)} for node, row in rows.items()}
        shared = [{"blocking_key": k, "node_id": n} for n, own in keys.items() for k in sorted(own)]
        self._ledger.upsert(blocking, shared)
        sharing = self._ledger.candidates(set[str]().union(*keys.values()), limits.MAX_SHARED_BLOCKING)
        met = {node: _met(own, sharing) - {node} for node, own in keys.items()}
        known = rows | self._ledger.nodes(set[str]().union(*met.values()) - rows.keys())
        pairs = {pair for node, row in rows.items() for pair in _pairs(row, [known[other] for other in met[node]])}
        self._ledger.upsert(links, [{"a": a, "b": b} for a, b in sorted(pairs)])
        return {node for pair in pairs for node in pair}

    # --- resolving ------------------------------------------------------------------------------------------------------

    def resolve(self, touched: Collection[str]) -> set[str]:
        """Resolves all that hangs together with these nodes. Returns the nodes of every entity that changed."""
        component, pairs, decided = self._component(touched)
        if len(component) < 2:
            return set()
        rows = self._ledger.nodes(component)
        same = [pair for pair, is_same in decided.items() if is_same]
        apart = [pair for pair, is_same in decided.items() if not is_same]
        told = self._ledger.aliases_of(component, self._now)
        clusters = resolve(
            [Node(node, node_evidence(row)) for node, row in rows.items()],
            [link for a, b in pairs if a in rows and b in rows and (link := _link(rows[a], rows[b])) is not None],
            [*same, *told],
            apart,
        )
        return self._join(clusters, rows)

    def _component(self, start: Collection[str]) -> tuple[set[str], set[Pair], dict[Pair, bool]]:
        seen, waiting = set[str](), set(start)
        pairs: set[Pair] = set()
        decided: dict[Pair, tuple[int, bool]] = {}
        has_aliases = self._ledger.has_aliases()
        while waiting and len(seen) < limits.MAX_COMPONENT:
            seen |= waiting
            reached = set[str]()
            for row in self._ledger.links_of(waiting):
                pairs.add((row["a"], row["b"]))
                reached |= {row["a"], row["b"]}
            for row in self._ledger.decisions_of(waiting, self._now):
                pair = (min(row["a"], row["b"]), max(row["a"], row["b"]))
                decided[pair] = max(decided.get(pair, (0, False)), (row["seq"], bool(row["is_same"])))
                reached |= set(pair)
            if has_aliases:
                reached |= {node for pair in self._ledger.aliases_of(waiting, self._now) for node in pair}
            # Whoever is one with them now may be so no longer: what tied them may have moved.
            whole = self._ledger.nodes_of(set(self._ledger.entities_of(waiting, self._now).values()), self._now)
            reached |= {node for own in whole.values() for node in own}
            waiting = reached - seen
        return seen, pairs, {pair: is_same for pair, (_, is_same) in decided.items()}

    def _join(self, clusters: Sequence[Cluster], rows: dict[str, Row]) -> set[str]:
        """Writes who belongs to whom from now on. An entity has the id of the node that was known first."""
        before = self._ledger.entities_of(rows, self._now)
        after: dict[str, tuple[str, str]] = {}
        for cluster in clusters:
            own = [node for node in cluster.members if node in rows]
            first = min(own, key=lambda node: (rows[node]["first_seq"], rows[node]["first_place"], node))
            for node in own:
                rule = next((link.rule for link in cluster.links if node in (link.a, link.b)), "")
                after[node] = (first, rule)
        moved = [node for node in after if after[node][0] != before[node]]
        for node in moved:
            self._move(node, *after[node])
        self._ledger.upsert(nodes, [rows[node] | {"entity_id": after[node][0]} for node in moved])
        concerned = {before[node] for node in moved} | {after[node][0] for node in moved}
        return {node for node in after if before[node] in concerned or after[node][0] in concerned}

    def _move(self, node: str, entity: str, rule: str) -> None:
        standing = self._ledger.standing_member(node)
        self._ledger.upsert(members, [row | {"expired_at": self._now} for row in standing])
        if entity != node:
            row = {"node_id": node, "created_at": self._now, "expired_at": None, "entity_id": entity, "rule": rule}
            self._ledger.upsert(members, [row])

    # --- versions -------------------------------------------------------------------------------------------------------

    def describe(self, touched: Collection[str]) -> None:
        """Gives the entities of these nodes a new version where something that it tells has changed."""
        ids = set(self._ledger.entities_of(touched, self._now).values()) | set(touched)
        nodes_of = self._ledger.nodes_of(ids, self._now)
        rows = self._ledger.nodes({node for own in nodes_of.values() for node in own})
        current = self._current(ids)
        for entity in sorted(ids):
            own = sorted((rows[node] for node in nodes_of[entity] if node in rows), key=_arrival)
            wanted = self._version(entity, own) if entity in rows and own else None
            self._change(current.get(entity), wanted)

    def _change(self, before: EntityVersion | None, wanted: EntityVersion | None) -> None:
        if before is not None and wanted is not None and replace(before, created_at=self._now) == wanted:
            return
        if before is not None and before.created_at == self._now:
            self._changes.gone_entities.append(before.key)
        elif before is not None:
            self._changes.entities.append(replace(before, expired_at=self._now))
        if wanted is not None:
            self._changes.entities.append(wanted)

    def _current(self, ids: Collection[str]) -> dict[str, EntityVersion]:
        given = {"namespace": self._ledger.namespace, "ids": list_parameter(self._ledger.connection, sorted(ids))}
        versions = map(entity_of, _CURRENT.rows(self._ledger.connection, given))
        return {version.id: version for version in versions}

    def _version(self, entity: str, rows: Sequence[Row]) -> EntityVersion:
        """`rows`: the entity's nodes by arrival; the first is the one that it is named after."""
        evidence_types = [row["type"] for row in rows]
        aliases = _distinct(surface for row in rows for surface in json.loads(row["surfaces"]))
        attributes: dict[str, Any] = {}
        for row in rows:
            attributes |= scalars_of(row["attributes"])
        return EntityVersion(
            id=entity,
            created_at=self._now,
            expired_at=None,
            name=rows[0]["name"],
            type=next((kind for kind in evidence_types if kind != "Thing"), "Thing"),
            aliases=tuple(sorted(aliases)),
            name_keys=tuple(sorted({name_key(alias) for alias in aliases})),
            attributes=tuple(sorted(attributes.items())),
            first_at=min(row["first_at"] for row in rows),
        )


def _distinct(surfaces: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(surfaces))[: limits.MAX_LISTED_ALIASES]


def _arrival(row: Row) -> tuple[int, int, str]:
    return row["first_seq"], row["first_place"], row["id"]


def _may_be_one(a: Row, b: Row) -> bool:
    """Nodes of one block were split by evidence, and two keys from outside are two."""
    return a["block"] != b["block"] and not (_is_keyed(a) and _is_keyed(b))


def _is_keyed(row: Row) -> bool:
    return row["block"].startswith("#")


def _met(keys: Collection[str], sharing: Mapping[str, Sequence[str]]) -> set[str]:
    """Nodes that share a key, the rarest keys first. One that as many share as are looked at says too little to be asked."""
    found: set[str] = set()
    for key in sorted(keys, key=lambda key: (len(sharing[key]), key)):
        if found and (len(sharing[key]) >= limits.MAX_SHARED_BLOCKING or len(found) >= limits.MAX_MET):
            break
        found.update(sharing[key])
    return found


def _pairs(row: Row, candidates: Iterable[Row]) -> set[Pair]:
    """The node with each of those whose names some rule may take for one of its own."""
    named: dict[str, set[str]] = defaultdict(set)
    for other in candidates:
        if _may_be_one(row, other):
            for name in names_of(other):
                named[name].add(other["id"])
    found: set[str] = set()
    for own in names_of(row):
        found |= named.get(own, set())
        found |= {node for name in linked(own, named) for node in named[name]}
    return {(min(row["id"], node), max(row["id"], node)) for node in found}


def names_of(row: Row) -> set[str]:
    """Keys of a node's names. Only what has a key from outside can have several."""
    if not _is_keyed(row):
        return {row["name_key"]}
    return {row["name_key"], *(name_key(surface) for surface in json.loads(row["surfaces"]))}


def _link(a: Row, b: Row) -> PairLink | None:
    """The strongest rule that takes two nodes for one. A record's name is somebody's only if no other record has it."""
    ours, theirs = names_of(a), names_of(b)
    if ours & theirs:
        return PairLink(a["id"], b["id"], "record", _RECORD_SCORE, b["id"] if _is_keyed(a) else a["id"])
    found = [
        PairLink(a["id"], b["id"], link.rule, link.score, _partial(link.partial, one, a, b))
        for one in sorted(ours)
        for other in sorted(theirs)
        if (link := compare(NameForm(one, a["type"]), NameForm(other, b["type"]))) is not None
    ]
    return max(found, key=lambda link: link.score, default=None)


def _partial(partial: str | None, name: str, a: Row, b: Row) -> str | None:
    return None if partial is None else (a["id"] if partial == name else b["id"])
