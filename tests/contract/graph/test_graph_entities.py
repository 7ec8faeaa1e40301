"""Entities of a graph store: what is believed when, filters, order and pages."""

import pytest

from graph.stores.port import EntityFilter, GraphStore
from tests.support.graph_rows import Filled, attributes, entity

ALL = EntityFilter()


def ids(versions) -> list[str]:
    return [version.id for version in versions]


def test_a_version_is_returned_as_it_was_written(filled: Filled) -> None:
    version = entity(
        "e1", 5, None, name="Ana", aliases=["ANA", "Anita"], type="Person", first_at=-7,
        attributes=attributes(age=41, big=-(2**62), tall=True, short=False, weight=61.5, whole=2.0, motto='"é" \\ {}'),
    )  # fmt: skip
    view = filled(entities=[version])
    assert view.entities(ALL, None, "", 10) == [version]
    assert [type(value) for _, value in view.entities(ALL, None, "", 10)[0].attributes] == [
        type(value) for _, value in version.attributes
    ]


def test_a_version_is_believed_from_created_at_until_just_before_expired_at(filled: Filled) -> None:
    view = filled(entities=[entity("e", 100, 200)])
    believed = {at: bool(view.entities(ALL, at, "", 10)) for at in (99, 100, 199, 200)}
    assert believed == {99: False, 100: True, 199: True, 200: False}


def test_now_only_what_is_not_expired_is_believed(filled: Filled) -> None:
    old, new = entity("e", 100, 200, name="old"), entity("e", 200, None, name="new")
    view = filled(entities=[old, new])
    assert view.entities(ALL, None, "", 10) == [new]
    assert view.entities(ALL, 150, "", 10) == [old]


def test_entities_come_by_id_from_the_one_after_the_cursor(filled: Filled) -> None:
    view = filled(entities=[entity(id_) for id_ in ("b", "B", "a", "_", "10", "9", "a-1", "a.1", "Z")])
    expected = sorted(["b", "B", "a", "_", "10", "9", "a-1", "a.1", "Z"])
    assert ids(view.entities(ALL, None, "", 20)) == expected
    pages, after = [], ""
    while page := view.entities(ALL, None, after, 2):
        assert len(page) <= 2
        pages += ids(page)
        after = page[-1].id
    assert pages == expected


def test_a_page_is_full_while_there_are_more_whatever_the_filter(filled: Filled) -> None:
    # The first two were once spelt so and are not any more: they must not use up the page.
    past = [entity(f"e{n}", 100, 200, name_keys=("ana",)) for n in range(2)]
    now = [entity(f"e{n}", 200, None, name_keys=("eva",)) for n in range(2)]
    view = filled(entities=[*past, *now, entity("e2", name_keys=("ana",)), entity("e3", name_keys=("ana",))])
    assert ids(view.entities(EntityFilter(name_keys=["ana"]), None, "", 2)) == ["e2", "e3"]
    assert ids(view.entities(EntityFilter(name_keys=["ana"]), 150, "", 2)) == ["e0", "e1"]


def test_entities_are_found_by_any_of_their_spellings(filled: Filled) -> None:
    view = filled(entities=[entity("a", name_keys=("ana", "silva")), entity("b", name_keys=("bo",)), entity("c")])
    assert ids(view.entities(EntityFilter(name_keys=["silva", "bo"]), None, "", 10)) == ["a", "b"]
    assert ids(view.entities(EntityFilter(name_keys=["silva", "bo"]), None, "a", 10)) == ["b"]
    assert view.entities(EntityFilter(name_keys=["sil"]), None, "", 10) == []
    assert view.entities(EntityFilter(name_keys=[]), None, "", 10) == []


def test_entities_are_found_by_a_part_of_a_spelling_in_any_case(filled: Filled) -> None:
    view = filled(entities=[entity("a", name="STRASSE", aliases=["Groß"]), entity("b", name="Ánna"), entity("c")])
    assert ids(view.entities(EntityFilter(text="straß"), None, "", 10)) == ["a"]
    assert ids(view.entities(EntityFilter(text="gROSS"), None, "", 10)) == ["a"]
    assert ids(view.entities(EntityFilter(text="áNN"), None, "", 10)) == ["b"]
    assert view.entities(EntityFilter(text="anna"), None, "", 10) == []


def test_signs_of_patterns_are_only_signs(filled: Filled) -> None:
    view = filled(entities=[entity("a", name="100%_[x]*"), entity("b", name="100 and x")])
    for sign in ("%", "_", "[x]", "*", "100%_"):
        assert ids(view.entities(EntityFilter(text=sign), None, "", 10)) == ["a"]
    assert view.entities(EntityFilter(text="1.*0"), None, "", 10) == []


def test_entities_are_found_by_type_and_all_else_that_is_given(filled: Filled) -> None:
    view = filled(
        entities=[
            entity("a", type="Person", attributes=attributes(age=1)),
            entity("b", type="Person", attributes=attributes(age=2)),
            entity("c", type="person", attributes=attributes(age=1)),
        ]
    )
    assert ids(view.entities(EntityFilter(type="Person"), None, "", 10)) == ["a", "b"]
    both = EntityFilter(type="Person", text="", name_keys=["a", "b", "c"], attributes={"age": 1})
    assert ids(view.entities(both, None, "", 10)) == ["a"]


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (1, {"one", "float"}), (1.0, {"one", "float"}), (True, {"true"}), (False, {"false"}), ("1", {"text"}),
        ("true", {"word"}), (0, {"zero"}), (0.5, {"half"}), (2**62, {"big"}), (2**62 - 1, set()), ("", {"empty"}),
    ],
)  # fmt: skip
def test_attributes_fit_exactly_true_is_not_1_and_1_is_1_0(filled: Filled, value, fits: set[str]) -> None:
    values = {
        "one": 1, "float": 1.0, "true": True, "false": False, "text": "1", "word": "true", "zero": 0, "half": 0.5,
        "big": 2**62, "empty": "",
    }  # fmt: skip
    view = filled(entities=[entity(name, attributes=attributes(x=held, y=9)) for name, held in values.items()])
    assert set(ids(view.entities(EntityFilter(attributes={"x": value}), None, "", 20))) == fits
    assert set(ids(view.entities(EntityFilter(attributes={"x": value, "y": 9}), None, "", 20))) == fits
    assert view.entities(EntityFilter(attributes={"x": value, "z": 9}), None, "", 20) == []
    assert view.entities(EntityFilter(attributes={"X": value}), None, "", 20) == []


@pytest.mark.parametrize("name", ['a"b', "a'b", "a.b", "$", "a\\b", "[0]", "`", "é", "a b", ""])
def test_attributes_may_have_any_name(filled: Filled, name: str) -> None:
    view = filled(entities=[entity("a", attributes=((name, "v"),)), entity("b", attributes=(("other", "v"),))])
    assert ids(view.entities(EntityFilter(attributes={name: "v"}), None, "", 10)) == ["a"]


def test_entities_by_id_are_those_believed_then(filled: Filled) -> None:
    old, new, gone = entity("a", 100, 200), entity("a", 200), entity("b", 100, 150)
    view = filled(entities=[old, new, gone])
    assert view.entities_by_id(["a", "b", "c", "a"], None) == {"a": new}
    assert view.entities_by_id(["a", "b"], 120) == {"a": old, "b": gone}
    assert view.entities_by_id([], None) == {}


def test_an_unknown_namespace_is_empty(store: GraphStore, namespace: str) -> None:
    view = store.view(namespace)
    assert view.entities(ALL, None, "", 10) == []
    assert view.entities_by_id(["a"], None) == {}
