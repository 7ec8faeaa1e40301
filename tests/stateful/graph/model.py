"""A bi-temporal graph in plain lists: the rules of ground rules 4 and 8 and of timelines, told once more and by brute force.

It keeps what happened (who was named, what was said, withdrawn, decided and erased) and works out each answer from nothing else,
each time anew. It imports nothing of the graph. Ids are opaque: it only compares them, and breaks ties by them.
"""

from calendar import isleap, monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf

ONE_AT_A_TIME = frozenset({"lives_in", "age", "spouse"})
ONE_FOR_EVER = frozenset({"born_on"})
MUTUAL = frozenset({"spouse", "friend_of"})
TURNED = {"child_of": "parent_of"}

FINENESS = ("year", "month", "day", "instant")
DAY = 86_400_000_000
Instant = float
"""Microseconds; -inf and inf where there is no start or end."""


# --- what happened ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Naming:
    """An episode names someone."""

    episode: str
    seq: int
    place: int
    at: int
    """When it was recorded."""
    who: str
    spelling: str


@dataclass(frozen=True)
class Saying:
    """An episode says something of somebody."""

    id: str
    episode: str
    seq: int
    place: int
    at: int
    """When it was recorded."""
    said_at: int
    """When it was said."""
    subject: str
    predicate: str
    target: str | None
    """Somebody, where it is no literal."""
    literal: str
    does: str = "asserts"
    since: int | None = None
    until: int | None = None
    basis: str = "observed"
    precision: str = "instant"
    containers: frozenset[str] = frozenset()
    """Who contains the target."""
    extras: tuple[tuple[str, int], ...] = ()
    sentence: str = ""
    confidence: float = 1.0
    rule: str = ""

    @property
    def arrival(self) -> tuple[int, int]:
        return self.seq, self.place

    @property
    def what(self) -> str:
        """Equal for equal objects, empty for any."""
        return self.target or " ".join(self.literal.lower().split())

    @property
    def pair(self) -> tuple[str, ...]:
        ends = (self.subject, self.what)
        return tuple(sorted(ends)) if self.predicate in MUTUAL else ends


@dataclass(frozen=True)
class Opinion:
    """Somebody decided that two are one, or are not."""

    seq: int
    at: int
    pair: tuple[str, str]
    is_same: bool


# --- what follows -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belief:
    """A fact, as it is believed to be."""

    id: str
    """Of the saying that arrived first."""
    subject: str
    predicate: str
    target: str | None
    literal: str
    since: Instant
    until: Instant
    basis: str
    precision: str
    extras: tuple[tuple[str, int], ...]
    sentence: str
    confidence: float
    rule: str
    closed_by: str | None
    """An episode."""
    close_rule: str | None
    sources: frozenset[str]
    """Episodes."""

    def holds(self, as_of: int) -> bool:
        return self.since <= as_of < self.until


@dataclass(frozen=True)
class Spell:
    """A belief with the time for which it was held."""

    begun: int
    over: int | None
    belief: Belief


