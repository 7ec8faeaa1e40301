"""Splits a text that is longer than an embedder's window into overlapping passages that fit it."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.limits import MAX_GRAPHEME_CHARS, PASSAGE_SEARCH_SHARE

TokenOffsets = Callable[[str], Sequence[tuple[int, int]]]
"""An embedder's `token_offsets`: character spans [start, end) of a text's tokens, special tokens left out."""

_PARAGRAPH = re.compile(r"\n\s*\n\s*$")
_LINE = re.compile(r"[\n\r\u2028\u2029]\s*$")
_SENTENCE = re.compile(r"[.!?…؟।]['\"”’»)\]]{0,3}\s+$|[。！？｡]['\"”’»」』)\]）]{0,3}\s*$")
_SPACE = re.compile(r"\s$")
_LOOK_BACK_CHARS = 16
"""What the patterns above may need to see before a cut."""

_JOINER = "\u200d"
_VIRAMA_CLASS = 9
"""Canonical combining class of the signs that bind two consonants of an Indic script."""

_REGIONAL = range(0x1F1E6, 0x1F200)
_EXTENDING = (range(0x1F3FB, 0x1F400), range(0xE0020, 0xE0080), range(0x1160, 0x1200), range(0xD7B0, 0xD800))
"""Skin tones, tags, medial and final Hangul: what belongs to the character before it without being a mark."""

_EXTENDING_CHARS = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")
_PREPENDED = (range(0x600, 0x606), range(0x6DD, 0x6DE), range(0x70F, 0x710), range(0x890, 0x892), range(0x8E2, 0x8E3))
_HANGUL_LEADING = (range(0x1100, 0x1160), range(0xA960, 0xA980))
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text."""

    start: int
    end: int


def split(text: str, token_offsets: TokenOffsets, *, max_tokens: int, overlap_tokens: int) -> list[Span]:
    """Spans that together cover every character, in order; one span for a text within the window. Deterministic.

    max_tokens: of one passage, special tokens left out. overlap_tokens: about how many tokens a passage repeats of the
    one before, at most a quarter of max_tokens. A passage ends at a paragraph's, line's or sentence's end, or at a space,
    where there is one in its second half; never inside a token or, short of a pathological one, a grapheme.
    Raises ValueError for an overlap that is too large.
    """
    if max_tokens < 1 or not 0 <= overlap_tokens <= max_tokens // 4:
        raise ValueError(f"passages of {max_tokens} tokens cannot overlap by {overlap_tokens}")
    # A token has at least one ASCII character, but for a lone prefix that some tokenizers put first. Other scripts may
    # take several tokens for one character.
    if len(text) < max_tokens and text.isascii():
        return [Span(0, len(text))]
    offsets = token_offsets(text)
    if len(offsets) <= max_tokens:
        return [Span(0, len(text))]
    return _Splitter(text, offsets, token_offsets, max_tokens, overlap_tokens).spans()


