"""The time expressions that stand by themselves: one pattern and one reading each.

A pattern is bounded (no nested repetition), and runs only over texts that hold one of its trigger words. What is a time only
in company ("may", "march", "2019", "spring") is read with a licence: the words that must stand before it.
"""

import re
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from retrieval import local_time as lt
from retrieval.local_time import Granularity, Local, Yearly
from retrieval.time_clock import read_compound

Licence = frozenset[str]


@dataclass(frozen=True, slots=True)
class Base:
    """What relative expressions are read from: the local time, naive."""

    now: datetime

    @property
    def today(self) -> int:
        return self.now.toordinal()

    @property
    def month(self) -> int:
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
    triggers: Set[str] = field(default_factory=frozenset[str])
    """Lower-case words of which the text must hold one; empty: it must hold a digit."""


# --- words ----------------------------------------------------------------------------------------------------------
_MONTHS: Final = "january february march april may june july august september october november december".split()
_WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH_NUMBERS: Final = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_WEEKDAY_NUMBERS: Final = {name[:3]: number for number, name in enumerate(_WEEKDAYS)}
_NUMBERS: Final = {
    name: number
    for number, name in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        1,
    )
} | {"a": 1, "an": 1, "couple": 2, "thirty": 30, "forty": 40, "fifty": 50}
_VAGUE: Final = {"few": (2, 5), "several": (3, 7)}
"""Least and most of what a vague number means."""

_VERBS: Final = frozenset({"may", "march"})
_NAMES: Final = frozenset({"april", "june"})

MONTH_TRIGGERS: Final = frozenset([*_MONTHS, *_MONTH_NUMBERS, "sept"])
_WEEKDAY_TRIGGERS: Final = frozenset([*_WEEKDAYS, *_WEEKDAY_NUMBERS, "tues", "weds", "thur", "thurs"])
_DEICTIC: Final = frozenset("last past this next previous current coming upcoming".split())

_IN: Final = frozenset("in since until till during throughout within".split())
_MONTH_LICENCE: Final = _IN | frozenset("before after by from around through".split())
_YEAR_LICENCE: Final = _MONTH_LICENCE | {"circa"}
_DAY_LICENCE: Final = frozenset("on since until till before after by from around through".split())
_SEASON_LICENCE: Final = frozenset("in during over since until till before after by throughout".split())
_HOLIDAY_LICENCE: Final = _SEASON_LICENCE | frozenset("at on around for near".split())

# --- pieces of patterns -----------------------------------------------------------------------------------------------
_B, _E, _S = r"(?<![\w])", r"(?!\w)", r"\s{1,3}"
_MONTH = (
    r"(?P<month>jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?\.?|july?\.?|aug(?:ust|\.)?"
    r"|sep(?:tember|t\.?|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
)
_WEEKDAY = (
    r"(?P<weekday>mon(?:day|\.)?|tue(?:sday|s\.?|\.)?|wed(?:nesday|s\.?|\.)?|thu(?:rsday|rs?\.?|\.)?|fri(?:day|\.)?"
    r"|sat(?:urday|\.)?|sun(?:day|\.)?)"
)
_DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])(?P<ordinal>st|nd|rd|th)?"
_YEAR = r"(?P<year>[12][0-9]{3})"
_NUMBER = r"(?P<number>[0-9]{1,4}|(?:a\s{1,3}|the\s{1,3})?(?:few|couple(?:\s{1,3}of)?)|several|an?|" + (
    "|".join(sorted((word for word in _NUMBERS if word not in ("a", "an", "couple")), key=len, reverse=True)) + ")"
)
_UNIT = r"(?P<unit>minute|hour|day|night|weekend|week|fortnight|month|quarter|year|decade)"
_DAY_PART = r"(?P<part>morning|afternoon|evening|night)"
_NO_UNIT_FOLLOWS = (
    r"(?!\s?%|[.,:/-]?[0-9]|\s{1,3}(?:square|cubic|more|other|different|people|users?|men|women|items?|copies|points?|words?"
    r"|pages?|steps|calories|dollars|euros?|pounds|bucks|meters|metres|miles|km|kilomet(?:er|re)s|feet|ft|kg|grams|seconds"
    r"|minutes|hours|days|weeks|months|years|times|rpm|hp|employees|students|members|followers|pieces|units|parts|bytes"
    r"|tokens|lines|rows)\b)"
)


def _compile(*pieces: str) -> re.Pattern[str]:
    return re.compile("".join(pieces), re.IGNORECASE)


def _month_number(match: re.Match[str]) -> int:
    return _MONTH_NUMBERS[match["month"][:3].lower()]


