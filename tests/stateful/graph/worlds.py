"""What happens in the worlds that the graph and its model are compared in: told to the one and to the other.

Names are made up, so that no rule takes two for one; who is who is decided by hand, and all is said in one session.
"""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pysqlite3
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete

from graph.ids import assertion_id, node_id
from graph.ledger.schema import metadata as ledger_metadata
from graph.model import Claim, Extraction, Mention, Source
from graph.planner import Planner
from graph.planner.erase import erase_episodes
from graph.resolution.names import name_key
from graph.rows import Changes
from graph.stores.sql.schema import metadata as store_metadata
from graph.stores.sql.store import sql_digest
from graph.stores.sql.view import SqlGraphView
from tests.stateful.graph.model import Model, Naming, Opinion, Saying

NAMESPACE = "n"
PEOPLE = ("Zorvak", "Plimdo", "Quenta", "Wubbit")
PLACES = ("Fexler", "Yandru", "Gromola")
DAY = 86_400_000_000
YEAR_2023 = 19_358 * DAY
DATES = tuple(YEAR_2023 + day * DAY for day in (0, 14, 31, 59, 90, 365))
"""Firsts of January, February, March, April and of the next January, and a day between."""
SAID = tuple(YEAR_2023 + day * DAY for day in (14, 59, 100))


# --- what is told -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Remark:
    """One claim, by names."""

    subject: str
    predicate: str
    target: str | None
    literal: str | None
    does: Any = "asserts"
    time: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, int] = field(default_factory=dict)
    confidence: float = 1.0


@dataclass(frozen=True)
class Talk:
    """One episode."""

    said_at: int
    remarks: tuple[Remark, ...]
    inside: tuple[tuple[str, str], ...] = ()
    """(place, what contains it)."""
    is_loud: bool = False
    """Names are written in capitals."""

    @property
    def names(self) -> list[str]:
        said = [name for remark in self.remarks for name in (remark.subject, remark.target) if name is not None]
        used = set(said)
        return list(dict.fromkeys([*said, *(box for place, box in self.inside if place in used)]))

    def containers(self, name: str | None) -> list[str]:
        return [box for place, box in self.inside if place == name and box in self.names]

    def spelling(self, name: str) -> str:
        return name.upper() if self.is_loud else name

    def extraction(self) -> Extraction:
        names = self.names
        mentions = tuple(
            Mention(
                self.spelling(name),
                "Place" if name in PLACES else "Person",
                within=tuple(names.index(box) for box in self.containers(name)),
            )
            for name in names
        )
        return Extraction(mentions, tuple(_claim(place, remark, names) for place, remark in enumerate(self.remarks)))


def _claim(place: int, remark: Remark, names: Sequence[str]) -> Claim:
    return Claim(
        names.index(remark.subject),
        remark.predicate,
        remark.literal if remark.target is None else names.index(remark.target),
        remark.does,
        qualifiers=remark.extras,
        start=place,
        end=place + 1,
        confidence=remark.confidence,
        rule=f"rule {place}",
        **remark.time,
    )


TEXT = "abcdef"
"""Of every episode: a claim's sentence is the letter of its place."""


def id_of(name: str) -> str:
    return node_id(NAMESPACE, name_key(name))


def namings_of(talk: Talk, episode: str, seq: int, at: int) -> list[Naming]:
    return [Naming(episode, seq, place, at, id_of(name), talk.spelling(name)) for place, name in enumerate(talk.names)]


def sayings_of(talk: Talk, episode: str, seq: int, at: int) -> list[Saying]:
    return [
        Saying(
            id=assertion_id(NAMESPACE, episode, place),
            episode=episode,
            seq=seq,
            place=place,
            at=at,
            said_at=talk.said_at,
            subject=id_of(remark.subject),
            predicate=remark.predicate,
            target=None if remark.target is None else id_of(remark.target),
            literal=remark.literal or "",
            does=remark.does,
            since=remark.time.get("valid_at"),
            until=remark.time.get("invalid_at"),
            basis=remark.time.get("basis", "observed"),
            precision=remark.time.get("precision", "instant"),
            containers=frozenset(map(id_of, talk.containers(remark.target))),
            extras=tuple(sorted(remark.extras.items())),
            sentence=TEXT[place],
            confidence=remark.confidence,
            rule=f"rule {place}",
        )
        for place, remark in enumerate(talk.remarks)
    ]


