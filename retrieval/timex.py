"""Time expressions in English text: "last Tuesday", "7 May 2023", "between March and May", and the instants they mean.

Words that may begin an expression are looked for first, so that a text without any costs a few microseconds. Rules that are
calendar arithmetic are computed here; times of day with their zones and sums of units are left to dateparser, which is given
the language. Relative expressions are read in the base's own offset: "yesterday" is meant locally. Where a text names no
year, or only a weekday, the past is preferred. Not read: vague times ("recently", "the other day"), durations ("for two
weeks"), what recurs ("every Monday"), and times counted from other events ("three days later").
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from retrieval.limits import MAX_EXPRESSIONS, MAX_RULE_MATCHES, MAX_SCANNED_CHARS
from retrieval.times import calendar as cal
from retrieval.times.absolute import ABSOLUTE_RULES
from retrieval.times.calendar import Granularity, Yearly
from retrieval.times.clock import with_clock
from retrieval.times.grammar import Base, Reading
from retrieval.times.modifiers import modified, pairs
from retrieval.times.relative import RELATIVE_RULES

_RULES: Final = (*ABSOLUTE_RULES, *RELATIVE_RULES)
_TRIGGERS: Final = frozenset[str]().union(*(rule.triggers for rule in _RULES))
_WORD: Final = re.compile(r"[a-z]+")
_NUMERIC: Final = re.compile(r"[0-9]{4}|[0-9]/[0-9]|[0-9]0'?s|[0-9](?:st|nd|rd|th)\b|q[1-4]", re.IGNORECASE)
_SAME_LENGTH: Final = str.maketrans("’‘ʼ–—‐‑−\u00a0\u202f\u2009ſıİK", "'''-----   siIK")
"""What is typed for apostrophes, hyphens and spaces, and the letters that ignoring case would take for ASCII ones."""

_FIRST: Final = cal.EARLIEST.replace(tzinfo=UTC)
_LAST: Final = cal.LATEST.replace(tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """A time that a text speaks of."""

    start: int
    end: int
    """Characters [start, end) of the text."""
    text: str
    interval_start: datetime
    interval_end: datetime
    """Aware, in UTC, half-open. "before May" begins with year 1, "after May" may end with year 9999."""
    granularity: Granularity
    offset: timedelta = timedelta(0)
    """Of the local time the expression was read in."""
    yearly: Yearly | None = None
    """What it means in any year, where the text names none ("in May"); the interval is then the latest that has begun."""

    @property
    def is_bounded(self) -> bool:
        """Whether it has a beginning and an end: "before May" and "after next May" have not both."""
        return self.interval_start > _FIRST and self.interval_end < _LAST

    def intervals(self, years: Iterable[int]) -> list[tuple[int, int]]:
        """The interval, or one for each of the years where the text names none, as microseconds since 1970 [start, end)."""
        found = [self.yearly.in_year(year) for year in years] if self.yearly is not None else []
        spans = [(_utc(each.start, self.offset), _utc(each.end, self.offset)) for each in found if each is not None]
        spans = [(start, end) for start, end in spans if start < end]
        return [(_micros(start), _micros(end)) for start, end in spans or [(self.interval_start, self.interval_end)]]


def find_times(text: str, base: datetime) -> list[TimeExpression]:
    """The text's first MAX_EXPRESSIONS time expressions, in order, without overlaps. Raises for no text.

    base: the aware instant at which the text was written or asked; raises ValueError if it has no offset.
    """
    offset = base.utcoffset()
    if offset is None:
        raise ValueError("the base of relative times needs an offset")
    plain = text[:MAX_SCANNED_CHARS]
    if not plain.isascii():
        plain = plain.translate(_SAME_LENGTH)
    read = _readings(plain, Base(base.replace(tzinfo=None), offset))
    expressions = [_expression(text, each, offset) for each in read]
    # At the calendar's ends an interval can lie outside it in UTC.
    return [each for each in expressions if each.interval_start < each.interval_end][:MAX_EXPRESSIONS]


def overlap(a: tuple[datetime, datetime], b: tuple[datetime, datetime]) -> timedelta:
    """How long two half-open intervals have in common; zero, which is false, if nothing."""
    return max(min(a[1], b[1]) - max(a[0], b[0]), timedelta(0))


def _readings(text: str, base: Base) -> list[Reading]:
    lowered = text.lower()
    found_words = frozenset(_WORD.findall(lowered))
    has_numeric = _NUMERIC.search(lowered) is not None
    if not has_numeric and found_words.isdisjoint(_TRIGGERS):
        return []
    raw = _outermost(_raw(text, base, found_words, has_numeric))
    if not raw:
        return []
    read = [changed for each in raw if (changed := modified(text, with_clock(text, each, base), base)) is not None]
    return _apart([*pairs(text, raw), *read])


def _raw(text: str, base: Base, found_words: frozenset[str], has_numeric: bool) -> list[Reading]:
    """What each rule reads where its trigger words occur, licensed or not."""
    found: list[Reading] = []
    for rule in _RULES:
        is_due = not found_words.isdisjoint(rule.triggers) if rule.triggers else has_numeric
        if not is_due or (rule.also and found_words.isdisjoint(rule.also)):
            continue
        for match, _ in zip(rule.pattern.finditer(text), range(MAX_RULE_MATCHES), strict=False):
            one = rule.read(match, base)
            if one is not None:
                found.append(one)
    return found


def _outermost(found: Sequence[Reading]) -> list[Reading]:
    """Without what lies inside another: "May" in "7 May 2023"."""
    kept: list[Reading] = []
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or each.end > kept[-1].end:
            kept.append(each)
    return kept


def _apart(found: Sequence[Reading]) -> list[Reading]:
    """The longest of what overlaps, in order."""
    kept: list[Reading] = []
    for each in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(each.end <= other.start or other.end <= each.start for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda one: one.start)


def _expression(text: str, read: Reading, offset: timedelta) -> TimeExpression:
    return TimeExpression(
        start=read.start,
        end=read.end,
        text=text[read.start : read.end],
        interval_start=_utc(read.local.start, offset),
        interval_end=_utc(read.local.end, offset),
        granularity=read.granularity,
        offset=offset,
        yearly=read.yearly,
    )


def _utc(local: datetime, offset: timedelta) -> datetime:
    """The instant of a local time. The calendar's ends stand for no bound and stay where they are."""
    if local in (cal.EARLIEST, cal.LATEST):
        return local.replace(tzinfo=UTC)
    try:
        return (local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return (cal.EARLIEST if local.year == 1 else cal.LATEST).replace(tzinfo=UTC)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
