"""The two ends of a fact between entities, and the order that answers are given in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from graph.errors import UnknownEntity
from graph.rows import EntityVersion, FactVersion
from graph.stores.port import GraphView


def far_end(fact: FactVersion, entity: str) -> str:
    """The other end; the entity itself where a fact leads back to it."""
    return fact.object_id or entity if fact.subject_id == entity else fact.subject_id


def newest_first(fact: FactVersion) -> tuple[int, str]:
    """Sorts as the port does: by start descending, then by id."""
    return (-fact.start, fact.id)


def by_end(facts: Iterable[FactVersion], entities: Collection[str]) -> dict[str, list[FactVersion]]:
    """Facts of each of the entities, newest first. A fact between two of them is in both lists, a loop once in its own."""
    own: defaultdict[str, list[FactVersion]] = defaultdict(list)
    wanted = set(entities)
    for fact in sorted(facts, key=newest_first):
        for end in {fact.subject_id, fact.object_id or fact.subject_id} & wanted:
            own[end].append(fact)
    return own


def known_entities(view: GraphView, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]:
    """Raises UnknownEntity if one of them is not known."""
    found = view.entities_by_id(ids, known_at)
    missing = [each for each in ids if each not in found]
    if missing:
        raise UnknownEntity(f"There is no entity {missing[0]}.")
    return found
