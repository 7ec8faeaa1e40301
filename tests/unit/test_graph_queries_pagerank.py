"""Personalised PageRank: what the exact walk gives, within the tolerance, and never more reads than the limit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.limits import MAX_EDGES_PER_RANKED, MAX_RANKED_EDGES
from graph.queries.pagerank import Ranking, pagerank
from graph.stores.port import Moment
from tests.support.graph_rows import entity, fact
from tests.support.graph_views import Counted, Graphs, Pair, between

NOW = Moment()
PAIRS = st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=14)
SEEDS = st.dictionaries(st.sampled_from("abc"), st.floats(0.1, 5), min_size=1)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    made = Graphs(tmp_path_factory.mktemp("graph"))
    yield made
    made.store.close()


def exact(pairs: list[Pair], seeds: Mapping[str, float], damping: float) -> dict[str, float]:
    """By power iteration over all edges. Loops are left out."""
    both = [step for one, other in pairs if one != other for step in ((one, other), (other, one))]
    total = sum(seeds.values())
    jump = {seed: weight / total for seed, weight in seeds.items()}
    shares = dict(jump)
    for _ in range(200):
        after = {seed: (1 - damping) * weight for seed, weight in jump.items()}
        for node, share in shares.items():
            ways = [other for one, other in both if one == node]
            for other in ways:
                after[other] = after.get(other, 0) + damping * share / len(ways)
            for seed, weight in jump.items() if not ways else ():
                after[seed] += damping * share * weight
        shares = after
    return shares


@settings(deadline=None, max_examples=60)
@given(PAIRS, SEEDS, st.sampled_from([0.3, 0.5, 0.85]))
def test_shares_are_those_of_the_exact_walk(
    graphs: Graphs, pairs: list[Pair], seeds: dict[str, float], damping: float
) -> None:
    view = graphs.of(*between(*pairs), entities=[entity("a")])
    found = pagerank(view, seeds, NOW, damping=damping, tolerance=1e-7)
    expected = exact(pairs, seeds, damping)
    assert found.is_complete
    assert found.entities.keys() <= expected.keys()
    for node, share in expected.items():
        assert found.entities.get(node, 0) == pytest.approx(share, abs=1e-5)
    assert list(found.entities.values()) == sorted(found.entities.values(), reverse=True)


@settings(deadline=None, max_examples=60)
@given(PAIRS, SEEDS, st.sampled_from([1e-1, 1e-2, 1e-3]))
def test_no_share_is_over_the_exact_one_nor_short_of_it_by_more_than_its_edges(
    graphs: Graphs, pairs: list[Pair], seeds: dict[str, float], tolerance: float
) -> None:
    found = pagerank(graphs.of(*between(*pairs)), seeds, NOW, tolerance=tolerance)
    joined = [pair for pair in pairs if pair[0] != pair[1]]
    if any(seed not in {end for pair in joined for end in pair} for seed in seeds):
        return  # What leads back to the seeds is no edge of an undirected graph.
    for node, share in exact(pairs, seeds, 0.5).items():
        edges = sum(node in pair for pair in joined)
        assert share - tolerance * edges - 1e-9 <= found.entities.get(node, 0) <= share + 1e-9


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(graphs: Graphs, pairs: list[Pair], random: Any) -> None:
    facts = between(*pairs)
    shuffled = random.sample(facts, len(facts))
    one, other = (
        pagerank(graphs.of(*each), seeds, NOW)
        for each, seeds in ((facts, {"a": 1, "b": 2}), (shuffled, {"b": 2, "a": 1}))
    )
    assert list(one.entities.items()) == list(other.entities.items())


def test_what_several_seeds_lead_to_is_before_what_one_leads_to(graphs: Graphs) -> None:
    view = graphs.of(*between(("a", "both"), ("b", "both"), ("a", "only"), ("b", "other")))
    found = pagerank(view, {"a": 1, "b": 1}, NOW)
    assert found.entities["both"] > found.entities["only"]


def test_without_seeds_nothing_is_ranked_and_an_unknown_seed_stays_alone(graphs: Graphs) -> None:
    view = graphs.of(*between(("a", "b")))
    assert pagerank(view, {}, NOW) == Ranking({}, {}, is_complete=True, looked_at=0)
    assert pagerank(view, {"nobody": 1}, NOW).entities.keys() == {"nobody"}
    assert pagerank(view, {"a": 1, "b": 0}, NOW).entities == pagerank(view, {"a": 1}, NOW).entities


def test_only_facts_of_the_moment_lead_on(graphs: Graphs) -> None:
    view = graphs.of(fact("past", "a", "b", valid_at=10, invalid_at=20), fact("learnt", "a", "c", created_at=300))
    assert pagerank(view, {"a": 1}, Moment(as_of=25)).entities.keys() == {"a", "c"}
    assert pagerank(view, {"a": 1}, Moment(as_of=15, known_at=200)).entities.keys() == {"a", "b"}


EPISODES = {"a": ["ep-1"], "b": ["ep-1", "ep-2"], "c": ["ep-2"]}


def beside(nodes: Sequence[str]) -> dict[str, list[str]]:
    """Episodes of entities, entities of episodes."""
    back = {episode: [e for e in "abc" if episode in EPISODES[e]] for episode in ("ep-1", "ep-2")}
    return {node: {**EPISODES, **back}[node] for node in nodes if node in EPISODES or node in back}


def test_episodes_lead_from_entity_to_entity_and_are_ranked_apart(graphs: Graphs) -> None:
    view = Counted(graphs.of(entities=[entity(each) for each in "abc"]))
    found = pagerank(view, {"a": 1}, NOW, beside=beside, tolerance=1e-7)
    assert list(found.entities) == ["a", "b", "c"]
    assert list(found.episodes) == ["ep-1", "ep-2"]
    pairs = [(each, episode) for each, own in EPISODES.items() for episode in own]
    expected = exact(pairs, {"a": 1}, 0.5)
    assert {**found.entities, **found.episodes} == pytest.approx(expected, abs=1e-5)
    assert not any(node.startswith("ep") for asked in view.asked for node in asked)


def test_a_hub_costs_no_more_than_its_limit(graphs: Graphs) -> None:
    view = Counted(graphs.of(*between(("a", "hub"), *((f"leaf{n:04}", "hub") for n in range(1_000)))))
    found = pagerank(view, {"hub": 1}, NOW)
    assert not found.is_complete
    assert found.looked_at == view.read <= 2 * MAX_EDGES_PER_RANKED
    assert sum(found.entities.values()) == pytest.approx(1, abs=0.1)


def test_a_ranking_reads_no_more_than_its_limit(graphs: Graphs) -> None:
    tree = [(f"{n}", "a") for n in range(90)] + [(f"{n}-{m}", f"{n}") for n in range(90) for m in range(90)]
    view = Counted(graphs.of(*between(*tree)))
    found = pagerank(view, {"a": 1}, NOW, damping=0.9, tolerance=1e-6)
    assert not found.is_complete
    assert view.read == found.looked_at <= 1.1 * MAX_RANKED_EDGES
