"""Which two names a rule takes for one, and which it never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.resolution.names import name_key
from graph.resolution.rules import Link, NameForm, compare
from graph.resolution.typos import is_typo


def link(one: str, other: str, kind: str = "Person", other_kind: str | None = None) -> Link | None:
    return compare(NameForm(name_key(one), kind), NameForm(name_key(other), other_kind or kind))


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [("Jones Katherine", "Katherine Jones", "reordered"), ("Catherine Jones", "Katherine Jones", "variant"),
     ("Katherine Jonse", "Katherine Jones", "typo"), ("Kahterine Jones", "Katherine Jones", "typo"),
     ("Jürgen Müller", "Juergen Mueller", "spelling"), ("田中 太郎", "田中太郎", "spelling"),
     ("Семён Иванов", "Семен Иванов", "spelling"), ("محمد علي", "مُحَمَّد علي", "spelling"), ("Ελένη", "Ελενη", "spelling")],
)  # fmt: skip
def test_spellings_of_one_person_are_linked_for_sure(one: str, other: str, rule: str) -> None:
    found = link(one, other)
    assert found is not None
    assert (found.rule, found.is_ambiguous_without_unique) == (rule, False)


@pytest.mark.parametrize(
    ("partial", "full", "rule"),
    [("Kate Jones", "Katherine Jones", "nickname"), ("Bob Hale", "Robert Hale", "nickname"),
     ("K. Jones", "Katherine Jones", "initial"), ("Katherine J.", "Katherine Jones", "initial"),
     ("J. R. R. Tolkien", "John Ronald Reuel Tolkien", "initial"), ("Katherine", "Katherine Jones", "first name"),
     ("Kate", "Katherine Jones", "short first name"), ("Kate", "Katherine", "short first name"),
     ("Dr. Jones", "Katherine Jones", "family name"), ("Katherine Jones", "Katherine A. Jones", "middle name"),
     ("Carlos García", "Carlos García López", "added family name")],
)  # fmt: skip
def test_a_name_that_says_less_is_linked_only_while_one_fuller_name_fits(partial: str, full: str, rule: str) -> None:
    found = link(partial, full)
    assert found is not None
    assert (found.rule, found.partial) == (rule, name_key(partial))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ana Silva", "Ana Silvia"), ("Ana Silva", "Anna Sylvan"), ("John Smith", "Joan Smith"), ("Maria Costa", "Mario Costa"),
     ("Jan Novak", "Jane Novak"), ("John", "Joan"), ("Jan", "Jane"), ("Daniel Costa", "Daniela Costa"),
     ("Hans Andersen", "Hans Anderson"), ("Иван Иванов", "Иван Иванова"), ("Robert Hale", "Robert Hale Jr."),
     ("Robert Hale Sr.", "Robert Hale Jr."), ("James Taylor", "Taylor James"), ("Katherine A. Jones", "Katherine B. Jones"),
     ("Bill Smith", "Robert Smith"), ("Paul Martin", "Paul Marvin"), ("Mr Jones", "Mrs Jones"), ("김민수", "김민서"),
     ("A. J. Reed", "Andrew Reed"), ("Katherine Jones", "Katherine Smith"), ("K. Jones", "J. Jones")],
)  # fmt: skip
def test_people_of_neighbouring_names_stay_apart(one: str, other: str) -> None:
    assert link(one, other) is None


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [("iPhone 13", "iPhone 14", "Product"), ("Route 66", "Route 67", "Place"), ("Python 3.11", "Python 3.12", "Product"),
     ("1 11", "11 1", "Thing"), ("C++", "C#", "Product"), ("contest", "context", "Thing"), ("apple", "apple pie", "Thing"),
     ("Google", "Google Cloud", "Organization"), ("Acme GmbH", "Acme Inc", "Organization"),
     ("France", "Paris, France", "Place"), ("Paris, Texas", "Paris, France", "Place"), ("AI", "Amnesty International", "Thing")],
)  # fmt: skip
def test_things_that_differ_in_a_number_or_a_word_stay_apart(one: str, other: str, kind: str) -> None:
    assert link(one, other, kind) is None


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [("Acme", "Acme Inc.", "Organization"), ("Acme Corporation", "Acme, Inc.", "Organization"),
     ("The Beatles", "Beatles", "Organization"), ("IBM", "International Business Machines Corp.", "Organization"),
     ("BBC", "British Broadcasting Corporation", "Organization"), ("Porto University", "University of Porto", "Organization"),
     ("New York City", "NYC", "Place"), ("Paris", "Paris, Texas", "Place"), ("Route66", "Route 66", "Place"),
     ("Microsfot", "Microsoft", "Organization"), ("YouTube", "You Tube", "Thing")],
)  # fmt: skip
def test_organizations_places_and_things_have_spellings_too(one: str, other: str, kind: str) -> None:
    assert link(one, other, kind) is not None


@pytest.mark.parametrize("kind", ["Place", "Organization"])
def test_a_person_is_no_place_and_no_organization(kind: str) -> None:
    assert link("Austin", "Austin", "Person", kind) is None
    assert link("Paris Hilton", "Paris Hiltno", "Person", kind) is None
    assert link("Austin", "Austin", "Thing", kind) is not None


def test_a_first_name_alone_needs_to_be_known_for_a_person() -> None:
    assert link("Jordan", "Jordan River", "Thing") is None
    assert link("Jordan", "Jordan Price", "Thing", "Person") is not None


def test_an_alias_links_what_no_rule_would() -> None:
    aliased = NameForm("big blue", "Organization", frozenset({"ibm"}))
    assert compare(aliased, NameForm("ibm", "Organization")) == Link("alias", 1.0)


WORDS = [
    "katherine",
    "kate",
    "k",
    "jones",
    "jonse",
    "hale",
    "jr",
    "ii",
    "13",
    "the",
    "of",
    "inc",
    "van",
    "a",
    "müller",
    "田中",
]
KEYS = st.one_of(st.text(max_size=30).map(name_key), st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join))
KINDS = st.sampled_from(["Person", "Place", "Organization", "Thing", "Customer"])


@given(st.builds(NameForm, KEYS, KINDS), st.builds(NameForm, KEYS, KINDS))
def test_comparing_is_symmetric_and_never_fails(a: NameForm, b: NameForm) -> None:
    found = compare(a, b)
    assert found == compare(b, a)
    assert found is None or 0 < found.score <= 1
    assert found is None or found.partial in (None, a.key, b.key)


@given(st.text("abemnoqw", min_size=1, max_size=12), st.text("abemnoqw", min_size=1, max_size=12))
def test_a_typo_is_one_from_either_side(one: str, other: str) -> None:
    assert is_typo(one, other) == is_typo(other, one)
    if min(len(one), len(other)) < 5:
        assert not is_typo(one, other)
