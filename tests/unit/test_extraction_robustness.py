"""Any text is read in bounded time, and gives what the planner takes."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import limits
from graph.extraction import RuleExtractor
from graph.extraction.text import plain, sentences
from graph.planner.arrive import check
from tests.support.graph_reading import extracted, read, source

LONG = 100_000
REPEATED = [
    "a", " ", "I ", "my sister ", "Ana ", "and I ", "I live in ", "I have a daughter named ", "I like a, ", "I am a member of ",
    "I got a for $", '"', "'", ". ", "\n", "A", "Aa Bb ", "1", "my-", "may ", "as a ", "a.", "1 ", "🎉 健太 ", "the other day ",
]  # fmt: skip


@pytest.mark.parametrize("unit", REPEATED)
@pytest.mark.parametrize("is_cut", [False, True], ids=["one run", "sentences below the limit"])
def test_adversarial_texts_cost_little(unit: str, is_cut: bool):
    text = unit * (LONG // len(unit))
    if is_cut:
        text = (text[: limits.MAX_SENTENCE_CHARS - 10] + ". ") * (LONG // limits.MAX_SENTENCE_CHARS)
    started = time.process_time()
    check(RuleExtractor().extract(source(text)))
    assert time.process_time() - started < 2


def test_words_of_the_rules_in_any_order():
    words = [
        "I",
        "my",
        "sister",
        "Ana",
        "and",
        "or",
        ",",
        ".",
        ":",
        ";",
        "'",
        '"',
        "$",
        "5",
        "live",
        "in",
        "Lisbon",
        "moved",
        "to",
        "from",
        "the",
        "a",
        "of",
        "if",
        "was",
        "have",
        "been",
        "bought",
        "got",
        "named",
        "who",
        "that",
        "like",
        "favourite",
        "is",
        "are",
        "May",
        "2020",
        "not",
        "never",
        "'s",
        "'ve",
    ]
    for seed in range(200):
        rng = random.Random(seed)
        check(extracted(" ".join(rng.choice(words) for _ in range(60))))


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text(text: str):
    found = extracted(text)
    check(found)
    for each in found.mentions:
        assert 0 <= each.start <= each.end <= len(text)
    for claim in found.claims:
        assert 0 <= claim.start <= claim.end <= len(text)


@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "?", "I", "my", "I'm", "'s", "\ud800", "\u202e\u200d"])
def test_next_to_nothing(text: str):
    assert read(text) == set()


def test_characters_of_any_script_keep_their_places():
    text = "😀 «Hi» — I live in Łódź…"
    found = extracted(text)
    (town,) = [each for each in found.mentions if each.name == "Łódź"]
    assert text[town.start : town.end] == "Łódź"


def test_letters_with_accents_of_their_own():
    assert read("I live in Sa\u0303o Paulo.") == {"I lives_in Sa\u0303o Paulo"}


def test_curly_apostrophes():
    assert read("I’m allergic to cats. I don’t work at Shell anymore.") == {
        "I allergic_to cats",
        "I no longer works_at Shell",
    }


def test_names_without_capitals():
    assert read("I'm married to 健太.") == {"I spouse 健太"}


def test_a_long_list_is_cut_where_the_limits_are():
    names = ["".join(chr(ord("A") + n // 26) + chr(ord("a") + n % 26) + "xo") for n in range(300)]
    found = extracted(". ".join(f"My friend {name} lives in Leeds" for name in names))
    check(found)
    assert len(found.mentions) == limits.MAX_MENTIONS_PER_EPISODE


def test_what_is_too_long_is_not_read():
    far = " " * limits.MAX_EXTRACTED_CHARS + "I live in Lisbon."
    run_on = "and so on " * (limits.MAX_SENTENCE_CHARS // 10) + ", and I live in Lisbon."
    assert read(far) == read(run_on) == set()


def test_sentences_end_where_they_do():
    text = "I met Mr. Silva at 5 p.m. today. Fine! Really?\nYes"
    assert [each.text for each in sentences(plain(text))] == [
        "I met Mr. Silva at 5 p.m. today.",
        "Fine!",
        "Really?",
        "Yes",
    ]
