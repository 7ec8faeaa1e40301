"""What stands before an expression and changes it: "early", "since", "the week before", "between ... and"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from retrieval.limits import MAX_MODIFIERS, MAX_PREFIX_CHARS
from retrieval.times import calendar as cal
from retrieval.times.calendar import Granularity, Local
from retrieval.times.grammar import (
    DAY_PART,
    NUMBER,
    WEEKDAY,
    B,
    Base,
    Reading,
    S,
    compiled,
    number_range,
    weekday_number,
)
from retrieval.times.relative import shifted_units, weekday_after, weekday_before

_LAST_WORD = re.compile(r"([a-z]+)[\s-]{1,3}(?:the\s{1,3})?$", re.IGNORECASE)
_MODIFYING: Final = frozenset(
    [
        "early",
        "mid",
        "late",
        "of",
        "in",
        "before",
        "after",
        "to",
        "following",
        "since",
        "until",
        "till",
        "through",
        "around",
        "about",
        "circa",
        "near",
    ]
)
_THE_END = rf"(?:the{S})?$"
_NTH: Final = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}

_PART = compiled(
    rf"{B}(?:(?P<part>early|mid|late)(?:[\s-]{{1,3}}|{S}in{S})|(?:the{S})?(?:very{S})?(?P<edge>beginning|start|middle|end)"
    rf"{S}of{S})",
    _THE_END,
)
_EDGES: Final = {"beginning": "early", "start": "early", "middle": "mid", "end": "late"}
_PARTED: Final = frozenset({"week", "month", "quarter", "season", "year", "decade"})
_NTH_OF = compiled(
    rf"{B}(?:the{S})?(?P<nth>{'|'.join(_NTH)}){S}(?:(?P<unit>weekend|week|half|quarter)|{WEEKDAY}){S}(?:of|in){S}",
    _THE_END,
)
_UNIT_OF = compiled(rf"{B}(?:the{S})?(?:(?P<unit>weekend|week|month|year)|{DAY_PART}){S}of{S}", _THE_END)
_AWAY = compiled(
    rf"{B}(?:the{S})?(?:{NUMBER}{S}|last{S})?(?:(?P<unit>day|night|weekend|week|month|year)|{WEEKDAY})s?{S}"
    rf"(?P<way>before|after|prior{S}to|following){S}",
    _THE_END,
)
_AROUND = compiled(rf"{B}(?:around|about|circa|near){S}", _THE_END)
_AROUND_DAYS: Final = 3
_BOUND = compiled(rf"{B}(?P<bound>(?:ever{S})?since|before|prior{S}to|after|until|till|up{S}to|through){S}", _THE_END)
_PAIR_BEGIN = compiled(rf"{B}(?:between|from){S}", _THE_END)
_PAIR_MIDDLE = compiled(rf"\s{{0,3}}(?:and|to|until|till|through|-)\s{{0,3}}(?:the{S})?")
_OPEN_PAIR_MIDDLE = compiled(r"\s{1,3}(?:to|through|-)\s{1,3}|-")


def modified(text: str, found: Reading, base: Base) -> Reading | None:
    """The reading with all that modifies it; None if it needs company and has none."""
    is_licensed = found.licence is None
    for _ in range(MAX_MODIFIERS):
        prefix = text[max(0, found.start - MAX_PREFIX_CHARS) : found.start]
        word = _LAST_WORD.search(prefix)
        if word is None:
            break
        last_word = word[1].lower()
        is_licensed = is_licensed or last_word in (found.licence or ())
        changed = _modified_once(prefix, found, base) if last_word in _MODIFYING else None
        if changed is None:
            break
        found, is_licensed = changed, True
    return found if is_licensed else None


def _modified_once(prefix: str, found: Reading, base: Base) -> Reading | None:
    for pattern, modify in _MODIFIERS:
        match = pattern.search(prefix)
        if match is not None:
            changed = modify(match, found, base)
            if changed is not None and changed.local.start < changed.local.end:
                return replace(changed, start=found.start - len(prefix) + match.start())
    return None


def _changed(found: Reading, local: Local, granularity: Granularity) -> Reading:
    return replace(found, local=local, granularity=granularity, licence=None, yearly=None, is_weekday=False)


def _part(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    """Reads "early May", "the end of last year"."""
    if found.granularity not in _PARTED:
        return None
    part = match["part"].lower() if match["part"] else _EDGES[match["edge"].lower()]
    changed = _changed(found, cal.part_of(found.local, part), "range")
    if isinstance(found.yearly, cal.YearlyMonth | cal.YearlySeason):
        changed = replace(changed, yearly=cal.YearlyPart(found.yearly, part))
    return changed


def _nth_of(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    """Reads "the second week of May", "the first half of 2022", "the last Friday in June"."""
    nth = _NTH[match["nth"].lower()]
    first, after = found.local.start.toordinal(), found.local.end.toordinal()
    unit = (match["unit"] or "").lower()
    if unit in ("half", "quarter"):
        return _fraction(found, nth, 2 if unit == "half" else 4)
    if found.granularity != "month":
        return None
    if unit == "week":
        start = after - 7 if nth < 0 else first + 7 * (nth - 1)
        return _changed(found, cal.days(start, min(7, after - start)), "week")
    number = cal.SATURDAY if unit else weekday_number(match)
    start = weekday_before(after, number) if nth < 0 else weekday_after(first - 1, number) + 7 * (nth - 1)
    return _changed(found, cal.days(start, 2 if unit else 1), "weekend" if unit else "day")


def _fraction(found: Reading, nth: int, parts: int) -> Reading | None:
    """The n-th half or quarter of a year, or half of a month (which begins on its 16th)."""
    place = parts if nth < 0 else nth
    if place > parts:
        return None
    if found.granularity == "year":
        size = 12 // parts
        index = 12 * found.local.start.year + size * (place - 1)
        return _changed(found, cal.months(index, size), "quarter" if parts == 4 else "range")
    if found.granularity == "month" and parts == 2:
        middle = cal.day_start(found.local.start.toordinal() + 15)
        start, end = (found.local.start, middle) if place == 1 else (middle, found.local.end)
        return _changed(found, Local(start, end), "range")
    return None


def _unit_of(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    """The unit that holds the day: "the week of 23 August", "the evening of 7 July"."""
    if found.granularity != "day":
        return None
    day = found.local.start
    if match["part"]:
        return _changed(found, cal.day_part(day.toordinal(), match["part"].lower()), "daypart")
    unit = match["unit"].lower()
    if unit == "week":
        return _changed(found, cal.week(day.toordinal()), "week")
    if unit == "weekend":
        return _changed(found, cal.weekend(day.toordinal()), "weekend")
    index = 12 * day.year + day.month - 1
    if unit == "month":
        return _changed(found, cal.months(index), "month")
    return _changed(found, cal.years(day.year), "year")


def _away(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    """Reads "the week before 9 June" as the seven days before it, "two weeks before" as a calendar's week like "ago"."""
    is_before = match["way"].lower() in ("before",) or match["way"].lower().startswith("prior")
    least, most = number_range(match["number"]) if match["number"] else (1, 1)
    first_day, after = found.local.start.toordinal(), found.local.end.toordinal()
    if match["weekday"]:
        number = weekday_number(match)
        ordinal = weekday_before(first_day, number) if is_before else weekday_after(after - 1, number)
        return _changed(found, cal.days(ordinal + 7 * (most - 1) * (-1 if is_before else 1)), "day")
    unit = match["unit"].lower()
    if unit == "week" and not match["number"]:
        return _changed(found, cal.days(first_day - 7 if is_before else after, 7), "week")
    anchor = first_day if is_before else after - 1
    nearest, farthest = (-least, -most) if is_before else (least, most)
    near, granularity = _unit_from(anchor, unit, nearest)
    far, _ = _unit_from(anchor, unit, farthest)
    local = Local(min(near.start, far.start), max(near.end, far.end))
    return _changed(found, local, granularity if least == most else "range")


