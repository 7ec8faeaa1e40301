"""A seeded corpus: conversations between named people, and questions about them, in English that the model's tokenizer knows.

Words come from MiniLM's own vocabulary, which is ordered by frequency, and are drawn by the Zipf-Mandelbrot law, so that
the posting lists of common and rare words are as uneven as in real conversations. Turn `i` is the same in a store of any size.
"""

import itertools
import json
import random
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

from retrieval.analysis import STOP_WORDS
from retrieval.embedders.resolve import resolve_model

T = TypeVar("T")

TURNS_PER_SESSION: Final = 20
_VOCABULARY: Final = 4_000
_ZIPF_OFFSET: Final = 25
"""Mandelbrot's offset: the most common content word is then in about 9% of the turns, as in LoCoMo."""

_START: Final = datetime(2022, 1, 3, 8, tzinfo=UTC)
_SESSION_EVERY: Final = timedelta(hours=6)
_TURN_EVERY: Final = timedelta(seconds=40)

_NAMES: Final = (
    "Caroline Melanie Jon Gina Maria Joanna Nate Tim Audrey Andrew James Deborah Jolene Evan Sam Calvin Dave Priya "
    "Tomas Ingrid Yusuf Leila Mateo Hana Oskar Beatriz Kwame Elif Ronan Sofia Dmitri Amara Felix Noor Hugo Mei Lucas "
    "Zara Viktor Paloma"
)
_PLACES: Final = (
    "Boston Seattle Lisbon Kyoto Nairobi Oslo Denver Quebec Valencia Krakow Hobart Dublin Tucson Leipzig Jaipur "
    "Busan Cusco Bergen Malmo Tbilisi Porto Galway Utrecht Ghent Turin Tallinn Riga Zagreb Windhoek Accra"
)
NAMES: Final = tuple(_NAMES.split())
PLACES: Final = tuple(_PLACES.split())
_TURNS: Final = (
    "I have {w} the {w} {w} we {w} about, and the {w} was more {w} than I {w}.",
    "{n} {w} me that the {w} in {p} has its own {w} and a very {w} {w}.",
    "Last week we were in {p} because {n} had to {w} the {w} {w}.",
    "My {w} is on a {w} {w}, so it is all {w} and {w} for me.",
    "Do you still have the {w} from the {w} that {n} {w} you in {p}?",
    "It was such a {w} {w}, and I am {w} about what the {w} would be for my {w}.",
    "The {w} {w} was {w}, so I was there with a {w} and some {w}.",
    "I will {w} a {w} for {n} next month, with {w}, {w} and a {w} {w}.",
    "The {w} had me {w}, but the {w} after it was so {w}.",
    "We {w} the {w} to the {w}, which is why the {w} {w} is so {w}.",
    "You should {w} the {w} {w} of {p}; {n} says their {w} is the {w}.",
    "Since the {w}, I have been {w} my {w}, and it is {w} for the {w}.",
    "Two years ago my {w} was in {p}, with a {w} {w} and a {w}.",
    "What was it about {w} and {w} when you were in the {w}?",
    "Wow, that {w} {w} is {w}!",
    "I would love to {w} your {w}.",
    "That was {w} of {n}.",
    "The {w} {w} a {w} with {w} {w} and had it by the {w} {w}.",
)
_QUESTIONS: Final = (
    "What did {n} say about the {w} {w} in {p}?",
    "When did {n} {w} the {w} {w} with {m}?",
    "Which {w} did {n} and {m} {w} for the {w}?",
    "Why was {n} so {w} about the {w} and the {w}?",
    "Where did {n} {w} the {w} {w} two years ago?",
    "How does the {w} {w} {n} with the {w} every {w}?",
    "What kind of {w} was it for the {w} next month?",
    "Who {w} the {w} back from {p} after the {w}?",
    "What {w} to the {w} {w} near the {w} in {p}?",
    "Which {w} did the {w} {w} beside the {w} {w}?",
)
"""Six of ten name a speaker."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One episode of the corpus."""

    number: int
    id: str
    session_id: str
    speaker: str
    occurred_at: datetime
    content: str

    def request(self, *, with_id: bool = True) -> dict[str, Any]:
        """As the API takes it."""
        body = {
            "session_id": self.session_id,
            "role": "user",
            "speaker": self.speaker,
            "occurred_at": self.occurred_at.isoformat(),
            "content": self.content,
        }
        return {"id": self.id, **body} if with_id else body


def turns(count: int, *, first: int = 0, seed: int = 7) -> Iterator[Turn]:
    """Turns `first` to `first + count`, about 25 words each, in sessions of 20."""
    session = first // TURNS_PER_SESSION
    found = itertools.chain.from_iterable(_session(seed, number) for number in itertools.count(session))
    skipped = first - session * TURNS_PER_SESSION
    return itertools.islice(found, skipped, skipped + count)


def _session(seed: int, number: int) -> Iterator[Turn]:
    rng = random.Random(f"{seed}:session:{number}")
    people = rng.sample(NAMES, 2)
    start = _START + number * _SESSION_EVERY
    for place in range(TURNS_PER_SESSION):
        index = number * TURNS_PER_SESSION + place
        sentences = [_filled(rng, rng.choice(_TURNS)) for _ in range(rng.choice((1, 2, 2, 3)))]
        occurred_at = start + place * _TURN_EVERY
        yield Turn(index, f"t{index}", f"s{number}", people[place % 2], occurred_at, " ".join(sentences))


def questions(count: int, *, seed: int = 7, data: Path | None = None) -> list[str]:
    """Different questions of about ten words; of a LoCoMo file, where one is given, as far as they go."""
    found = dict.fromkeys(_asked_in(data)) if data else dict[str, None]()
    rng = random.Random(f"{seed}:questions")
    while len(found) < count:
        found.setdefault(_filled(rng, rng.choice(_QUESTIONS)))
    return list(found)[:count]


def _asked_in(data: Path) -> list[str]:
    conversations = json.loads(data.read_text(encoding="utf-8"))
    return [str(item["question"]) for conversation in conversations for item in conversation["qa"]]


def _filled(rng: random.Random, template: str) -> str:
    """The template with a word in each slot: {w} of the vocabulary, {n} and {m} names, {p} a place."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        filled += (_slot(rng, part[0]), part[2:])
    return "".join(filled)


def _slot(rng: random.Random, kind: str) -> str:
    if kind == "w":
        words, cumulated = _vocabulary()
        return words[bisect(cumulated, rng.random() * cumulated[-1])]
    return rng.choice(PLACES if kind == "p" else NAMES)


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[list[str], list[float]]:
    """Words by frequency, and their cumulated Zipf-Mandelbrot weights."""
    folder = resolve_model("minilm")
    ids: dict[str, int] = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    ordered = sorted(ids, key=lambda word: ids[word])
    words = [word for word in ordered if word.isascii() and word.isalpha() and 4 <= len(word) <= 10]
    content = [word for word in words if word not in STOP_WORDS][:_VOCABULARY]
    return content, list(itertools.accumulate(1 / (rank + _ZIPF_OFFSET) for rank in range(1, _VOCABULARY + 1)))


def in_batches(items: Iterable[T], count: int) -> Iterator[list[T]]:
    """Lists of `count` items; the last may be shorter."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, count)):
        yield batch
