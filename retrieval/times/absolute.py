"""Expressions that name a day, a month, a year, a season or a holiday, with or without its year.

Without a year the latest that has begun is meant: conversations tell of what was.
"""

import re
from typing import Final

from retrieval.times import calendar as cal
from retrieval.times.calendar import Granularity, Local, Yearly
from retrieval.times.grammar import (
    DAY,
    MONTH,
    MONTH_TRIGGERS,
    MONTHS,
    WEEKDAY,
    WHICH,
    YEAR,
    B,
    Base,
    E,
    Licence,
    Reading,
    Rule,
    S,
    compiled,
    is_last,
    is_next,
    month_number,
    reading,
    words,
)

_VERBS: Final = frozenset({"may", "march"})
_AMBIGUOUS: Final = _VERBS | {"april", "june"}
"""Month names that are also verbs or people's names."""

_IN: Final = frozenset(["in", "since", "until", "till", "during", "throughout", "within"])
_MONTH_LICENCE: Final = _IN | frozenset(["before", "after", "by", "from", "around", "through"])
_YEAR_LICENCE: Final = _MONTH_LICENCE | {"circa"}
_DAY_LICENCE: Final = frozenset(["on", "since", "until", "till", "before", "after", "by", "from", "around", "through"])
_SEASON_LICENCE: Final = frozenset(["in", "during", "over", "since", "until", "till", "before", "after", "throughout"])
_FALL_LICENCE: Final = frozenset(["in", "during", "over"])
"""Not "before the fall", which is an accident."""

_HOLIDAY_LICENCE: Final = _SEASON_LICENCE | frozenset(["at", "on", "around", "by", "for", "near"])
_YEAR_SHIFTS: Final = {"last": -1, "this": 0, "next": 1}

# A number goes on, or counts something: "in 2000 steps".
_NO_COUNT = (
    r"(?!\s?%|[.,:/-]?[0-9]|\s{1,3}(?:square|cubic|more|other|different|people|users?|men|women|items?|copies|points?|words?"
    r"|pages?|steps|calories|dollars|euros?|pounds|bucks|met(?:er|re)s|miles|km|kilomet(?:er|re)s|feet|ft|kg|grams|seconds"
    r"|minutes|hours|days|weeks|months|years|times|rpm|hp|employees|students|members|followers|pieces|units|parts|bytes"
    r"|tokens|lines|rows)\b)"
)
_LONE = r"(?<![\w/.:-])"
_LONE_END = r"(?![\w/-]|[.,:][0-9])"
_TO = r"\s{0,3}(?:-|to|and|through|until|till)\s{0,3}(?:the\s{1,3})?"
_LAST_DAY = r"(?P<last_day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_BARE_YEAR = r"(?P<year>(?:1[0-9]|20|21)[0-9]{2})"

# --- days -------------------------------------------------------------------------------------------------------------
_ISO_DAY = re.compile(
    rf"{_LONE}(?P<year>[0-9]{{4}})(?P<sep>[-/])(?P<month>[0-9]{{1,2}})(?P=sep)(?P<day>[0-9]{{1,2}})"
    r"(?![0-9/-]|\.[0-9]|[^\WT])"
)
_NUMERIC_DAY = re.compile(
    rf"{_LONE}(?P<first>[0-9]{{1,2}})(?P<sep>[-/.])(?P<second>[0-9]{{1,2}})(?P=sep)(?P<year>[0-9]{{4}})(?![\w/-]|\.[0-9])"
)
_SLASHED_DAY = re.compile(rf"{_LONE}(?P<first>[0-9]{{1,2}})/(?P<second>[0-9]{{1,2}})(?![\w/-]|\.[0-9])")
_DAY_MONTH = compiled(
    rf"{_LONE}(?:{WEEKDAY},?{S})?(?:the{S})?{DAY}(?:{S}(?P<of>of{S})?|-){MONTH}(?:(?:,?{S}|,|-){YEAR}(?![0-9]))?{E}"
)
_MONTH_DAY = compiled(
    rf"{B}(?:{WEEKDAY},?{S})?{MONTH}{S}(?:the{S})?{DAY}(?:(?:,?{S}|,){YEAR})?(?![\w/:]|[.,][0-9]|-[0-9])"
)
_DAYS_MONTH = compiled(
    rf"{_LONE}(?:(?:between|from){S})?(?:the{S})?{DAY}{_TO}{_LAST_DAY}{S}(?:of{S})?{MONTH}(?:,?{S}{YEAR})?{E}"
)
_MONTH_DAYS = compiled(rf"{B}(?:(?:between|from){S})?{MONTH}{S}{DAY}{_TO}{_LAST_DAY}(?:,?{S}{YEAR})?(?![\w:])")
_ORDINAL_DAY = compiled(
    rf"{B}(?P<on>on{S})?the{S}(?P<day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)"
    rf"(?:{S}of{S}(?P<which>last|this|next){S}month{E}|(?=\s{{0,3}}(?:[.,;:!?)]|$)))"
)


