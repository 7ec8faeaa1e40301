"""How two entities hang together: all shortest simple paths, in one order, and a word where the search gave up."""

from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UnknownEntity
from graph.queries import paths as module
from graph.queries.paths import Paths, paths
from graph.stores.port import Moment
from tests.support.graph_rows import entity, fact
from tests.support.graph_views import Counted, Graphs, Pair, between

NOW = Moment()
NAMES = "abcdef"
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    made = Graphs(tmp_path_factory.mktemp("graph"))
    yield made
    made.store.close()


def found(view: Any, a: str = "a", b: str = "b", at: Moment = NOW, **given: Any) -> Paths:
    return paths(view, a, b, at, **{"max_hops": 6, "limit": 10, **given})


def routes(result: Paths) -> list[str]:
    return ["".join(each.id for each in path.entities) for path in result.paths]


def simple_paths(pairs: list[Pair], max_hops: int) -> list[str]:
    """By brute force: every order of every selection of what may lie between."""
    joined = {frozenset(pair) for pair in pairs}
    inner = [name for name in NAMES if name not in "ab"]
    made = ["a" + "".join(way) + "b" for n in range(max_hops) for way in permutations(inner, n)]
    return [way for way in made if all(frozenset(step) in joined for step in pairwise(way))]


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.integers(1, 5), st.integers(1, 40))
def test_paths_are_the_shortest_simple_ones_in_order(
    graphs: Graphs, pairs: list[Pair], max_hops: int, limit: int
) -> None:
    view = graphs.of(*between(*pairs), entities=[entity("a"), entity("b")])
    result = found(view, max_hops=max_hops, limit=limit)
    assert routes(result) == sorted(simple_paths(pairs, max_hops), key=lambda way: (len(way), way))[:limit]
    assert result.is_complete


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(graphs: Graphs, pairs: list[Pair], random: Any) -> None:
    facts, ends = between(*pairs), [entity("a"), entity("b")]
    shuffled = random.sample(facts, len(facts))
    assert found(graphs.of(*facts, entities=ends)) == found(graphs.of(*shuffled, entities=ends))


@settings(deadline=None, max_examples=60)
@given(PAIRS)
def test_each_fact_joins_its_two_entities(graphs: Graphs, pairs: list[Pair]) -> None:
    for path in found(graphs.of(*between(*pairs), entities=[entity("a"), entity("b")])).paths:
        ends = [{one.id, other.id} for one, other in zip(path.entities, path.entities[1:], strict=False)]
        assert [{each.subject_id, each.object_id} for each in path.facts] == ends


def test_from_an_entity_to_itself_there_is_a_path_without_facts(graphs: Graphs) -> None:
    result = found(graphs.of(*between(("a", "a"), ("a", "b"))), "a", "a")
    assert routes(result) == ["a"]
    assert result.paths[0].facts == ()


def test_what_does_not_hang_together_has_no_path_and_that_is_sure(graphs: Graphs) -> None:
    result = found(graphs.of(*between(("a", "c"), ("b", "d"))))
    assert result.paths == ()
    assert result.is_complete


def test_an_entity_that_is_not_known_then_is_refused(graphs: Graphs) -> None:
    view = graphs.of(*between(("a", "b")))
    for unknown in (("a", "z"), ("z", "a"), ("z", "z")):
        with pytest.raises(UnknownEntity, match="z"):
            found(view, *unknown)
    with pytest.raises(UnknownEntity):
        found(view, at=Moment(known_at=50))


def test_of_several_facts_between_two_the_newest_is_told(graphs: Graphs) -> None:
    view = graphs.of(fact("old", "a", "b", valid_at=10), fact("new", "b", "a", valid_at=20), fact("unknown", "a", "b"))
    assert [path.facts[0].id for path in found(view).paths] == ["new"]


def test_only_facts_of_the_moment_lead_on(graphs: Graphs) -> None:
    view = graphs.of(
        fact("past", "a", "b", valid_at=10, invalid_at=20),
        fact("way", "a", "c", valid_at=20),
        fact("on", "c", "b", created_at=300),
        entities=[entity("c")],
    )
    assert routes(found(view)) == ["ab", "acb"]
    assert routes(found(view, at=Moment(as_of=25))) == ["acb"]
    assert routes(found(view, at=Moment(known_at=200))) == ["ab"]
    assert routes(found(view, at=Moment(as_of=25, known_at=200))) == []


def test_two_ends_of_a_hub_are_joined_without_reading_it(graphs: Graphs) -> None:
    view = Counted(graphs.of(*between(("a", "hub"), ("b", "hub"), *((f"leaf{n:04}", "hub") for n in range(3_000)))))
    result = found(view, limit=1)
    assert [each.id for each in result.paths[0].entities] == ["a", "hub", "b"]
    assert result.is_complete
    assert view.read == 2


def test_a_hub_that_is_cut_makes_the_answer_unsure(graphs: Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EDGES_PER_STEP", 5)
    leaves = [(f"leaf{n}", hub) for hub in ("a", "b") for n in range(9)]
    result = found(graphs.of(*between(*leaves, ("zoe", "a"), ("zoe", "b"))), max_hops=2)
    assert not result.is_complete


def test_a_search_stops_at_its_limit_and_says_so(graphs: Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PATH_EXPANSIONS", 20)
    tree = [(f"{end}{n}", end) for end in "ab" for n in range(10)]
    deep = [(f"{end}{n}-{m}", f"{end}{n}") for end in "ab" for n in range(10) for m in range(10)]
    view = Counted(graphs.of(*between(*tree, *deep, ("a9-9", "b9-9"))))
    result = found(view)
    assert not result.is_complete
    assert result.looked_at == view.read <= 40


def test_of_many_paths_the_search_for_longer_ones_stops(graphs: Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"n{n:02}" for n in range(12)]
    clique = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    monkeypatch.setattr(module, "MAX_PATH_EXPANSIONS", 2_000)
    result = found(graphs.of(*between(("a", "n00"), ("b", "n11"), *clique)), limit=10_000)
    assert not result.is_complete
    assert 1 < len(result.paths) < 2_000


def test_what_is_merged_away_meanwhile_takes_its_paths_along(graphs: Graphs) -> None:
    view = Counted(graphs.of(*between(("a", "c"), ("c", "b"), ("a", "d"), ("d", "b"))), gone=["c"])
    assert routes(found(view, limit=2)) == ["adb"]