# --- strategies -------------------------------------------------------------------------------------------------------

dates = st.sampled_from(DATES)
people = st.sampled_from(PEOPLE)
precisions = st.sampled_from(["instant", "day", "month", "year"])
starts = st.fixed_dictionaries(
    {"valid_at": dates, "basis": st.sampled_from(["stated", "stated", "observed"]), "precision": precisions}
)
spans = st.builds(
    lambda one, other, start: {**start, "valid_at": min(one, other), "invalid_at": max(one, other)},
    dates, dates, starts,
)  # fmt: skip
endings = st.fixed_dictionaries({"invalid_at": dates, "basis": st.sampled_from(["observed", "unbounded"])})
times = st.one_of(st.just({}), starts, spans, endings, st.just({"basis": "unbounded"}))
TARGETS: dict[str, Sequence[str]] = {
    "lives_in": PLACES,
    "spouse": PEOPLE,
    "friend_of": PEOPLE,
    "parent_of": PEOPLE,
    "child_of": PEOPLE,
    "met": PEOPLE,
}
LITERALS: dict[str, Sequence[str]] = {
    "age": ("30", "31"),
    "born_on": ("1980-01-01", "1990-05-05"),
    "likes": ("green tea", "Green  tea", "rain"),
}
WITHOUT_OBJECT = ("lives_in", "spouse", "age")
predicates = st.sampled_from(["lives_in", "lives_in", "spouse", "spouse", *TARGETS, *LITERALS])


@st.composite
def remarks(draw: st.DrawFn) -> Remark:
    predicate = draw(predicates)
    does = draw(st.sampled_from(["asserts"] * 5 + ["ends", "denies"]))
    time = draw(times if does == "asserts" else st.one_of(st.just({}), starts))
    target, literal = None, None
    if does == "asserts" or predicate not in WITHOUT_OBJECT or draw(st.booleans()):
        if predicate in TARGETS:
            target = draw(st.sampled_from(TARGETS[predicate]))
        else:
            literal = draw(st.sampled_from(LITERALS[predicate]))
    extras = draw(st.sampled_from([{}, {}, {"role": 1}, {"role": 2, "place": 3}]))
    confidence = draw(st.sampled_from([0.5, 1.0]))
    return Remark(draw(people), predicate, target, literal, does, time, extras, confidence)


insides = st.sampled_from([(), (), ((PLACES[0], PLACES[1]),), ((PLACES[2], PLACES[1]), (PLACES[0], PLACES[1]))])
talks = st.builds(
    Talk, st.sampled_from(SAID), st.lists(remarks(), min_size=1, max_size=3).map(tuple), insides, st.booleans()
)


# --- the graph --------------------------------------------------------------------------------------------------------


@cache
def connection(slot: str) -> Connection:
    """One that stays open: making tables takes longer than most of what is done with them."""
    opened = create_engine("sqlite://", module=pysqlite3).connect()
    for metadata in (store_metadata, ledger_metadata):
        metadata.create_all(opened)
    return opened


def new_planner(slot: str, tell: Callable[[Changes], None] = lambda _changes: None) -> Planner:
    """Of an empty graph. One for each slot at a time."""
    opened = connection(slot)
    for metadata in (store_metadata, ledger_metadata):
        for table in metadata.tables.values():
            opened.execute(delete(table))
    return Planner(opened, NAMESPACE, tell)


def view_of(planner: Planner) -> SqlGraphView:
    @contextmanager
    def connect() -> Generator[Connection]:
        yield planner.ledger.connection

    return SqlGraphView(connect, NAMESPACE)


def digest_of(planner: Planner) -> str:
    return sql_digest(planner.ledger.connection, NAMESPACE)


# --- both -------------------------------------------------------------------------------------------------------------


