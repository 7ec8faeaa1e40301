"""The service's reader of times as the port that the extractor asks for."""

from datetime import UTC, datetime, timedelta
from typing import Final

from graph.extraction.port import TimeSpan
from graph.model import Precision
from retrieval.timex import TimeExpression, find_times

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EXACT: Final[dict[str, Precision]] = {
    "minute": "instant",
    "hour": "instant",
    "daypart": "day",
    "day": "day",
    "month": "month",
    "year": "year",
}


def times_in(text: str, base: int) -> list[TimeSpan]:
    """Expressions that have a beginning and an end, or only one of them."""
    return [_span(each) for each in find_times(text, _EPOCH + timedelta(microseconds=base))]


def _span(found: TimeExpression) -> TimeSpan:
    begins, ends = (_micros(each) for each in (found.interval_start, found.interval_end))
    return TimeSpan(found.start, found.end, begins, ends, _precision(found))


def _precision(found: TimeExpression) -> Precision:
    """Of spans that are no unit of the calendar: the unit that is no shorter."""
    if found.granularity in _EXACT:
        return _EXACT[found.granularity]
    length = found.interval_end - found.interval_start
    if length <= timedelta(days=3):
        return "day"
    return "month" if length <= timedelta(days=31) else "year"


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