def _read_iso_day(match: re.Match[str], base: Base) -> Reading | None:
    return _absolute(match, int(match["year"]), int(match["month"]), int(match["day"]))


def _read_numeric_day(match: re.Match[str], base: Base) -> Reading | None:
    """Month first, as dateparser reads English; day first where dots separate or the first number is no month."""
    first, second = int(match["first"]), int(match["second"])
    is_day_first = match["sep"] == "." or first > 12
    month, day = (second, first) if is_day_first else (first, second)
    return _absolute(match, int(match["year"]), month, day)


def _absolute(match: re.Match[str], year: int, month: int, day: int, last_day: int | None = None) -> Reading | None:
    first, last = cal.day_ordinal(year, month, day), cal.day_ordinal(year, month, last_day or day)
    if first is None or last is None or last < first:
        return None
    return reading(match, cal.days(first, last - first + 1), "range" if last > first else "day")


def _read_slashed_day(match: re.Match[str], base: Base) -> Reading | None:
    """Month first, unless that is no month: "on 5/14"."""
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if first > 12 else (first, second)
    yearly = cal.YearlyDay(month, day)
    local = cal.latest_year(yearly, base.today)
    return reading(match, local, "day", licence=_DAY_LICENCE - {"from", "through"}, yearly=yearly)


def _read_month_day(match: re.Match[str], base: Base) -> Reading | None:
    """One day of a month, or several: "7 May", "May 7th, 2023", "5-9 May"."""
    found = match.groupdict()
    day, month = int(match["day"]), month_number(match)
    last_day = int(found.get("last_day") or day)
    if match["year"]:
        return _absolute(match, int(match["year"]), month, day, last_day)
    if last_day < day:
        return None
    # In lower case and unmarked, "may" and "march" are verbs: "we 7 may come".
    is_marked = bool(match["ordinal"] or found.get("of") or found.get("last_day"))
    licence = _DAY_LICENCE if match["month"] in _VERBS and not is_marked else None
    yearly = cal.YearlyDay(month, day, last_day - day + 1)
    granularity: Granularity = "range" if last_day > day else "day"
    return reading(match, cal.latest_year(yearly, base.today), granularity, licence=licence, yearly=yearly)


def _read_ordinal_day(match: re.Match[str], base: Base) -> Reading | None:
    """The latest that has begun for "on the 7th"; else of the month named: "the 7th of last month"."""
    which = words(match["which"])
    if not which and not match["on"]:
        return None
    for shift in (_YEAR_SHIFTS[which],) if which else (0, -1, -2):
        year, month = divmod(base.month + shift, 12)
        ordinal = cal.day_ordinal(year, month + 1, int(match["day"]))
        if ordinal is not None and (which or ordinal <= base.today):
            return reading(match, cal.days(ordinal), "day")
    return None


# --- months -----------------------------------------------------------------------------------------------------------
_ISO_MONTH = re.compile(rf"{_LONE}{YEAR}-(?P<month>0[1-9]|1[0-2])(?![\w/-]|\.[0-9])")
_MONTH_YEAR = compiled(rf"{B}{MONTH}(?:(?:,|{S}of)?{S}|,|\s?[-/.]\s?){YEAR}{_LONE_END}")
_MONTH_OF = compiled(rf"{B}{MONTH},?{S}(?:of{S})?(?P<which>last|this|next){S}year{E}")
_WHICH_MONTH = compiled(rf"{B}(?:the{S})?{WHICH}{S}{MONTH}{E}")
_MONTH = compiled(rf"{B}{MONTH}{E}")
_VERB_FOLLOWS = re.compile(r"\s{1,3}(?:be|have|not|also|well)\b", re.IGNORECASE)


def _read_iso_month(match: re.Match[str], base: Base) -> Reading | None:
    index = 12 * int(match["year"]) + int(match["month"]) - 1
    return reading(match, cal.months(index), "month", licence=_MONTH_LICENCE)


def _read_month_year(match: re.Match[str], base: Base) -> Reading | None:
    return reading(match, cal.months(12 * int(match["year"]) + month_number(match) - 1), "month")


