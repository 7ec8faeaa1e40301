"""Two people of one name: which mentions of one key are whose."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graph.resolution.evidence import NOTHING, Evidence, agreement, conflict, merge


@dataclass(frozen=True, slots=True)
class Atom:
    """What one episode says of one name key."""

    session_id: str
    occurred_at: int
    id: str
    """Unique among the atoms of a key."""
    evidence: Evidence = NOTHING
    is_self: bool = False
    """The one who speaks, as "I"."""


_Unit: TypeAlias = tuple[list[Atom], Evidence]


def split(atoms: Sequence[Atom]) -> list[list[Atom]]:
    """One list for each entity; nearly always one list. Independent of the order of `atoms`.

    A session means one person by one name, unless keys from outside say otherwise. Whoever speaks as "I" is one person, who
    may correct a birthday. Everyone else is told apart by evidence: oldest first, each joins the group that it agrees with
    most and conflicts with nowhere, or founds one. What knows nothing joins the first group.
    """
    units = _units(atoms)
    telling = [unit for unit in units if not unit[1].is_empty]
    groups: list[_Unit] = []
    for members, evidence in telling + [unit for unit in units if unit[1].is_empty]:
        place = _place(groups, evidence)
        if place is None:
            groups.append((list(members), evidence))
        else:
            groups[place] = (groups[place][0] + members, merge(groups[place][1], evidence))
    return [sorted(members, key=_when) for members, _ in groups]


def _when(atom: Atom) -> tuple[int, str]:
    return atom.occurred_at, atom.id


def _place(groups: Sequence[_Unit], evidence: Evidence) -> int | None:
    fitting = [place for place, (_, known) in enumerate(groups) if conflict(known, evidence) is None]
    return max(fitting, key=lambda place: (agreement(groups[place][1], evidence), -place), default=None)


def _units(atoms: Sequence[Atom]) -> list[_Unit]:
    """Atoms that are one entity whatever they say: of one session, of one outside key, or of whoever speaks. By age."""
    ordered = sorted(atoms, key=_when)
    root = list(range(len(ordered)))

    def find(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, atom in enumerate(ordered):
        for tie in _ties(atom):
            one, other = sorted((find(first.setdefault(tie, place)), find(place)))
            root[other] = one
    _join_sessions(ordered, root, find)
    return _gathered(ordered, find)


def _ties(atom: Atom) -> Iterable[tuple[str, str]]:
    yield from (("key", key) for key in sorted(atom.evidence.keys))
    if atom.is_self:
        yield "self", ""


def _join_sessions(ordered: Sequence[Atom], root: list[int], find: Callable[[int], int]) -> None:
    """Atoms of one session are one, but two whose outside keys differ stay two."""
    keys: dict[int, Evidence] = {}
    for place, atom in enumerate(ordered):
        mine = find(place)
        keys[mine] = merge(keys.get(mine, NOTHING), Evidence(keys=atom.evidence.keys))
    first: dict[str, list[int]] = {}
    keyed = [place for place, atom in enumerate(ordered) if atom.evidence.keys]
    for place in keyed + [place for place, atom in enumerate(ordered) if not atom.evidence.keys]:
        anchors = first.setdefault(ordered[place].session_id, [])
        mine = find(place)
        for anchor in anchors:
            theirs = find(anchor)
            if conflict(keys[mine], keys[theirs]) is None:
                one, other = sorted((mine, theirs))
                root[other] = one
                keys[one] = merge(keys[one], keys[other])
                break
        else:
            anchors.append(place)


def _gathered(ordered: Sequence[Atom], find: Callable[[int], int]) -> list[_Unit]:
    units: dict[int, list[Atom]] = {}
    for place, atom in enumerate(ordered):
        units.setdefault(find(place), []).append(atom)
    return [(members, _together(members)) for members in units.values()]


def _together(members: Iterable[Atom]) -> Evidence:
    evidence = NOTHING
    for atom in members:
        evidence = merge(evidence, atom.evidence)
    return evidence
