"""Communities: found by component, kept while it does not change, told in sentences that facts say."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import GraphTooLarge
from graph.ids import community_id
from graph.limits import MAX_SUMMARY_CHARS, MAX_SUMMARY_FACTS
from graph.queries import communities as module
from graph.queries import partition
from graph.queries.communities import Communities, Community, FactEdge, components
from graph.queries.partition import Edge, Finder, best_finder, leiden, leiden_if_small, propagate_labels
from graph.stores.port import GraphView, Moment
from tests.support.graph_rows import entity, fact, source
from tests.support.graph_views import Counted, Graphs, Pair, between

NOW = Moment()
FINDERS = [
    pytest.param(
        leiden, marks=pytest.mark.skipif(best_finder() is propagate_labels, reason="leidenalg is not installed")
    ),
    propagate_labels,
]
PAIRS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=16)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    made = Graphs(tmp_path_factory.mktemp("graph"))
    yield made
    made.store.close()


def clique(letter: str, size: int) -> list[Pair]:
    return list(combinations([f"{letter}{n}" for n in range(size)], 2))


def found(view: Any, find: Finder = propagate_labels, at: Moment = NOW, **given: Any) -> list[Community]:
    return Communities(find).of("ns", view, at, 1_000, **given)


def members(communities: list[Community]) -> set[frozenset[str]]:
    return {frozenset(each.id for each in community.members) for community in communities}


class Counting:
    """A finder that remembers the sizes it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, nodes: int, edges: Mapping[Edge, int]) -> list[int]:
        self.asked.append(nodes)
        return propagate_labels(nodes, edges)


# --- what belongs together ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("find", FINDERS)
def test_two_cliques_with_one_bridge_are_two_communities(graphs: Graphs, find: Finder) -> None:
    view = graphs.of(*between(*clique("a", 5), *clique("b", 5), ("a0", "b0")))
    assert members(found(view, find)) == {frozenset(f"{letter}{n}" for n in range(5)) for letter in "ab"}