def _read_month_of(match: re.Match[str], base: Base) -> Reading | None:
    year = base.now.year + _YEAR_SHIFTS[match["which"].lower()]
    return reading(match, cal.months(12 * year + month_number(match) - 1), "month")


def _read_which_month(match: re.Match[str], base: Base) -> Reading | None:
    """The latest that is over for "last May", the first not begun for "next May", the year's own for "this May"."""
    name, which = match["month"], words(match["which"])
    is_abbreviated = name.lower() not in MONTHS
    if (is_abbreviated and not name[0].isupper()) or (which == "this" and name in _VERBS):
        return None
    index = 12 * base.now.year + month_number(match) - 1
    if is_last(which) and index >= base.month:
        index -= 12
    elif is_next(which) and index <= base.month:
        index += 12
    return reading(match, cal.months(index), "month")


def _read_month(match: re.Match[str], base: Base) -> Reading | None:
    name = match["month"]
    lowered, is_capital = name.lower(), name[0].isupper()
    if lowered not in MONTHS and not is_capital:
        return None
    licence: Licence | None = _MONTH_LICENCE
    if name in _VERBS:
        if _VERB_FOLLOWS.match(match.string, match.end()):
            return None
        licence = _IN
    elif lowered in MONTHS and lowered not in _AMBIGUOUS and (is_capital or lowered != "august"):
        licence = None
    yearly = cal.YearlyMonth(month_number(match))
    return reading(match, cal.latest_year(yearly, base.today), "month", licence=licence, yearly=yearly)


# --- years, decades, quarters -------------------------------------------------------------------------------------------
_YEAR = compiled(rf"(?<![\w$€£#.,/:+-])(?P<explicit>(?:the{S})?year{S})?{_BARE_YEAR}{_NO_COUNT}{E}")
_YEARS = compiled(
    rf"(?<![\w$€£#.,/:+-])(?P<explicit>(?:from|between){S})?{_BARE_YEAR}\s{{0,3}}(?:-|to|and|until|till|through)\s{{0,3}}"
    rf"(?P<last_year>(?:1[0-9]|20|21)?[0-9]{{2}}){_NO_COUNT}{E}"
)
_DECADE = compiled(rf"{B}(?:the{S})?(?P<full>(?:1[0-9]|20)[0-9]0)'?s{E}")
_SHORT_DECADE = compiled(rf"{B}the{S}(?:(?P<part>early|mid|late)[\s-]{{1,3}})?(?P<mark>')?(?P<short>[0-9]0)'?s{E}")
_QUARTER = compiled(rf"{B}q(?P<quarter>[1-4])(?:,?{S}(?:of{S})?|[\s/-]){YEAR}{E}")
_RANGE_LICENCE: Final = frozenset(["in", "during", "from", "between", "years", "over"])


def _read_year(match: re.Match[str], base: Base) -> Reading | None:
    licence = None if match["explicit"] else _YEAR_LICENCE
    return reading(match, cal.years(int(match["year"])), "year", licence=licence)


def _read_years(match: re.Match[str], base: Base) -> Reading | None:
    """Reads "in 2019-2021", "from 2019 to 2021", "between 1998 and 99"."""
    first, last = int(match["year"]), int(match["last_year"])
    if last < 100:
        last += first - first % 100
    if last <= first:
        return None
    licence = None if match["explicit"] else _RANGE_LICENCE
    return reading(match, cal.years(first, last - first + 1), "range", licence=licence)


def _read_decade(match: re.Match[str], base: Base) -> Reading | None:
    return reading(match, cal.years(int(match["full"]), 10), "decade")


def _read_short_decade(match: re.Match[str], base: Base) -> Reading | None:
    """The latest decade of that name that has begun: "the 90s"."""
    if not match["mark"] and match["short"] < "50":
        return None  # an age or a temperature: "in the mid-20s"
    first = base.now.year - base.now.year % 100 + int(match["short"])
    whole = cal.years(first if first <= base.now.year else first - 100, 10)
    part = match["part"]
    return reading(match, cal.part_of(whole, part.lower()) if part else whole, "range" if part else "decade")


def _read_quarter(match: re.Match[str], base: Base) -> Reading | None:
    index = 12 * int(match["year"]) + 3 * (int(match["quarter"]) - 1)
    return reading(match, cal.months(index, 3), "quarter")