def _weekday_number(match: re.Match[str]) -> int:
    return _WEEKDAY_NUMBERS[match["weekday"][:3].lower()]


def _reading(
    match: re.Match[str],
    local: Local | None,
    granularity: Granularity,
    *,
    licence: Licence | None = None,
    yearly: Yearly | None = None,
    is_weekday: bool = False,
) -> Reading | None:
    if local is None or local.start >= local.end:
        return None
    return Reading(match.start(), match.end(), local, granularity, licence, yearly, is_weekday)


def _is_deictic_last(word: str) -> bool:
    return word in ("last", "past", "previous", "this past")


def _words(text: str | None) -> str:
    """Lower-cased, with single spaces and without "the"."""
    return " ".join((text or "").lower().split()).removeprefix("the ")


# --- absolute days ------------------------------------------------------------------------------------------------------
_ISO_DAY = re.compile(
    r"(?<![\w/.-])(?P<year>[0-9]{4})(?P<sep>[-/])(?P<month>[0-9]{1,2})(?P=sep)(?P<day>[0-9]{1,2})(?![\w/-]|\.[0-9])"
    r"|(?<![\w/.-])(?P<year2>[0-9]{4})-(?P<month2>[0-9]{2})-(?P<day2>[0-9]{2})(?=T[0-9]{2}:)"
)
_NUMERIC_DAY = re.compile(
    r"(?<![\w/.-])(?P<first>[0-9]{1,2})(?P<sep>[-/.])(?P<second>[0-9]{1,2})(?P=sep)(?P<year>[0-9]{4})(?![\w/-]|\.[0-9])"
)
_SLASHED_DAY = re.compile(r"(?<![\w/.-])(?P<first>[0-9]{1,2})/(?P<second>[0-9]{1,2})(?![\w/-]|\.[0-9])")
_ISO_MONTH = re.compile(r"(?<![\w/.-])(?P<year>[12][0-9]{3})-(?P<month>0[1-9]|1[0-2])(?![\w/-]|\.[0-9])")
_DAY_MONTH = _compile(
    r"(?<![\w./:-])", rf"(?:{_WEEKDAY}(?:,{_S}|{_S}))?", r"(?:the\s{1,3})?", _DAY,
    r"(?:\s{1,3}(?P<of>of\s{1,3})?|-)", _MONTH, rf"(?:(?:,?\s{{1,3}}|,|-){_YEAR}(?![0-9]))?", _E,
)  # fmt: skip
_MONTH_DAY = _compile(
    _B, rf"(?:{_WEEKDAY}(?:,{_S}|{_S}))?", _MONTH, r"\s{1,3}(?:the\s{1,3})?", _DAY, rf"(?:(?:,?\s{{1,3}}|,){_YEAR})?",
    r"(?![\w/:]|[.,][0-9]|-[0-9])",
)  # fmt: skip
_LAST_DAY = r"(?P<last_day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_TO = r"\s{0,3}(?:-|to|and|through|until|till)\s{0,3}(?:the\s{1,3})?"
_DAYS_MONTH = _compile(
    r"(?<![\w./:-])", r"(?:(?:between|from)\s{1,3})?(?:the\s{1,3})?", _DAY, _TO, _LAST_DAY,
    r"\s{1,3}(?:of\s{1,3})?", _MONTH, rf"(?:,?\s{{1,3}}{_YEAR})?", _E,
)  # fmt: skip
_MONTH_DAYS = _compile(
    _B, r"(?:(?:between|from)\s{1,3})?", _MONTH, r"\s{1,3}", _DAY, _TO, _LAST_DAY, rf"(?:,?\s{{1,3}}{_YEAR})?", r"(?![\w:])"
)
_BARE_ORDINAL = _compile(
    _B, r"(?:on\s{1,3})?the\s{1,3}(?P<day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)",
    rf"(?:{_S}of{_S}(?P<which>last|this|next){_S}month{_E}|(?=\s{{0,3}}(?:[.,;:!?)]|$)))",
)  # fmt: skip


def _absolute(match: re.Match[str], year: int, month: int, day: int, last: int | None = None) -> Reading | None:
    first = lt.day_ordinal(year, month, day)
    final = lt.day_ordinal(year, month, last or day)
    if first is None or final is None or final < first:
        return None
    return _reading(match, lt.days(first, final - first + 1), "range" if final > first else "day")


def _read_iso_day(match: re.Match[str], base: Base) -> Reading | None:
    parts = match.group("year", "month", "day") if match["year"] else match.group("year2", "month2", "day2")
    return _absolute(match, *map(int, parts))


