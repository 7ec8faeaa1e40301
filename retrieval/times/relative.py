"""Expressions read from the base: weekdays, "yesterday", "last week", "two months ago", "in the last three weeks"."""

import re
from typing import Final

from retrieval.times import calendar as cal
from retrieval.times.calendar import Granularity, Local
from retrieval.times.clock import compound_ago
from retrieval.times.grammar import (
    DAY_PART,
    NUMBER,
    UNIT,
    UNIT_TRIGGERS,
    WEEKDAY,
    WEEKDAY_TRIGGERS,
    WEEKDAYS,
    WHICH,
    B,
    Base,
    E,
    Reading,
    Rule,
    S,
    compiled,
    is_last,
    is_next,
    number_range,
    reading,
    weekday_number,
    words,
)

# --- weekdays ---------------------------------------------------------------------------------------------------------
_WEEKDAY = compiled(
    rf"{B}(?:(?:the{S})?{WHICH}{S})?{WEEKDAY}(?:,?{S}(?:of{S})?(?P<which_week>last|this|next){S}week)?"
    rf"(?:{S}{DAY_PART})?{E}(?!{S}[0-9]{{1,2}}\b)"
)
_NO_WEEKDAY_AFTER = re.compile(
    r"\b(?:every|each|most|other|any|many|all|alternate|black|good|cyber|fat|ash|palm|super)\s{1,3}$", re.IGNORECASE
)
_ABBREVIATION_LICENCE: Final = frozenset(["on", "since", "until", "till", "by"])
_WORDS: Final = frozenset({"sat", "sun", "wed"})
"""Abbreviated weekdays that are words in lower case."""


def _read_weekday(match: re.Match[str], base: Base) -> Reading | None:
    """Bare or "last": the latest before today. "next": the first after today. "this": of the week under way."""
    name, which, which_week = match["weekday"], words(match["which"]), words(match["which_week"])
    if _NO_WEEKDAY_AFTER.search(match.string[max(0, match.start() - 12) : match.start()]):
        return None
    licence = None
    if name.lower() not in WEEKDAYS:
        is_word = name in _WORDS or (which == "this" and name.lower() in _WORDS)
        if is_word or not (which or name[0].isupper()):
            return None
        licence = None if which or which_week else _ABBREVIATION_LICENCE
    ordinal = _weekday_ordinal(base.today, weekday_number(match), which, which_week)
    if match["part"]:
        return reading(match, cal.day_part(ordinal, match["part"].lower()), "daypart", licence=licence)
    is_bare = not which and not which_week
    return reading(match, cal.days(ordinal), "day", licence=licence, is_weekday=is_bare)


def _weekday_ordinal(today: int, number: int, which: str, which_week: str) -> int:
    if which_week or which in ("this", "current"):
        return cal.monday(today) + number + {"last": -7, "next": 7}.get(which_week, 0)
    if is_next(which):
        return weekday_after(today, number)
    return weekday_before(today, number)


def weekday_before(ordinal: int, number: int) -> int:
    """The latest such weekday before the day."""
    return ordinal - 1 - (cal.weekday(ordinal) - number - 1) % 7


def weekday_after(ordinal: int, number: int) -> int:
    """The first such weekday after the day."""
    return ordinal + 1 + (number - cal.weekday(ordinal) - 1) % 7


# --- days and their parts ---------------------------------------------------------------------------------------------
_RELATIVE_DAY = compiled(rf"{B}(?P<day>today|yesterday|tomorrow|tonight)(?:{S}{DAY_PART})?{E}")
_WHICH_PART = compiled(rf"{B}(?P<which>last|this){S}{DAY_PART}{E}")


def _read_relative_day(match: re.Match[str], base: Base) -> Reading | None:
    word = match["day"].lower()
    ordinal = base.today + {"yesterday": -1, "tomorrow": 1}.get(word, 0)
    part = "night" if word == "tonight" else words(match["part"])
    if part:
        return reading(match, cal.day_part(ordinal, part), "daypart")
    return reading(match, cal.days(ordinal), "day")


def _read_which_part(match: re.Match[str], base: Base) -> Reading | None:
    """Yesterday's for "last night", today's for "this morning"."""
    ordinal = base.today - (match["which"].lower() == "last")
    return reading(match, cal.day_part(ordinal, match["part"].lower()), "daypart")


# --- weeks, months, years ---------------------------------------------------------------------------------------------
_NO_ANCHOR = rf"(?!{S}(?:of|before|after)\b)"
_WHICH_UNIT = compiled(
    rf"{B}(?P<the>the{S})?{WHICH}{S}(?P<unit>weekend|week|fortnight|month|quarter|year|decade){E}{_NO_ANCHOR}"
)
_THE_WEEKEND = compiled(rf"{B}(?:over|on|at|during)\s{{1,3}}the\s{{1,3}}weekend{E}{_NO_ANCHOR}")
_BEFORE_LAST = compiled(
    rf"{B}the{S}(?P<unit>weekend|week|month|year|night){S}(?P<which>before{S}last|after{S}next){E}(?!{S}(?:week|month|year))"
)
_ROLLING = compiled(
    rf"{B}(?:(?:in|over|during|within|for|throughout|across){S})?(?:the{S})?(?P<which>last|past|next|coming|previous){S}"
    rf"{NUMBER}{S}{UNIT}s?{E}(?!{S}of\b)"
)
_UNIT_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
_UNIT_DAYS: Final = {"day": 1, "night": 1, "week": 7, "weekend": 7, "fortnight": 14}


