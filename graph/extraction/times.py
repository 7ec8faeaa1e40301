"""When what a clause says holds: which of the sentence's times belong to it, and to which end."""

import re
from dataclasses import dataclass
from typing import Final

from graph.extraction.port import TimeFinder, TimeSpan
from graph.model import Precision

_SINCE: Final = re.compile(r"(?:ever )?since\s+|starting (?:in|from|on)?\s*|as of\s+", re.IGNORECASE)
_UNTIL: Final = re.compile(r"(?:up )?(?:until|till|through)\s+", re.IGNORECASE)
_BETWEEN: Final = re.compile(
    r"(?:between|from)\s+(?P<one>.+?)\s*(?:\band\b|\bto\b|\buntil\b|\btill\b|-|–)\s*(?P<other>.+)", re.IGNORECASE
)
_BOUNDED: Final = re.compile(r"\b(?:before|after|by|around|about|next|every)\s*(?:the\s*)?$", re.IGNORECASE)
_ONE_SIDED: Final = re.compile(r"(?:before|after|by)\b", re.IGNORECASE)
_SINCE_BEFORE: Final = re.compile(r"\bsince\s*$", re.IGNORECASE)
_UNTIL_BEFORE: Final = re.compile(r"\b(?:until|till)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class When:
    """What is stated of a beginning and an end, in microseconds."""

    at: int | None = None
    """When it happened, or when a state was so."""
    since: int | None = None
    until: int | None = None
    precision: Precision = "instant"


@dataclass(slots=True)
class Times:
    """The times of one sentence, looked for when first asked."""

    text: str
    base: int
    find: TimeFinder
    _found: list[TimeSpan] | None = None

    def of(self, start: int, verb_start: int, end: int) -> When:
        """Of a clause that begins at `start`: the first time after its verb, else the last before its subject."""
        if self._found is None:
            self._found = self.find(self.text, self.base)
        inside = [span for span in self._found if start <= span.start < end]
        after = [span for span in inside if span.start >= verb_start]
        before = [span for span in inside if span.start < verb_start]
        for span in (*after, *before[::-1]):
            when = self._read(span)
            if when is not None:
                return when
        return When()

    def _read(self, span: TimeSpan) -> When | None:
        words = self.text[span.start : span.end]
        pair = _BETWEEN.fullmatch(words)
        if pair:
            return self._pair(pair["one"], pair["other"])
        ahead = self.text[max(0, span.start - 12) : span.start]
        since, until = _SINCE.match(words), _UNTIL.match(words)
        if since or _SINCE_BEFORE.search(ahead):
            inner = self._inner(span, since)
            return inner and When(since=inner.begins, precision=inner.precision)
        if until or _UNTIL_BEFORE.search(ahead):
            inner = self._inner(span, until)
            return inner and When(until=inner.begins, precision=inner.precision)
        if _BOUNDED.search(ahead) or _ONE_SIDED.match(words) or span.begins > self.base:
            return None
        return When(at=span.begins, precision=span.precision)

    def _inner(self, span: TimeSpan, lead: re.Match[str] | None) -> TimeSpan | None:
        return span if lead is None else self._alone(self.text[span.start + lead.end() : span.end])

    def _alone(self, words: str) -> TimeSpan | None:
        """The time that the words name; a bare number is one only after "in"."""
        found = self.find(words, self.base) or self.find(f"in {words}", self.base)
        return found[0] if found else None

    def _pair(self, one: str, other: str) -> When | None:
        ends = self._alone(other)
        begins = self._alone(one) or self._alone(f"{one} {other}")
        if begins is None or ends is None or ends.begins < begins.begins:
            return None
        return When(since=begins.begins, until=ends.begins, precision=begins.precision)
