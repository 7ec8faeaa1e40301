"""What speaks against one entity, and how mentions of one name fall into several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.resolution.birthdates import PartialDate, parse_date
from graph.resolution.blocks import Atom, split
from graph.resolution.evidence import Evidence, conflict, merge

YEAR = 365 * 86_400 * 1_000_000


def born(*values: str, predicate: str = "born_on") -> Evidence:
    return Evidence(constants={predicate: frozenset(values)})


def at(predicate: str, place: str, start: float, end: float) -> Evidence:
    return Evidence(intervals=frozenset({(predicate, place, round(start * YEAR), round(end * YEAR))}))


def key(*keys: str) -> Evidence:
    return Evidence(keys=frozenset(keys))


# --- conflicts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [(born("1980-02-03"), born("1990-05-06"), "constant"), (born("1980"), born("1981-01-01"), "constant"),
     (born("1980-02-03"), born("--05-06", predicate="birthday"), "constant"),
     (born("Oslo", predicate="born_in"), born("Lisbon", predicate="born_in"), "constant"),
     (key("customer:42"), key("customer:43"), "key"),
     (Evidence(type="Person"), Evidence(type="Place"), "type"),
     (Evidence(type="Organization"), Evidence(type="Person"), "type"),
     (at("lives_in", "oslo", 40, 50), at("lives_in", "rome", 42, 48), "interval"),
     (at("works_at", "acme", 40, 46), at("works_at", "globex", 39, 45), "interval")],
)  # fmt: skip
def test_what_cannot_be_of_one_entity_conflicts(a: Evidence, b: Evidence, kind: str) -> None:
    for found in (conflict(a, b), conflict(b, a)):
        assert found is not None
        assert found.kind == kind
        assert found.reason


@pytest.mark.parametrize(
    ("a", "b"),
    [(born("1980"), born("1980-02-03")), (born("1980-02-03"), born("February 3", predicate="birthday")),
     (born("1980-02-03"), born("in spring")),
     (born("Lisbon", predicate="born_in"), born("Lisbon, Portugal", predicate="born_in")),
     (born("x", predicate="favourite"), born("y", predicate="favourite")),
     (key("customer:42"), key("employee:43")),
     (key("42"), key("43")), (Evidence(type="Thing"), Evidence(type="Place")),
     (Evidence(type="Customer"), Evidence(type="Person")),
     (at("lives_in", "oslo", 40, 45), at("lives_in", "rome", 45, 50)),
     (at("lives_in", "oslo", 40, 45), at("lives_in", "rome", 44, 50)),
     (at("works_at", "acme", 40, 42), at("works_at", "globex", 43, 44)),
     (at("visited", "oslo", 40, 45), at("visited", "rome", 41, 42)),
     (Evidence(), born("1980"))],
)  # fmt: skip
def test_what_one_entity_can_be_does_not_conflict(a: Evidence, b: Evidence) -> None:
    assert conflict(a, b) is None
    assert conflict(b, a) is None


def test_a_coarse_date_does_not_let_in_who_contradicts_the_fine_one() -> None:
    assert conflict(merge(born("1980"), born("1980-02-03")), born("1980-05-06")) is not None


def test_a_corrected_value_agrees_with_either() -> None:
    corrected = merge(born("1980-02-03"), born("1981-02-03"))
    assert conflict(corrected, born("1981-02-03")) is None
    assert conflict(corrected, born("1990-02-03")) is not None


def test_a_person_stays_one_whatever_else_they_are_called() -> None:
    assert conflict(merge(Evidence(type="Person"), Evidence(type="Thing")), Evidence(type="Place")) is not None


@pytest.mark.parametrize(
    ("text", "date"),
    [("1980-02-03", PartialDate(1980, 2, 3)), ("1980", PartialDate(1980)), ("1980-02", PartialDate(1980, 2)),
     ("--02-03", PartialDate(None, 2, 3)), ("02-03", PartialDate(None, 2, 3)), ("3 February 1980", PartialDate(1980, 2, 3)),
     ("Feb 3rd", PartialDate(None, 2, 3)), ("the 3rd", None), ("3/2/1980", None), ("1980-13-03", None), ("", None)],
)  # fmt: skip
def test_dates_of_birth_are_read_as_far_as_they_go(text: str, date: PartialDate | None) -> None:
    assert parse_date(text) == date


DATES = st.sampled_from(["1980", "1980-02", "1980-02-03", "1980-05-06", "1990", "--02-03", "spring"])
ANY = st.builds(
    Evidence,
    st.sampled_from(["Thing", "Person", "Place", "Customer"]),
    st.dictionaries(st.sampled_from(["born_on", "birthday", "born_in"]), st.frozensets(DATES, min_size=1), max_size=2),
    st.frozensets(
        st.tuples(st.just("lives_in"), st.sampled_from(["oslo", "rome"]), st.integers(0, 5), st.integers(6, 9)), max_size=2
    ),
    st.frozensets(st.sampled_from(["customer:1", "customer:2", "loose"]), max_size=2),
)  # fmt: skip


@given(ANY, ANY, ANY)
def test_merging_depends_on_no_order(a: Evidence, b: Evidence, c: Evidence) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert (conflict(a, b) is None) == (conflict(b, a) is None)


@given(ANY)
def test_nothing_conflicts_with_itself(a: Evidence) -> None:
    assert conflict(a, a) is None


# --- two people of one name -----------------------------------------------------------------------------------------


def atom(id: str, session: str = "s", evidence: Evidence | None = None, is_self: bool = False) -> Atom:
    return Atom(session, int(id), id, evidence or Evidence(), is_self)


def ids(atoms: list[Atom]) -> list[list[str]]:
    return [[atom.id for atom in group] for group in split(atoms)]


def test_two_birthdays_are_two_people() -> None:
    atoms = [atom("1", "a", born("1980-02-03")), atom("2", "b", born("1990-05-06")), atom("3", "c", born("1990"))]
    assert ids(atoms) == [["1"], ["2", "3"]]


def test_a_session_means_one_person_who_may_be_corrected() -> None:
    assert ids([atom("1", "a", born("1980-02-03")), atom("2", "a", born("1981-02-03"))]) == [["1", "2"]]


def test_a_changed_town_or_job_makes_no_second_person() -> None:
    atoms = [atom("1", "a", at("lives_in", "oslo", 40, 45)), atom("2", "b", at("lives_in", "rome", 45, 50))]
    assert ids(atoms) == [["1", "2"]]


def test_two_places_at_one_time_are_two_people() -> None:
    atoms = [atom("1", "a", at("lives_in", "oslo", 40, 50)), atom("2", "b", at("lives_in", "rome", 42, 48))]
    assert ids(atoms) == [["1"], ["2"]]


def test_who_is_known_by_nothing_is_the_first() -> None:
    atoms = [atom("1", "a"), atom("2", "b", born("1980")), atom("3", "c", born("1990")), atom("4", "d")]
    assert ids(atoms) == [["1", "2", "4"], ["3"]]


def test_what_agrees_is_preferred_to_what_is_first() -> None:
    one, other = merge(born("1980-02-03"), key("a:1")), born("Oslo", predicate="born_in")
    atoms = [
        atom("1", "a", one),
        atom("2", "b", merge(other, born("1990"))),
        atom("3", "c", other),
    ]
    assert ids(atoms) == [["1"], ["2", "3"]]


def test_equal_keys_are_one_and_other_keys_are_others_even_in_one_session() -> None:
    atoms = [atom("1", "a", key("c:1")), atom("2", "a", key("c:2")), atom("3", "b", key("c:2")), atom("4", "a")]
    assert ids(atoms) == [["1", "4"], ["2", "3"]]


def test_whoever_says_i_is_one_and_may_correct_a_birthday() -> None:
    atoms = [atom("1", "a", born("1980-02-03"), True), atom("2", "b", born("1981-02-03"), True)]
    assert ids(atoms) == [["1", "2"]]


def test_no_atoms_are_nobody() -> None:
    assert split([]) == []


@given(st.data(), st.lists(st.tuples(st.sampled_from("abc"), ANY, st.booleans()), max_size=8))
def test_the_order_of_mentions_changes_nothing(data: st.DataObject, rows: list[tuple[str, Evidence, bool]]) -> None:
    atoms = [atom(str(i), session, evidence, is_self) for i, (session, evidence, is_self) in enumerate(rows)]
    expected = split(atoms)
    assert split(data.draw(st.permutations(atoms))) == expected
    assert sorted(a.id for group in expected for a in group) == sorted(a.id for a in atoms)
