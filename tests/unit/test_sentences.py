"""Passages: whole sentences, nothing lost, nothing too long for the embedder."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.sentences import cited_span, passages

TEXTS = st.text(st.sampled_from("abc déf.!?\n東京。 x"), max_size=2000) | st.text(max_size=300)


@given(TEXTS)
def test_passages_hold_all_but_white_space_in_order(text: str) -> None:
    spans = passages(text)
    assert spans
    end = 0
    for start, stop in spans:
        assert text[end:start].strip() == ""
        assert start < stop or not text.strip()
        end = stop
    assert text[end:].strip() == ""


@given(TEXTS)
def test_no_passage_outgrows_the_embedders_window(text: str) -> None:
    assert all(end - start <= 400 + 400 for start, end in passages(text)) or not text.strip()


def test_short_turns_are_one_passage() -> None:
    text = "I moved to Lisbon. It rains a lot!"
    assert passages(text) == [(0, len(text))]


def test_a_long_turn_is_cut_between_sentences() -> None:
    sentence = "This sentence has exactly eight words in it."
    spans = passages(" ".join([sentence] * 8))
    assert len(spans) == 3
    assert all((end - start) % (len(sentence) + 1) == len(sentence) for start, end in spans)


def test_a_word_or_two_stay_with_what_stands_before() -> None:
    text = "word " * 29 + "end. Thanks!"
    assert len(passages(text)) == 1


def test_text_without_any_sentence_end_is_cut_all_the_same() -> None:
    assert len(passages("東" * 3000)) >= 7
    assert len(passages("word " * 1000)) >= 30


@given(TEXTS, st.integers(0, 400))
def test_a_cited_span_lies_in_the_text_and_holds_its_passage(text: str, number: int) -> None:
    spans = passages(text)
    best = number % len(spans)
    start, end = cited_span(len(text), spans, best)
    assert 0 <= start <= end <= len(text)
    assert start <= spans[best][0]
    assert spans[best][1] <= end


def test_a_short_text_is_cited_whole_and_a_long_one_around_its_best_passage() -> None:
    assert cited_span(300, [(0, 150), (151, 300)], 1) == (0, 300)
    long = [(i * 100, i * 100 + 99) for i in range(50)]
    start, end = cited_span(5000, long, 25)
    assert end - start <= 1200
    assert start < 2500 < end
