"""What lies around an entity: by distance, under limits, as of a moment, whatever the order of arrival."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UnknownEntity
from graph.limits import MAX_EDGES_PER_HOP, MAX_HOPS
from graph.queries.neighbourhood import Neighbourhood, neighbourhood
from graph.stores.port import GraphView, Moment
from tests.support.graph_rows import entity, fact
from tests.support.graph_views import Counted, Graphs, Pair, between

NOW = Moment()
PAIRS = st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), min_size=1, max_size=14)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    made = Graphs(tmp_path_factory.mktemp("graph"))
    yield made
    made.store.close()


def around(view: Any, start: str, at: Moment = NOW, **given: Any) -> Neighbourhood:
    return neighbourhood(view, start, at, **{"hops": 2, "per_hop": 50, **given})


def distances(found: Neighbourhood) -> dict[str, int]:
    return {each.entity.id: each.distance for each in found.entities}


def fact_ids(found: Neighbourhood) -> list[str]:
    return [each.id for each in found.facts]


def shortest(pairs: list[Pair], start: str, hops: int) -> dict[str, int]:
    found = {start: 0}
    for hop in range(1, hops + 1):
        near = [each for each, far in found.items() if far == hop - 1]
        ends = [y for x, y in [*pairs, *((b, a) for a, b in pairs)] if x in near]
        found |= {end: hop for end in ends if end not in found}
    return found


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.integers(0, 4))
def test_every_entity_within_the_hops_is_there_at_its_distance(graphs: Graphs, pairs: list[Pair], hops: int) -> None:
    found = around(graphs.of(*between(*pairs), entities=[entity("a")]), "a", hops=hops)
    expected = shortest(pairs, "a", hops)
    assert distances(found) == expected
    assert found.is_complete
    inner = {each for each, far in expected.items() if far < hops}
    assert set(fact_ids(found)) == {f.id for f in between(*pairs) if inner & {f.subject_id, f.object_id}}


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_of_arrival_changes_nothing(graphs: Graphs, pairs: list[Pair], random: Any, per_hop: int) -> None:
    facts = between(*pairs)
    shuffled = random.sample(facts, len(facts))
    start = pairs[0][0]
    first, second = (around(graphs.of(*each), start, hops=3, per_hop=per_hop) for each in (facts, shuffled))
    assert first == second


def star(graphs: Graphs, leaves: int) -> GraphView:
    spokes = [(f"leaf{n:04}", "hub") for n in range(leaves)]
    return graphs.of(*between(("ana", "hub"), ("ana", "bob"), ("bob", "carla"), *spokes))


def test_a_hub_gives_no_more_than_its_share_and_does_not_crowd_out_the_others(graphs: Graphs) -> None:
    view = Counted(star(graphs, 1_500))
    found = around(view, "ana", hops=2, per_hop=20)
    assert {"hub", "bob", "carla"} <= distances(found).keys()
    assert len(found.entities) == 1 + 2 + 20
    assert not found.is_complete
    assert view.read < 100


def test_no_hop_reads_more_than_the_limit_whatever_is_asked_for(graphs: Graphs) -> None:
    view = Counted(star(graphs, 1_500))
    found = around(view, "hub", hops=99, per_hop=10_000)
    assert view.read <= MAX_HOPS * MAX_EDGES_PER_HOP
    assert len(view.asked) <= MAX_HOPS
    assert not found.is_complete


def test_without_hops_there_is_only_itself(graphs: Graphs) -> None:
    found = around(star(graphs, 3), "ana", hops=0)
    assert distances(found) == {"ana": 0}
    assert found.facts == ()


def test_loops_and_cycles_end(graphs: Graphs) -> None:
    view = graphs.of(*between(("a", "a"), ("a", "b"), ("b", "c"), ("c", "a")))
    found = around(view, "a", hops=4)
    assert distances(found) == {"a": 0, "b": 1, "c": 1}
    assert sorted(fact_ids(found)) == ["f000", "f001", "f002", "f003"]


def test_literals_lead_nowhere(graphs: Graphs) -> None:
    found = around(graphs.of(fact("f1", "ana", None, literal="tea"), entities=[entity("ana")]), "ana")
    assert distances(found) == {"ana": 0}
    assert found.facts == ()


def test_only_facts_of_the_moment_lead_on(graphs: Graphs) -> None:
    view = graphs.of(
        fact("past", "ana", "faro", valid_at=10, invalid_at=20),
        fact("present", "ana", "lisbon", valid_at=20),
        fact("retracted", "ana", "porto", created_at=100, expired_at=200),
        fact("learnt", "ana", "braga", created_at=300),
    )
    assert set(fact_ids(around(view, "ana"))) == {"past", "present", "learnt"}
    assert set(fact_ids(around(view, "ana", Moment(as_of=15)))) == {"past", "learnt"}
    assert set(fact_ids(around(view, "ana", Moment(known_at=150)))) == {"past", "present", "retracted"}
    assert set(fact_ids(around(view, "ana", Moment(as_of=25, known_at=150)))) == {"present", "retracted"}


def test_only_the_predicates_asked_for_lead_on(graphs: Graphs) -> None:
    view = graphs.of(fact("f1", "ana", "bob", predicate="friend_of"), fact("f2", "ana", "lisbon"))
    assert fact_ids(around(view, "ana", predicates=["friend_of"])) == ["f1"]


def test_an_entity_that_is_not_known_then_is_refused(graphs: Graphs) -> None:
    view = graphs.of(*between(("ana", "bob")))
    with pytest.raises(UnknownEntity):
        around(view, "nobody")
    with pytest.raises(UnknownEntity):
        around(view, "ana", Moment(known_at=50))


def test_what_is_merged_away_meanwhile_takes_its_facts_along(graphs: Graphs) -> None:
    view = Counted(graphs.of(*between(("ana", "bob"), ("ana", "carla"))), gone=["bob"])
    found = around(view, "ana")
    assert distances(found) == {"ana": 0, "carla": 1}
    assert fact_ids(found) == ["f001"]