@dataclass
class Log:
    """All that was recorded and stands, as the log holds it."""

    episodes: dict[int, tuple[Source, Extraction]] = field(default_factory=dict)
    """By seq."""
    recorded_at: dict[int, int] = field(default_factory=dict)
    retractions: dict[str, int] = field(default_factory=dict)
    """Moment by assertion."""
    decisions: dict[int, tuple[str, str, int, bool]] = field(default_factory=dict)
    """(a, b, recorded_at, is_same) by seq."""

    def moments(self) -> list[int]:
        decided = {at for _, _, at, _ in self.decisions.values()}
        return sorted({*self.recorded_at.values(), *self.retractions.values(), *decided})

    def keep_in(self, planner: Planner, moment: int | None = None) -> None:
        """Writes the raw rows of one moment, or all of them."""
        for seq, (source, extraction) in self.episodes.items():
            if moment in (None, self.recorded_at[seq]):
                planner.keep([(source, extraction)], self.recorded_at[seq])
        for assertion, at in self.retractions.items():
            if moment in (None, at):
                planner.ledger.retract([assertion], at)
        for seq, (a, b, at, is_same) in self.decisions.items():
            if moment in (None, at):
                planner.keep_decision(a, b, seq, at, is_same=is_same, reason="")

    def without(self, seqs: Collection[int], decisions: Collection[int]) -> "Log":
        """The log of a store that never received these episodes, nor what was decided on those who are nobody without them."""
        episodes = {seq: own for seq, own in self.episodes.items() if seq not in seqs}
        claims = {
            assertion_id(NAMESPACE, source.id, place)
            for source, extraction in episodes.values()
            for place in range(len(extraction.claims))
        }
        return Log(
            episodes,
            {seq: self.recorded_at[seq] for seq in episodes},
            {claim: at for claim, at in self.retractions.items() if claim in claims},
            {seq: decision for seq, decision in self.decisions.items() if seq not in decisions},
        )


def replayed(log: Log, slot: str = "replay") -> Planner:
    """A graph made anew from the log, all of which is there when it begins."""
    planner = new_planner(slot)
    log.keep_in(planner)
    for moment in planner.ledger.moments():
        planner.process(moment)
    return planner


def received(log: Log, slot: str = "twin") -> Planner:
    """A graph to which the log happens, moment by moment."""
    planner = new_planner(slot)
    for moment in log.moments():
        log.keep_in(planner, moment)
        planner.process(moment)
    return planner


class World:
    """Records the same in the graph's ledger, in a log and in the model."""

    def __init__(self, slot: str = "live", tell: Callable[[Changes], None] = lambda _changes: None) -> None:
        self.planner = new_planner(slot, tell)
        self.model = Model()
        self.log = Log()
        self.now = 0
        self.seq = 0

    # What is recorded at one moment is planned together, by `settle`.

    def tell(self, talk: Talk) -> int:
        self.seq += 1
        episode = f"e{self.seq}"
        source = Source(episode, self.seq, "s", TEXT, None, None, talk.said_at)
        extraction = talk.extraction()
        self.planner.keep([(source, extraction)], self._next())
        self.log.episodes[self.seq] = source, extraction
        self.log.recorded_at[self.seq] = self._next()
        self.model.namings += namings_of(talk, episode, self.seq, self._next())
        self.model.sayings += sayings_of(talk, episode, self.seq, self._next())
        return self.seq

    def retract(self, assertions: Collection[str]) -> None:
        self.planner.ledger.retract(assertions, self._next())
        for assertion in assertions:
            self.log.retractions.setdefault(assertion, self._next())
            self.model.withdrawn.setdefault(assertion, self._next())

    def decide(self, a: str, b: str, is_same: bool) -> None:
        self.seq += 1
        self.planner.keep_decision(a, b, self.seq, self._next(), is_same=is_same, reason="")
        self.log.decisions[self.seq] = a, b, self._next(), is_same
        self.model.opinions.append(Opinion(self.seq, self._next(), (a, b), is_same))

    def settle(self) -> None:
        self.now = self._next()
        self.planner.process(self.now)

    def erase(self, seqs: Collection[int]) -> None:
        erased = erase_episodes(self.planner, seqs)
        ids = {self.log.episodes[seq][0].id for seq in seqs}
        assert sorted(erased.decisions) == self.model.erase(ids), "decisions on nobody go, and no others"
        self.log = self.log.without(seqs, erased.decisions)

    def _next(self) -> int:
        return self.now + 10
