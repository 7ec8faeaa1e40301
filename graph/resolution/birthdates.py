"""Dates of birth as people give them: whole, a year only, or a day without its year."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_MONTH: Final = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>\d{4})"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_YEAR}(?:-(?P<month>\d{{1,2}})(?:-(?P<day>\d{{1,2}}))?)?(?:t.*)?",
        r"(?:--)?(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        rf"{_MONTH}(?:\s+{_DAY})?(?:\s*,?\s*{_YEAR})?",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH}(?:\s*,?\s*{_YEAR})?",
    )
)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """What is known of a date; None where it is not."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def is_compatible(self, other: "PartialDate") -> bool:
        """No part that both know differs."""
        return all(a is None or b is None or a == b for a, b in self._pairs(other))

    def contains(self, other: "PartialDate") -> bool:
        """Each part that this one knows, the other knows too, and alike."""
        return all(a is None or a == b for a, b in self._pairs(other))

    def _pairs(self, other: "PartialDate") -> tuple[tuple[int | None, int | None], ...]:
        return (self.year, other.year), (self.month, other.month), (self.day, other.day)


@lru_cache(maxsize=4_096)
def parse_date(text: str) -> PartialDate | None:
    """ISO 8601 ("1980", "1980-02", "1980-02-03"), "--02-03", "02-03", "3 February 1980", "Feb 3rd"; else None.

    "3/2/1980" is None: half of the world reads it otherwise, and a doubtful date must not divide anybody.
    """
    lowered = text.strip().casefold()[:64]
    for form in _FORMS:
        if found := form.fullmatch(lowered):
            return _checked(found.groupdict())
    return None


def _checked(parts: dict[str, str | None]) -> PartialDate | None:
    year, month, day = parts.get("year"), parts.get("month"), parts.get("day")
    number = None if month is None else _MONTHS.get(month) or int(month)
    date = PartialDate(int(year) if year else None, number, int(day) if day else None)
    is_real = (date.month is None or 1 <= date.month <= 12) and (date.day is None or 1 <= date.day <= 31)
    return date if is_real else None