def _read_numeric_day(match: re.Match[str], base: Base) -> Reading | None:
    """Month first, as dateparser reads English; day first where dots separate or the first number is no month."""
    first, second = int(match["first"]), int(match["second"])
    if match["sep"] == "." or first > 12:
        first, second = second, first
    return _absolute(match, int(match["year"]), first, second)


def _read_slashed_day(match: re.Match[str], base: Base) -> Reading | None:
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if first > 12 else (first, second)
    yearly = lt.YearlyDay(month, day)
    if not 1 <= month <= 12:
        return None
    licence = frozenset({"on", "since", "until", "till", "by"})
    return _reading(match, lt.latest_year(yearly, base.today), "day", licence=licence, yearly=yearly)


def _read_iso_month(match: re.Match[str], base: Base) -> Reading | None:
    index = 12 * int(match["year"]) + int(match["month"]) - 1
    return _reading(match, lt.months(index), "month", licence=_MONTH_LICENCE)


def _read_month_day(match: re.Match[str], base: Base) -> Reading | None:
    """Also several days of one month. Without a year, the latest that has begun."""
    day, month = int(match["day"]), _month_number(match)
    last = int(match.groupdict().get("last_day") or day)
    if match["year"]:
        return _absolute(match, int(match["year"]), month, day, last)
    if last < day:
        return None
    yearly = lt.YearlyDay(month, day, last - day + 1)
    granularity: Granularity = "range" if last > day else "day"
    local = lt.latest_year(yearly, base.today)
    return _reading(match, local, granularity, licence=_day_licence(match), yearly=yearly)


def _day_licence(match: re.Match[str]) -> Licence | None:
    """"may 7" and "7 may" in lower case are dates only in company: "we 7 may come"."""
    is_marked = match["ordinal"] or match.groupdict().get("of") or match.groupdict().get("last_day")
    is_plain_verb = match["month"] in _VERBS
    return _DAY_LICENCE if is_plain_verb and not is_marked else None


def _read_bare_ordinal(match: re.Match[str], base: Base) -> Reading | None:
    """"on the 7th": of the month named, or the latest that has begun; without "on" only with a month."""
    which = (match["which"] or "").lower()
    if not which and not match[0].lower().startswith("on"):
        return None
    shifts = {"last": (-1,), "this": (0,), "next": (1,), "": (0, -1, -2)}[which]
    for shift in shifts:
        year, month = divmod(base.month + shift, 12)
        ordinal = lt.day_ordinal(year, month + 1, int(match["day"])) if year >= 1 else None
        if ordinal is not None and (which or ordinal <= base.today):
            return _reading(match, lt.days(ordinal), "day")
    return None


# --- months, years, decades, quarters --------------------------------------------------------------------------------
_MONTH_YEAR = _compile(_B, _MONTH, rf"(?:(?:,|{_S}of)?{_S}|,|\s?[-/.]\s?)", _YEAR, r"(?![\w/-]|[.,:][0-9])")
_MONTH_OF = _compile(_B, _MONTH, rf",?{_S}(?:of{_S})?(?P<which>last|this|next){_S}year", _E)
_WHICH_MONTH = _compile(_B, r"(?:the\s{1,3})?(?P<which>last|this\s{1,3}past|past|this|next|coming)", _S, _MONTH, _E)
_BARE_MONTH = _compile(_B, _MONTH, _E, r"(?!\s{1,3}(?:be|have|not|also|well|i|you|we|he|she|they|it)\b)")
_BARE_YEAR = _compile(
    r"(?<![\w$€£#.,/:+-])(?P<explicit>(?:the\s{1,3})?year\s{1,3})?(?P<year>(?:1[0-9]|20|21)[0-9]{2})", _NO_UNIT_FOLLOWS, _E
)
_YEARS = _compile(
    r"(?<![\w$€£#.,/:+-])(?P<explicit>(?:from|between)\s{1,3})?(?P<year>(?:1[0-9]|20|21)[0-9]{2})",
    r"\s{0,3}(?:-|to|and|until|till|through)\s{0,3}(?P<last_year>(?:1[0-9]|20|21)?[0-9]{2})", _NO_UNIT_FOLLOWS, _E,
)  # fmt: skip
_DECADE = _compile(_B, r"(?:the\s{1,3})?(?P<full>(?:1[0-9]|20)[0-9]0)'?s", _E)
_SHORT_DECADE = _compile(_B, r"the\s{1,3}(?:(?P<part>early|mid|late)[\s-]{1,3})?'?(?P<short>[0-9]0)'?s", _E)
_QUARTER = _compile(_B, r"q(?P<quarter>[1-4])(?:,?\s{1,3}(?:of\s{1,3})?|[\s/-])", _YEAR, _E)


