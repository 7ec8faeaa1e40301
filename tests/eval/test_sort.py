"""SORT: how pairs are built, and how they are answered from memory."""

import json
import random

import pytest

from eval.benchmarks import Options, run_sort
from eval.catalog import Means
from eval.errors import BadData
from eval.sort.build import bin_edges, pairs_of, read_book
from eval.sort.memory import history_of, order, segments
from eval.sort.reading import letter
from eval.sort.variants import paraphrased, shortened
from tests.eval.doubles import Quiet
from tests.eval.files import write

NAMES = ["Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hal"]
THINGS = ["kettle", "lantern", "violin", "ladder", "compass", "teapot", "map", "bicycle", "mirror", "barrel", "piano"]
PLACES = ["harbour", "garden", "attic", "market", "forest", "library", "bakery", "station", "meadow"]


def tale(sentences: int) -> str:
    """A text of our own: sentences of seven to twelve words that hardly repeat."""
    rng = random.Random(7)
    told = []
    for number in range(sentences):
        name, thing, place = rng.choice(NAMES), rng.choice(THINGS), rng.choice(PLACES)
        tail = rng.choice(["", " before the rain began", " and said nothing about it"])
        told.append(f"On day {number} {name} carried a {thing} to the {place}{tail}.")
    return " ".join(told)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return read_book(write(tmp_path_factory.mktemp("books") / "tale.txt", tale(400)))


class TestBuilding:
    def test_the_frame_of_project_gutenberg_is_no_part_of_the_book(self, tmp_path):
        frame = "THE PROJECT GUTENBERG EBOOK X ***"
        framed = f"Licence.\n*** START OF {frame}\n{tale(40)}\n*** END OF {frame}\nMore."
        assert " ".join(read_book(write(tmp_path / "x.txt", framed)).words) == tale(40)

    def test_sentences_start_after_their_marks_but_not_after_a_title(self, tmp_path):
        text = 'She rises; he sits. "Go!" Mr. Smith left? Yes. ' + tale(40)
        book = read_book(write(tmp_path / "x.txt", text))
        assert [book.words[start] for start in book.starts[:6]] == ["She", "he", '"Go!"', "Mr.", "Yes.", "On"]

    def test_the_papers_bins(self):
        assert bin_edges(250, 20) == (20, 62, 83, 125, 200)
        assert bin_edges(2500, 50) == (50, 625, 833, 1250, 2000)
        assert bin_edges(10_000, 50) == (50, 1000, 2500, 5000, 8000)
        assert bin_edges(20_000, 20) == (20, 1000, 5000, 10_000, 16_000)

    def test_every_cell_that_the_book_is_long_enough_for_is_filled(self, book):
        cells = {}
        for pair in pairs_of(book, 4):
            cell = (pair.excerpt_words, pair.segment_words, pair.bin)
            cells.setdefault(cell, []).append(pair)
        assert set(cells) == {(e, s, b) for e in (250, 1000, 2500) for s in (20, 50) for b in range(4)}
        assert all(len(own) == 4 for own in cells.values())

    def test_distances_fall_into_their_bin_and_segments_into_their_excerpt(self, book):
        for pair in pairs_of(book, 4):
            edges = bin_edges(pair.excerpt_words, pair.segment_words)
            assert edges[pair.bin] < abs(pair.first - pair.second) <= edges[pair.bin + 1]
            assert pair.excerpt_start <= min(pair.first, pair.second)
            assert max(pair.first, pair.second) + pair.segment_words <= pair.excerpt_start + pair.excerpt_words

    def test_excerpts_and_segments_begin_at_sentences(self, book):
        starts = set(book.starts)
        assert all({p.excerpt_start, p.first, p.second} <= starts for p in pairs_of(book, 4))

    def test_half_of_each_cell_shows_the_later_segment_first(self, book):
        answers = [pair.answer for pair in pairs_of(book, 4)]
        assert answers.count("A") == answers.count("B")

    def test_the_same_text_always_gives_the_same_pairs(self, book):
        assert list(pairs_of(book, 3)) == list(pairs_of(book, 3))

    def test_a_text_that_is_too_short_is_told(self, tmp_path):
        with pytest.raises(BadData, match="has 3 words"):
            read_book(write(tmp_path / "short.txt", "Too short. Alas."))