def _unit_from(anchor: int, unit: str, count: int) -> tuple[Local, Granularity]:
    """The unit `count` of them from the day."""
    if unit in ("day", "night"):
        ordinal = anchor + count
        return (cal.days(ordinal), "day") if unit == "day" else (cal.day_part(ordinal, "night"), "daypart")
    if unit == "weekend":
        # After a weekday comes its own week's end first.
        shift = count - 1 if count > 0 and cal.weekday(anchor) < cal.SATURDAY else count
        return cal.weekend(anchor, shift), "weekend"
    target = cal.day_start(shifted_units(anchor, unit, count))
    if unit == "week":
        return cal.week(target.toordinal()), "week"
    if unit == "month":
        return cal.months(12 * target.year + target.month - 1), "month"
    return cal.years(target.year), "year"


def _around(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    if found.granularity != "day":
        return None
    first, after = found.local.start.toordinal(), found.local.end.toordinal()
    return _changed(found, cal.days(first - _AROUND_DAYS, after - first + 2 * _AROUND_DAYS), "range")


def _bound(match: re.Match[str], found: Reading, base: Base) -> Reading | None:
    """Reaches to the end of today for "since" and "after", or has no end if it begins later; no start for the others."""
    bound = match["bound"].lower().removeprefix("ever").split()[0]
    if found.licence is not None and bound not in found.licence:
        return None  # "before the fall"
    tomorrow = cal.day_start(base.today + 1)
    if bound in ("since", "after"):
        start = found.local.start if bound == "since" else found.local.end
        return _changed(found, Local(start, _open_end(start, tomorrow)), "range")
    end = found.local.start if bound in ("before", "prior") else found.local.end
    return _changed(found, Local(cal.EARLIEST, end), "range")


def _open_end(start: datetime, tomorrow: datetime) -> datetime:
    return tomorrow if start < tomorrow else cal.LATEST


_Modify = Callable[[re.Match[str], Reading, Base], Reading | None]
_MODIFIERS: Final[tuple[tuple[re.Pattern[str], _Modify], ...]] = (
    (_PART, _part),
    (_NTH_OF, _nth_of),
    (_UNIT_OF, _unit_of),
    (_AWAY, _away),
    (_AROUND, _around),
    (_BOUND, _bound),
)


# --- pairs ------------------------------------------------------------------------------------------------------------
def pairs(text: str, found: Sequence[Reading]) -> list[Reading]:
    """Each "between A and B" and "from A to B" of neighbouring readings, which then need no other licence."""
    begins = {each.start: each for each in found}
    return [pair for first in found if (pair := _pair(text, first, begins)) is not None]


def _pair(text: str, first: Reading, begins: Mapping[int, Reading]) -> Reading | None:
    prefix = text[max(0, first.start - MAX_PREFIX_CHARS) : first.start]
    opening = _PAIR_BEGIN.search(prefix)
    middle = (_PAIR_MIDDLE if opening else _OPEN_PAIR_MIDDLE).match(text, first.end)
    second = begins.get(middle.end()) if middle else None
    if second is None:
        return None
    if opening is None and (
        first.is_weekday or first.licence or second.licence or first.granularity != second.granularity
    ):
        return None  # "I work Monday to Friday"
    local = _spanning(first, second)
    if local is None:
        return None
    start = first.start - len(prefix) + opening.start() if opening else first.start
    return Reading(start, second.end, local, "range")


def _spanning(first: Reading, second: Reading) -> Local | None:
    """From the first's start to the second's end. A year named once counts for both; the first comes before the second."""
    start, end = first.local, second.local
    if second.yearly is not None and first.yearly is None and not first.is_weekday:
        end = cal.next_year(second.yearly, start.start.toordinal()) or end
    if (start.start >= end.end and first.yearly is not None) or (first.yearly is not None and second.yearly is None):
        start = cal.latest_year(first.yearly, end.start.toordinal()) or start
    if start.start >= end.end and first.is_weekday and second.is_weekday:
        start = cal.days(start.start.toordinal() - 7)
    return Local(start.start, end.end) if start.start < end.end else None
