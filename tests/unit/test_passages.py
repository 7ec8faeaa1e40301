"""Passages: they cover the text, fit the window, overlap, and end where a reader would stop."""

import itertools
import re
from collections.abc import Sequence

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedders.testing import HashEmbedder
from retrieval.limits import MAX_GRAPHEME_CHARS
from retrieval.passages import Span, split

_WORDS = HashEmbedder().token_offsets


def _chars(text: str) -> list[tuple[int, int]]:
    """A tokenizer of single characters."""
    return [(place, place + 1) for place in range(len(text))]


def _bytes(text: str) -> list[tuple[int, int]]:
    """A tokenizer of bytes: one character has up to four tokens of the same span."""
    return [(place, place + 1) for place, char in enumerate(text) for _ in char.encode("utf-8", "surrogatepass")]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Words in pieces of up to five letters, whose number depends on where a word begins."""
    return [match.span() for match in re.finditer(r"\w{1,5}|[^\w\s]", text)]


TOKENIZERS = [_WORDS, _chars, _bytes, _pieces]


def texts(spans: Sequence[Span], text: str) -> list[str]:
    return [text[span.start : span.end] for span in spans]


def no_tokens(text: str) -> list[tuple[int, int]]:
    raise AssertionError("a short text needs no tokenisation")


def test_a_short_text_is_one_span_without_tokenising() -> None:
    assert split("Short enough.", no_tokens, max_tokens=254, overlap_tokens=32) == [Span(0, 13)]
    assert split("", no_tokens, max_tokens=254, overlap_tokens=32) == [Span(0, 0)]


def test_a_text_within_the_window_is_one_span() -> None:
    text = "word " * 254
    assert split(text, _WORDS, max_tokens=254, overlap_tokens=32) == [Span(0, len(text))]


def test_a_text_without_tokens_is_one_span() -> None:
    assert split(" \u3000" * 500, _WORDS, max_tokens=8, overlap_tokens=2) == [Span(0, 1000)]


def test_passages_end_at_sentences() -> None:
    text = " ".join(f"This is sentence number {n}." for n in range(40))
    spans = split(text, _WORDS, max_tokens=24, overlap_tokens=6)
    for passage in texts(spans, text):
        assert passage.startswith("This")
        assert passage.rstrip().endswith(".")


def test_passages_prefer_paragraphs_to_sentences() -> None:
    text = "One two three. Four five six.\n\nSeven eight nine. Ten eleven twelve. Thirteen."
    first = split(text, _WORDS, max_tokens=10, overlap_tokens=0)[0]
    assert text[: first.end] == "One two three. Four five six.\n\n"


def test_passages_of_a_script_without_spaces_end_at_its_sentences() -> None:
    text = "今日は天気がいいです。" * 30
    for passage in texts(split(text, _WORDS, max_tokens=32, overlap_tokens=8), text):
        assert passage.endswith("。")


def test_neighbours_overlap_by_about_what_is_asked() -> None:
    text = "word " * 1000
    spans = split(text, _WORDS, max_tokens=100, overlap_tokens=20)
    for one, other in itertools.pairwise(spans):
        assert len(_WORDS(text[other.start : one.end])) == 20


def test_no_overlap_gives_adjoining_passages() -> None:
    text = "word " * 1000
    spans = split(text, _WORDS, max_tokens=100, overlap_tokens=0)
    assert all(one.end == other.start for one, other in itertools.pairwise(spans))


def test_a_token_longer_than_all_else_stays_whole() -> None:
    text = "see " + "x" * 5000 + " there " * 50
    passages = texts(split(text, _WORDS, max_tokens=8, overlap_tokens=2), text)
    assert any("x" * 5000 in passage for passage in passages)


@pytest.mark.parametrize(
    "grapheme", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301", "👍🏽", "각", "\r\n", "न\u093f", "🏴\U000e0067\U000e007f"]
)
@pytest.mark.parametrize("shift", range(4))
def test_graphemes_stay_whole(grapheme: str, shift: int) -> None:
    text = "a" * shift + grapheme * 200
    inside = {match.start() + k for match in regex.finditer(r"\X", text) for k in range(1, len(match[0]))}
    for span in split(text, _chars, max_tokens=60, overlap_tokens=15):
        assert span.start not in inside
        assert span.end not in inside


@pytest.mark.parametrize(("max_tokens", "overlap_tokens"), [(0, 0), (8, 3), (8, -1), (100, 26)])
def test_windows_that_cannot_advance_are_refused(max_tokens: int, overlap_tokens: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        split("some text", _WORDS, max_tokens=max_tokens, overlap_tokens=overlap_tokens)


_TEXT = st.text(max_size=400) | st.lists(
    st.sampled_from(
        ["word", "Another. ", "sentence! ", "\n\n", "\r\n", " ", "。", "漢字", "e\u0301", "🇩🇪", "👩‍👧", "\ud800", "한"]
    ),
    max_size=200,
).map("".join)


@given(_TEXT, st.sampled_from(TOKENIZERS), st.integers(4, 40), st.data())
def test_passages_cover_the_text_and_fit_the_window(text: str, tokenizer, max_tokens: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, max_tokens // 4))
    spans = split(text, tokenizer, max_tokens=max_tokens, overlap_tokens=overlap)
    assert spans == split(text, tokenizer, max_tokens=max_tokens, overlap_tokens=overlap)
    assert spans[0].start == 0
    assert spans[-1].end == len(text)
    for one, other in itertools.pairwise(spans):
        assert one.start < other.start <= one.end < other.end
    starts_inside = {place for start, end in tokenizer(text) for place in range(start + 1, end)}
    for span in spans:
        assert span.start not in starts_inside
        assert span.end not in starts_inside
        tokens = len(tokenizer(text[span.start : span.end]))
        assert tokens <= max_tokens or span.end - span.start <= MAX_GRAPHEME_CHARS


@given(_TEXT)
def test_no_passage_ends_inside_a_grapheme(text: str) -> None:
    matches = [match.span() for match in regex.finditer(r"\X", text)]
    inside = {k for start, end in matches if end - start < MAX_GRAPHEME_CHARS for k in range(start + 1, end)}
    for span in split(text, _chars, max_tokens=12, overlap_tokens=3):
        assert not {span.start, span.end} & inside
