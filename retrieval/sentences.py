"""Passages: whole sentences packed up to a few words, each of which gets a vector of its own.

A vector of thirty words says what they are about; one of a long turn says a little of everything (docs/retrieval.md has the
lengths that were tried). No passage outgrows the embedder's window, which would cut it silently.
"""

import re
from typing import Final

PASSAGE_WORDS: Final = 30
_MAX_WEIGHT: Final = 240
"""Most tokens that a passage can be, by a count that errs above: what the embedder does not read, it cuts without a word."""

_LETTER_WEIGHT: Final = 0.6
"""Tokens of a Latin letter or a space, at most: prose has .25, random letters .55."""

_HANGUL_WEIGHT: Final = 3
"""A syllable may become three tokens, one for each letter in it. Any other character is one at most."""

_MIN_WORDS: Final = 4
"""Fewer words ("Thanks!") say nothing by themselves; they stay with what stands before."""

MAX_PASSAGES: Final = 4096
"""Of one episode: an episode of the largest size has fewer."""

_CITED_CHARS: Final = 1200
"""A hit shows its episode whole up to here, and of a longer one the passages around the one that fitted."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？｡])|\n+")
_WORD: Final = re.compile(r"\S+")
_LIGHT: Final = re.compile(r"[A-Za-z ]")
_HANGUL: Final = re.compile(r"[\uac00-\ud7a3]")

Span = tuple[int, int]


def passages(text: str, max_words: int = PASSAGE_WORDS) -> list[Span]:
    """Spans [start, end) in order, without gaps but for white space, that together hold the whole text. At least one."""
    packed: list[Span] = []
    words_in_last = 0
    for start, end in _sentences(text, max_words):
        words = _count_words(text, start, end)
        wanted = words_in_last + words <= max_words or words < _MIN_WORDS
        if packed and wanted and _weight(text, packed[-1][0], end) <= _MAX_WEIGHT:
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
    if _count_words(text, start, end) <= 2 * max_words and _weight(text, start, end) <= _MAX_WEIGHT:
        return [(start, end)]
    return _cut(text, start, end, max_words)


def _cut(text: str, start: int, end: int, max_words: int) -> list[Span]:
    """Pieces of at most `max_words` words; a word heavier than a passage is cut by characters."""
    pieces: list[Span] = []
    first, count, weight = start, 0, 0.0
    for match in _WORD.finditer(text, start, end):
        own = _weight(text, match.start(), match.end()) + _LETTER_WEIGHT
        if count and (count == max_words or weight + own > _MAX_WEIGHT):
            pieces += _by_characters(text, first, match.start())
            first, count, weight = match.start(), 0, 0.0
        count += 1
        weight += own
    return pieces + _by_characters(text, first, end)


def _by_characters(text: str, start: int, end: int) -> list[Span]:
    if _weight(text, start, end) <= _MAX_WEIGHT:
        return [(start, end)]
    step = _MAX_WEIGHT // _HANGUL_WEIGHT if _HANGUL.search(text, start, end) else _MAX_WEIGHT
    return [(at, min(at + step, end)) for at in range(start, end, step)]


def _weight(text: str, start: int, end: int) -> float:
    """Most tokens that this part can be."""
    part = text[start:end]
    light = len(_LIGHT.findall(part))
    hangul = 0 if part.isascii() else len(_HANGUL.findall(part))
    return len(part) - light * (1 - _LETTER_WEIGHT) + hangul * (_HANGUL_WEIGHT - 1)


def _count_words(text: str, start: int, end: int) -> int:
    return sum(1 for _ in _WORD.finditer(text, start, end))
