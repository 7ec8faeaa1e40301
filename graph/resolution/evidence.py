"""What is known of a name beyond its letters, and whether two such bodies of knowledge can be one entity's.

Only what cannot change speaks against one entity: a date of birth, a key from outside, or being in two places at one time. A
changed job or town does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal, TypeAlias

from graph import predicates
from graph.resolution.birthdates import PartialDate, parse_date
from graph.resolution.names import name_tokens

Interval: TypeAlias = tuple[str, str, int, int]
"""(predicate, the object's key, start, end): microseconds, half-open, both ends named by the text."""

ANY_TYPE: Final = "Thing"
BIRTH: Final = ("born_on", "birthday")
"""Predicates that date the same day."""

MAX_JOINT_MICROS: Final = 366 * 86_400 * 1_000_000
"""Years are coarse: who worked at A "until 2015" and at B "from 2015" did not work at both."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one node or of one cluster."""

    type: str = ANY_TYPE
    constants: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Values of predicates that identify; several of one predicate are corrections."""
    intervals: frozenset[Interval] = frozenset()
    """Stated, bounded intervals of functional predicates."""
    keys: frozenset[str] = frozenset()
    """Identities from outside: "customer:42"."""

    @property
    def is_empty(self) -> bool:
        """Nothing that could speak against anyone."""
        return self.type == ANY_TYPE and not (self.constants or self.intervals or self.keys)


NOTHING: Final = Evidence()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why two cannot be one."""

    kind: Literal["type", "key", "constant", "interval"]
    reason: str
    """For people to read."""


def conflict(a: Evidence, b: Evidence) -> Conflict | None:
    """Why `a` and `b` cannot be one entity, or None. Symmetric but for the order in which the reason names the two."""
    return _types(a, b) or _keys(a, b) or _constants(a, b) or _intervals(a, b)


def merge(a: Evidence, b: Evidence) -> Evidence:
    """Both together; commutative, associative and idempotent, so that the order of merging never matters."""
    constants = {
        name: _most_precise(name, a.constants.get(name, frozenset()) | b.constants.get(name, frozenset()))
        for name in sorted(a.constants.keys() | b.constants.keys())
    }
    return Evidence(min(a.type, b.type, key=_rank_of_type), constants, a.intervals | b.intervals, a.keys | b.keys)


def agreement(a: Evidence, b: Evidence) -> int:
    """How many identifying values, keys and intervals the two share."""
    values = sum(len(a.constants[name] & b.constants[name]) for name in a.constants.keys() & b.constants.keys())
    return values + len(a.keys & b.keys) + len(a.intervals & b.intervals)


# --- types ----------------------------------------------------------------------------------------------------------


def are_types_apart(a: str, b: str) -> bool:
    """A person is no place and no organization; everything else may be badly labelled."""
    return "Person" in (a, b) and bool({a, b} & {"Place", "Organization"})


def _rank_of_type(kind: str) -> tuple[int, str]:
    """The types that can conflict come first, so that a merged body still knows what it is not."""
    ranks = {"Person": 0, "Place": 1, "Organization": 1, ANY_TYPE: 3}
    return ranks.get(kind, 2), kind


def _types(a: Evidence, b: Evidence) -> Conflict | None:
    return Conflict("type", f"{a.type} and {b.type}") if are_types_apart(a.type, b.type) else None


# --- keys -----------------------------------------------------------------------------------------------------------


def _keys(a: Evidence, b: Evidence) -> Conflict | None:
    ours, theirs = _by_kind(a.keys), _by_kind(b.keys)
    for kind in sorted(ours.keys() & theirs.keys()):
        if not ours[kind] & theirs[kind]:
            return Conflict("key", f"{min(ours[kind])} and {min(theirs[kind])}")
    return None


def _by_kind(keys: Iterable[str]) -> dict[str, set[str]]:
    """ "customer:42" is of the kind "customer"; a key without a colon is of no kind, and speaks only for itself."""
    kinds: dict[str, set[str]] = {}
    for key in keys:
        kind, colon, _ = key.rpartition(":")
        if colon:
            kinds.setdefault(kind, set()).add(key)
    return kinds


# --- constants ------------------------------------------------------------------------------------------------------


def _constants(a: Evidence, b: Evidence) -> Conflict | None:
    for ours, theirs in _comparable(a, b):
        mine, yours = a.constants[ours], b.constants[theirs]
        if mine and yours and not any(_is_compatible(ours, x, y) for x, y in product(mine, yours)):
            return Conflict("constant", f"{ours} {min(mine)} and {theirs} {min(yours)}")
    return None


def _comparable(a: Evidence, b: Evidence) -> Iterator[tuple[str, str]]:
    for ours in sorted(a.constants):
        for theirs in BIRTH if ours in BIRTH else (ours,):
            is_settled = ours != theirs and (_share(a, b, ours) or _share(a, b, theirs))
            if theirs in b.constants and predicates.predicate(ours).identifies and not is_settled:
                yield ours, theirs


def _share(a: Evidence, b: Evidence, name: str) -> bool:
    """Both give one value of it; where else they differ, one has corrected itself."""
    return bool(a.constants.get(name, frozenset()) & b.constants.get(name, frozenset()))


def _is_compatible(name: str, x: str, y: str) -> bool:
    if name in BIRTH:
        one, other = parse_date(x), parse_date(y)
        return one is None or other is None or one.is_compatible(other)
    ours, theirs = set(name_tokens(x)), set(name_tokens(y))
    return ours <= theirs or theirs <= ours  # "lisbon" and "lisbon portugal"


def _most_precise(name: str, values: frozenset[str]) -> frozenset[str]:
    """Without "1980" where there is "1980-02-03": else a coarse value would let in whoever contradicts the fine one."""
    if name not in BIRTH or len(values) < 2:
        return values
    dates = {value: parse_date(value) for value in values}
    return frozenset(value for value in values if not any(_is_coarser(dates[value], d) for d in dates.values()))


def _is_coarser(one: PartialDate | None, other: PartialDate | None) -> bool:
    return one is not None and other is not None and one != other and one.contains(other)


# --- intervals ------------------------------------------------------------------------------------------------------


def _intervals(a: Evidence, b: Evidence) -> Conflict | None:
    for mine, yours in product(sorted(a.intervals), sorted(b.intervals)):
        if _is_clash(mine, yours) and not (_is_said_too(mine, b.intervals) or _is_said_too(yours, a.intervals)):
            return Conflict("interval", f"{mine[0]} {mine[1]} and {yours[1]} at one time")
    return None


def _is_clash(mine: Interval, yours: Interval) -> bool:
    if mine[0] != yours[0] or mine[1] == yours[1] or predicates.predicate(mine[0]).cardinality != "functional":
        return False
    return _overlap(mine, yours) > 0 and not _is_joint(mine, yours)


def _overlap(mine: Interval, yours: Interval) -> int:
    return min(mine[3], yours[3]) - max(mine[2], yours[2])


def _is_joint(mine: Interval, yours: Interval) -> bool:
    """One after the other, with ends so coarse that they touch: at most a year, and at most half of the shorter."""
    first, second = sorted((mine, yours), key=lambda interval: (interval[2], interval[3]))
    overlap = _overlap(mine, yours)
    shorter = min(mine[3] - mine[2], yours[3] - yours[2])
    return first[2] < second[2] and first[3] < second[3] and overlap <= min(MAX_JOINT_MICROS, shorter // 2)


def _is_said_too(interval: Interval, others: frozenset[Interval]) -> bool:
    """The other side says the same somewhere, and has thus corrected itself."""
    return any(o[0] == interval[0] and o[1] == interval[1] and _overlap(o, interval) > 0 for o in others)