@pytest.mark.parametrize("find", FINDERS)
@settings(deadline=None, max_examples=60)
@given(pairs=PAIRS, random=st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(graphs: Graphs, find: Finder, pairs: list[Pair], random: Any) -> None:
    facts = between(*pairs)
    assert found(graphs.of(*facts), find) == found(graphs.of(*random.sample(facts, len(facts))), find)


@pytest.mark.parametrize("find", FINDERS)
@settings(deadline=None, max_examples=60)
@given(pairs=PAIRS)
def test_an_entity_is_in_one_community_of_its_component(graphs: Graphs, find: Finder, pairs: list[Pair]) -> None:
    view = graphs.of(*between(*pairs))
    told = found(view, find)
    everyone = [each.id for community in told for each in community.members]
    assert len(everyone) == len(set(everyone))
    within = [frozenset(end for edge in own for end in edge[1:]) for own in components(view.all_edges(NOW, 100))]
    assert all(sum(own <= component for component in within) == 1 for own in members(told))
    assert all(community.size > 1 for community in told)


@settings(deadline=None, max_examples=60)
@given(PAIRS)
def test_components_are_what_hangs_together(pairs: list[Pair]) -> None:
    edges: list[FactEdge] = [(f.id, f.subject_id, f.object_id or "") for f in between(*pairs)]
    groups: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    parts = components(edges)
    assert sorted(sorted({end for edge in part for end in edge[1:]}) for part in parts) == sorted(map(sorted, groups))
    assert sorted(edge for part in parts for edge in part) == sorted(edges)


def test_the_same_members_have_the_same_id(graphs: Graphs) -> None:
    [one] = found(graphs.of(*between(("ana", "bob"), ("bob", "carla"))))
    [other] = found(graphs.of(*between(("carla", "ana"), ("ana", "bob"))))
    assert one.id == other.id == community_id("ns", "ana\nbob\ncarla")


def test_a_small_component_is_a_community_as_it_stands(graphs: Graphs) -> None:
    find = Counting()
    assert members(found(graphs.of(*between(("a", "b"), ("b", "c"), ("x", "y"))), find)) == {
        frozenset("abc"), frozenset("xy")
    }  # fmt: skip
    assert find.asked == []


def test_one_who_speaks_only_of_itself_is_no_community(graphs: Graphs) -> None:
    assert found(graphs.of(*between(("a", "a")), fact("tea", "b", None, literal="tea"), entities=[entity("b")])) == []


def test_only_facts_of_the_moment_join(graphs: Graphs) -> None:
    view = graphs.of(
        fact("past", "a", "b", valid_at=10, invalid_at=20),
        fact("learnt", "c", "d", created_at=300),
        fact("present", "e", "f", valid_at=20),
    )
    assert members(found(view, at=Moment(as_of=25))) == {frozenset("cd"), frozenset("ef")}
    assert members(found(view, at=Moment(as_of=15, known_at=200))) == {frozenset("ab")}


def test_a_graph_that_is_too_large_is_refused(graphs: Graphs) -> None:
    view = graphs.of(*between(("a", "b"), ("b", "c")))
    assert Communities().of("ns", view, NOW, 2)
    with pytest.raises(GraphTooLarge):
        Communities().of("ns", view, NOW, 1)


def test_the_largest_come_first_and_only_those_around_an_entity_if_asked(
    graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = graphs.of(*between(("x", "y"), ("a", "b"), ("b", "c"), ("v", "w")))
    assert [community.size for community in found(view)] == [3, 2, 2]
    assert members(found(view, around={"w", "nobody"})) == {frozenset("vw")}
    monkeypatch.setattr(module, "MAX_COMMUNITIES", 1)
    assert members(found(view)) == {frozenset("abc")}


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_a_change_divides_only_its_own_component_anew(graphs: Graphs) -> None:
    find = Counting()
    kept = Communities(find)
    view = graphs.of(*between(*clique("a", 4), *clique("b", 5)))
    first = kept.of("ns", view, NOW, 100)
    assert sorted(find.asked) == [4, 5]
    assert kept.of("ns", view, NOW, 100) == first
    assert len(find.asked) == 2
    view = graphs.change(facts=[fact("new", "b9", "b0")], entities=[entity("b9")])
    second = kept.of("ns", view, NOW, 100)
    assert find.asked[2:] == [6]
    assert members(first) & members(second) == {frozenset(f"a{n}" for n in range(4))}


def test_namespaces_are_kept_apart_and_the_oldest_is_forgotten(graphs: Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PARTITIONED_NAMESPACES", 2)
    find = Counting()
    kept = Communities(find)
    view = graphs.of(*between(*clique("a", 4)))
    ids = {kept.of(name, view, NOW, 100)[0].id for name in ("one", "two", "three")}
    assert len(ids) == 3
    kept.of("three", view, NOW, 100)
    assert len(find.asked) == 3
    kept.of("one", view, NOW, 100)
    assert len(find.asked) == 4


def test_names_and_texts_are_read_anew_so_that_nothing_outlives_its_erasure(graphs: Graphs) -> None:
    kept = Communities()
    view = graphs.of(fact("f", "ana", "bob", text="ana knows bob's secret"))
    assert "secret" in kept.of("ns", view, NOW, 100)[0].summary
    view = graphs.change(facts=[fact("f", "ana", "bob", text="ana knows bob")], entities=[entity("ana", name="Ana S.")])
    [community] = kept.of("ns", view, NOW, 100)
    assert community.summary == "ana knows bob."
    assert community.name == "Ana S. and bob"


# --- in words -------------------------------------------------------------------------------------------------------


def test_a_summary_is_made_of_facts_and_cites_them_and_their_episodes(graphs: Graphs) -> None:
    view = graphs.of(
        fact("f1", "ana", "bob", text="Ana is married to Bob"),
        fact("f2", "ana", "lisbon", text="Ana lives in Lisbon"),
        sources=[source("f1", "ep-2"), source("f1", "ep-1"), source("f2", "ep-1"), source("f2", "old", 1, 100)],
    )
    [community] = found(view)
    assert community.summary == "Ana is married to Bob. Ana lives in Lisbon."
    assert community.fact_ids == ("f1", "f2")
    assert community.episode_ids == ("ep-1", "ep-2")
    assert community.points[0].episode_ids == ("ep-1", "ep-2")
    assert community.name == "ana, bob and lisbon"


def test_a_summary_is_bounded_and_tells_of_more_than_one(graphs: Graphs) -> None:
    pairs = [*clique("a", 8), *((f"leaf{n:02}", "a0") for n in range(30))]
    [community] = found(graphs.of(*between(*pairs)), lambda nodes, _edges: [0] * nodes)
    assert len(community.points) <= MAX_SUMMARY_FACTS
    assert community.members[0].id == "a0"
    assert len({end for point in community.points for end in point.text.rstrip(".").split(" lives in ")}) > 6
    long = [fact(f"f{n}", f"m{n}", "hub", text="x" * 250 + str(n)) for n in range(10)]
    [community] = found(graphs.of(*long), lambda nodes, _edges: [0] * nodes)
    assert len(community.summary) <= MAX_SUMMARY_CHARS
    assert len(community.points) == 2


def test_a_sentence_that_two_facts_make_is_told_once(graphs: Graphs) -> None:
    [community] = found(graphs.of(fact("f1", "ana", "bob", text="They met"), fact("f2", "bob", "ana", text="They met")))
    assert community.summary == "They met."


def test_what_is_merged_away_meanwhile_is_left_out(graphs: Graphs) -> None:
    view = Counted(graphs.of(*between(("a", "b"), ("x", "y"))), gone=["a", "x", "y"])
    assert members(found(view)) == {frozenset("b")}


# --- the finders ----------------------------------------------------------------------------------------------------


def test_without_leidenalg_labels_are_propagated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "find_spec", lambda _name: None)
    assert best_finder() is propagate_labels


def test_leiden_is_left_to_graphs_that_it_does_not_hold_up_others_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def slow(nodes: int, _edges: Mapping[Edge, int]) -> list[int]:
        asked.append(nodes)
        return [0] * nodes

    monkeypatch.setattr(partition, "leiden", slow)
    monkeypatch.setattr(partition, "MAX_LEIDEN_EDGES", 2)
    path: dict[Edge, int] = {(n, n + 1): 1 for n in range(4)}
    assert leiden_if_small(5, path) == propagate_labels(5, path)
    assert leiden_if_small(3, {(0, 1): 1, (1, 2): 1}) == [0, 0, 0]
    assert asked == [3]


def test_labels_that_could_swing_for_ever_settle() -> None:
    square: dict[Edge, int] = {(0, 2): 1, (0, 3): 1, (1, 2): 1, (1, 3): 1}
    assert len(propagate_labels(4, square)) == 4


@pytest.mark.parametrize("find", FINDERS)
def test_weights_hold_together_what_counts_would_part(find: Finder) -> None:
    chain: dict[Edge, int] = {(0, 1): 9, (1, 2): 1, (2, 3): 9, (3, 4): 1, (4, 5): 9}
    labels = find(6, chain)
    assert labels[0] == labels[1] != labels[2] == labels[3] != labels[4] == labels[5]


def test_an_empty_graph_has_no_communities(graphs: Graphs) -> None:
    view: GraphView = graphs.of(entities=[entity("ana")])
    assert found(view) == []