def _read_month_year(match: re.Match[str], base: Base) -> Reading | None:
    return _reading(match, lt.months(12 * int(match["year"]) + _month_number(match) - 1), "month")


def _read_month_of(match: re.Match[str], base: Base) -> Reading | None:
    year = base.now.year + {"last": -1, "this": 0, "next": 1}[match["which"].lower()]
    return _reading(match, lt.months(12 * year + _month_number(match) - 1), "month")


def _read_which_month(match: re.Match[str], base: Base) -> Reading | None:
    """"last May" is the latest that is over, "next May" the first that has not begun, "this May" the year's own."""
    name, which = match["month"], _words(match["which"])
    is_abbreviated = name.lower().rstrip(".") not in _MONTHS
    if (is_abbreviated and not name[0].isupper()) or (which == "this" and name in _VERBS):
        return None
    number = _month_number(match)
    index = 12 * base.now.year + number - 1
    if _is_deictic_last(which) and index >= base.month:
        index -= 12
    elif which in ("next", "coming") and index <= base.month:
        index += 12
    return _reading(match, lt.months(index), "month")


def _read_bare_month(match: re.Match[str], base: Base) -> Reading | None:
    name = match["month"]
    yearly = lt.YearlyMonth(_month_number(match))
    lowered = name.lower()
    is_full, is_capital = lowered in _MONTHS, name[0].isupper()
    if not is_full and not is_capital:
        return None
    licence: Licence | None = _MONTH_LICENCE
    if is_full and not is_capital and lowered in _VERBS:
        licence = _IN
    elif is_full and lowered not in _VERBS | _NAMES and (is_capital or lowered != "august"):
        licence = None
    return _reading(match, lt.latest_year(yearly, base.today), "month", licence=licence, yearly=yearly)


def _read_bare_year(match: re.Match[str], base: Base) -> Reading | None:
    licence = None if match["explicit"] else _YEAR_LICENCE
    return _reading(match, lt.years(int(match["year"])), "year", licence=licence)


def _read_years(match: re.Match[str], base: Base) -> Reading | None:
    """"2019-2021", "from 2019 to 2021", "between 1998 and 99"."""
    first = int(match["year"])
    last = int(match["last_year"])
    if len(match["last_year"]) == 2:
        last += first - first % 100
    if not first < last:
        return None
    licence = None if match["explicit"] else frozenset({"in", "during", "from", "between", "years", "over"})
    return _reading(match, lt.years(first, last - first + 1), "range", licence=licence)


def _read_decade(match: re.Match[str], base: Base) -> Reading | None:
    return _reading(match, lt.years(int(match["full"]), 10), "decade")


def _read_short_decade(match: re.Match[str], base: Base) -> Reading | None:
    """"the 90s": the latest decade of that name that has begun."""
    first = base.now.year - base.now.year % 100 + int(match["short"])
    whole = lt.years(first if first <= base.now.year else first - 100, 10)
    part = match["part"]
    return _reading(match, lt.part_of(whole, part.lower()) if part else whole, "range" if part else "decade")


def _read_quarter(match: re.Match[str], base: Base) -> Reading | None:
    index = 12 * int(match["year"]) + 3 * (int(match["quarter"]) - 1)
    return _reading(match, lt.months(index, 3), "quarter")


# --- seasons and holidays ---------------------------------------------------------------------------------------------
_WHICH = r"(?P<which>last|this\s{1,3}past|past|this\s{1,3}coming|this|next|coming|upcoming|previous|current)"
_SEASON = _compile(
    _B, rf"(?:(?:the\s{{1,3}})?{_WHICH}{_S})?", r"(?P<season>spring|summer|autumn|fall|winter)",
    rf"(?:(?:,|{_S}of)?{_S}{_YEAR}|,?{_S}(?:of{_S})?(?P<which_year>last|this|next){_S}year)?", _E,
)  # fmt: skip
_HOLIDAYS: Final[dict[str, Yearly]] = {
    "christmas eve": lt.YearlyDay(12, 24),
    "christmas day": lt.YearlyDay(12, 25),
    "christmas": lt.YearlyDay(12, 24, 3),
    "new year's eve": lt.YearlyDay(12, 31),
    "new year's day": lt.YearlyDay(1, 1),
    "new year's": lt.YearlyDay(1, 1),
    "valentine's day": lt.YearlyDay(2, 14),
    "independence day": lt.YearlyDay(7, 4),
    "halloween": lt.YearlyDay(10, 31),
    "thanksgiving": lt.YearlyWeekday(11, 3, 4),
    "easter": lt.YearlyEaster(),
}
_HOLIDAY = _compile(
    _B, rf"(?:{_WHICH}{_S})?",
    r"(?P<holiday>christmas(?:\s{1,3}(?:eve|day))?|new\s{1,3}year'?s(?:\s{1,3}(?:eve|day))?|valentine'?s\s{1,3}day"
    r"|independence\s{1,3}day|halloween|thanksgiving|easter)",
    rf"(?:(?:,|{_S}of)?{_S}{_YEAR}|,?{_S}(?P<which_year>last|this|next){_S}year)?", _E,
)  # fmt: skip


