"""What dateparser reads for us: times of day with their zones, and sums of units ("1 year and 2 months ago").

It gets the language (guessing costs 37 ms and takes "We" for Wednesday) and only text that a pattern has picked. It takes
.3 to 1.4 ms, so its readings are remembered. The rest of the rules is calendar arithmetic, a hundred times as fast.
"""

import re
import threading
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from retrieval.limits import TIME_CACHE_ENTRIES
from retrieval.times import calendar as cal
from retrieval.times.calendar import Granularity, Local
from retrieval.times.grammar import Base, Reading

# dateparser keeps the base of relative dates in an object that all threads share.
_LOCK = threading.Lock()

_CLOCK: Final = (
    r"(?P<clock>(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?:\s?[ap]\.?m\b\.?)?"
    r"|(?:1[0-2]|0?[1-9])\s?[ap]\.?m\b\.?|noon\b|midnight\b)"
    r"(?P<zone>\s?(?:Z|UTC|GMT|BST|CET|CEST|[ECMP][SD]T)\b|\s?[+-][0-9]{2}:?[0-9]{2}(?![0-9]))?(?![:\w])"
)
_AFTER_DAY = re.compile(
    rf"(?:T|(?:\s\([a-z]{{3,9}}\))?,?\s{{1,3}}(?:at\s{{1,3}}|around\s{{1,3}}|about\s{{1,3}})?){_CLOCK}", re.IGNORECASE
)
_BEFORE_DAY = re.compile(rf"(?<![\w:.]){_CLOCK}\s{{0,3}},?\s{{1,3}}(?:on\s{{1,3}})?(?:the\s{{1,3}})?$", re.IGNORECASE)
_BEFORE_CHARS: Final = 32
_WORDS: Final = {"noon": "12:00", "midnight": "00:00"}


def with_clock(text: str, day: Reading, base: Base) -> Reading:
    """The day's reading narrowed to the time of day that stands beside it, if one does: to its minute, or its hour."""
    if day.granularity != "day":
        return day
    start, end = day.start, day.end
    match = _AFTER_DAY.match(text, end)
    if match is not None:
        end = match.end()
    else:
        before = max(0, start - _BEFORE_CHARS)
        match = _BEFORE_DAY.search(text[before:start])
        if match is None:
            return day
        start = before + match.start()
    clock = match["clock"].lower()
    moment = _moment(f"{day.local.start:%Y-%m-%d} {_WORDS.get(clock, clock)}{match['zone'] or ''}")
    if moment is None:
        return day
    if moment.tzinfo is not None:
        moment = _local(moment, base)
    granularity: Granularity = "minute" if ":" in clock else "hour"
    length = 1 if granularity == "minute" else 60
    moment = moment.replace(second=0, microsecond=0)
    return Reading(start, end, Local(moment, cal.plus_minutes(moment, length)), granularity)


def compound_ago(text: str, now: datetime) -> tuple[Local, Granularity] | None:
    """The day, or the month or year if those are the smallest unit named; None if dateparser reads nothing."""
    found = _ago(text, now.replace(second=0, microsecond=0))
    if found is None:
        return None
    if "minute" in text or "hour" in text:
        return Local(found, cal.plus_minutes(found, 1)), "minute"
    if "day" in text or "week" in text:
        return cal.days(found.toordinal()), "day"
    return cal.months(12 * found.year + found.month - 1), "month"


@lru_cache(maxsize=TIME_CACHE_ENTRIES)
def _ago(text: str, now: datetime) -> datetime | None:
    return _parsed(text, now)


@lru_cache(maxsize=TIME_CACHE_ENTRIES)
def _moment(text: str) -> datetime | None:
    return _parsed(text, None)


def _parsed(text: str, now: datetime | None) -> datetime | None:
    """Naive local time, or aware if the text names a zone; None if it is not read."""
    from dateparser.date import DateDataParser  # 40 ms to load, and most texts need none

    settings = {"RELATIVE_BASE": now} if now is not None else {}
    with _LOCK:
        try:
            return DateDataParser(languages=["en"], settings=settings).get_date_data(text).date_obj
        except (ValueError, OverflowError):
            return None


def _local(moment: datetime, base: Base) -> datetime:
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) + base.offset
    except OverflowError:
        return moment.replace(tzinfo=None)
