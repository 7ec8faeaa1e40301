"""An entity in words, taken from its facts: nothing is said that no fact says."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from graph.limits import MAX_SUMMARY_CHARS, MAX_SUMMARY_OBJECTS
from graph.predicates import CATALOGUE, Predicate, predicate
from graph.queries.ends import newest_first
from graph.queries.words import ended, fitting, listed
from graph.rows import EntityVersion, FactVersion

_PLACES: Final = {name: place for place, name in enumerate(CATALOGUE)}


def summary(entity: EntityVersion, facts: Sequence[FactVersion], most_chars: int = MAX_SUMMARY_CHARS) -> str:
    """Sentences on the entity, of its current facts in any order: what tells most of it first; empty without facts.

    First what it is the subject of, a sentence for each predicate; then what is said of it by others.
    """
    spoken, told = _grouped(entity, sorted(facts, key=newest_first))
    sentences = [
        *(
            f"{entity.name} {predicate(name).says} {listed(objects, MAX_SUMMARY_OBJECTS)}"
            for name, objects in _ordered(spoken)
        ),
        *(
            f"{_capital(predicate(name).says)} {entity.name}: {listed(subjects, MAX_SUMMARY_OBJECTS)}"
            for name, subjects in _ordered(told)
        ),
    ]
    return " ".join(fitting(map(ended, sentences), most_chars))


Objects = dict[str, dict[str, None]]
"""By predicate, in order, none twice."""


def _grouped(entity: EntityVersion, facts: Iterable[FactVersion]) -> tuple[Objects, Objects]:
    """What it is the subject of, and what others are of it. A symmetric fact speaks of both ends alike."""
    spoken: Objects = defaultdict(dict)
    told: Objects = defaultdict(dict)
    for fact in facts:
        if fact.subject_id == entity.id:
            spoken[fact.predicate][fact.object_text] = None
        elif predicate(fact.predicate).is_symmetric:
            spoken[fact.predicate][fact.subject_name] = None
        else:
            told[fact.predicate][fact.subject_name] = None
    return spoken, told


def _ordered(groups: Objects) -> list[tuple[str, list[str]]]:
    return [(name, list(groups[name])) for name in sorted(groups, key=lambda name: _rank(predicate(name)))]


def _rank(kind: Predicate) -> tuple[bool, int, str]:
    """What one has one of tells more than what one has many of; after that, the catalogue's order."""
    return (kind.cardinality == "accumulating", _PLACES.get(kind.name, len(_PLACES)), kind.name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
