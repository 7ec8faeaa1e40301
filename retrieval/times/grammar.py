"""What the rules of time expressions share: their types, their words and the pieces of their patterns.

A pattern is bounded (no nested repetition) and runs only over texts that hold one of its trigger words. What is a time only
in company ("may", "march", "2019", "spring") is read with a licence: words of which one must stand before it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from retrieval.times.calendar import Granularity, Local, Yearly

Licence = frozenset[str]


@dataclass(frozen=True, slots=True)
class Base:
    """What relative expressions are read from."""

    now: datetime
    """The local time, naive."""
    offset: timedelta
    """Of local time from UTC."""

    @property
    def today(self) -> int:
        """The local day's ordinal."""
        return self.now.toordinal()

    @property
    def month(self) -> int:
        """The local month's index."""
        return 12 * self.now.year + self.now.month - 1


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression at characters [start, end) and the local interval it means."""

    start: int
    end: int
    local: Local
    granularity: Granularity
    licence: Licence | None = None
    """One of these words must stand before it; None: it needs no company."""
    yearly: Yearly | None = None
    """What it means in any year, where the text names none."""
    is_weekday: bool = False
    """A bare weekday, which recurs each week."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of expression."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], Base], Reading | None]
    triggers: frozenset[str] = frozenset()
    """Lower-case words of which the text must hold one. Empty: it must hold a digit."""
    also: frozenset[str] = frozenset()
    """Words of which it must hold one too, unless empty."""


def reading(
    match: re.Match[str],
    local: Local | None,
    granularity: Granularity,
    *,
    licence: Licence | None = None,
    yearly: Yearly | None = None,
    is_weekday: bool = False,
) -> Reading | None:
    """The match read as the interval; None for no interval or an empty one, as at the calendar's ends."""
    if local is None or local.start >= local.end:
        return None
    return Reading(match.start(), match.end(), local, granularity, licence, yearly, is_weekday)


# --- words ------------------------------------------------------------------------------------------------------------
MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH_NUMBERS: Final = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
_WEEKDAY_NUMBERS: Final = {name[:3]: number for number, name in enumerate(WEEKDAYS)}
_NUMBER_WORDS: Final = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_NUMBERS: Final = {name: number for number, name in enumerate(_NUMBER_WORDS, 1)} | {"a": 1, "an": 1}
_VAGUE: Final = {"few": (2, 5), "several": (3, 7), "couple": (2, 2)}
"""Least and most of what a vague number means."""

UNIT_TRIGGERS: Final = frozenset(
    name + plural
    for name in ["minute", "hour", "day", "night", "weekend", "week", "fortnight", "month", "quarter", "year", "decade"]
    for plural in ("", "s")
)
MONTH_TRIGGERS: Final = frozenset([*MONTHS, *_MONTH_NUMBERS, "sept"])
WEEKDAY_TRIGGERS: Final = frozenset([*WEEKDAYS, *_WEEKDAY_NUMBERS, "tues", "weds", "thur", "thurs"])

# --- pieces of patterns -------------------------------------------------------------------------------------------------
B, E, S = r"(?<!\w)", r"(?!\w)", r"\s{1,3}"
"""A word's beginning, a word's end, white space."""

MONTH: Final = (
    r"(?P<month>jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?\.?|july?\.?|aug(?:ust|\.)?"
    r"|sep(?:tember|t\.?|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
)
WEEKDAY: Final = (
    r"(?P<weekday>mon(?:day|\.)?|tue(?:sday|s\.?|\.)?|wed(?:nesday|s\.?|\.)?|thu(?:rsday|rs?\.?|\.)?|fri(?:day|\.)?"
    r"|sat(?:urday|\.)?|sun(?:day|\.)?)"
)
DAY: Final = r"(?P<day>0?[1-9]|[12][0-9]|3[01])(?P<ordinal>st|nd|rd|th)?"
YEAR: Final = r"(?P<year>[12][0-9]{3})"
DAY_PART: Final = r"(?P<part>morning|afternoon|evening|night)"
UNIT: Final = r"(?P<unit>minute|hour|day|night|weekend|week|fortnight|month|quarter|year|decade)"
NUMBER: Final = (
    r"(?P<number>[0-9]{1,4}|(?:an?\s{1,3}|the\s{1,3})?(?:few|couple(?:\s{1,3}of)?)|several|an?|"
    + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
    + ")"
)
WHICH: Final = r"(?P<which>last|this\s{1,3}past|past|this\s{1,3}coming|this|next|coming|upcoming|previous|current)"


def compiled(*pieces: str) -> re.Pattern[str]:
    """The pieces one after another, blind to case."""
    return re.compile("".join(pieces), re.IGNORECASE)


def words(text: str | None) -> str:
    """Lower-cased, with single spaces and without a leading "the"; empty for None."""
    return " ".join((text or "").lower().split()).removeprefix("the ")


def month_number(match: re.Match[str]) -> int:
    """1 to 12."""
    return _MONTH_NUMBERS[match["month"][:3].lower()]


def weekday_number(match: re.Match[str]) -> int:
    """0 for Monday to 6 for Sunday."""
    return _WEEKDAY_NUMBERS[match["weekday"][:3].lower()]


def number_range(text: str) -> tuple[int, int]:
    """Least and most of what a number in figures or words means: "3", "a couple of", "a few"."""
    parts = text.lower().split()
    for part in parts:
        if part in _VAGUE:
            return _VAGUE[part]
    number = int(parts[-1]) if parts[-1].isdecimal() else _NUMBERS[parts[-1]]
    return number, number


def is_last(which: str) -> bool:
    """Whether the word, by `words`, points to the one before."""
    return which in ("last", "past", "previous", "this past")


def is_next(which: str) -> bool:
    """Whether the word, by `words`, points to the one after."""
    return which in ("next", "coming", "upcoming", "this coming")