def _read_which_unit(match: re.Match[str], base: Base) -> Reading | None:
    """The calendar's unit before, under way or after; "the past week" is the seven days that end today."""
    which, unit = words(match["which"]), match["unit"].lower()
    if which in ("past", "previous") and not match["the"]:
        return None  # "he drove past week after week", "my previous year's time"
    if which in ("past", "this past") and unit != "weekend":
        return reading(match, _rolling(base, unit, 1, is_past=True), "range")
    shift = -1 if is_last(which) else 1 if is_next(which) else 0
    return reading(match, *_calendar_unit(base, unit, shift))


def _calendar_unit(base: Base, unit: str, shift: int) -> tuple[Local, Granularity]:
    """The unit under way, moved by `shift` of them."""
    if unit in ("week", "fortnight"):
        return cal.week(base.today, shift * (2 if unit == "fortnight" else 1)), "week"
    if unit == "weekend":
        return cal.weekend(base.today, shift), "weekend"
    if unit == "night":
        return cal.day_part(base.today + shift, "night"), "daypart"
    if unit == "month":
        return cal.months(base.month + shift), "month"
    if unit == "quarter":
        return cal.months(base.month - base.month % 3 + 3 * shift, 3), "quarter"
    if unit == "decade":
        return cal.years(base.now.year - base.now.year % 10 + 10 * shift, 10), "decade"
    return cal.years(base.now.year + shift), "year"


def _read_the_weekend(match: re.Match[str], base: Base) -> Reading | None:
    """The one under way, or the last: "over the weekend"."""
    shift = 0 if cal.weekday(base.today) >= cal.SATURDAY else -1
    return reading(match, cal.weekend(base.today, shift), "weekend")


def _read_before_last(match: re.Match[str], base: Base) -> Reading | None:
    shift = -2 if match["which"].lower().startswith("before") else 2
    return reading(match, *_calendar_unit(base, match["unit"].lower(), shift))


def _read_rolling(match: re.Match[str], base: Base) -> Reading | None:
    """Fourteen days, of which today is the last, for "in the last two weeks"."""
    _, most = number_range(match["number"])
    is_past = is_last(match["which"].lower())
    return reading(match, _rolling(base, match["unit"].lower(), most, is_past=is_past), "range")


def _rolling(base: Base, unit: str, count: int, *, is_past: bool) -> Local:
    """As many units that end with today, or that follow it."""
    if unit in ("minute", "hour"):
        minutes = count * (60 if unit == "hour" else 1)
        edge = cal.plus_minutes(base.now, -minutes if is_past else minutes)
        return Local(min(edge, base.now), max(edge, base.now))
    edge = cal.day_start(shifted_units(base.today, unit, -count if is_past else count) + 1)
    tomorrow = cal.day_start(base.today + 1)
    return Local(edge, tomorrow) if is_past else Local(tomorrow, edge)


def shifted_units(ordinal: int, unit: str, count: int) -> int:
    """The day as many units later."""
    if unit in _UNIT_MONTHS:
        return cal.shifted_months(ordinal, count * _UNIT_MONTHS[unit])
    return ordinal + count * _UNIT_DAYS[unit]


# --- so long ago, so long from now --------------------------------------------------------------------------------------
_AGO = compiled(rf"{B}{NUMBER}{S}(?:{WEEKDAY}|{UNIT})s?(?P<half>{S}and{S}a{S}half)?{S}(?:ago|back){E}")
_HALF_AGO = compiled(rf"{B}half{S}an?{S}(?P<unit>hour|year|decade){S}ago{E}")
_COMPOUND_AGO = compiled(
    rf"{B}{NUMBER}{S}{UNIT}s?(?:,?{S}and{S}|,?{S})(?:an?|[0-9]{{1,4}}|[a-z]{{3,9}}){S}"
    rf"(?:minute|hour|day|week|month|year)s?{S}ago{E}"
)
_FROM_NOW = compiled(
    rf"{B}(?P<in>in{S})?{NUMBER}{S}{UNIT}s?'?(?P<mark>{S}(?:from{S}(?:now|today)|hence|time))?{E}"
    rf"(?!{S}(?:ago|before|after|later|and)\b)"
)
_FUTURE_CUE = re.compile(
    r"\b(?:is|are|am|will|going|gonna|leaving|leave|due|starts?|begins?|opens?|ha(?:ve|s)\s{1,3}(?:an?|the|my|our|to)"
    r"|happening)\b|'(?:s|re|m|ll)\b",
    re.IGNORECASE,
)
_SUPERLATIVE = re.compile(r"\b(?:first|most|only|worst|\w{1,12}est)\b", re.IGNORECASE)
"""Tells that a span is looked back on: "it is the best book in ten years"."""

