"""The port of a graph store in plain lists: what every adapter must answer like, written to be read."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TypeVar

from graph.digest import digest
from graph.model import Scalar
from graph.rows import FOREVER, Attributes, Changes, EntityVersion, FactVersion, SourceVersion
from graph.stores.port import EntityFilter, FactFilter, Moment

Version = TypeVar("Version", EntityVersion, FactVersion, SourceVersion)


class Tables:
    """One namespace."""

    def __init__(self) -> None:
        self.entities: dict[tuple[str, int], EntityVersion] = {}
        self.facts: dict[tuple[str, int], FactVersion] = {}
        self.sources: dict[tuple[str, str, int], SourceVersion] = {}
        self.position = 0


class ReferenceGraphStore:
    name = "reference"

    def __init__(self) -> None:
        self._namespaces: dict[str, Tables] = {}
        self._lock = Lock()

    def migrate(self) -> None:
        pass

    def view(self, namespace: str) -> "ReferenceGraphView":
        return ReferenceGraphView(self._tables(namespace))

    def position(self, namespace: str) -> int:
        return self._tables(namespace).position

    def apply(self, namespace: str, changes: Changes, position: int) -> None:
        with self._lock:
            tables = self._namespaces.setdefault(namespace, Tables())
            for rows, gone in (
                (tables.entities, changes.gone_entities),
                (tables.facts, changes.gone_facts),
                (tables.sources, changes.gone_sources),
            ):
                for key in gone:
                    rows.pop(key, None)
            tables.entities.update((version.key, version) for version in changes.entities)
            tables.facts.update((version.key, version) for version in changes.facts)
            tables.sources.update((version.key, version) for version in changes.sources)
            tables.position = position

    def drop(self, namespace: str) -> None:
        self._namespaces.pop(namespace, None)

    def digest(self, namespace: str) -> str:
        tables = self._tables(namespace)
        return digest([*tables.entities.values(), *tables.facts.values(), *tables.sources.values()])

    def close(self) -> None:
        pass

    def _tables(self, namespace: str) -> Tables:
        return self._namespaces.get(namespace, Tables())


class ReferenceGraphView:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def entities(self, wanted: EntityFilter, known_at: int | None, after: str, limit: int) -> list[EntityVersion]:
        known = [v for v in self._tables.entities.values() if believed(v, known_at) and v.id > after]
        return sorted((v for v in known if entity_fits(v, wanted)), key=lambda v: v.id)[:limit]

    def entities_by_id(self, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]:
        return {v.id: v for v in self._tables.entities.values() if v.id in ids and believed(v, known_at)}

    def facts(self, wanted: FactFilter, at: Moment, after: tuple[int, str] | None, limit: int) -> list[FactVersion]:
        found = [fact for fact in self._visible(at) if fact_fits(fact, wanted)]
        if after is not None:
            found = [fact for fact in found if place(fact) > (-after[0], after[1])]
        return found[:limit]

    def fact_history(self, fact_id: str) -> list[FactVersion]:
        return sorted((f for f in self._tables.facts.values() if f.id == fact_id), key=lambda f: f.created_at)

    def edges(
        self, entity_ids: Sequence[str], at: Moment, per_entity: int, predicates: Sequence[str] | None
    ) -> list[FactVersion]:
        facts = [f for f in self._visible(at) if f.object_id and (predicates is None or f.predicate in predicates)]
        kept: dict[str, FactVersion] = {}
        for entity in entity_ids:
            as_subject = [fact for fact in facts if fact.subject_id == entity]
            as_object = [fact for fact in facts if fact.object_id == entity and fact.subject_id != entity]
            for fact in [*as_subject, *as_object][:per_entity]:
                kept.setdefault(fact.id, fact)
        return list(kept.values())

    def sources(self, fact_ids: Sequence[str], known_at: int | None) -> dict[str, list[str]]:
        known = [source for source in self._tables.sources.values() if believed(source, known_at)]
        return {fact: sorted({source.episode_id for source in known if source.fact_id == fact}) for fact in fact_ids}

    def changes(
        self, since: int, until: int, after: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, FactVersion]]:
        facts = self._tables.facts.values()
        both = [(f.created_at, f) for f in facts] + [(f.expired_at, f) for f in facts if f.expired_at is not None]
        found = [(moment, f) for moment, f in both if since <= moment < until]
        if after is not None:
            found = [(moment, f) for moment, f in found if (moment, f.id) > after]
        found.sort(key=lambda change: (change[0], change[1].id, change[1].created_at))
        last = {(moment, f.id) for moment, f in found[:limit]}
        return [(moment, f) for moment, f in found if (moment, f.id) in last]

    def all_edges(self, at: Moment, limit: int) -> list[tuple[str, str, str]]:
        facts = sorted(self._visible(at), key=lambda fact: fact.id)
        return [(fact.id, fact.subject_id, fact.object_id) for fact in facts if fact.object_id][:limit]

    def _visible(self, at: Moment) -> list[FactVersion]:
        known = [fact for fact in self._tables.facts.values() if believed(fact, at.known_at)]
        true = [fact for fact in known if at.as_of is None or fact.start <= at.as_of < fact.stop]
        return sorted(true, key=place)


def believed(version: EntityVersion | FactVersion | SourceVersion, known_at: int | None) -> bool:
    if known_at is None:
        return version.expired_at is None
    return version.created_at <= known_at < (FOREVER if version.expired_at is None else version.expired_at)


def place(fact: FactVersion) -> tuple[int, str]:
    return (-fact.start, fact.id)


def entity_fits(version: EntityVersion, wanted: EntityFilter) -> bool:
    return (
        (wanted.type is None or version.type == wanted.type)
        and (wanted.name_keys is None or not set(wanted.name_keys).isdisjoint(version.name_keys))
        and (wanted.text is None or any(wanted.text.casefold() in alias.casefold() for alias in version.aliases))
        and holds(version.attributes, wanted.attributes)
    )


def fact_fits(fact: FactVersion, wanted: FactFilter) -> bool:
    words = (wanted.text or "").casefold().split()
    texts = (fact.text.casefold(), fact.sentence.casefold())
    return (
        (wanted.entity is None or wanted.entity in (fact.subject_id, fact.object_id))
        and (wanted.subject is None or wanted.subject == fact.subject_id)
        and (wanted.object is None or wanted.object == fact.object_id)
        and (wanted.predicates is None or fact.predicate in wanted.predicates)
        and all(any(word in text for text in texts) for word in words)
        and holds(fact.qualifiers, wanted.qualifiers)
        and (wanted.ids is None or fact.id in wanted.ids)
    )


def holds(given: Attributes, wanted: Mapping[str, Scalar]) -> bool:
    """Whether all of these are given. True is not 1, and 1 is 1.0."""
    own = dict(given)
    return all(name in own and same(own[name], value) for name, value in wanted.items())


def same(one: Scalar, other: Scalar) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