def _read_season(match: re.Match[str], base: Base) -> Reading | None:
    yearly = lt.YearlySeason(match["season"].lower())
    licence = _SEASON_LICENCE
    if match["season"].lower() == "fall":
        licence = frozenset({"in", "during", "over"})  # "before the fall" is an accident
    return _read_yearly(match, base, yearly, "season", licence)


def _read_holiday(match: re.Match[str], base: Base) -> Reading | None:
    name = _words(match["holiday"]).replace("years", "year's").replace("valentines", "valentine's")
    return _read_yearly(match, base, _HOLIDAYS[name], "day", _HOLIDAY_LICENCE)


def _read_yearly(
    match: re.Match[str], base: Base, yearly: Yearly, granularity: Granularity, licence: Licence
) -> Reading | None:
    """"summer", "last summer", "summer of 2022", "summer of last year"."""
    which, which_year = _words(match["which"]), _words(match["which_year"])
    if match["year"]:
        return _reading(match, yearly.in_year(int(match["year"])), granularity)
    if which_year:
        year = base.now.year + {"last": -1, "this": 0, "next": 1}[which_year]
        return _reading(match, yearly.in_year(year) if year >= 1 else None, granularity)
    if _is_deictic_last(which):
        return _reading(match, _latest_over(yearly, base), granularity)
    if which in ("next", "coming", "upcoming", "this coming"):
        return _reading(match, lt.next_year(yearly, base.today), granularity)
    if which in ("this", "current"):
        return _reading(match, _this_one(yearly, base), granularity)
    return _reading(match, lt.latest_year(yearly, base.today), granularity, licence=licence, yearly=yearly)


def _latest_over(yearly: Yearly, base: Base) -> Local | None:
    """The latest occurrence that ended before today."""
    found = lt.latest_year(yearly, base.today)
    if found is not None and found.end > lt.day_start(base.today):
        found = lt.latest_year(yearly, lt.shifted_months(found.start.toordinal(), 0) - 1)
    return found


def _this_one(yearly: Yearly, base: Base) -> Local | None:
    """The occurrence under way, else this year's: in January "this winter" is the one since December."""
    latest = lt.latest_year(yearly, base.today)
    if latest is not None and latest.end > lt.day_start(base.today):
        return latest
    return yearly.in_year(base.now.year)


# --- weekdays ---------------------------------------------------------------------------------------------------------
_WEEKDAY_RULE = _compile(
    _B, rf"(?:(?:the\s{{1,3}})?{_WHICH}{_S})?", _WEEKDAY,
    rf"(?:,?{_S}(?:of{_S})?(?P<which_week>last|this|next){_S}week)?", rf"(?:{_S}{_DAY_PART})?", _E, r"(?!\s{1,3}[0-9]{1,2}\b)",
)  # fmt: skip
_NO_WEEKDAY_BEFORE = re.compile(
    r"\b(?:every|each|most|other|any|many|all|alternate|black|good|cyber|fat|ash|palm|super)\s{1,3}$", re.IGNORECASE
)
_ABBREVIATED_LICENCE: Final = frozenset({"on", "since", "until", "till", "by"})


def _read_weekday(match: re.Match[str], base: Base) -> Reading | None:
    """Bare and "last": the latest before today. "next": the first after today. "this": in the week under way."""
    name, which, which_week = match["weekday"], _words(match["which"]), _words(match["which_week"])
    before = match.string[max(0, match.start() - 12) : match.start()]
    if _NO_WEEKDAY_BEFORE.search(before):
        return None
    licence = None
    if name.lower() not in _WEEKDAYS:
        # "sat" and "sun" are words; "Mon" is French; "wed" is a verb.
        is_word = name.lower() in ("sat", "sun", "wed") and not name[0].isupper()
        if is_word or (not which and not name[0].isupper()) or (which == "this" and name.lower() in ("sat", "sun")):
            return None
        licence = None if which or which_week else _ABBREVIATED_LICENCE
    ordinal = _weekday_ordinal(base.today, _weekday_number(match), which, which_week)
    if match["part"]:
        return _reading(match, lt.day_part(ordinal, match["part"].lower()), "daypart", licence=licence)
    is_bare = not which and not which_week
    return _reading(match, lt.days(ordinal), "day", licence=licence, is_weekday=is_bare)