@dataclass
class Model:
    namings: list[Naming] = field(default_factory=list)
    sayings: list[Saying] = field(default_factory=list)
    withdrawn: dict[str, int] = field(default_factory=dict)
    """When a saying was taken back."""
    opinions: list[Opinion] = field(default_factory=list)

    def erase(self, episodes: Iterable[str]) -> list[int]:
        """As if they had never been received. Opinions on somebody whom nobody names any more go too: returns their seqs."""
        gone = set(episodes)
        self.namings = [naming for naming in self.namings if naming.episode not in gone]
        self.sayings = [saying for saying in self.sayings if saying.episode not in gone]
        left = {saying.id for saying in self.sayings}
        self.withdrawn = {saying: at for saying, at in self.withdrawn.items() if saying in left}
        known = {naming.who for naming in self.namings}
        lost = [opinion for opinion in self.opinions if not known.issuperset(opinion.pair)]
        self.opinions = [opinion for opinion in self.opinions if opinion not in lost]
        return sorted(opinion.seq for opinion in lost)

    def moments(self) -> list[int]:
        happened = [*self.namings, *self.sayings, *self.opinions]
        return sorted({each.at for each in happened} | set(self.withdrawn.values()))

    # --- questions ----------------------------------------------------------------------------------------------------

    def people(self, known_at: Instant = inf) -> dict[str, set[str]]:
        """Everybody known then, by who of them was named first.

        The last opinion on a pair counts. That two are not one weighs more than that they are; where those who are said to be
        one cannot all be, pairs are looked at in the order of their ids.
        """
        first: dict[str, tuple[int, int]] = {}
        for naming in self.namings:
            if naming.at <= known_at:
                place = (naming.seq, naming.place)
                first[naming.who] = min(first.get(naming.who, place), place)
        heard = [o for o in self.opinions if o.at <= known_at and first.keys() >= set(o.pair)]
        last = {frozenset(o.pair): o.is_same for o in sorted(heard, key=lambda o: o.seq)}
        apart = [pair for pair, is_same in last.items() if not is_same]
        together = {who: {who} for who in first}
        for one, other in sorted(tuple(sorted(pair)) for pair, is_same in last.items() if is_same):
            both = together[one] | together[other]
            if not any(pair <= both for pair in apart):
                together.update(dict.fromkeys(both, both))
        return {min(group, key=lambda who: (first[who], who)): group for group in together.values()}

    def spellings(self, group: Iterable[str], known_at: Instant = inf) -> list[str]:
        return sorted({n.spelling for n in self.namings if n.who in set(group) and n.at <= known_at})

    def name(self, who: str) -> str:
        """As it was first written."""
        return min((n for n in self.namings if n.who == who), key=lambda n: (n.seq, n.place)).spelling

    def first_known(self, group: Iterable[str]) -> int:
        return min(naming.at for naming in self.namings if naming.who in set(group))

    def beliefs(self, known_at: Instant = inf) -> list[Belief]:
        """All facts believed then, whenever they hold."""
        known_as = {who: head for head, group in self.people(known_at).items() for who in group}
        heard = [
            _as_known(saying, known_as)
            for saying in self.sayings
            if saying.at <= known_at and not (saying.id in self.withdrawn and self.withdrawn[saying.id] <= known_at)
        ]
        predicates = sorted({saying.predicate for saying in heard})
        return [
            stretch.belief()
            for predicate in predicates
            for stretch in stretches([saying for saying in heard if saying.predicate == predicate])
        ]

    def facts(self, as_of: int | None, known_at: Instant = inf) -> list[Belief]:
        return [belief for belief in self.beliefs(known_at) if as_of is None or belief.holds(as_of)]

    def histories(self) -> dict[str, list[Spell]]:
        """Of every fact ever believed. What stayed as it was is one version."""
        found: dict[str, list[Spell]] = {}
        for at in self.moments():
            now = {belief.id: replace(belief, sources=frozenset()) for belief in self.beliefs(at)}
            for id, spells in found.items():
                if spells[-1].over is None and now.get(id) != spells[-1].belief:
                    spells[-1] = replace(spells[-1], over=at)
            for id, belief in now.items():
                spells = found.setdefault(id, [])
                if not spells or spells[-1].over is not None:
                    spells.append(Spell(at, None, belief))
        return found


def _as_known(saying: Saying, known_as: Mapping[str, str]) -> Saying:
    """With the entities of then, inverses told the other way round, and a place in time.

    What names no start is true from when it was said; what is over, or has always been so, has no start that is known; what
    cannot change has no time.
    """
    subject, predicate, target = saying.subject, saying.predicate, saying.target
    if predicate in TURNED and target is not None:
        subject, predicate, target = target, TURNED[predicate], subject
    since, until, basis = saying.since, saying.until, saying.basis
    if predicate in ONE_FOR_EVER:
        since, until, basis = None, None, "unbounded"
    elif since is not None:
        basis = "observed" if basis == "observed" else "stated"
    elif saying.does == "asserts" and (basis == "unbounded" or until is not None):
        basis = "unbounded"
    else:
        since, basis = saying.said_at, "observed"
    return replace(
        saying,
        subject=known_as[subject],
        predicate=predicate,
        target=None if target is None else known_as[target],
        literal=" ".join(saying.literal.split()),
        since=since,
        until=until,
        basis=basis,
        containers=frozenset(known_as[who] for who in saying.containers),
    )


# --- timelines --------------------------------------------------------------------------------------------------------


@dataclass
class Stretch:
    """A fact in the making."""

    opening: Saying
    since: Instant
    until: Instant
    basis: str
    precision: str
    members: list[Saying]
    closed_by: str | None
    close_rule: str | None

    def is_open_at(self, moment: Instant) -> bool:
        return moment < self.until

    def close(self, moment: Instant, by: Saying, rule: str) -> None:
        self.until, self.closed_by, self.close_rule = moment, by.episode, rule

    def belief(self) -> Belief:
        first = min(self.members, key=lambda saying: saying.arrival)
        extras: dict[str, int] = {}
        for saying in self.members:
            extras |= dict(saying.extras)
        return Belief(
            id=first.id,
            subject=self.opening.subject,
            predicate=self.opening.predicate,
            target=self.opening.target,
            literal=self.opening.literal,
            since=self.since,
            until=self.until,
            basis=self.basis,
            precision=self.precision,
            extras=tuple(sorted(extras.items())),
            sentence=first.sentence,
            confidence=max(saying.confidence for saying in self.members),
            rule=first.rule,
            closed_by=self.closed_by,
            close_rule=self.close_rule,
            sources=frozenset(saying.episode for saying in self.members),
        )


