"""From links to entities: strongest first, unique where a name says little, and in no order of arrival."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.resolution.clusters import Cluster, Node, PairLink, resolve
from graph.resolution.evidence import Evidence
from graph.resolution.linking import link_all
from graph.resolution.names import name_key
from graph.resolution.rules import NameForm

BORN_1980 = Evidence(constants={"born_on": frozenset({"1980-02-03"})})
BORN_1990 = Evidence(constants={"born_on": frozenset({"1990-05-06"})})


def sure(a: str, b: str, score: float = 0.9) -> PairLink:
    return PairLink(a, b, "typo", score)


def partial(a: str, b: str) -> PairLink:
    return PairLink(a, b, "first name", 0.7, a)


def members(clusters: list[Cluster]) -> list[tuple[str, ...]]:
    return [cluster.members for cluster in clusters]


def of_names(*names: str) -> list[tuple[str, ...]]:
    forms = [(key, NameForm(key, "Person")) for key in map(name_key, names)]
    return members(resolve([Node(key, Evidence(type="Person")) for key, _ in forms], link_all(forms)))


def test_spellings_of_one_person_end_as_one_entity() -> None:
    spellings = (
        "Katherine Jones",
        "Kate Jones",
        "K. Jones",
        "Katherine",
        "Jones, Katherine",
        "Kahterine Jones",
        "Kate",
    )
    assert len(of_names(*spellings)) == 1


def test_a_first_name_waits_while_two_people_fit_it() -> None:
    assert of_names("Katherine", "Katherine Jones", "Katherine Smith") == [
        ("katherine",), ("katherine jones",), ("katherine smith",)
    ]  # fmt: skip


def test_an_initial_fits_all_spellings_of_one_person() -> None:
    assert of_names("K. Jones", "Kate Jones", "Katherine Jones") == [("k jones", "kate jones", "katherine jones")]


def test_a_middle_initial_keeps_two_apart_though_the_plain_name_fits_both() -> None:
    assert len(of_names("Rebecca A. Stein", "Rebecca B. Stein", "Rebecca Stein")) == 3


def test_an_undone_merge_stays_undone_by_any_way_round() -> None:
    nodes = [Node("a"), Node("b"), Node("c")]
    clusters = resolve(nodes, [sure("a", "b", 0.95), sure("b", "c")], cannot=[("c", "a")])
    assert members(clusters) == [("a", "b"), ("c",)]
    undecided = resolve(nodes, [sure("a", "b"), sure("b", "c")], cannot=[("c", "a")])
    assert members(undecided) == [("a",), ("b",), ("c",)]


def test_an_undone_merge_is_stronger_than_a_merge_by_hand() -> None:
    assert len(resolve([Node("a"), Node("b")], [], must=[("a", "b")], cannot=[("b", "a")])) == 2


def test_a_merge_by_hand_is_stronger_than_evidence() -> None:
    nodes = [Node("a", BORN_1980), Node("b", BORN_1990)]
    assert members(resolve(nodes, [], must=[("b", "a")])) == [("a", "b")]
    assert members(resolve(nodes, [sure("a", "b")])) == [("a",), ("b",)]


def test_what_was_not_followed_is_told_with_its_reason() -> None:
    clusters = resolve([Node("a", BORN_1980), Node("b", BORN_1990)], [sure("a", "b")])
    assert [(r.kind, r.reason) for r in clusters[0].refused] == [
        ("conflict", "born_on 1980-02-03 and born_on 1990-05-06")
    ]
    waiting = resolve([Node("k"), Node("k j"), Node("k s")], [partial("k", "k j"), partial("k", "k s")])
    assert {r.kind for r in waiting[0].refused} == {"ambiguous"}


def test_evidence_of_a_cluster_speaks_against_whoever_would_join_it() -> None:
    nodes = [Node("a", BORN_1980), Node("b"), Node("c", BORN_1990)]
    assert members(resolve(nodes, [sure("a", "b", 0.95), sure("b", "c", 0.9)])) == [("a", "b"), ("c",)]


def test_a_spelling_does_not_choose_between_two_people_of_one_name() -> None:
    nodes = [Node("ana#0", BORN_1980), Node("ana#1", BORN_1990), Node("anna")]
    assert members(resolve(nodes, [sure("anna", "ana#0"), sure("anna", "ana#1")])) == [
        ("ana#0",),
        ("ana#1",),
        ("anna",),
    ]
    known = [*nodes[:2], Node("anna", BORN_1990)]
    assert members(resolve(known, [sure("anna", "ana#0"), sure("anna", "ana#1")])) == [("ana#0",), ("ana#1", "anna")]


def test_a_candidate_that_evidence_excludes_does_not_count() -> None:
    nodes = [Node("k", BORN_1980), Node("k j", BORN_1990), Node("k s")]
    assert members(resolve(nodes, [partial("k", "k j"), partial("k", "k s")])) == [("k", "k s"), ("k j",)]


@pytest.mark.parametrize(("likeness", "is_chosen"), [(0.9, True), (0.55, False), (0.4, False)])
def test_an_embedding_chooses_among_candidates_only_with_a_clear_lead(likeness: float, is_chosen: bool) -> None:
    def similarity(one: str, other: str) -> float:
        return likeness if {one, other} == {"k", "k j"} else 0.5 if likeness > 0.5 else 0.1

    nodes = [Node("k"), Node("k j"), Node("k s"), Node("stranger")]
    clusters = resolve(nodes, [partial("k", "k j"), partial("k", "k s")], similarity=similarity)
    assert (("k", "k j") in members(clusters)) == is_chosen


def test_an_embedding_never_merges_by_itself() -> None:
    assert len(resolve([Node("a"), Node("b")], [], similarity=lambda one, other: 1.0)) == 2


def test_cyclic_aliases_and_aliases_of_oneself_do_no_harm() -> None:
    nodes = [Node("a"), Node("b"), Node("c")]
    assert members(resolve(nodes, [], must=[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])) == [("a", "b", "c")]


def test_links_to_unknown_nodes_are_left_out() -> None:
    assert members(resolve([Node("a")], [sure("a", "ghost"), sure("a", "a")], must=[("ghost", "a")])) == [("a",)]


def test_an_entity_of_ten_thousand_aliases_is_one() -> None:
    names = [f"alias {i}" for i in range(10_000)]
    clusters = resolve([Node(name) for name in names], [], must=list(pairwise(names)))
    assert len(clusters) == 1
    hub = resolve([Node(name, BORN_1980) for name in names], [sure(names[0], name) for name in names[1:]])
    assert len(hub) == 1


NAMES = ("a", "b", "c", "d", "e", "f")
EVIDENCE = st.sampled_from(
    [
        Evidence(),
        Evidence(type="Person"),
        Evidence(type="Place"),
        BORN_1980,
        BORN_1990,
        Evidence(keys=frozenset({"c:1"})),
    ]
)
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))
LINKS = st.lists(
    st.builds(
        lambda pair, score, side: PairLink(*pair, "rule", score, None if side is None else pair[side]),
        PAIRS,
        st.sampled_from([0.7, 0.8, 0.9]),
        st.sampled_from([None, 0, 1]),
    ),
    max_size=12,
)


@given(
    st.data(),
    st.lists(EVIDENCE, min_size=6, max_size=6),
    LINKS,
    st.lists(PAIRS, max_size=3),
    st.lists(PAIRS, max_size=3),
)
def test_the_order_of_arrival_changes_nothing(
    data: st.DataObject, known: list[Evidence], links: list[PairLink], must: list[tuple[str, str]], cannot: list[tuple[str, str]]
) -> None:  # fmt: skip
    nodes = [Node(name, evidence) for name, evidence in zip(NAMES, known, strict=True)]
    turned = [replace(link, a=link.b, b=link.a) for link in data.draw(st.permutations(links))]
    expected = resolve(nodes, links, must, cannot)
    shuffled = resolve(
        data.draw(st.permutations(nodes)), turned, [(b, a) for a, b in reversed(must)], [(b, a) for a, b in cannot]
    )
    assert shuffled == expected
    assert sorted(id for cluster in expected for id in cluster.members) == sorted(NAMES)
    together = {(a, b) for cluster in expected for a in cluster.members for b in cluster.members if a != b}
    assert not together & set(cannot)


@given(st.permutations(["Katherine Jones", "Kate Jones", "K. Jones", "Kate", "Katherine Smith", "Katherine", "Jones"]))
def test_the_order_of_names_changes_nothing(names: list[str]) -> None:
    assert of_names(*names) == of_names(*sorted(names))
