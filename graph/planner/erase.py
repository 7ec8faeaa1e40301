"""Erasure: afterwards the graph is that of a log which never held the episodes, at every known_at (ground rule 8).

Most episodes only repeat names that are known: then the timelines they had a part in are replayed and nothing else. Where an
episode had a say in who is who (the first to name somebody, a spelling, a date of birth, an alias), all that hangs together with
its names is replayed, moment by moment, by the same planner that made it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select

from graph.ledger.schema import mentions, tails
from graph.ledger.store import Ledger
from graph.planner.planner import Planner, Scope
from graph.predicates import predicate
from graph.rows import Changes
from graph.stores.sql.schema import entities, fact_sources, facts
from graph.stores.sql.write import write

Row = dict[str, Any]
_PARAMETERS = 500


@dataclass(slots=True)
class Erasure:
    """What went."""

    decisions: list[int] = field(default_factory=list[int])
    """Seqs of merges that named somebody who is no more: their records go too."""
    assertions: list[str] = field(default_factory=list[str])
    """Ids of the episodes' claims."""


def erase_episodes(planner: Planner, seqs: Collection[int]) -> Erasure:
    """Takes the episodes out of the ledger and of every version."""
    ledger = planner.ledger
    named, said = ledger.of_episodes(seqs)
    if not named and not said:
        return Erasure()
    closure = _Closure(ledger)
    people = {block: row["people"] for block, row in ledger.blocks({row["block"] for row in named}).items()}
    retold = [row for row in named if people[row["block"]] > 1 or not ledger.has_witness(row)]
    vanishing = _vanishing(ledger, retold, set(seqs))
    if all(row["node_id"] in vanishing for row in retold):
        scope = Scope(frozenset(), frozenset(closure.groups(said)))
    else:
        nodes = closure.nodes({row["node_id"] for row in named})
        touching = ledger.assertions_of(nodes, _ALWAYS)
        in_blocks = frozenset(row["block"] for row in ledger.nodes(nodes).values())
        scope = Scope(in_blocks, frozenset(closure.groups([*said, *touching])))
    lost = _replay(planner, seqs, scope, vanishing)
    return Erasure(lost, [row["id"] for row in said])


_ALWAYS = 2**62


def _vanishing(ledger: Ledger, rows: Sequence[Row], gone: set[int]) -> set[str]:
    """Nodes that nobody else names and nothing else knows."""
    ids = {row["node_id"] for row in rows}
    elsewhere = ledger.named_elsewhere(ids, gone)
    tied = {row[side] for row in ledger.links_of(ids) for side in ("a", "b")}
    tied |= {row[side] for row in ledger.decisions_of(ids, _ALWAYS) for side in ("a", "b")}
    tied |= {node for pair in ledger.aliases_of(ids, _ALWAYS) for node in pair}
    shared = {row["id"] for row in ledger.nodes_in({row["block"] for row in rows})} - ids
    blocks = {row["block"] for row in ledger.nodes(shared).values()}
    return {row["node_id"] for row in rows if row["node_id"] not in elsewhere | tied and row["block"] not in blocks}


