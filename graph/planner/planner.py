"""The planner: one moment's records in, one moment's changes out (ground rule 9).

Everything recorded at one moment is planned together, live as in a replay, so that both give the same versions. A name is placed
among the nodes, nodes are resolved to entities, assertions are set into timelines; each step reads only what the moment touches,
so that an episode costs no more in a large graph than in a small one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

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
        self._tell = tell

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
        self.ledger.insert(mentions, named)
        self.ledger.insert(assertions, said)

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
        named, said = self.ledger.recorded(mentions, now), self.ledger.recorded(assertions, now)
        retracted = self.ledger.retracted(now)
        decided = self.ledger.recorded(decisions, now)
        if scope is not None:
            named = [row for row in named if row["block"] in scope.blocks]
            said = [row for row in said if row["id"] in scope.assertions]
            retracted = [row for row in retracted if row["id"] in scope.assertions]
        changes = Changes()
        placed = place_mentions(self.ledger, named, now)
        people = EntityPlanner(self.ledger, now, changes)
        linked = people.link(placed.new)
        told = {row["node_id"] for row in named if row["alias_of"] is not None}
        unsure = linked | placed.telling | placed.moved | told
        unsure |= {row[side] for row in decided for side in ("a", "b")} & self.ledger.nodes(
            {row[side] for row in decided for side in ("a", "b")}
        ).keys()
        joined = people.resolve(unsure) if unsure else set[str]()
        people.describe(placed.new | placed.changed | placed.moved | joined)
        self._plan_facts(said, retracted, joined | placed.moved, now, changes)
        write(self.ledger.connection, self.ledger.namespace, changes)
        self._tell(changes)
        return changes

    def _plan_facts(
        self, said: Sequence[Row], retracted: Sequence[Row], moved: Collection[str], now: int, changes: Changes
    ) -> None:
        # Their nodes were given after they were read.
        said = self.ledger.assertions([row["id"] for row in said])
        disturbed = {row["id"]: row for row in retracted}
        if moved:
            disturbed.update((row["id"], row) for row in self.ledger.assertions_of(moved, now))
        new = [row for row in said if row["id"] not in disturbed]
        if new or disturbed:
            FactPlanner(self.ledger, now, EntityMap(self.ledger, now), changes).plan(new, list(disturbed.values()))
