"""Episodes that say something of somebody: the corpus's conversations, with speakers from a growing crowd and facts in a third.

What an episode brings does not depend on how many came before it: each session of 20 turns has its two speakers and some two
people and a firm that nobody named before, and speaks otherwise of those who are known, of some far more than of others. So a
cost that grows along the corpus is one that grows with the graph. Episode `i` is the same in a graph of any size.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from bench import corpus
from bench.corpus import PLACES, TURNS_PER_SESSION, Turn
from graph.model import Source


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FACTS_IN: Final = 1 / 3
_NAMES_IN: Final = 1 / 4
"""Turns that name somebody of the crowd and say nothing that the rules read."""

_NEW_PEOPLE: Final = 2
_CROWD: Final = 40
"""People who are known when the first session begins."""

_REMEMBERED: Final = 1_000
"""Newcomers who are spoken of again."""

_GIVEN: Final = _words(
    "Ana Rui Ines Joao Marta Pedro Lucia Diego Elena Sofia Mateo Carla Hugo Nina Oskar Ingrid Lars Astrid Bjorn Freya "
    "Yuki Kenji Akira Sakura Hana Wei Ming Jun Mei Priya Rahul Anita Deepa Arjun Leila Omar Fatima Yusuf Aisha Hassan "
    "Kwame Amara Zola Chidi Ngozi Tendai Olga Dmitri Irina Boris Tatiana Igor Milan Jana Petra Zoran Ivana Tomas Viktor "
    "Noor Felix Clara Emil Greta Otto Paloma Ruben Carmen Felipe Beatriz Marco Giulia Paolo Chiara Luca Pierre Amelie "
    "Julien Camille Mathieu Sean Ronan Niamh Owen Riley Grace Ruth Audrey Deborah Calvin Jolene Melanie Evan Joanna Nate"
)
_STARTS: Final = _words("Bar Cor Dun Fal Gor Hal Jen Kel Lam Mor Nor Pel Quin Ros Sal Tor Ul Ver Wil Zan")
_MIDDLES: Final = _words("a e i o u ada eki iro omu uta")
_ENDS: Final = _words(
    "berg castle dahl field gren holm kov lund mann nova porter quist rath ston tzky vik wood yama zuela ssen"
)
_FIRMS: Final = _words("Labs Systems Foods Robotics Logistics Bank Studios Motors Textiles Analytics")
_PETS: Final = _words("dog cat horse parrot rabbit")
_HOBBIES: Final = _words(
    "hiking chess pottery sailing gardening running painting cycling jazz baking climbing photography"
)
_JOBS: Final = _words("nurse teacher carpenter lawyer designer chemist pilot baker translator engineer")
_RELATIVES: Final = _words("sister brother cousin aunt uncle mother father daughter son")
_MONTHS: Final = _words("January February March April May June July August September October November December")

_FACTS: Final = (
    "I live in {p} now.",
    "I moved to {p} last month.",
    "I started working at {f} in {t}.",
    "I work at {f} as a {j}.",
    "I quit my job at {f}.",
    "I really love {h}.",
    "I am {a} years old.",
    "My {r} {m} lives in {p}.",
    "{m} works at {f}.",
    "{m} is my best friend.",
    "{b} got married to {c}.",
    "I have a {k} named {x}.",
    "I used to live in {p}.",
    "My birthday is on {t}.",
    "{m} moved to {p} in {t}.",
    "My {r} {m} is a {j}.",
)
_NAMINGS: Final = (
    "I met {m} at the market in {p}.",
    "{m} and {o} were there too.",
    "That was the week when {g} called.",
    "It reminded me of {m}.",
)


def tellings(count: int, *, first: int = 0, seed: int = 7) -> Iterator[Turn]:
    """Turns `first` to `first + count`: the corpus's, a third with a fact, a quarter with a name more."""
    for turn in corpus.turns(count, first=first, seed=seed):
        session = turn.number // TURNS_PER_SESSION
        rng = random.Random(f"{seed}:telling:{turn.number}")
        chance = rng.random()
        content = turn.content
        if chance < _FACTS_IN:
            content = f"{_filled(rng, session, rng.choice(_FACTS))} {content}"
        elif chance < _FACTS_IN + _NAMES_IN:
            content = f"{content} {_filled(rng, session, rng.choice(_NAMINGS))}"
        yield replace(turn, speaker=_speakers(seed, session)[turn.number % 2], content=content)