class _Splitter:
    """Splits one text. A cut is the number of the token that the next passage could begin with."""

    def __init__(
        self, text: str, offsets: Sequence[tuple[int, int]], token_offsets: TokenOffsets, max_tokens: int, overlap: int
    ) -> None:
        self._text = text
        self._token_offsets = token_offsets
        self._max_tokens = max_tokens
        self._overlap = overlap
        self._cuts = _cuts(text, offsets)
        """Characters where the text may be cut, ascending, 0 and len(text) included."""
        self._tokens_before = _tokens_before(self._cuts, offsets)
        """For each cut, how many tokens begin before it."""

    def spans(self) -> list[Span]:
        found: list[Span] = []
        first, end, last = 0, 0, len(self._cuts) - 1
        while end != last:
            previous_end, end = end, self._end(first)
            if end <= previous_end:  # the overlap left no room in a tiny window
                first, end = previous_end, self._end(previous_end)
            found.append(Span(self._cuts[first], self._cuts[end]))
            first = self._start(first, end)
        return found

    def _end(self, first: int) -> int:
        """The cut that ends the passage from cut `first`."""
        budget = self._max_tokens
        while True:
            last = self._last_within(first, budget)
            if last == len(self._cuts) - 1:
                end = last
            else:
                floor = self._last_within(first, budget - int(budget * PASSAGE_SEARCH_SHARE))
                end = self._best(max(floor, first + 1), last)
            # A part may have more tokens than it had within the whole, where a tokenizer's pieces depend on what
            # surrounds them. A part of one token is kept as it is: nothing smaller can be cut.
            count = len(self._token_offsets(self._text[self._cuts[first] : self._cuts[end]]))
            if count <= self._max_tokens or end == first + 1:
                return end
            budget = max(1, min(budget, self._tokens(first, end)) - (count - self._max_tokens))

    def _start(self, first: int, end: int) -> int:
        """The cut that begins the passage after [first, end): at a sentence's start within the overlap, or a space."""
        if self._overlap == 0:
            return end
        low = bisect_left(self._tokens_before, self._tokens_before[end] - self._overlap, lo=first + 1, hi=end)
        ranks = {cut: _rank(self._text, self._cuts[cut]) for cut in range(low, end)}
        # The earliest sentence's start keeps the most; without one, a word's start.
        for wanted in (2, 1, 0):
            fitting = [cut for cut, rank in ranks.items() if rank >= wanted]
            if fitting:
                return fitting[0]
        return end

    def _tokens(self, first: int, end: int) -> int:
        return self._tokens_before[end] - self._tokens_before[first]

    def _last_within(self, first: int, budget: int) -> int:
        """The last cut at most `budget` tokens after `first`; the next one where none is."""
        wanted = self._tokens_before[first] + budget
        return max(first + 1, bisect_left(self._tokens_before, wanted + 1, lo=first) - 1)

    def _best(self, low: int, high: int) -> int:
        """The cut in [low, high] at the best place, the last of several equally good."""
        return max(range(low, high + 1), key=lambda cut: (_rank(self._text, self._cuts[cut]), cut))


def _cuts(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Where tokens begin, unless that lies in another token or a grapheme. White space stays with what it follows."""
    cuts = [0]
    reach = 0
    for start, end in offsets:
        if start >= reach and start > cuts[-1] and _is_boundary(text, start, cuts[-1]):
            cuts.append(start)
        reach = max(reach, end)
    if cuts[-1] != len(text):
        cuts.append(len(text))
    return cuts


def _tokens_before(cuts: Sequence[int], offsets: Sequence[tuple[int, int]]) -> list[int]:
    starts = sorted(start for start, _ in offsets)
    counts = [bisect_left(starts, cut) for cut in cuts]
    counts[-1] = len(starts)
    return counts


def _rank(text: str, cut: int) -> int:
    """How good a place for a cut is: 4 after a paragraph, 3 a line, 2 a sentence, 1 a space, else 0."""
    before = text[max(0, cut - _LOOK_BACK_CHARS) : cut]
    if _PARAGRAPH.search(before):
        return 4
    if _LINE.search(before):
        return 3
    if _SENTENCE.search(before):
        return 2
    return 1 if _SPACE.search(before) else 0


def _is_boundary(text: str, cut: int, previous_cut: int) -> bool:
    """Whether no grapheme spans the cut: what extends the character before it counts as one with it.

    Follows the rules GB3 to GB13 of Unicode's UAX 29, taking more together rather than less. A grapheme longer than
    MAX_GRAPHEME_CHARS may be cut.
    """
    after, before = text[cut], text[cut - 1]
    if after.isascii():
        return not (before == "\r" and after == "\n")
    if cut - previous_cut > MAX_GRAPHEME_CHARS:
        return True
    return not (_binds(before, after) or _extends(after) or _completes_flag(text, cut, previous_cut))


def _binds(before: str, after: str) -> bool:
    """Whether the first character takes the second into its grapheme."""
    code = ord(before)
    if before == _JOINER or unicodedata.combining(before) == _VIRAMA_CLASS or any(code in each for each in _PREPENDED):
        return True
    is_leading = any(code in each for each in _HANGUL_LEADING)
    return is_leading and any(ord(after) in each for each in (*_HANGUL_LEADING, _HANGUL_SYLLABLES))


def _extends(char: str) -> bool:
    """Whether the character belongs to the grapheme before it."""
    if char in _EXTENDING_CHARS or unicodedata.category(char).startswith("M"):
        return True
    return any(ord(char) in each for each in _EXTENDING)


def _completes_flag(text: str, cut: int, previous_cut: int) -> bool:
    """Whether the regional indicator at `cut` is a flag's second: an odd number of them stands since the last boundary."""
    if ord(text[cut]) not in _REGIONAL:
        return False
    start = cut
    while start > previous_cut and ord(text[start - 1]) in _REGIONAL:
        start -= 1
    return (cut - start) % 2 == 1
