"""The graph against a plain model of it: whatever is told, withdrawn, merged, undone and erased, in any order.

`STATEFUL_PROFILE=long` looks further, each time elsewhere.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from graph.rows import Changes
from graph.stores.port import GraphStore, Moment
from graph.stores.sql.schema import entities, fact_sources, facts
from tests.stateful.graph.questions import (
    assert_all_the_same,
    assert_same_about,
    assert_same_at,
    assert_same_beliefs,
    assert_same_histories,
    instants,
    moments,
)
from tests.stateful.graph.worlds import Talk, World, digest_of, replayed, talks, view_of

LONG = os.environ.get("STATEFUL_PROFILE") == "long"
QUICK = settings(
    max_examples=1_500 if LONG else 20,
    stateful_step_count=25 if LONG else 9,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MOST_EPISODES = 14
places = st.integers(0, 10**6)
Rows = dict[tuple[Any, ...], dict[str, Any]]


class GraphMachine(RuleBasedStateMachine):
    """Does the same to the graph and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(tell=self.told)
        self.view = view_of(self.world.planner)
        self.rows: Rows = {}
        """What was written, when it was last looked at."""
        self.is_erased = False
        self.is_sound = True
        self.has_changed = False

    def told(self, changes: Changes) -> None:
        """Of what was written."""

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(batch=st.lists(talks, min_size=1, max_size=3))
    def tell(self, batch: list[Talk]) -> None:
        self._tell(batch)
        self._settle()

    @rule(pick=places)
    def retract(self, pick: int) -> None:
        if self.world.model.sayings:
            self._retract(pick)
            self._settle()

    @rule(one=places, other=places, is_same=st.sampled_from([True, True, False]))
    def decide(self, one: int, other: int, is_same: bool) -> None:
        if len(self._pair(one, other)) == 2:
            self.world.decide(*self._pair(one, other), is_same)
            self._settle()

    @rule(batch=st.lists(talks, max_size=2), retracted=places, one=places, other=places, is_same=st.booleans())
    def do_all_at_one_moment(self, batch: list[Talk], retracted: int, one: int, other: int, is_same: bool) -> None:
        self._tell(batch)
        if self.world.model.sayings:
            self._retract(retracted)
        if len(self._pair(one, other)) == 2:
            self.world.decide(*self._pair(one, other), is_same)
        self._settle()

    @rule(picks=st.lists(places, min_size=1, max_size=2))
    def erase(self, picks: list[int]) -> None:
        living = sorted(self.world.log.episodes)
        chosen = {living[pick % len(living)] for pick in picks if living}
        if chosen:
            self.is_sound = False
            self.world.erase(chosen)
            self.is_erased = self.has_changed = True

    def _tell(self, batch: list[Talk]) -> None:
        for talk in batch[: max(0, MOST_EPISODES - len(self.world.log.episodes))]:
            self.world.tell(talk)

    def _retract(self, pick: int) -> None:
        sayings = self.world.model.sayings
        self.world.retract([sayings[pick % len(sayings)].id])

    def _pair(self, one: int, other: int) -> list[str]:
        """Two who are known, of one kind."""
        known = sorted({naming.who for naming in self.world.model.namings})
        return sorted({known[one % len(known)], known[other % len(known)]}) if known else []

    def _settle(self) -> None:
        self.is_sound = False
        self.world.settle()
        self.has_changed = True

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def answers_as_the_model_does(self) -> None:
        if not self.has_changed:
            return
        self.is_sound, self.has_changed = False, False
        self._assert_only_expired()
        model = self.world.model
        for known_at in moments(model):
            assert_same_beliefs(self.view, model, known_at)
        assert_same_at(self.view, model, None, instants(model))
        self._assert_planning_again_changes_nothing()
        self.is_sound = True

    def _assert_only_expired(self) -> None:
        """Rows are immutable: the one change ever made to one is to set a null expired_at, once."""
        rows = self._written()
        if not self.is_erased:
            for key, row in self.rows.items():
                allowed = [row] if row["expired_at"] is not None else [row, {**row, "expired_at": self.world.now}]
                assert rows.get(key) in allowed
        self.rows, self.is_erased = rows, False

    def _written(self) -> Rows:
        connection = self.world.planner.ledger.connection
        found: Rows = {}
        for table in (entities, facts, fact_sources):
            keys = [column.name for column in table.primary_key]
            for row in connection.execute(select(table)).mappings():
                found[table.name, *(row[key] for key in keys)] = dict(row)
        return found

    def _assert_planning_again_changes_nothing(self) -> None:
        before = digest_of(self.world.planner)
        if self.world.now in self.world.model.moments():
            self.world.planner.process(self.world.now)
        assert digest_of(self.world.planner) == before

    def teardown(self) -> None:
        if self.is_sound:
            assert_all_the_same(self.view, self.world.model)
            assert digest_of(replayed(self.world.log)) == digest_of(self.world.planner), "a replay gives the same"


TestGraphMachine = GraphMachine.TestCase
TestGraphMachine.settings = QUICK


# --- stores outside ---------------------------------------------------------------------------------------------------


class MirroredMachine(GraphMachine):
    """Tells another store of what changes, and asks that one."""

    def __init__(self, store: GraphStore) -> None:
        self.store = store
        self.namespace = f"ns-{uuid4()}"
        self.position = 0
        super().__init__()

    def told(self, changes: Changes) -> None:
        self.position += 1
        self.store.apply(self.namespace, changes, self.position)

    @invariant()
    def the_other_store_holds_the_same(self) -> None:
        if self.is_sound and self.position:
            self.is_sound = False
            assert self.store.digest(self.namespace) == digest_of(self.world.planner)
            self.is_sound = True

    def teardown(self) -> None:
        if self.is_sound and self.position:
            view, model = self.store.view(self.namespace), self.world.model
            for known_at in moments(model):
                assert_same_beliefs(view, model, known_at)
            for known_at in (self.world.now // 20 * 10, None):
                assert_same_at(view, model, known_at, instants(model))
                assert_same_about(view, model, Moment(None, known_at))
            assert_same_histories(view, model)
        self.store.drop(self.namespace)


def test_a_store_that_is_told_of_the_changes_answers_as_the_model_does(store: GraphStore) -> None:
    made: Callable[[], MirroredMachine] = partial(MirroredMachine, store)
    run_state_machine_as_test(made, settings=settings(QUICK, max_examples=4, stateful_step_count=7))
