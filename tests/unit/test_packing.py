"""Packing: never over the budget, by the tokenizer's own count of the whole."""

import re

from hypothesis import given
from hypothesis import strategies as st

from retrieval.packing import Piece, pack


def count(text: str) -> int:
    """Words and single punctuation marks, like a tokenizer that splits more than spaces."""
    return len(re.findall(r"\w{1,4}|[^\w\s]", text))


PIECES = st.lists(
    st.builds(Piece, st.text("ab :", max_size=8), st.text("word ,.é", max_size=200), st.tuples(st.integers(0, 9))),
    max_size=12,
)


@given(PIECES, st.integers(1, 300))
def test_the_whole_never_exceeds_the_budget(pieces: list[Piece], budget: int) -> None:
    packed = pack("From memory:", pieces, budget, count)
    assert packed.tokens == count(packed.text)
    assert packed.tokens <= budget
    assert len(set(packed.order)) == len(packed.order)


def test_the_most_relevant_are_taken_and_shown_in_the_order_they_happened() -> None:
    pieces = [Piece("late", "third", (3,)), Piece("early", "first", (1,)), Piece("mid", "second " * 80, (2,))]
    packed = pack("M:", pieces, 40, count)
    assert packed.order == [1, 0]
    assert packed.text == "M:\n[1] (early) first\n[2] (late) third"


def test_a_first_piece_that_is_too_long_is_cut_between_words() -> None:
    packed = pack("M:", [Piece("a", "wordy " * 500, (1,))], 100, count)
    assert packed.order == [0]
    assert packed.text.endswith("wordy …")
    assert 80 <= packed.tokens <= 100


def test_with_no_room_for_anything_the_context_is_empty() -> None:
    assert pack("M:", [Piece("a", "wordy " * 500, (1,))], 5, count).text == ""
