"""Calendar arithmetic on local, naive, half-open intervals. Nothing here raises at the ends of the calendar: it clamps.

Days are ordinals (`date.toordinal`), months are indexes (12 * year + month - 1), so that arithmetic cannot overflow; they
become datetimes last. Weeks begin on Monday (ISO 8601). Seasons are the northern meteorological ones.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import Final, Literal, NamedTuple

Granularity = Literal[
    "minute", "hour", "daypart", "day", "weekend", "week", "month", "quarter", "season", "year", "decade", "range"
]
"""How precise an expression is; `range` for spans that are none of the calendar's."""

EARLIEST: Final = datetime.min
LATEST: Final = datetime.max
_LAST_ORDINAL: Final = date.max.toordinal()
SATURDAY: Final = 5
_YEAR_DAYS: Final = 360
_MONTH_DAYS: Final = 30.44

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""First month of each. A winter bears the year it begins in."""

DAY_PARTS: Final = {"morning": (4, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 30)}
"""Hours of the day; a night ends at six on the next morning."""


class Local(NamedTuple):
    """A local interval [start, end), naive."""

    start: datetime
    end: datetime


def day_start(ordinal: int) -> datetime:
    """Midnight that begins the day; the calendar's ends for days outside it."""
    if ordinal < 1:
        return EARLIEST
    return LATEST if ordinal > _LAST_ORDINAL else datetime.fromordinal(ordinal)


def days(first: int, count: int = 1) -> Local:
    return Local(day_start(first), day_start(first + count))


def week(ordinal: int, shift: int = 0) -> Local:
    """The week of the day, moved by `shift` weeks."""
    return days(monday(ordinal) + 7 * shift, 7)


def weekend(ordinal: int, shift: int = 0) -> Local:
    """Saturday and Sunday of the day's week, moved by `shift` weeks."""
    return days(monday(ordinal) + SATURDAY + 7 * shift, 2)


def monday(ordinal: int) -> int:
    return ordinal - (ordinal - 1) % 7


def weekday(ordinal: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (ordinal - 1) % 7


def day_part(ordinal: int, part: str) -> Local:
    """Morning, afternoon, evening or night of the day."""
    first, last = DAY_PARTS[part]
    return Local(plus_hours(day_start(ordinal), first), plus_hours(day_start(ordinal), last))


def plus_hours(moment: datetime, hours: int) -> datetime:
    return plus_minutes(moment, 60 * hours)


def plus_minutes(moment: datetime, minutes: int) -> datetime:
    try:
        return moment + timedelta(minutes=minutes)
    except OverflowError:
        return EARLIEST if minutes < 0 else LATEST


def month_start(index: int) -> datetime:
    year, month = divmod(index, 12)
    if year < MINYEAR:
        return EARLIEST
    return LATEST if year > MAXYEAR else datetime(year, month + 1, 1)


def months(first: int, count: int = 1) -> Local:
    return Local(month_start(first), month_start(first + count))


def years(first: int, count: int = 1) -> Local:
    return months(12 * first, 12 * count)


def shifted_months(ordinal: int, shift: int) -> int:
    """The same day of another month, or its last day if it is shorter; clamped to the calendar."""
    day = date.fromordinal(ordinal)
    year, month = divmod(12 * day.year + day.month - 1 + shift, 12)
    if year < MINYEAR:
        return 1
    if year > MAXYEAR:
        return _LAST_ORDINAL
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])).toordinal()


def day_ordinal(year: int, month: int, day: int) -> int | None:
    """The day's ordinal, or None where the calendar has no such day."""
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


# --- what comes back every year -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class YearlyMonth:
    month: int

    def in_year(self, year: int) -> Local | None:
        return months(12 * year + self.month - 1)


@dataclass(frozen=True, slots=True)
class YearlySeason:
    name: str

    def in_year(self, year: int) -> Local | None:
        return months(12 * year + SEASONS[self.name] - 1, 3)


@dataclass(frozen=True, slots=True)
class YearlyDay:
    """One day, or several from it on. None in years without it (29 February)."""

    month: int
    day: int
    count: int = 1

    def in_year(self, year: int) -> Local | None:
        first = day_ordinal(year, self.month, self.day)
        return None if first is None else days(first, self.count)


@dataclass(frozen=True, slots=True)
class YearlyWeekday:
    """The n-th of a weekday in a month, as Thanksgiving: the fourth Thursday of November."""

    month: int
    weekday: int
    nth: int

    def in_year(self, year: int) -> Local | None:
        first = day_ordinal(year, self.month, 1)
        if first is None:
            return None
        return days(first + (self.weekday - weekday(first)) % 7 + 7 * (self.nth - 1))


@dataclass(frozen=True, slots=True)
class YearlyEaster:
    """Western Easter Sunday (the anonymous Gregorian algorithm, Meeus, Astronomical Algorithms, chapter 8)."""

    def in_year(self, year: int) -> Local | None:
        a, (b, c) = year % 19, divmod(year, 100)
        h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
        ell = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
        m = (a + 11 * h + 22 * ell) // 451
        month, day = divmod(h + ell - 7 * m + 114, 31)
        first = day_ordinal(year, month, day + 1)
        return None if first is None else days(first)


@dataclass(frozen=True, slots=True)
class YearlyPart:
    """The early, middle or late part of something yearly."""

    whole: "YearlyMonth | YearlySeason"
    part: str

    def in_year(self, year: int) -> Local | None:
        whole = self.whole.in_year(year)
        return None if whole is None else part_of(whole, self.part)


Yearly = YearlyMonth | YearlySeason | YearlyDay | YearlyWeekday | YearlyEaster | YearlyPart


def latest_year(yearly: Yearly, today: int) -> Local | None:
    """Its last occurrence that has begun by the day: past is preferred. None if there is none within eight years."""
    year = date.fromordinal(today).year
    limit = day_start(today + 1)
    for candidate in range(year, year - 9, -1):  # 29 February may be eight years back, around 1900
        found = yearly.in_year(candidate) if candidate >= MINYEAR else None
        if found is not None and found.start < limit:
            return found
    return None


def next_year(yearly: Yearly, today: int) -> Local | None:
    """Its first occurrence that begins after the day."""
    year = date.fromordinal(today).year
    limit = day_start(today + 1)
    for candidate in range(year, min(year + 9, MAXYEAR + 1)):
        found = yearly.in_year(candidate)
        if found is not None and found.start >= limit:
            return found
    return None


def part_of(whole: Local, part: str) -> Local:
    """The early, mid or late third: of a year or longer by whole months, of a month the days 1-10, 11-20 and from 21."""
    try:
        length = (whole.end - whole.start).days
        if length >= _YEAR_DAYS:
            index = 12 * whole.start.year + whole.start.month - 1
            count = round(length / _MONTH_DAYS)
            first, second = month_start(index + count // 3), month_start(index + 2 * count // 3)
        else:
            first = whole.start + timedelta(days=length // 3)
            second = whole.start + timedelta(days=2 * (length // 3))
    except OverflowError:
        return whole
    return {"early": Local(whole.start, first), "mid": Local(first, second), "late": Local(second, whole.end)}[part]
