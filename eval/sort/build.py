"""Book-SORT style pairs from any text (arXiv 2410.08133, section 3.2; the data card gives the bins).

All lengths and distances are in words. Excerpts and segments begin at a sentence's start. The distance between two segments is
that between their first words; a pair falls into the bin (edge, next edge]. Half of the pairs of each cell show the later
segment first.
"""

import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eval.errors import BadData
from eval.readers.files import as_id, parse_text, read_bytes, sha256

EXCERPT_WORDS: Final = (250, 1000, 2500, 10_000, 20_000)
SEGMENT_WORDS: Final = (20, 50)
BINS: Final = 4
_EXTENDED: Final = 10_000
"""From this length on, the first bin is 1,000 words wide instead of a quarter of the excerpt."""

_TRIES: Final = 200
_START: Final = re.compile(r"\*\*\* ?START OF [^\n]*\*\*\*")
_END: Final = re.compile(r"\*\*\* ?END OF [^\n]*\*\*\*")
_SENTENCE_END: Final = re.compile(r"[.?!;][\"'”’)\]]*$")
_ABBREVIATIONS: Final = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Prof.", "No.", "etc."})


@dataclass(frozen=True, slots=True)
class Book:
    """A text as words, with the places of its sentences' first words."""

    name: str
    sha256: str
    words: tuple[str, ...]
    starts: tuple[int, ...]

    def text(self, start: int, length: int) -> str:
        return " ".join(self.words[start : start + length])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two segments of one excerpt, in the order in which they are shown."""

    id: str
    book: str
    excerpt_start: int
    excerpt_words: int
    segment_words: int
    bin: int
    first: int
    """Word of the book at which the segment that is shown first begins ..."""
    second: int
    """... and the one shown second."""

    @property
    def answer(self) -> str:
        """A when the segment shown first came first, else B."""
        return "A" if self.first < self.second else "B"


def read_book(path: Path) -> Book:
    """A text file, without Project Gutenberg's frame where it has one. Raises BadData."""
    data = read_bytes(path)
    text = parse_text(path, data)
    if begin := _START.search(text):
        text = text[begin.end() :]
    if end := _END.search(text):
        text = text[: end.start()]
    words = tuple(text.split())
    starts = tuple(_sentence_starts(words))
    if len(words) < EXCERPT_WORDS[0] or len(starts) < 2:
        raise BadData(path, f"has {len(words)} words; the shortest excerpt takes {EXCERPT_WORDS[0]}.")
    return Book(as_id(path.stem), sha256(data), words, starts)


def bin_edges(excerpt_words: int, segment_words: int) -> tuple[int, ...]:
    """Edges of the distance bins: the segment's length, then a quarter (or 1,000), a third (a quarter), half, four fifths."""
    if excerpt_words >= _EXTENDED:
        upper = (1000, excerpt_words // 4, excerpt_words // 2, excerpt_words * 4 // 5)
    else:
        upper = (excerpt_words // 4, excerpt_words // 3, excerpt_words // 2, excerpt_words * 4 // 5)
    return (segment_words, *upper)


def pairs_of(book: Book, count: int, seed: int = 100) -> Iterator[Pair]:
    """`count` pairs for each excerpt length, segment length and bin that the book is long enough for."""
    for excerpt_words in EXCERPT_WORDS:
        if len(book.words) <= excerpt_words:
            continue
        for segment_words in SEGMENT_WORDS:
            edges = bin_edges(excerpt_words, segment_words)
            for number in range(BINS):
                if edges[number] < edges[number + 1]:
                    cell = f"{book.name}/{excerpt_words}/{segment_words}/{number}"
                    sampler = _Sampler(book, excerpt_words, segment_words, edges[number : number + 2])
                    yield from _cell(sampler, cell, number, count, seed)


def _cell(sampler: "_Sampler", cell: str, number: int, count: int, seed: int) -> Iterator[Pair]:
    rng = random.Random(f"{cell}/{seed}")
    for index in range(count):
        found = sampler.sample(rng)
        if found is None:
            continue
        excerpt, earlier, later = found
        # Counterbalanced by turns, not by chance: exactly half.
        first, second = (earlier, later) if index % 2 == 0 else (later, earlier)
        yield Pair(
            f"{cell}/{index}",
            sampler.book.name,
            excerpt,
            sampler.excerpt_words,
            sampler.segment_words,
            number,
            first,
            second,
        )


class _Sampler:
    """Draws pairs of one cell."""

    def __init__(self, book: Book, excerpt_words: int, segment_words: int, bounds: Sequence[int]) -> None:
        self.book = book
        self.excerpt_words = excerpt_words
        self.segment_words = segment_words
        self._low, self._high = bounds

    def sample(self, rng: random.Random) -> tuple[int, int, int] | None:
        """First words of the excerpt and of the earlier and later segment; None where no place was found."""
        starts = self.book.starts
        last_excerpt = bisect_right(starts, len(self.book.words) - self.excerpt_words)
        if last_excerpt == 0:
            return None
        for _ in range(_TRIES):
            excerpt = starts[rng.randrange(last_excerpt)]
            # Segments lie wholly within the excerpt.
            inside = starts[
                bisect_left(starts, excerpt) : bisect_right(starts, excerpt + self.excerpt_words - self.segment_words)
            ]
            earlier = rng.choice(inside)
            later = [s for s in inside if self._low < s - earlier <= self._high]
            if later:
                return excerpt, earlier, rng.choice(later)
        return None


def _sentence_starts(words: Sequence[str]) -> Iterator[int]:
    yield 0
    for index in range(1, len(words)):
        before = words[index - 1]
        if _SENTENCE_END.search(before) and before not in _ABBREVIATIONS:
            yield index
