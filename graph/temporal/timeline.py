"""A timeline: the periods in which a group's facts hold, as a left fold over its sorted assertions.

A group is all assertions of one subject and functional predicate, or of one subject, accumulating predicate and object. The
rules, each named in the fact that it closed:

- `successor`: a functional predicate's next object, unless one contains the other, ends the period before it. Containment that
  any claim of the group tells holds for all of them;
- `corrected`: a successor with the same start: the earlier said period is empty, true at no time. Two starts that nobody knows
  are the same only where both periods are still open;
- `ended`: a later claim says that it stopped;
- `stated`: the claim itself, or another of the same period, names the end. Of several named ends the one counts whose claim
  sorts last.

An assertion of the same object within a period adds a source, its qualifiers, and the more precise start or end (refinement).
One that begins where a stated end stops the period carries the period on: it has the end of that assertion, or none. A claim
without a known start ("she used to live in Faro") is of the last period of its object that began before its end; it knows no
more of the start than is known, and of the end only that it was by then. A denial takes back what was said before it, or at the
same time, of the same object. Nobody stands in a symmetric relation to themselves: where a merge makes a claim say so, it says
nothing while the merge stands. Nothing is closed for being similar.
"""

from calendar import isleap, monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Final

from graph.model import Basis, Precision, Scalar
from graph.predicates import Predicate
from graph.temporal.assertion import UNBOUNDED, Assertion

_DAY: Final = 86_400_000_000
_FINENESS: Final[dict[Precision, int]] = {"year": 0, "month": 1, "day": 2, "instant": 3}
_FIRST_MIDNIGHT: Final = timedelta(hours=14)
"""By how much the first time zone is ahead of UTC: where a month begins at home, it has begun everywhere so much later."""


@dataclass(frozen=True, slots=True)
class Period:
    """A fact's interval as it follows from the assertions seen so far."""

    anchor: str
    """The source that arrived first: its id is the fact's."""
    arrival: tuple[int, int, str]
    """Of the anchor."""
    subject: str
    predicate: str
    object_id: str | None
    object_text: str
    object_key: str
    within: frozenset[str]
    valid_at: int | None
    invalid_at: int | None
    basis: Basis
    precision: Precision
    qualifiers: tuple[tuple[str, Scalar], ...]
    sentence: str
    confidence: float
    rule: str
    closed_by: str | None
    """The assertion that set `invalid_at`."""
    close_rule: str | None
    sources: tuple[str, ...]
    """Assertions, in the timeline's order. Only the new ones where a stored period was carried on."""

    @property
    def start(self) -> int:
        return UNBOUNDED if self.valid_at is None else self.valid_at

    def holds_at(self, moment: int) -> bool:
        """Whether it is open at the moment, or ends later."""
        return self.start <= moment and (self.invalid_at is None or moment < self.invalid_at)


def timeline(assertions: Iterable[Assertion], kind: Predicate) -> list[Period]:
    """All periods of a group, by start. The order in which assertions come does not matter."""
    telling = [a for a in assertions if not _is_of_itself(a, kind)]
    placed = _placed(_with_containers(_not_denied(telling, kind)), kind)
    standing = sorted(placed, key=lambda a: a.sort_key)
    empty: list[Period] = []
    return reduce(lambda periods, each: advance(periods, each, kind), standing, empty)


def advance(periods: Sequence[Period], new: Assertion, kind: Predicate) -> list[Period]:
    """The timeline after an assertion that sorts after all that made it.

    Only periods that are open at its start, or touch it, can change: a caller may leave the others out.
    """
    if new.stance == "ends":
        return [_ended(period, new, kind) for period in periods]
    if new.stance == "denies":
        return list(periods)
    start = new.sort_key[0]
    for index, period in enumerate(periods):
        if _continues(period, new, start, kind):
            return [*periods[:index], _supported(period, new), *periods[index + 1 :]]
    return [*(_succeeded(period, new, start, kind) for period in periods), _begun(new)]


def _is_of_itself(assertion: Assertion, kind: Predicate) -> bool:
    return kind.is_symmetric and assertion.subject == assertion.object_key


def _with_containers(assertions: Sequence[Assertion]) -> list[Assertion]:
    """Each knows of its object's containers what any of them does, so that it is no matter which of them is told first."""
    known: dict[str, set[str]] = defaultdict(set)
    for each in assertions:
        known[each.object_key] |= each.within
    return [replace(a, within=frozenset(known[a.object_key])) if known[a.object_key] else a for a in assertions]


def _not_denied(assertions: Sequence[Assertion], kind: Predicate) -> list[Assertion]:
    denials = [a for a in assertions if a.stance == "denies"]
    standing = [a for a in assertions if a.stance != "denies"]
    return [a for a in standing if not any(_denies(d, a, kind) for d in denials)]


def _denies(denial: Assertion, other: Assertion, kind: Predicate) -> bool:
    return denial.occurred_at >= other.occurred_at and _speaks_of(denial, other, kind)


def _speaks_of(claim: Assertion, other: Assertion | Period, kind: Predicate) -> bool:
    """Whether the claim is of the same subject and of the same object, or of whatever the object is."""
    if not kind.is_symmetric:
        return claim.subject == other.subject and claim.object_key in ("", other.object_key)
    return {claim.subject, claim.object_key} - {""} <= {other.subject, other.object_key}


def needs_whole_group(assertion: Assertion, kind: Predicate) -> bool:
    """Whether it says something of others than the last period, so that a group which holds it cannot be carried on."""
    return assertion.stance == "denies" or _has_no_place(assertion, kind) or _is_of_itself(assertion, kind)


def _has_no_place(assertion: Assertion, kind: Predicate) -> bool:
    return assertion.stance == "asserts" and assertion.valid_at is None and kind.cardinality != "constant"


