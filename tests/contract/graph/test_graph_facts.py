"""Facts of a graph store: the two times, filters, order and pages, history, sources."""

import pytest

from graph.rows import FactVersion
from graph.stores.port import FactFilter, Moment
from tests.support.graph_rows import Filled, attributes, fact, source

ALL = FactFilter()
NOW = Moment()
YEAR_1 = -62_135_596_800_000_000
YEAR_9999 = 253_402_300_799_999_999


def ids(versions: list[FactVersion]) -> list[str]:
    return [version.id for version in versions]


def test_a_version_is_returned_as_it_was_written(filled: Filled) -> None:
    of_entity = fact(
        "f1", "ana", "lisbon", 7, valid_at=YEAR_1, invalid_at=YEAR_9999, basis="observed", precision="year",
        qualifiers=attributes(role="boss", amount=2**62, share=0.1, whole=3.0, open=True), sentence="She\nsaid so.",
        confidence=0.1 + 0.2, closed_by="ep-2", close_rule="succeeded", subject_name="Ana", object_text="Lisbon",
    )  # fmt: skip
    of_literal = fact("f2", "ana", None, literal="blue", expired_at=900)
    view = filled(facts=[of_entity, of_literal])
    assert view.fact_history("f1") == [of_entity]
    assert view.fact_history("f2") == [of_literal]
    assert [type(v) for _, v in view.fact_history("f1")[0].qualifiers] == [type(v) for _, v in of_entity.qualifiers]


def test_a_fact_is_true_from_valid_at_until_just_before_invalid_at(filled: Filled) -> None:
    view = filled(facts=[fact("f", valid_at=1_000, invalid_at=2_000)])
    true = {at: ids(view.facts(ALL, Moment(as_of=at), None, 10)) == ["f"] for at in (999, 1_000, 1_999, 2_000)}
    assert true == {999: False, 1_000: True, 1_999: True, 2_000: False}
    assert ids(view.facts(ALL, NOW, None, 10)) == ["f"]  # of every time


def test_a_fact_is_believed_from_created_at_until_just_before_expired_at(filled: Filled) -> None:
    view = filled(facts=[fact("f", created_at=100, expired_at=200)])
    believed = {at: bool(view.facts(ALL, Moment(known_at=at), None, 10)) for at in (99, 100, 199, 200)}
    assert believed == {99: False, 100: True, 199: True, 200: False}
    assert view.facts(ALL, NOW, None, 10) == []


def test_both_times_are_asked_at_once(filled: Filled) -> None:
    open_ended = fact("f", created_at=100, expired_at=200, valid_at=10)
    closed = fact("f", created_at=200, valid_at=10, invalid_at=50)
    view = filled(facts=[open_ended, closed])
    assert view.facts(ALL, Moment(as_of=60, known_at=150), None, 10) == [open_ended]
    assert view.facts(ALL, Moment(as_of=60, known_at=200), None, 10) == []
    assert view.facts(ALL, Moment(as_of=60), None, 10) == []
    assert view.facts(ALL, Moment(as_of=40), None, 10) == [closed]


def test_open_ends_hold_at_the_first_and_the_last_year(filled: Filled) -> None:
    ends = {"never": (None, None), "first": (YEAR_1, None), "last": (YEAR_9999, None), "till": (None, YEAR_9999)}
    view = filled(facts=[fact(id_, valid_at=begin, invalid_at=end) for id_, (begin, end) in ends.items()])
    assert ids(view.facts(ALL, Moment(as_of=YEAR_1 - 1), None, 10)) == ["never", "till"]
    assert ids(view.facts(ALL, Moment(as_of=YEAR_1), None, 10)) == ["first", "never", "till"]
    assert ids(view.facts(ALL, Moment(as_of=YEAR_9999), None, 10)) == ["last", "first", "never"]


def test_facts_come_by_start_descending_then_id_page_by_page(filled: Filled) -> None:
    starts = {"a": 5, "B": 5, "b": 5, "c": None, "C": None, "d": -5, "e": YEAR_1, "z": YEAR_9999}
    view = filled(facts=[fact(id_, valid_at=start) for id_, start in starts.items()])
    expected = ["z", "B", "a", "b", "d", "e", "C", "c"]
    assert ids(view.facts(ALL, NOW, None, 100)) == expected
    for size in (1, 2, 3):
        pages: list[str] = []
        after = None
        while page := view.facts(ALL, NOW, after, size):
            assert len(page) <= size
            pages += ids(page)
            after = (page[-1].start, page[-1].id)
        assert pages == expected