def source(turn: Turn) -> Source:
    """As the graph needs it."""
    occurred_at = round(turn.occurred_at.timestamp()) * 1_000_000
    return Source(turn.id, turn.number + 1, turn.session_id, turn.content, turn.speaker, "user", occurred_at)


def person(number: int) -> str:
    """The number-th person's name; no two are called the same."""
    family = number * 1_571 % (len(_STARTS) * len(_MIDDLES) * len(_ENDS))
    start, rest = divmod(family, len(_MIDDLES) * len(_ENDS))
    middle, end = divmod(rest, len(_ENDS))
    return f"{_GIVEN[number % len(_GIVEN)]} {_STARTS[start]}{_MIDDLES[middle]}{_ENDS[end]}"


@lru_cache(maxsize=8)
def _speakers(seed: int, session: int) -> tuple[str, str]:
    rng = random.Random(f"{seed}:speakers:{session}")
    return person(_known(rng, session)), person(_known(rng, session))


def _known(rng: random.Random, session: int) -> int:
    """Half of the time one of those who were there from the beginning, else somebody who came lately: the n-th last is spoken
    of about 1/n as often as the last. People come and go, so that nobody but the first grows without end."""
    if session < 1 or rng.random() < 1 / 2:
        return rng.randrange(_CROWD)
    came = _NEW_PEOPLE * session
    return _CROWD + came - int(min(came, _REMEMBERED) ** rng.random())


def _someone(rng: random.Random, session: int) -> str:
    """Half of those who are named come with the session."""
    if rng.random() < 1 / 2:
        return person(_CROWD + _NEW_PEOPLE * session + rng.randrange(_NEW_PEOPLE))
    return person(_known(rng, session))


def _firm(rng: random.Random, session: int) -> str:
    number = session if rng.random() < 1 / 2 else int((session + 1) ** rng.random()) - 1
    family = number * 1_237 % (len(_STARTS) * len(_MIDDLES) * len(_ENDS))
    start, rest = divmod(family, len(_MIDDLES) * len(_ENDS))
    middle, end = divmod(rest, len(_ENDS))
    return f"{_STARTS[start]}{_MIDDLES[middle]}{_ENDS[end]} {_FIRMS[number % len(_FIRMS)]}"


def _filled(rng: random.Random, session: int, template: str) -> str:
    slots: dict[str, Callable[[], str]] = {
        "m": lambda: _someone(rng, session),
        "o": lambda: person(_known(rng, session)),
        "b": lambda: person(_CROWD + _NEW_PEOPLE * session),
        "c": lambda: person(_CROWD + _NEW_PEOPLE * session + 1),
        "g": lambda: rng.choice(_GIVEN),
        "f": lambda: _firm(rng, session),
        "p": lambda: rng.choice(PLACES),
        "x": lambda: rng.choice(_STARTS) + rng.choice("aeiou"),
        "t": lambda: f"{rng.choice(_MONTHS)} {rng.randrange(2010, 2022)}",
        "a": lambda: str(rng.randrange(20, 80)),
        "h": lambda: rng.choice(_HOBBIES),
        "j": lambda: rng.choice(_JOBS),
        "r": lambda: rng.choice(_RELATIVES),
        "k": lambda: rng.choice(_PETS),
    }
    head, *parts = template.split("{")
    return head + "".join(slots[part[0]]() + part[2:] for part in parts)
