"""Terms: every script is found by its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.analysis import terms
from retrieval.names import find_names


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("She was running late", "runs"),
        ("They went home", "going"),
        ("Two children came", "child"),
        ("Der Käse ist gut", "kase"),
        ("Łódź jest piękna", "Łódź"),
        ("STRASSE", "straße"),
        ("Я живу в Москве", "Москва"),
        ("Ζω στην Αθήνα", "Αθήνας"),
        ("أنا أسكن في القاهرة", "القاهرة"),
        ("मैं दिल्ली में रहता हूँ", "दिल्ली"),
        ("東京に住んでいます", "東京"),
        ("我养了一只猫。", "猫"),
        ("저는 서울에서 일해요", "서울"),
        ("ฉันอยู่กรุงเทพมหานคร", "กรุงเทพ"),
        ("ខ្ញុំរស់នៅភ្នំពេញ", "ភ្នំពេញ"),
        ("ich heiße Zoë", "zoe"),
        ("ﬁne ｆｕｌｌｗｉｄｔｈ", "fullwidth"),
    ],
)
def test_a_word_is_found_in_its_text(stored: str, asked: str) -> None:
    assert set(terms(asked)) & set(terms(stored))


def test_english_stop_words_are_left_out() -> None:
    assert terms("who is it that you are") == []


def test_terms_keep_order_and_repetition() -> None:
    assert terms("Dog bites dog") == ["dog", "bite", "dog"]


def test_a_very_long_word_is_found_by_its_beginning() -> None:
    assert terms("x" * 5000) == terms("x" * 64)


@given(st.text(max_size=300))
def test_any_text_has_terms_that_are_the_same_in_any_case(text: str) -> None:
    assert all(term for term in terms(text))
    if text.isascii():
        assert terms(text.upper()) == terms(text.lower())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("I met Caroline Smith in Lisbon.", ["Caroline Smith", "Lisbon"]),
        ("Wow Ana, how is NASA? Ana's fine.", ["Ana", "NASA"]),
        ("Yesterday I slept. Maybe tomorrow.", []),
        ("In May we go to the Packhorse", ["Packhorse"]),
        ("", []),
    ],
)
def test_names_are_runs_of_capitalised_words_that_a_sentence_start_does_not_explain(
    text: str, names: list[str]
) -> None:
    assert find_names(text) == names


@given(st.text(max_size=500))
def test_finding_names_never_fails(text: str) -> None:
    assert len(find_names(text)) <= 12