def _weekday_ordinal(today: int, number: int, which: str, which_week: str) -> int:
    if which_week or which in ("this", "current"):
        shift = {"last": -7, "next": 7}.get(which_week, 0)
        return lt.monday(today) + number + shift
    if which in ("next", "coming", "upcoming", "this coming"):
        return today + ((number - lt.weekday(today) - 1) % 7) + 1
    return today - ((lt.weekday(today) - number - 1) % 7) - 1


# --- relative days, weeks, months, years --------------------------------------------------------------------------------
_RELATIVE_DAY = _compile(_B, rf"(?P<day>today|yesterday|tomorrow|tonight)(?:{_S}{_DAY_PART})?", _E)
_WHICH_PART = _compile(_B, rf"(?P<which>last|this){_S}{_DAY_PART}", _E)
_WHICH_UNIT = _compile(
    _B, r"(?:the\s{1,3})?", _WHICH, _S, r"(?P<unit>weekend|week|fortnight|month|quarter|year|decade)", _E,
    r"(?!\s{1,3}(?:of|before|after)\b)",
)  # fmt: skip
_BARE_WEEKEND = _compile(_B, r"(?:over|on|at|during)\s{1,3}the\s{1,3}weekend", _E, r"(?!\s{1,3}(?:of|before|after)\b)")
_ROLLING = _compile(
    _B, r"(?:(?:in|over|during|within|for|throughout|across)\s{1,3})?(?:the\s{1,3})?(?P<which>last|past|next|coming|previous)",
    _S, _NUMBER, _S, _UNIT, r"s?", _E,
)  # fmt: skip
_AGO = _compile(_B, _NUMBER, rf"(?:{_S}{_WEEKDAY[:-1]})s?|{_S}{_UNIT}s?)(?P<half>\s{{1,3}}and\s{{1,3}}a\s{{1,3}}half)?",
                _S, r"(?:ago|back)", _E)  # fmt: skip
_HALF_AGO = _compile(_B, r"half\s{1,3}an?\s{1,3}(?P<unit>hour|year|decade)\s{1,3}ago", _E)
_COMPOUND_AGO = _compile(
    _B, _NUMBER, _S, _UNIT, r"s?(?:,?\s{1,3}and\s{1,3}|,?\s{1,3})(?:an?|[0-9]{1,4}|[a-z]{3,9})\s{1,3}",
    r"(?:minute|hour|day|week|month|year)s?\s{1,3}ago", _E,
)  # fmt: skip
_FROM_NOW = _compile(
    _B, r"(?P<in>in\s{1,3})?", _NUMBER, _S, _UNIT, r"s?'?(?P<mark>\s{1,3}(?:from\s{1,3}(?:now|today)|hence|time))?", _E,
    r"(?!\s{1,3}(?:ago|before|after|later)\b)",
)  # fmt: skip
_BEFORE_LAST = _compile(
    _B, r"the\s{1,3}(?P<unit>weekend|week|month|year|night)\s{1,3}(?P<which>before\s{1,3}last|after\s{1,3}next)", _E
)
_FUTURE_CUE = re.compile(
    r"\b(?:is|are|am|will|going|gonna|leaving|leave|due|starts?|begins?|opens?|have|has|happening)\b|'(?:s|re|m|ll|ve)\b",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.!?\n]")


def _read_relative_day(match: re.Match[str], base: Base) -> Reading | None:
    word = match["day"].lower()
    ordinal = base.today + {"yesterday": -1, "tomorrow": 1}.get(word, 0)
    part = "night" if word == "tonight" else (match["part"] or "").lower()
    if part:
        return _reading(match, lt.day_part(ordinal, part), "daypart")
    return _reading(match, lt.days(ordinal), "day")


def _read_which_part(match: re.Match[str], base: Base) -> Reading | None:
    ordinal = base.today - (match["which"].lower() == "last")
    return _reading(match, lt.day_part(ordinal, match["part"].lower()), "daypart")


