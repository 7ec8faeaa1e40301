"""Facts between entities, as a walk through the graph asks for them."""

from graph.rows import FactVersion
from graph.stores.port import Moment
from tests.support.graph_rows import Filled, fact

NOW = Moment()


def ids(versions: list[FactVersion]) -> list[str]:
    return [version.id for version in versions]


def test_edges_are_facts_between_entities_on_either_side(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("out", "a", "b"),
            fact("in", "c", "a"),
            fact("literal", "a", None, literal="a"),
            fact("x", "b", "c"),
        ]
    )
    assert ids(view.edges(["a"], NOW, 10, None)) == ["out", "in"]
    assert view.edges(["nobody"], NOW, 10, None) == []
    assert view.edges([], NOW, 10, None) == []


def test_each_entity_has_at_most_so_many_newest_first_its_own_side_first(filled: Filled) -> None:
    facts = [fact(f"out{n}", "hub", f"x{n}", valid_at=n) for n in range(4)]
    facts += [fact(f"in{n}", f"x{n}", "hub", valid_at=10 + n) for n in range(4)]
    facts += [fact(f"l{n}", "hub", None, literal=str(n), valid_at=50) for n in range(4)]
    view = filled(facts=facts)
    assert ids(view.edges(["hub"], NOW, 3, None)) == ["out3", "out2", "out1"]
    assert ids(view.edges(["hub"], NOW, 6, None)) == ["out3", "out2", "out1", "out0", "in3", "in2"]
    assert ids(view.edges(["x0", "x1"], NOW, 1, None)) == ["in0", "in1"]
    assert view.edges(["hub"], NOW, 0, None) == []


def test_equal_starts_come_by_id(filled: Filled) -> None:
    view = filled(facts=[fact(id_, "a", "b") for id_ in ("c", "B", "b", "a")])
    assert ids(view.edges(["a"], NOW, 3, None)) == ["B", "a", "b"]


def test_a_fact_that_touches_two_of_them_comes_once(filled: Filled) -> None:
    view = filled(facts=[fact("ab", "a", "b", valid_at=2), fact("bc", "b", "c", valid_at=1), fact("ca", "c", "a")])
    assert ids(view.edges(["a", "b"], NOW, 10, None)) == ["ab", "ca", "bc"]
    assert ids(view.edges(["b", "a"], NOW, 10, None)) == ["bc", "ab", "ca"]
    assert ids(view.edges(["a", "a"], NOW, 10, None)) == ["ab", "ca"]


def test_a_loop_comes_once_and_counts_once(filled: Filled) -> None:
    view = filled(facts=[fact("loop", "a", "a", valid_at=9), fact("in", "b", "a"), fact("in2", "c", "a")])
    assert ids(view.edges(["a"], NOW, 2, None)) == ["loop", "in"]
    assert ids(view.edges(["a"], NOW, 3, None)) == ["loop", "in", "in2"]


def test_edges_are_those_visible_from_the_moment(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("past", "a", "b", valid_at=10, invalid_at=20),
            fact("now", "a", "b", valid_at=20),
            fact("unlearnt", "a", "b", created_at=100, expired_at=200),
        ]
    )
    assert ids(view.edges(["a"], NOW, 10, None)) == ["now", "past"]
    assert ids(view.edges(["a"], Moment(as_of=15), 10, None)) == ["past"]
    assert ids(view.edges(["a"], Moment(as_of=20), 1, None)) == ["now"]
    assert ids(view.edges(["a"], Moment(as_of=15, known_at=150), 10, None)) == ["past", "unlearnt"]
    assert view.edges(["a"], Moment(known_at=99), 10, None) == []


def test_predicates_narrow_before_the_limit(filled: Filled) -> None:
    facts = [fact(f"l{n}", "a", "b", valid_at=100 + n, predicate="likes") for n in range(5)]
    view = filled(facts=[*facts, fact("w", "a", "b", predicate="works_for"), fact("k", "b", "a", predicate="knows")])
    assert ids(view.edges(["a"], NOW, 2, ["works_for", "knows"])) == ["w", "k"]
    assert view.edges(["a"], NOW, 2, []) == []


def test_a_hub_costs_no_more_than_its_limit_gives(filled: Filled) -> None:
    view = filled(facts=[fact(f"f{n:05}", "hub", f"x{n}", valid_at=n) for n in range(3_000)])
    found = view.edges(["hub", *(f"x{n}" for n in range(200))], NOW, 20, None)
    assert ids(found)[:20] == [f"f{n:05}" for n in range(2_999, 2_979, -1)]
    assert len(found) == 220


def test_all_edges_are_pairs_of_entities_by_fact_id(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("b", "x", "y", valid_at=5),
            fact("A", "y", "x", valid_at=1, invalid_at=3),
            fact("a", "x", "x", created_at=100, expired_at=200),
            fact("c", "x", None, literal="y"),
        ]
    )
    assert view.all_edges(NOW, 10) == [("A", "y", "x"), ("b", "x", "y")]
    assert view.all_edges(NOW, 1) == [("A", "y", "x")]
    assert view.all_edges(Moment(as_of=2, known_at=150), 10) == [("A", "y", "x"), ("a", "x", "x")]