# --- seasons and holidays ---------------------------------------------------------------------------------------------
_OF_YEAR = rf"(?:(?:,|{S}of)?{S}{YEAR}|,?{S}(?:of{S})?(?P<which_year>last|this|next){S}year)?"
_SEASON = compiled(rf"{B}(?:(?:the{S})?{WHICH}{S})?(?P<season>spring|summer|autumn|fall|winter){_OF_YEAR}{E}")
_HOLIDAYS: Final[dict[str, Yearly]] = {
    "christmas eve": cal.YearlyDay(12, 24),
    "christmas day": cal.YearlyDay(12, 25),
    "christmas": cal.YearlyDay(12, 24, 3),
    "new years eve": cal.YearlyDay(12, 31),
    "new years day": cal.YearlyDay(1, 1),
    "new years": cal.YearlyDay(1, 1),
    "valentines day": cal.YearlyDay(2, 14),
    "independence day": cal.YearlyDay(7, 4),
    "halloween": cal.YearlyDay(10, 31),
    "thanksgiving": cal.YearlyWeekday(month=11, weekday=3, nth=4),
    "easter": cal.YearlyEaster(),
}
_HOLIDAY = compiled(
    rf"{B}(?:{WHICH}{S})?(?P<holiday>christmas(?:{S}(?:eve|day))?|new{S}year'?s(?:{S}(?:eve|day))?|valentine'?s{S}day"
    rf"|independence{S}day|halloween|thanksgiving|easter){_OF_YEAR}{E}"
)


def _read_season(match: re.Match[str], base: Base) -> Reading | None:
    name = match["season"].lower()
    licence = _FALL_LICENCE if name == "fall" else _SEASON_LICENCE
    return _read_yearly(match, base, cal.YearlySeason(name), "season", licence)


def _read_holiday(match: re.Match[str], base: Base) -> Reading | None:
    yearly = _HOLIDAYS[words(match["holiday"]).replace("'", "")]
    return _read_yearly(match, base, yearly, "day", _HOLIDAY_LICENCE)


def _read_yearly(
    match: re.Match[str], base: Base, yearly: Yearly, granularity: Granularity, licence: Licence
) -> Reading | None:
    """Reads "in summer", "last summer", "summer of 2022", "summer of last year"."""
    which, which_year = words(match["which"]), words(match["which_year"])
    if match["year"] or which_year:
        year = int(match["year"]) if match["year"] else base.now.year + _YEAR_SHIFTS[which_year]
        return reading(match, yearly.in_year(year), granularity)
    if which:
        return reading(match, _which_yearly(yearly, base, which), granularity)
    return reading(match, cal.latest_year(yearly, base.today), granularity, licence=licence, yearly=yearly)


def _which_yearly(yearly: Yearly, base: Base, which: str) -> Local | None:
    """The last that is over, the next that has not begun, or the one under way or else of this year."""
    if is_next(which):
        return cal.next_year(yearly, base.today)
    latest = cal.latest_year(yearly, base.today)
    is_under_way = latest is not None and latest.end > cal.day_start(base.today)
    if not is_last(which):
        return latest if is_under_way else yearly.in_year(base.now.year)
    if latest is None or not is_under_way:
        return latest
    return cal.latest_year(yearly, latest.start.toordinal() - 1)


_HOLIDAY_TRIGGERS: Final = frozenset(
    ["christmas", "year", "years", "valentine", "valentines", "independence", "halloween", "thanksgiving", "easter"]
)
ABSOLUTE_RULES: Final = (
    Rule(_ISO_DAY, _read_iso_day),
    Rule(_NUMERIC_DAY, _read_numeric_day),
    Rule(_SLASHED_DAY, _read_slashed_day),
    Rule(_ISO_MONTH, _read_iso_month),
    Rule(_YEAR, _read_year),
    Rule(_YEARS, _read_years),
    Rule(_DECADE, _read_decade),
    Rule(_SHORT_DECADE, _read_short_decade),
    Rule(_QUARTER, _read_quarter),
    Rule(_ORDINAL_DAY, _read_ordinal_day),
    Rule(_DAY_MONTH, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_DAY, _read_month_day, MONTH_TRIGGERS),
    Rule(_DAYS_MONTH, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_DAYS, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_YEAR, _read_month_year, MONTH_TRIGGERS),
    Rule(_MONTH_OF, _read_month_of, MONTH_TRIGGERS),
    Rule(_WHICH_MONTH, _read_which_month, MONTH_TRIGGERS),
    Rule(_MONTH, _read_month, MONTH_TRIGGERS),
    Rule(_SEASON, _read_season, frozenset(cal.SEASONS)),
    Rule(_HOLIDAY, _read_holiday, _HOLIDAY_TRIGGERS),
)