def _placed(assertions: Sequence[Assertion], kind: Predicate) -> list[Assertion]:
    """Gives what has no known start ("she used to live in Faro") the place of the last period that it can speak of.

    Without one it stays before everything else.
    """
    known = [a for a in assertions if a.stance == "asserts" and not _has_no_place(a, kind)]
    placed: list[Assertion] = []
    for each in assertions:
        placed += _at_its_period(each, known, kind) if _has_no_place(each, kind) else [each]
    return placed


def _at_its_period(lost: Assertion, known: Sequence[Assertion], kind: Predicate) -> list[Assertion]:
    """A source of the period, and that it had ended by then: where the period's end is known better, that stays."""
    same = [
        k for k in known if _speaks_of(lost, k, kind) and (lost.invalid_at is None or k.sort_key[0] < lost.invalid_at)
    ]
    if not same:
        return [lost]
    last = max(same, key=lambda k: k.sort_key)
    source = replace(lost, valid_at=last.valid_at, basis=last.basis, precision=last.precision, invalid_at=None)
    if lost.invalid_at is None:
        return [source]
    return [source, replace(lost, stance="ends", valid_at=lost.invalid_at, invalid_at=None)]


def _continues(period: Period, new: Assertion, start: int, kind: Predicate) -> bool:
    """Whether the assertion speaks of a period that is there: it falls within it, or within the vagueness of its start."""
    if not _speaks_of(new, period, kind):
        return False
    if period.invalid_at is None or start < period.invalid_at:
        return True
    # Intervals that only touch are one period, unless something else closed the first.
    return start == period.invalid_at and period.close_rule == "stated"


def _supported(period: Period, new: Assertion) -> Period:
    """One more source; what it knows better is taken over."""
    is_refined = _refines_start(period, new)
    states_end = new.invalid_at is not None and new.invalid_at != period.invalid_at
    if new.invalid_at is None and new.sort_key[0] == period.invalid_at:
        period = replace(period, invalid_at=None, closed_by=None, close_rule=None)
    first = min(period.arrival, new.arrival)
    return replace(
        period,
        anchor=first[2],
        arrival=first,
        valid_at=new.valid_at if is_refined else period.valid_at,
        basis=new.basis if is_refined else period.basis,
        precision=new.precision if is_refined else period.precision,
        invalid_at=new.invalid_at if states_end else period.invalid_at,
        closed_by=new.id if states_end else period.closed_by,
        close_rule="stated" if states_end else period.close_rule,
        qualifiers=tuple(sorted({**dict(period.qualifiers), **new.qualifiers}.items())),
        confidence=max(period.confidence, new.confidence),
        sentence=new.sentence if first == new.arrival else period.sentence,
        rule=new.rule if first == new.arrival else period.rule,
        within=period.within | new.within,
        sources=(*period.sources, new.id),
    )


def _refines_start(period: Period, new: Assertion) -> bool:
    """A stated start within the vagueness of one stated less precisely: "in 2023", then "in May 2023"."""
    if period.valid_at is None or new.valid_at is None or (period.basis, new.basis) != ("stated", "stated"):
        return False
    is_finer = _FINENESS[new.precision] > _FINENESS[period.precision]
    return is_finer and period.valid_at < new.valid_at < period.valid_at + _vagueness(period.valid_at, period.precision)


def _vagueness(start: int, precision: Precision) -> int:
    """How long after a start that is stated to this precision the true start may lie, in microseconds."""
    if precision in ("instant", "day"):
        return _DAY if precision == "day" else 0
    try:
        date = datetime(1970, 1, 1) + timedelta(microseconds=start) + _FIRST_MIDNIGHT
    except OverflowError:  # a year that the calendar does not have
        return _DAY
    return _DAY * (monthrange(date.year, date.month)[1] if precision == "month" else 365 + isleap(date.year))


def _succeeded(period: Period, new: Assertion, start: int, kind: Predicate) -> Period:
    if not _conflicts(period, new, kind) or not (period.invalid_at is None or start < period.invalid_at):
        return period
    if _has_no_place(new, kind) and period.valid_at is None and (new.invalid_at, period.invalid_at) != (None, None):
        return period
    rule = "corrected" if start == period.start else "successor"
    return replace(period, invalid_at=start, closed_by=new.id, close_rule=rule)


def _conflicts(period: Period, new: Assertion, kind: Predicate) -> bool:
    """Whether both cannot hold at once."""
    if kind.cardinality == "accumulating" or _speaks_of(new, period, kind):
        return False
    if kind.is_symmetric:
        return not {period.subject, period.object_key}.isdisjoint({new.subject, new.object_key})
    return period.object_key not in new.within and new.object_key not in period.within


def _ended(period: Period, new: Assertion, kind: Predicate) -> Period:
    """An end is of the period that holds then."""
    moment = new.sort_key[0]
    if not _speaks_of(new, period, kind) or not period.holds_at(moment):
        return period
    return replace(period, invalid_at=moment, closed_by=new.id, close_rule="ended")


def _begun(new: Assertion) -> Period:
    return Period(
        anchor=new.id,
        arrival=new.arrival,
        subject=new.subject,
        predicate=new.predicate,
        object_id=new.object_id,
        object_text=new.object_text,
        object_key=new.object_key,
        within=new.within,
        valid_at=new.valid_at,
        invalid_at=new.invalid_at,
        basis=new.basis,
        precision=new.precision,
        qualifiers=tuple(sorted(new.qualifiers.items())),
        sentence=new.sentence,
        confidence=new.confidence,
        rule=new.rule,
        closed_by=None if new.invalid_at is None else new.id,
        close_rule=None if new.invalid_at is None else "stated",
        sources=(new.id,),
    )
