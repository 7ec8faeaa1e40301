"""The planner: one moment's records in, one moment's changes out (ground rule 9).

Everything recorded at one moment is planned together, live as in a replay, so that both give the same versions. A name is placed
among the nodes, nodes are resolved to entities, assertions are set into timelines; each step reads only what the moment touches,
so that an episode costs no more in a large graph than in a small one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from graph.ids import node_id
from graph.ledger.schema import assertions, decisions, mentions
from graph.ledger.store import Ledger
from graph.model import Extraction, Source
from graph.planner.arrive import assertion_rows, check, mention_rows
from graph.planner.entities import EntityPlanner
from graph.planner.facts import EntityMap, FactPlanner
from graph.planner.names import place_mentions
from graph.rows import Changes
from graph.stores.sql.write import write

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a partial replay makes anew."""

    blocks: frozenset[str]
    assertions: frozenset[str]


class Planner:
    """Plans and applies changes to one namespace's graph, in the caller's transaction.

    Args:
        connection: of the log's database.
        namespace: whose graph it is.
        tell: told of the changes once they are written, for stores outside this database.
    """

    def __init__(
        self, connection: Connection, namespace: str, tell: Callable[[Changes], None] = lambda _changes: None
    ) -> None:
        self.ledger = Ledger(connection, namespace)
        self.tell = tell

    # --- what arrives ---------------------------------------------------------------------------------------------------

    def add(self, extractions: Sequence[tuple[Source, Extraction]], now: int) -> None:
        """Adds what was extracted from episodes. Raises InvalidClaim, and then adds nothing."""
        for _, extraction in extractions:
            check(extraction)
        self.keep(extractions, now)
        self.process(now)

    def keep(self, extractions: Sequence[tuple[Source, Extraction]], now: int) -> None:
        """Writes the raw rows alone; `process` makes something of them."""
        named = [row for source, extraction in extractions for row in mention_rows(source, extraction, now)]
        said = [
            row
            for source, extraction in extractions
            for row in assertion_rows(self.ledger.namespace, source, extraction, now)
        ]
        self._foresee(named, said)
        self.ledger.insert(mentions, named)
        self.ledger.insert(assertions, said)

    def _foresee(self, named: Sequence[Row], said: Sequence[Row]) -> None:
        """Writes the node that a name leads to where only one bears it, as nearly always: what is right is not written twice."""
        nodes: dict[tuple[int, int], str] = {}
        for row in named:
            row["node_id"] = nodes[row["episode_seq"], row["place"]] = node_id(self.ledger.namespace, row["block"])
        for row in said:
            row["subject_node"] = nodes[row["episode_seq"], row["subject_place"]]
            if row["object_place"] is not None:
                row["object_node"] = nodes[row["episode_seq"], row["object_place"]]

    def retract(self, assertion_ids: Collection[str], now: int) -> None:
        """Believes these no more. What they had closed is open again, unless something else closes it."""
        self.ledger.retract(assertion_ids, now)
        self.process(now)

    def decide(self, a: str, b: str, seq: int, now: int, *, is_same: bool, reason: str) -> None:
        """Records that two entities' nodes are one, or are not; the last word on a pair counts."""
        self.keep_decision(a, b, seq, now, is_same=is_same, reason=reason)
        self.process(now)

    def keep_decision(self, a: str, b: str, seq: int, now: int, *, is_same: bool, reason: str) -> None:
        row = {"seq": seq, "recorded_at": now, "a": a, "b": b, "is_same": is_same, "reason": reason}
        self.ledger.upsert(decisions, [row])

    # --- one moment -----------------------------------------------------------------------------------------------------

    def process(self, now: int, scope: Scope | None = None) -> Changes:
        """Makes the versions of everything that was recorded at `now`. Idempotent."""
        moment = _Moment(self.ledger, now, scope)
        changes = Changes()
        placed = place_mentions(self.ledger, moment.named, now)
        people = EntityPlanner(self.ledger, now, changes)
        unsure = (
            people.link(placed.new | placed.renamed)
            | placed.telling
            | placed.moved
            | moment.told_aliases()
            | moment.decided
        )
        joined = people.resolve(unsure) if unsure else set[str]()
        people.describe(placed.new | placed.changed | placed.moved | joined)
        new, disturbed = moment.assertions(joined | placed.moved)
        if new or disturbed:
            FactPlanner(self.ledger, now, EntityMap(self.ledger, now), changes).plan(new, disturbed)
        write(self.ledger.connection, self.ledger.namespace, changes)
        self.tell(changes)
        return changes


class _Moment:
    """What was recorded at one moment, as far as it is in scope."""

    def __init__(self, ledger: Ledger, now: int, scope: Scope | None) -> None:
        self._ledger = ledger
        self._now = now
        self._scope = scope
        named = ledger.recorded(mentions, now)
        self.named = named if scope is None else [row for row in named if row["block"] in scope.blocks]
        decided = {row[side] for row in ledger.recorded(decisions, now) for side in ("a", "b")}
        known = ledger.nodes(decided) if decided else {}
        # Who is out of scope stands as it will be, not as it was at this moment.
        self.decided = {node for node, row in known.items() if scope is None or row["block"] in scope.blocks}

    def told_aliases(self) -> set[str]:
        """Nodes that a text takes for others."""
        if all(row["alias_of"] is None for row in self.named):
            return set()
        places = {(row["episode_seq"], row["place"]) for row in self.named if row["alias_of"] is not None}
        nodes = self._ledger.nodes_at(places)
        return {nodes[place] for place in places}

    def assertions(self, moved: Collection[str]) -> tuple[list[Row], list[Row]]:
        """Those that are new, and those whose timelines something else disturbs: a retraction, or other entities."""
        said = self._within(self._ledger.recorded(assertions, self._now))
        moved = set(moved) if self._scope is None else {*moved, *self._ledger.moved_at(self._now)}
        found = self._ledger.retracted(self._now)
        if moved:
            found += self._ledger.assertions_of(moved, self._now)
        disturbed = {row["id"]: row for row in self._within(found)}
        return [row for row in said if row["id"] not in disturbed], list(disturbed.values())

    def _within(self, rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if self._scope is None or row["id"] in self._scope.assertions]