class _Closure:
    """All that can ever have had to do with something."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ever: dict[str, frozenset[str]] = {}

    def nodes(self, start: Iterable[str]) -> set[str]:
        """Nodes that share a name, a link, a merge or an alias with these, or with one of those."""
        ledger, seen, waiting = self._ledger, set[str](), set(start)
        while waiting:
            seen |= waiting
            reached = {row[side] for row in ledger.links_of(waiting) for side in ("a", "b")}
            reached |= {row[side] for row in ledger.decisions_of(waiting, _ALWAYS) for side in ("a", "b")}
            reached |= {node for pair in ledger.aliases_of(waiting, _ALWAYS) for node in pair}
            reached |= ledger.ever_with(waiting)
            names = {row["block"] for row in ledger.nodes(waiting).values()}
            reached |= {row["id"] for row in ledger.nodes_in(names)}
            waiting = reached - seen
        return seen

    def _together(self, node: str) -> frozenset[str]:
        """Nodes that were one entity with this one at any time."""
        if node not in self._ever:
            seen, waiting = {node}, {node}
            while waiting:
                waiting = self._ledger.ever_with(waiting) - seen
                seen |= waiting
            self._ever[node] = frozenset(seen)
        return self._ever[node]

    def groups(self, rows: Iterable[Row]) -> set[str]:
        """Ids of all assertions that were ever in one timeline with these."""
        found: set[str] = set()
        asked: set[tuple[Any, ...]] = set()
        waiting = list(rows)
        while waiting:
            row = waiting.pop()
            found.add(row["id"])
            key = self._key(row)
            if key not in asked:
                asked.add(key)
                waiting += [other for other in self._group(row) if other["id"] not in found]
        return found

    def _key(self, row: Row) -> tuple[Any, ...]:
        subject = self._together(row["subject_node"])
        target = self._together(row["object_node"]) if row["object_node"] else row["literal_key"]
        if predicate(row["predicate"]).cardinality != "accumulating":
            return row["predicate"], subject, target if predicate(row["predicate"]).is_symmetric else None
        return row["predicate"], subject, target

    def _group(self, row: Row) -> list[Row]:
        kind, ledger = predicate(row["predicate"]), self._ledger
        subjects = sorted(self._together(row["subject_node"]))
        objects = sorted(self._together(row["object_node"])) if row["object_node"] else []
        if kind.is_symmetric:
            return ledger.touching([*subjects, *objects], kind.name, _ALWAYS)
        if kind.cardinality != "accumulating":
            return ledger.group(subjects, kind.name, None, "", _ALWAYS)
        return ledger.group(subjects, kind.name, objects, row["literal_key"], _ALWAYS)


# --- replaying --------------------------------------------------------------------------------------------------------


def _replay(planner: Planner, seqs: Collection[int], scope: Scope, vanishing: set[str]) -> list[int]:
    """Returns the seqs of merges that were lost with their nodes."""
    ledger = planner.ledger
    # Told before what takes their place, which may have the same keys.
    planner.tell(_forget(ledger, scope, vanishing))
    ledger.forget_episodes(seqs)
    for moment in _moments(ledger, scope):
        planner.process(moment, scope)
    return ledger.drop_lost_decisions()


def _forget(ledger: Ledger, scope: Scope, vanishing: set[str]) -> Changes:
    """Deletes the versions that are made anew, or are no more. Returns their keys."""
    rows = ledger.nodes_in(scope.blocks)
    lost = {row["id"] for row in rows} | vanishing
    names = scope.blocks | {row["block"] for row in ledger.nodes(vanishing).values()}
    gone = Changes()
    connection, namespace = ledger.connection, ledger.namespace
    for part in _parts(lost):
        chosen = (entities.c.namespace == namespace) & entities.c.id.in_(part)
        gone.gone_entities += [(r.id, r.created_at) for r in connection.execute(select(entities).where(chosen))]
    for part in _parts(scope.assertions):
        chosen = (facts.c.namespace == namespace) & facts.c.id.in_(part)
        gone.gone_facts += [(r.id, r.created_at) for r in connection.execute(select(facts).where(chosen))]
        chosen = (fact_sources.c.namespace == namespace) & fact_sources.c.fact_id.in_(part)
        found = connection.execute(select(fact_sources).where(chosen)).all()
        gone.gone_sources += [(r.fact_id, r.assertion_id, r.created_at) for r in found]
    write(connection, namespace, gone)
    ledger.forget_nodes(lost, names)
    ledger.displace(scope.blocks)
    # Where a timeline ends is found out anew when it is next read.
    connection.execute(delete(tails).where(tails.c.namespace == namespace))
    return gone


def _moments(ledger: Ledger, scope: Scope) -> list[int]:
    """When anything in scope was recorded, retracted, or changed hands."""
    found: set[int] = set()
    rows = ledger.assertions(scope.assertions)
    for row in rows:
        found.add(row["recorded_at"])
        if row["retracted_at"] is not None:
            found.add(row["retracted_at"])
    query = select(mentions.c.recorded_at).where(mentions.c.namespace == ledger.namespace)
    for part in _parts(scope.blocks):
        found.update(ledger.connection.execute(query.where(mentions.c.block.in_(part)).distinct()).scalars())
    if scope.blocks:
        found.update(ledger.decision_moments())
    sides = {row[side] for row in rows for side in ("subject_node", "object_node") if row[side]}
    found.update(ledger.moves_of(sides))
    return sorted(found)


def _parts(values: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _PARAMETERS] for start in range(0, len(ordered), _PARAMETERS))
