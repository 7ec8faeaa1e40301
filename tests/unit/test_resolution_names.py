"""Names to keys, and keys to what an index looks up."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.limits import MAX_CANDIDATES, MAX_NAME_CHARS
from graph.resolution.candidates import MAX_BLOCKING_KEYS, blocking_keys, rank
from graph.resolution.names import name_key, name_tokens
from graph.resolution.rules import NameForm, compare

PARTS = ["Dr.", "Mr", "Jones,", "K.", "Kate's", "Jr.", "PhD", "🙂", "العربية", "Inc."]
ANY_NAME = st.one_of(
    st.text(max_size=40),
    st.text("JonesKatherine ,.'’-&+#3é\u0301\u202eさんмж ", max_size=40),
    st.lists(
        st.sampled_from(["Dr.", "Mr", "Jones,", "K.", "Kate's", "Jr.", "PhD", "🙂", "العربية", "Inc."]), max_size=6
    ).map(" ".join),
)


@given(ANY_NAME)
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.text(min_size=1, max_size=400, alphabet=st.characters()))
def test_a_key_is_never_empty_and_never_long(name: str) -> None:
    assert 0 < len(name_key(name)) <= MAX_NAME_CHARS


@given(ANY_NAME)
def test_a_key_holds_no_control_or_direction_character(name: str) -> None:
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in name_key(name))


@pytest.mark.parametrize(
    "name",
    ["Katherine Jones", "KATHERINE  JONES", "Jones, Katherine", "Dr. Katherine Jones", "Mrs Katherine Jones",
     "Katherine Jones's", "Katherine Jones’s", "Kathérine Jones", "Katherine\u202e Jones", "Ｋａｔｈｅｒｉｎｅ Jones",
     "Katherine Jones, PhD"],
)  # fmt: skip
def test_ways_of_writing_one_name_share_a_key(name: str) -> None:
    assert name_key(name) == "katherine jones"


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C#"), ("C", "C++"), ("Mr Jones", "Mrs Jones"), ("Robert Hale", "Robert Hale Jr."), ("🎸", "🥁"),
     ("Paris, Texas", "Paris, France"), ("й", "и"), ("Python 3.11", "Python 311"), ("कमल", "कमला"), ("!!!", "???")],
)  # fmt: skip
def test_names_that_differ_in_what_counts_keep_their_own_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [("K. Jones", "k jones"), ("J.R.R. Tolkien", "j r r tolkien"), ("U.S.A.", "usa"), ("AT&T", "att"), ("O'Brien", "obrien"),
     ("Jean-Luc Picard", "jean luc picard"), ("Paris, Texas", "paris texas"), ("Robert Hale, Jr.", "robert hale jr"),
     ("Acme, Inc.", "acme inc"), ("Łukasz Øre", "lukasz ore"),
     ("田中さん", "田中"), ("김민수 씨", "김민수"), ("İstanbul", "istanbul")],
)  # fmt: skip
def test_a_key_reads_as_the_name_does(name: str, key: str) -> None:
    assert name_key(name) == key
    assert name_tokens(name) == tuple(key.split())


def test_a_name_of_nothing_but_an_emoji_is_its_own_key() -> None:
    assert name_key("🙂") == "🙂"
    assert name_key("Ana 🙂") == "ana"
    assert name_key("") == ""


@given(ANY_NAME.filter(bool))
def test_blocking_keys_are_few_and_there_is_always_one(name: str) -> None:
    keys = blocking_keys(name_key(name))
    assert 0 < len(keys) <= MAX_BLOCKING_KEYS
    assert all(len(key) <= 80 for key in keys)


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_what_a_rule_links_shares_a_blocking_key(one: str, other: str) -> None:
    for kind in ("Person", "Organization", "Place", "Thing"):
        if compare(NameForm(name_key(one), kind), NameForm(name_key(other), kind)) is not None:
            assert blocking_keys(name_key(one)) & blocking_keys(name_key(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Katherine Jones", "Kate"), ("Kate", "Katherine"), ("Catherine", "Katherine"), ("Bob Hale", "Robert Hale"),
     ("IBM", "International Business Machines Corp."), ("BBC", "British Broadcasting Corporation"), ("Müller", "Mueller"),
     ("田中太郎", "田中 太郎"), ("Kubernetes", "Kubernets"), ("Terraform", "Terrafrom"), ("YouTube", "You Tube"),
     ("مُحَمَّد علي", "محمد علي"), ("Jones", "Katherine Jones"), ("K. Jones", "Kate Jones"), ("Paris", "Paris, Texas")],
)  # fmt: skip
def test_spellings_find_each_other_by_a_blocking_key(one: str, other: str) -> None:
    assert blocking_keys(name_key(one)) & blocking_keys(name_key(other))


def test_of_thousands_that_share_a_word_the_few_most_alike_are_compared() -> None:
    crowd = [f"katherine number{i}" for i in range(3_000)]
    ranked = rank("kate jones", [*crowd, "katherine jones", "kate jones"])
    assert ranked[0] == "katherine jones"
    assert len(ranked) == MAX_CANDIDATES
    assert rank("kate jones", reversed([*crowd, "katherine jones"])) == ranked


@pytest.mark.parametrize(
    "name", ["[Jones", "(", "a|b", r"\d+", "*", "%_'; DROP TABLE", "$^", "\\", "\x00", "\ud800", "\ue000"]
)
def test_metacharacters_are_only_characters(name: str) -> None:
    assert name_key(name)
    assert blocking_keys(name_key(name))
    assert rank(name_key(name), ["katherine", name_key(name)]) == ["katherine"]
