"""Passages: whole sentences packed up to a few words, each of which gets a vector of its own.

A vector of thirty words says what they are about; one of a long turn says a little of everything (docs/retrieval.md has the
lengths that were tried). No passage outgrows the embedder's window, which would cut it silently.
"""

import re
from typing import Final

PASSAGE_WORDS: Final = 30
_MAX_CHARS: Final = 400
"""About 200 tokens in the densest scripts: a sentence without an end, in a script without spaces, is cut here."""

_MIN_WORDS: Final = 4
"""Fewer words ("Thanks!") say nothing by themselves; they stay with what stands before."""

MAX_PASSAGES: Final = 4096
"""Of one episode: an episode of the largest size has fewer."""

_CITED_CHARS: Final = 1200
"""A hit shows its episode whole up to here, and of a longer one the passages around the one that fitted."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？｡])|\n+")
_WORD: Final = re.compile(r"\S+")

Span = tuple[int, int]


def passages(text: str, max_words: int = PASSAGE_WORDS) -> list[Span]:
    """Spans [start, end) in order, without gaps but for white space, that together hold the whole text. At least one."""
    packed: list[Span] = []
    words_in_last = 0
    for start, end in _sentences(text, max_words):
        words = _count_words(text, start, end)
        fits = packed and words_in_last + words <= max_words and end - packed[-1][0] <= _MAX_CHARS
        if packed and (fits or (words < _MIN_WORDS and end - packed[-1][0] <= _MAX_CHARS)):
            packed[-1] = (packed[-1][0], end)
            words_in_last += words
        else:
            packed.append((start, end))
            words_in_last = words
    if not packed:
        return [(0, len(text))]
    return packed[:MAX_PASSAGES]


def cited_span(length: int, spans: list[Span], best: int | None) -> Span:
    """What to show of a text of this length: all of it when short, else the passages around the best, whole ones."""
    if length <= _CITED_CHARS or best is None or not spans:
        return 0, min(length, max(_CITED_CHARS, spans[0][1] if spans else 0))
    first = last = best
    while True:
        before, after = max(0, first - 1), min(len(spans) - 1, last + 1)
        grown = [(f, n) for f, n in ((first, after), (before, last)) if (f, n) != (first, last)]
        fitting = [(f, n) for f, n in grown if spans[n][1] - spans[f][0] <= _CITED_CHARS]
        if not fitting:
            return spans[first][0], spans[last][1]
        # What follows first, then what stands before: turn by turn around the best.
        first, last = fitting[0] if (last - best) <= (best - first) else fitting[-1]


def _sentences(text: str, max_words: int) -> list[Span]:
    """Sentences without their surrounding white space; one that is too long is cut between words."""
    found: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        found += _trimmed(
            text, start, match.start() if text[match.start() : match.end()].isspace() else match.end(), max_words
        )
        start = match.end()
    return found + _trimmed(text, start, len(text), max_words)


def _trimmed(text: str, start: int, end: int, max_words: int) -> list[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return []
    if end - start <= _MAX_CHARS and _count_words(text, start, end) <= 2 * max_words:
        return [(start, end)]
    return _cut(text, start, end, max_words)


def _cut(text: str, start: int, end: int, max_words: int) -> list[Span]:
    """Pieces of at most `max_words` words; a word longer than a passage is cut by characters."""
    pieces: list[Span] = []
    first, count = start, 0
    for match in _WORD.finditer(text, start, end):
        if count == max_words or (match.end() - first > _MAX_CHARS and match.start() > first):
            pieces += _by_characters(first, match.start())
            first, count = match.start(), 0
        count += 1
    return pieces + _by_characters(first, end)


def _by_characters(start: int, end: int) -> list[Span]:
    return [(at, min(at + _MAX_CHARS, end)) for at in range(start, end, _MAX_CHARS)]


def _count_words(text: str, start: int, end: int) -> int:
    return sum(1 for _ in _WORD.finditer(text, start, end))