_SENTENCE_END = re.compile(r"[.!?\n]")
_CUE_CHARS: Final = 64
"""A verb that tells the future stands near its time."""


def _read_ago(match: re.Match[str], base: Base) -> Reading | None:
    """The calendar's unit that many back: "two weeks ago" is a whole week, "3 days ago" a day."""
    least, most = number_range(match["number"])
    if match["weekday"]:
        ordinal = weekday_before(base.today, weekday_number(match)) - 7 * (most - 1)
        is_named = match["weekday"].lower() in WEEKDAYS
        return reading(match, cal.days(ordinal), "day") if is_named else None
    unit = match["unit"].lower()
    if match["half"]:
        if unit not in ("year", "decade"):
            return None
        return reading(match, cal.months(base.month - _UNIT_MONTHS[unit] * (2 * most + 1) // 2), "month")
    return reading(match, *_units_away(base, unit, -most, -least))


def _units_away(base: Base, unit: str, first: int, last: int) -> tuple[Local, Granularity]:
    """From the unit `first` away to the unit `last` away."""
    start, granularity = _unit_away(base, unit, first)
    end, _ = _unit_away(base, unit, last)
    return Local(start.start, end.end), granularity if first == last else "range"


def _unit_away(base: Base, unit: str, shift: int) -> tuple[Local, Granularity]:
    if unit == "minute":
        start = cal.plus_minutes(base.now.replace(second=0, microsecond=0), shift)
        return Local(start, cal.plus_minutes(start, 1)), "minute"
    if unit == "hour":
        start = cal.plus_minutes(base.now.replace(minute=0, second=0, microsecond=0), 60 * shift)
        return Local(start, cal.plus_minutes(start, 60)), "hour"
    if unit == "day":
        return cal.days(base.today + shift), "day"
    # Who says "a decade ago" means a year, not the calendar's decade.
    return _calendar_unit(base, "year" if unit == "decade" else unit, shift * (10 if unit == "decade" else 1))


def _read_half_ago(match: re.Match[str], base: Base) -> Reading | None:
    unit = match["unit"].lower()
    if unit == "hour":
        return reading(match, *_unit_away(base, "minute", -30))
    return reading(match, cal.months(base.month - _UNIT_MONTHS[unit] // 2), "month")


def _read_compound_ago(match: re.Match[str], base: Base) -> Reading | None:
    """For "1 year and 2 months ago": dateparser knows how units add up."""
    found = compound_ago(words(match[0]), base.now)
    return None if found is None else reading(match, *found)


def _read_from_now(match: re.Match[str], base: Base) -> Reading | None:
    """A time only of what is to come: in "he wrote it in two weeks" it is a duration."""
    mark = words(match["mark"])
    if not mark:
        before = _SENTENCE_END.split(match.string[max(0, match.start() - _CUE_CHARS) : match.start()])[-1]
        if not match["in"] or not _FUTURE_CUE.search(before) or _SUPERLATIVE.search(before):
            return None
    elif mark == "time" and not match["in"]:
        return None
    least, most = number_range(match["number"])
    return reading(match, *_units_away(base, match["unit"].lower(), least, most))


_WEEKDAY_PLURALS: Final = frozenset(name + "s" for name in WEEKDAYS)
_DEICTIC: Final = frozenset(["last", "past", "this", "next", "previous", "current", "coming", "upcoming"])
RELATIVE_RULES: Final = (
    Rule(_WEEKDAY, _read_weekday, WEEKDAY_TRIGGERS),
    Rule(_RELATIVE_DAY, _read_relative_day, frozenset({"today", "yesterday", "tomorrow", "tonight"})),
    Rule(_WHICH_PART, _read_which_part, frozenset(cal.DAY_PARTS), frozenset({"last", "this"})),
    Rule(_WHICH_UNIT, _read_which_unit, UNIT_TRIGGERS, _DEICTIC),
    Rule(_THE_WEEKEND, _read_the_weekend, frozenset({"weekend"})),
    Rule(_BEFORE_LAST, _read_before_last, UNIT_TRIGGERS, frozenset({"last", "next"})),
    Rule(_ROLLING, _read_rolling, UNIT_TRIGGERS, _DEICTIC),
    Rule(_AGO, _read_ago, UNIT_TRIGGERS | _WEEKDAY_PLURALS, frozenset({"ago", "back"})),
    Rule(_HALF_AGO, _read_half_ago, UNIT_TRIGGERS, frozenset({"half"})),
    Rule(_COMPOUND_AGO, _read_compound_ago, UNIT_TRIGGERS, frozenset({"ago"})),
    Rule(_FROM_NOW, _read_from_now, UNIT_TRIGGERS, frozenset({"in", "from", "hence"})),
)
