"""The life of an entity: its facts over all time, as they are or were known, and in lines for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from graph.limits import MAX_EPISODES_PER_LINE, MAX_TIMELINE_FACTS
from graph.model import Basis, Precision
from graph.queries.ends import known_entities
from graph.rows import FactVersion
from graph.stores.port import FactFilter, GraphView, Moment

Cursor = tuple[int, str]
"""(start, id) of the last fact of a page."""

_PAGE: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -62_135_596_800_000_000
"""The calendar's first instant. What has no start and was corrected ends before it, or is told to end here."""

_FORMATS: Final[dict[Precision, str]] = {
    "instant": "%Y-%m-%d %H:%M",
    "day": "%Y-%m-%d",
    "month": "%Y-%m",
    "year": "%Y",
}


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Facts of an entity in their order."""

    facts: tuple[FactVersion, ...]
    next: Cursor | None
    """What the next page comes after; None at the end."""
    is_complete: bool
    """False where there are earlier facts than MAX_TIMELINE_FACTS could show."""


def timeline(
    view: GraphView,
    entity_id: str,
    known_at: int | None,
    after: Cursor | None,
    limit: int,
    *,
    is_newest_first: bool = False,
) -> TimelinePage:
    """Facts by (start, id), those of unknown start first; or by (start descending, id), those last.

    From the beginning, a page costs a read of all facts that are later; from the end, only its own.

    Raises:
        UnknownEntity: it is not known at `known_at`.
    """
    known_entities(view, [entity_id], known_at)
    if is_newest_first:
        facts = view.facts(FactFilter(entity=entity_id), Moment(known_at=known_at), after, limit + 1)
        return _page(facts, limit, is_complete=True)
    facts, is_complete = _all_after(view, entity_id, known_at, after)
    return _page(sorted(facts, key=lambda fact: (fact.start, fact.id)), limit, is_complete=is_complete)


def _page(facts: Sequence[FactVersion], limit: int, *, is_complete: bool) -> TimelinePage:
    shown = tuple(facts[:limit])
    is_last = len(facts) <= limit or not shown
    return TimelinePage(shown, None if is_last else (shown[-1].start, shown[-1].id), is_complete)


def _all_after(
    view: GraphView, entity_id: str, known_at: int | None, after: Cursor | None
) -> tuple[list[FactVersion], bool]:
    """Facts later than the cursor, and whether that is all of them."""
    found: list[FactVersion] = []
    place: Cursor | None = None
    while len(found) < MAX_TIMELINE_FACTS:
        page = view.facts(FactFilter(entity=entity_id), Moment(known_at=known_at), place, _PAGE)
        found += [fact for fact in page if after is None or (fact.start, fact.id) > after]
        if len(page) < _PAGE or (after is not None and page[-1].start < after[0]):
            return found, True
        place = (page[-1].start, page[-1].id)
    return found, False


# --- for people -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A fact as people read it."""

    period: str
    """ "2021 – 2023-05-01", "by 2024-02-03 14:00 – now"; "by" is when it was said, so it may have begun before."""
    text: str
    is_current: bool
    close_rule: str | None
    """The temporal rule that ended it."""
    closed_by: str | None
    """The episode that ended it."""
    episodes: tuple[str, ...]
    """Episodes that say so, at most MAX_EPISODES_PER_LINE."""

    def __str__(self) -> str:
        mark = "*" if self.is_current else " "
        closed = f" ({self.close_rule} by {self.closed_by})" if self.close_rule else ""
        cited = f" [{', '.join(self.episodes)}]" if self.episodes else ""
        return f"{mark} {self.period}  {self.text}{closed}{cited}"


def lines(view: GraphView, facts: Sequence[FactVersion], known_at: int | None, now: int) -> list[Line]:
    """A line for each fact. `now` in microseconds tells which are current."""
    sources = view.sources([fact.id for fact in facts], known_at) if facts else {}
    return [_line(fact, sources.get(fact.id, []), now) for fact in facts]


def _line(fact: FactVersion, episodes: Sequence[str], now: int) -> Line:
    return Line(
        period=period(fact),
        text=fact.text,
        is_current=fact.start <= now < fact.stop,
        close_rule=fact.close_rule,
        closed_by=fact.closed_by,
        episodes=tuple(episodes[:MAX_EPISODES_PER_LINE]),
    )


def period(fact: FactVersion) -> str:
    """The fact's interval in words and dates, in UTC, no more exact than is known."""
    return interval(fact.valid_at, fact.invalid_at, fact.basis, fact.precision)


def interval(valid_at: int | None, invalid_at: int | None, basis: Basis, precision: Precision) -> str:
    """An interval in words and dates; `basis` and `precision` are its start's."""
    if valid_at is not None and valid_at == invalid_at:
        return f"never (said of {_date(valid_at, precision)})"
    if valid_at is None and invalid_at is None:
        return "always" if basis == "unbounded" else "at some time"
    if valid_at is None and invalid_at is not None and invalid_at <= _FIRST:
        return "never"
    end = "now" if invalid_at is None else _date(invalid_at, _shown(invalid_at))
    if valid_at is None:
        return f"until {end}"
    return f"{'by ' if basis == 'observed' else ''}{_date(valid_at, precision)} – {end}"


def _shown(instant: int) -> Precision:
    """How exact an end is, is not kept: midnight is taken for a day."""
    return "instant" if instant % 86_400_000_000 else "day"


def _date(instant: int, precision: Precision) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=instant)).strftime(_FORMATS[precision])
    except OverflowError:
        return f"{instant / 31_556_952_000_000:+.0f} years from 1970"