def _read_which_unit(match: re.Match[str], base: Base) -> Reading | None:
    """The calendar's unit before, under way or after; "the past week" is the seven days that end today."""
    which, unit = _words(match["which"]), match["unit"].lower()
    if which in ("past", "this past") and unit != "weekend":
        if which == "past" and not match[0].lower().startswith("the"):
            return None  # "walked past week-old snow"
        return _reading(match, _rolling(base, unit, 1, 1), "range")
    shift = -1 if _is_deictic_last(which) else 0 if which in ("this", "current") else 1
    local, granularity = _calendar_unit(base, unit, shift)
    return _reading(match, local, granularity)


def _calendar_unit(base: Base, unit: str, shift: int) -> tuple[Local, Granularity]:
    if unit in ("week", "fortnight"):
        return lt.week(base.today, shift * (2 if unit == "fortnight" else 1)), "week"
    if unit == "weekend":
        return lt.weekend(base.today, shift), "weekend"
    if unit == "night":
        return lt.day_part(base.today + shift, "night"), "daypart"
    if unit == "month":
        return lt.months(base.month + shift), "month"
    if unit == "quarter":
        return lt.months(base.month - base.month % 3 + 3 * shift, 3), "quarter"
    if unit == "decade":
        return lt.years(base.now.year - base.now.year % 10 + 10 * shift, 10), "decade"
    return lt.years(base.now.year + shift), "year"


def _read_bare_weekend(match: re.Match[str], base: Base) -> Reading | None:
    """The weekend under way, or the last one."""
    shift = 0 if lt.weekday(base.today) >= lt.SATURDAY else -1
    return _reading(match, lt.weekend(base.today, shift), "weekend")


def number_range(text: str) -> tuple[int, int]:
    """Least and most of what a number in figures or words means: "3", "a couple of", "a few"."""
    for word in text.lower().split():
        if word in _VAGUE:
            return _VAGUE[word]
        if word == "couple":
            return 2, 2
    word = text.lower().split()[-1]
    number = int(word) if word.isdigit() else _NUMBERS[word]
    return number, number


def _read_rolling(match: re.Match[str], base: Base) -> Reading | None:
    """"the last two weeks": as many days, and today."""
    _, most = number_range(match["number"])
    sign = -1 if match["which"].lower() in ("next", "coming") else 1
    return _reading(match, _rolling(base, match["unit"].lower(), most, sign), "range")


def _rolling(base: Base, unit: str, count: int, sign: int) -> Local:
    """`count` units that end with today (sign 1), or that follow it (sign -1)."""
    if unit in ("minute", "hour"):
        edge = lt.plus_minutes(base.now, -sign * count * (60 if unit == "hour" else 1))
        return Local(min(edge, base.now), max(edge, base.now))
    edge = shifted_units(base.today, unit, -sign * count)
    if sign > 0:
        return Local(lt.day_start(edge + 1), lt.day_start(base.today + 1))
    return Local(lt.day_start(base.today + 1), lt.day_start(edge + 1))


_UNIT_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
_UNIT_DAYS: Final = {"day": 1, "night": 1, "week": 7, "weekend": 7, "fortnight": 14}


def shifted_units(ordinal: int, unit: str, count: int) -> int:
    """The day as many units later."""
    if unit in _UNIT_MONTHS:
        return lt.shifted_months(ordinal, count * _UNIT_MONTHS[unit])
    return ordinal + count * _UNIT_DAYS[unit]


def _read_ago(match: re.Match[str], base: Base) -> Reading | None:
    """The calendar's unit that many back: "two weeks ago" is a whole week, "3 days ago" a day."""
    least, most = number_range(match["number"])
    if match["weekday"]:
        ordinal = _weekday_ordinal(base.today, _weekday_number(match), "last", "") - 7 * (most - 1)
        return _reading(match, lt.days(ordinal), "day")
    unit = match["unit"].lower()
    if match["half"]:
        months = _UNIT_MONTHS.get(unit, 0) * (2 * most + 1) // 2
        return _reading(match, lt.months(base.month - months), "month") if unit in ("year", "decade") else None
    return _reading(match, *_units_away(base, unit, -most, -least))


def _units_away(base: Base, unit: str, first: int, last: int) -> tuple[Local, Granularity]:
    """From the unit `first` away to the unit `last` away."""
    if unit in ("minute", "hour"):
        step = 60 if unit == "hour" else 1
        floor = base.now.replace(second=0, microsecond=0, **({"minute": 0} if unit == "hour" else {}))
        local = Local(lt.plus_minutes(floor, step * first), lt.plus_minutes(floor, step * (last + 1)))
        return local, unit if first == last else "range"
    if unit == "day":
        return lt.days(base.today + first, last - first + 1), "day" if first == last else "range"
    if unit == "decade":
        return lt.years(base.now.year + 10 * first, 10 * (last - first) + 1), "year" if first == last else "range"
    start, granularity = _calendar_unit(base, unit, first)
    end, _ = _calendar_unit(base, unit, last)
    return Local(start.start, end.end), granularity if first == last else "range"