@pytest.mark.parametrize("side", ["entity", "subject", "object"])
def test_pages_of_an_entity_hold_all_of_its_facts_once(filled: Filled, side: str) -> None:
    facts = [fact(f"s{n}", "hub", f"o{n}", valid_at=n // 2) for n in range(5)]
    facts += [fact(f"o{n}", f"s{n}", "hub", valid_at=n // 2) for n in range(5)]
    facts += [fact("loop", "hub", "hub", valid_at=1), fact("other", "x", "y")]
    view = filled(facts=facts)
    wanted = FactFilter(**{side: "hub"})
    expected = [f for f in facts if "hub" in {"subject": [f.subject_id], "object": [f.object_id]}.get(
        side, [f.subject_id, f.object_id])]  # fmt: skip
    expected.sort(key=lambda f: (-f.start, f.id))
    pages: list[str] = []
    after = None
    while page := view.facts(wanted, NOW, after, 3):
        pages += ids(page)
        after = (page[-1].start, page[-1].id)
    assert pages == ids(expected)


def test_all_that_is_given_must_fit(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("1", "ana", "lisbon", predicate="lives_in"),
            fact("2", "ana", "porto", predicate="works_in"),
            fact("3", "bo", "lisbon", predicate="works_in"),
            fact("4", "lisbon", None, literal="ana", predicate="named"),
        ]
    )

    def found(**given) -> list[str]:
        return ids(view.facts(FactFilter(**given), NOW, None, 10))

    assert found(entity="lisbon") == ["1", "3", "4"]
    assert found(subject="ana") == ["1", "2"]
    assert found(object="lisbon") == ["1", "3"]
    assert found(object="ana") == []  # a literal is no entity
    assert found(subject="ana", object="lisbon") == ["1"]
    assert found(entity="ana", object="porto") == ["2"]
    assert found(entity="lisbon", subject="bo") == ["3"]
    assert found(predicates=["works_in", "named"]) == ["2", "3", "4"]
    assert found(entity="lisbon", predicates=["works_in"]) == ["3"]
    assert found(predicates=[]) == []
    assert found(ids=["4", "1", "9", "1"]) == ["1", "4"]
    assert found(ids=["4", "1"], entity="ana") == ["1"]
    assert found(ids=["4", "1"], subject="lisbon") == ["4"]
    assert found(ids=[]) == []


def test_every_word_must_occur_in_the_text_or_the_sentence_in_any_case(filled: Filled) -> None:
    view = filled(
        facts=[
            fact("1", text="Ana lives in LISBON", sentence="I moved to the STRASSE 5%"),
            fact("2", text="Bo lives in Porto", sentence="lisbon is far"),
        ]
    )

    def found(text: str) -> list[str]:
        return ids(view.facts(FactFilter(text=text), NOW, None, 10))

    assert found("lisbon") == ["1", "2"]
    assert found("  moved\tANA ") == ["1"]
    assert found("straße") == ["1"]
    assert found("isbo") == ["1", "2"]
    assert found("5%") == ["1"]
    assert found("%") == ["1"]
    assert found("_") == []
    assert found("ana porto") == []
    assert found("") == ["1", "2"]


@pytest.mark.parametrize(
    ("value", "fits"), [(1, {"one", "float"}), (True, {"true"}), ("1", {"text"}), (1.0, {"one", "float"})]
)
def test_qualifiers_fit_exactly(filled: Filled, value, fits: set[str]) -> None:
    values = {"one": 1, "float": 1.0, "true": True, "text": "1"}
    view = filled(facts=[fact(name, qualifiers=attributes(x=held)) for name, held in values.items()])
    assert set(ids(view.facts(FactFilter(qualifiers={"x": value}), NOW, None, 10))) == fits
    assert set(ids(view.facts(FactFilter(entity="ana", qualifiers={"x": value}), NOW, None, 10))) == fits
    assert view.facts(FactFilter(qualifiers={"x": value, "y": 1}), NOW, None, 10) == []


def test_a_history_holds_all_versions_by_created_at(filled: Filled) -> None:
    versions = [fact("f", created_at=at, expired_at=at + 50) for at in (300, 100, 200)]
    view = filled(facts=[*versions, fact("g")])
    assert [version.created_at for version in view.fact_history("f")] == [100, 200, 300]
    assert view.fact_history("h") == []


def test_sources_are_episodes_sorted_each_once_as_known_then(filled: Filled) -> None:
    view = filled(
        sources=[
            source("f", "ep-2"),
            source("f", "ep-1", 100, 200),
            source("f", "ep-3", 200),
            source("f", "ep-3", 200, assertion_id="another"),
            source("g", "ep-9"),
        ]
    )
    assert view.sources(["f", "none"], None) == {"f": ["ep-2", "ep-3"], "none": []}
    assert view.sources(["f", "g"], 199) == {"f": ["ep-1", "ep-2"], "g": ["ep-9"]}
    assert view.sources(["f"], 99) == {"f": []}
    assert view.sources([], None) == {}