class TestVariants:
    def test_a_shortened_segment_keeps_half_of_its_words_that_say_something_in_order(self):
        segment = "The old man carried a heavy lantern to the quiet harbour"
        words, found = segment.split(), shortened(segment, random.Random(1)).split()
        assert len(found) == 4  # of the seven: old man carried heavy lantern quiet harbour, less stop words
        assert [words.index(word) for word in found] == sorted(words.index(word) for word in found)

    def test_a_paraphrase_says_it_in_other_words_and_another_order(self):
        assert paraphrased("He didn't see the house, and went home.", random.Random(1)) == (
            "and walked home., He did not notice the home"
        )

    def test_a_pairs_segments_are_always_shown_alike(self, book):
        pair = next(pairs_of(book, 1))
        assert segments(book, pair, "shortened") == segments(book, pair, "shortened")
        assert segments(book, pair, "verbatim")[0] == book.text(pair.first, pair.segment_words)


class TestMemory:
    def test_a_book_is_stored_sentence_by_sentence_in_order(self, book):
        turns = history_of(book).turns
        assert " ".join(turn.text for turn in turns) == " ".join(book.words)
        assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
        assert turns[1].id == f"w{book.starts[1]}"

    def test_short_sentences_are_stored_with_what_they_belong_to(self, tmp_path):
        turns = history_of(read_book(write(tmp_path / "x.txt", "Yes. No. Go on then. " + tale(40)))).turns
        assert turns[0].text == "Yes. No. Go on then."

    def test_the_order_is_read_off_the_places_that_are_found(self):
        assert order(["w10", "w900"], ["w20"]) == "A"
        assert order(["w30"], ["w20", "w1"]) == "B"

    def test_a_tie_and_nothing_found_are_guesses(self):
        assert order(["w10"], ["w10"]) == order([], ["w1"]) == order(["w1"], []) == "A"

    def test_a_run_tells_accuracy_by_length_and_bin_and_what_was_left_out(self, tmp_path):
        data = write(tmp_path / "tale.txt", tale(120))
        document = run_sort(Options(data, tmp_path / "out", ("bm25",)), 2, Means("test", tmp_path), Quiet())
        (system,) = document["systems"]
        assert set(system["by_group"]) == {
            f"{variant}, {length} words"
            for variant in ("verbatim", "shortened", "paraphrased")
            for length in (250, 1000)
        }
        assert system["by_group"]["verbatim, 250 words"]["accuracy"] == 1.0
        told = (tmp_path / "out" / "results.md").read_text()
        assert "accuracy by distance bin" in told
        assert "in-context and no-text conditions: need a language model" in told
        assert (tmp_path / "out" / "plot.png").stat().st_size > 1000

    def test_a_run_goes_on_where_it_was_interrupted(self, tmp_path):
        data = write(tmp_path / "tale.txt", tale(120))
        options = Options(data, tmp_path / "out", ("bm25",))
        whole = run_sort(options, 1, Means("test", tmp_path), Quiet())
        path = tmp_path / "out" / "rows.jsonl"
        rows = path.read_text().splitlines(keepends=True)
        path.write_text("".join(rows[:10]) + rows[10][:20])
        again = run_sort(options, 1, Means("test", tmp_path), Quiet())
        assert again["systems"][0]["metrics"] == whole["systems"][0]["metrics"]
        asked = [json.loads(row).get("question") for row in path.read_text().splitlines()]
        assert len([name for name in asked if name]) == len({name for name in asked if name})

    def test_an_empty_folder_is_told(self, tmp_path):
        with pytest.raises(BadData, match="cannot be read"):
            run_sort(Options(tmp_path, tmp_path / "out", ("bm25",)), 1, Means("test", tmp_path), Quiet())


@pytest.mark.parametrize(
    ("reply", "named"),
    [("A", "A"), ("Segment B.", "B"), ("b", "B"), ("A or B", None), ("Neither", None), ("", None), ("(A)", "A")],
)
def test_a_models_reply_counts_when_it_names_one_segment(reply, named):
    assert letter(reply) == named