def _read_half_ago(match: re.Match[str], base: Base) -> Reading | None:
    unit = match["unit"].lower()
    if unit == "hour":
        return _reading(match, *_units_away(base, "minute", -30, -30))
    return _reading(match, lt.months(base.month - _UNIT_MONTHS[unit] // 2), "month")


def _read_compound_ago(match: re.Match[str], base: Base) -> Reading | None:
    """"1 year and 2 months ago": dateparser knows how the units add up."""
    found = read_compound(_words(match[0]), base.now)
    return None if found is None else _reading(match, *found)


def _read_from_now(match: re.Match[str], base: Base) -> Reading | None:
    """"in two weeks" is a time only of what is to come: "he wrote it in two weeks" is a duration."""
    if not match["mark"]:
        before = _SENTENCE_ENDS.split(match.string[max(0, match.start() - 64) : match.start()])[-1]
        if not match["in"] or not _FUTURE_CUE.search(before):
            return None
    elif "time" in match["mark"].lower() and not match["in"]:
        return None
    least, most = number_range(match["number"])
    return _reading(match, *_units_away(base, match["unit"].lower(), least, most))


def _read_before_last(match: re.Match[str], base: Base) -> Reading | None:
    shift = -2 if match["which"].lower().startswith("before") else 2
    return _reading(match, *_calendar_unit(base, match["unit"].lower(), shift))


_UNIT_TRIGGERS: Final = frozenset(
    word + plural
    for word in "minute hour day night weekend week fortnight month quarter year decade".split()
    for plural in ("", "s")
)
_SEASON_TRIGGERS: Final = frozenset(lt.SEASONS)

RULES: Final[tuple[Rule, ...]] = (
    Rule(_ISO_DAY, _read_iso_day),
    Rule(_NUMERIC_DAY, _read_numeric_day),
    Rule(_SLASHED_DAY, _read_slashed_day),
    Rule(_ISO_MONTH, _read_iso_month),
    Rule(_BARE_YEAR, _read_bare_year),
    Rule(_YEARS, _read_years),
    Rule(_DECADE, _read_decade),
    Rule(_SHORT_DECADE, _read_short_decade),
    Rule(_QUARTER, _read_quarter),
    Rule(_BARE_ORDINAL, _read_bare_ordinal),
    Rule(_DAY_MONTH, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_DAY, _read_month_day, MONTH_TRIGGERS),
    Rule(_DAYS_MONTH, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_DAYS, _read_month_day, MONTH_TRIGGERS),
    Rule(_MONTH_YEAR, _read_month_year, MONTH_TRIGGERS),
    Rule(_MONTH_OF, _read_month_of, MONTH_TRIGGERS),
    Rule(_WHICH_MONTH, _read_which_month, MONTH_TRIGGERS),
    Rule(_BARE_MONTH, _read_bare_month, MONTH_TRIGGERS),
    Rule(_SEASON, _read_season, _SEASON_TRIGGERS),
    Rule(_HOLIDAY, _read_holiday, frozenset("christmas year years valentine valentines independence halloween thanksgiving easter".split())),
    Rule(_WEEKDAY_RULE, _read_weekday, _WEEKDAY_TRIGGERS),
    Rule(_RELATIVE_DAY, _read_relative_day, frozenset({"today", "yesterday", "tomorrow", "tonight"})),
    Rule(_WHICH_PART, _read_which_part, frozenset(lt.DAY_PARTS)),
    Rule(_WHICH_UNIT, _read_which_unit, _DEICTIC),
    Rule(_BARE_WEEKEND, _read_bare_weekend, frozenset({"weekend"})),
    Rule(_ROLLING, _read_rolling, _DEICTIC),
    Rule(_AGO, _read_ago, frozenset({"ago", "back"})),
    Rule(_HALF_AGO, _read_half_ago, frozenset({"half"})),
    Rule(_COMPOUND_AGO, _read_compound_ago, frozenset({"ago"})),
    Rule(_FROM_NOW, _read_from_now, _UNIT_TRIGGERS),
    Rule(_BEFORE_LAST, _read_before_last, frozenset({"last", "next"})),
)
"""Of two readings of the same characters, the longer stands, then the earlier rule's."""

TRIGGERS: Final = frozenset[str]().union(*(rule.triggers for rule in RULES))
