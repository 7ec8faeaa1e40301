"""Episodes about people whose names are like each other's: nicknames, initials, typos, namesakes, aliases, keys from outside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from graph.model import Claim, Extraction, Mention, Source
from tests.stateful.graph.worlds import DATES

SPEAKERS = ("Mel", "Ana Silva", "user")
PEOPLE = (
    "Katherine Jones", "Katherine", "Kathy Jones", "K. Jones", "Jones, Katherine", "Katherine Smith",
    "Ana Silva", "Ana", "Bob", "Robert Brown", "Robert",
)  # fmt: skip
PLACES = ("Lisbon", "Porto", "Portugal", "Faro")
SESSIONS = ("s0", "s1", "s2", "s3")
OBJECTS: dict[str, Sequence[str]] = {"likes": ("a", "b"), "age": ("a", "b"), "born_on": ("1980-01-01", "1990-01-01")}
PREDICATES = ("lives_in", "works_at", "spouse", "friend_of", "parent_of", *OBJECTS)


@dataclass(frozen=True)
class Chat:
    """An episode that has not arrived yet."""

    id: str
    session_id: str
    occurred_at: int
    extraction: Extraction

    def source(self, seq: int) -> Source:
        return Source(self.id, seq, self.session_id, "xyz", "Mel", "user", self.occurred_at)


def _rarely(values: st.SearchStrategy[Any], nothing: Any) -> st.SearchStrategy[Any]:
    return st.one_of(*[st.just(nothing)] * 6, values)


persons = st.builds(
    Mention,
    st.sampled_from(PEOPLE),
    st.sampled_from(["Person", "Person", "Thing"]),
    aliases=_rarely(st.sampled_from([("Bobby",), ("Kit",)]), ()),
    key=_rarely(st.sampled_from(["c:1", "c:2"]), None),
    attributes=_rarely(st.sampled_from([{"tier": 1}, {"tier": 2}]), {}),
)
days = st.sampled_from(DATES)
starts = st.fixed_dictionaries(
    {"valid_at": days, "basis": st.just("stated"), "precision": st.sampled_from(["day", "month"])}
)
spans = st.builds(
    lambda start, one, other: {**start, "valid_at": min(one, other), "invalid_at": max(one, other)}, starts, days, days
)
endings = st.builds(lambda end: {"basis": "unbounded", "invalid_at": end}, days)


@st.composite
def claims(draw: st.DrawFn, people: int) -> Claim:
    """Of an episode with so many people, a country and a town, in this order."""
    predicate = draw(st.sampled_from(PREDICATES))
    stance = draw(st.sampled_from(["asserts"] * 6 + ["ends", "denies"]))
    time = draw(st.one_of(st.just({}), starts, spans, endings) if stance == "asserts" else st.just({}))
    targets = {"lives_in": st.just(people + 1), "works_at": st.just(people)}
    if predicate in OBJECTS:
        target = draw(st.sampled_from(OBJECTS[predicate]))
    else:
        target = draw(targets.get(predicate, st.integers(0, people - 1)))
    if stance != "asserts" and predicate in ("lives_in", "spouse", "works_at") and draw(st.booleans()):
        target = None
    return Claim(draw(st.integers(0, people - 1)), predicate, target, stance, end=3, **time)


@st.composite
def extractions(draw: st.DrawFn) -> Extraction:
    speaker = Mention(draw(st.sampled_from(SPEAKERS)), "Person", is_self=True)
    people = [speaker, *draw(st.lists(persons, max_size=3))]
    country, town = Mention("Portugal", "Place"), draw(st.sampled_from(PLACES))
    within = draw(st.sampled_from([(), (len(people),)])) if town != "Portugal" else ()
    said = draw(st.lists(claims(len(people)), max_size=3))
    return Extraction((*people, country, Mention(town, "Place", within=within)), tuple(said))


@dataclass(frozen=True)
class Step:
    """What is recorded at one moment."""

    chats: tuple[Chat, ...]
    retracted: int | None = None
    """Picks a claim among all that were made."""
    decided: tuple[int, int, bool] | None = None
    """Picks two nodes among those that are known, and says whether they are one."""


chats = st.builds(Chat, st.just(""), st.sampled_from(SESSIONS), days, extractions())
picks = st.integers(0, 999)
steps = st.builds(
    Step,
    st.lists(chats, min_size=1, max_size=2).map(tuple),
    _rarely(picks, None),
    _rarely(st.tuples(picks, picks, st.booleans()), None),
)


def crowds(least: int = 2, most: int = 8) -> st.SearchStrategy[list[Chat]]:
    """Episodes, none of which has arrived yet."""
    return st.lists(chats, min_size=least, max_size=most).map(numbered)


def stories(least: int = 2, most: int = 7) -> st.SearchStrategy[list[Step]]:
    return st.lists(steps, min_size=least, max_size=most).map(_numbered_steps)


def numbered(chats: Sequence[Chat], prefix: str = "e") -> list[Chat]:
    return [replace(chat, id=f"{prefix}{n}") for n, chat in enumerate(chats)]


def _numbered_steps(steps: Sequence[Step]) -> list[Step]:
    return [replace(step, chats=tuple(numbered(step.chats, f"e{n}."))) for n, step in enumerate(steps)]