def stretches(sayings: list[Saying]) -> list[Stretch]:
    """Of all subjects: what is said of others changes nothing. What is said to be mutual between one and oneself is nothing."""
    sayings = [saying for saying in sayings if saying.predicate not in MUTUAL or saying.subject != saying.target]
    denials = [saying for saying in sayings if saying.does == "denies"]
    standing = [
        saying
        for saying in sayings
        if saying.does != "denies" and not any(d.said_at >= saying.said_at and _is_of(d, saying) for d in denials)
    ]
    inside = _containment(standing)
    found: list[Stretch] = []
    for saying in sorted(_with_places(standing), key=lambda s: (_start(s), s.said_at, s.id)):
        start = _start(saying)
        if saying.does == "ends":
            for stretch in found:
                if _is_of(saying, stretch.opening) and stretch.since <= start < stretch.until:
                    stretch.close(start, saying, "ended")
        elif (home := _home(found, saying)) is not None:
            _support(home, saying)
        else:
            for stretch in found:
                if start < stretch.until and _are_rivals(stretch, saying, inside):
                    stretch.close(start, saying, "corrected" if start == stretch.since else "successor")
            found.append(_opened(saying))
    return found


def _start(saying: Saying) -> Instant:
    return -inf if saying.since is None else saying.since


def _end(saying: Saying) -> Instant:
    return inf if saying.until is None else saying.until


def _is_of(claim: Saying, other: Saying) -> bool:
    """Whether the claim is about what the other says. One that names no object is about any."""
    if claim.what:
        return claim.pair == other.pair
    return claim.subject == other.subject or (claim.predicate in MUTUAL and claim.subject == other.what)


def _containment(standing: list[Saying]) -> set[tuple[str, str, str]]:
    """(subject, container, contained): what anything said of a subject tells, holds for all that is said of it."""
    return {(saying.subject, box, saying.what) for saying in standing for box in saying.containers}


def _with_places(standing: list[Saying]) -> list[Saying]:
    """What has no known start is of the last stretch that it can be of, and knows no more of its start than is known."""
    placed = [s for s in standing if s.does == "asserts" and s.since is not None]
    result: list[Saying] = []
    for saying in standing:
        if saying.does == "asserts" and saying.since is None and saying.predicate not in ONE_FOR_EVER:
            own = [other for other in placed if _is_of(saying, other) and _start(other) < _end(saying)]
            if own:
                last = max(own, key=lambda s: (_start(s), s.said_at, s.id))
                known = replace(saying, since=last.since, basis=last.basis, precision=last.precision, until=None)
                result.append(known)
                if saying.until is not None:  # it was over by then, if it was not before
                    result.append(replace(saying, does="ends", since=saying.until, until=None))
                continue
        result.append(saying)
    return result


def _home(found: list[Stretch], saying: Saying) -> Stretch | None:
    """The stretch that goes on when it is said, or stops just then because somebody named this as its end."""
    start = _start(saying)
    for stretch in found:
        is_touching = stretch.until == start and stretch.close_rule == "stated"
        if _is_of(saying, stretch.opening) and (stretch.is_open_at(start) or is_touching):
            return stretch
    return None


def _support(home: Stretch, saying: Saying) -> None:
    home.members.append(saying)
    start = _start(saying)
    if saying.until is not None and saying.until != home.until:
        home.close(saying.until, saying, "stated")
    elif saying.until is None and start == home.until:
        home.until, home.closed_by, home.close_rule = inf, None, None
    is_told = home.basis == saying.basis == "stated"
    is_finer = FINENESS.index(saying.precision) > FINENESS.index(home.precision)
    if is_told and is_finer and home.since < start < home.since + _vagueness(home.since, home.precision):
        home.since, home.basis, home.precision = start, saying.basis, saying.precision


def _vagueness(since: Instant, precision: str) -> int:
    """How much later than its first instant a day, month or year may have been meant."""
    if precision == "instant":
        return 0
    if precision == "day":
        return DAY
    # Where it is midnight at the first of a month, the first has come to Greenwich 14 hours later at the latest.
    date = datetime(1970, 1, 1) + timedelta(microseconds=since, hours=14)
    days = monthrange(date.year, date.month)[1] if precision == "month" else 365 + isleap(date.year)
    return days * DAY


def _are_rivals(stretch: Stretch, saying: Saying, inside: set[tuple[str, str, str]]) -> bool:
    """Whether only one of the two can be true at one time."""
    old, predicate = stretch.opening, saying.predicate
    if predicate not in ONE_AT_A_TIME | ONE_FOR_EVER or old.pair == saying.pair:
        return False
    # Two that began nobody knows when began at one time only by accident.
    is_unknown = predicate not in ONE_FOR_EVER and _start(saying) == stretch.since == -inf
    if is_unknown and (stretch.until != inf or saying.until is not None):
        return False
    if predicate in MUTUAL:
        return bool({old.subject, old.what} & {saying.subject, saying.what})
    is_inside = {(old.subject, old.what, saying.what), (old.subject, saying.what, old.what)} & inside
    return old.subject == saying.subject and not is_inside


def _opened(saying: Saying) -> Stretch:
    is_closed = saying.until is not None
    return Stretch(
        opening=saying,
        since=_start(saying),
        until=_end(saying),
        basis=saying.basis,
        precision=saying.precision,
        members=[saying],
        closed_by=saying.episode if is_closed else None,
        close_rule="stated" if is_closed else None,
    )
