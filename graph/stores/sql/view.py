"""Reading one namespace of the SQL store."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from graph.rows import EntityVersion, FactVersion
from graph.stores.pages import whole_page
from graph.stores.port import EntityFilter, FactFilter, Moment
from graph.stores.sql import dialect
from graph.stores.sql.prepared import Prepared
from graph.stores.sql.rows import ENTITY_COLUMNS, FACT_COLUMNS, entity_of, fact_of
from graph.stores.sql.schema import entities, entity_names, fact_sources, facts

_PART: Final = 10_000
"""Rows held as the driver gives them."""

Connect = Callable[[], AbstractContextManager[Connection]]


class SqlGraphView:
    """A `GraphView` over connections that it is given."""

    def __init__(self, connect: Connect, namespace: str) -> None:
        self._connect = connect
        self._namespace = namespace

    def entities(self, wanted: EntityFilter, known_at: int | None, after: str, limit: int) -> list[EntityVersion]:
        keys = None if wanted.name_keys is None else set(wanted.name_keys)
        with self._connect() as connection:
            query = self._entities(known_at)
            if wanted.type is not None:
                query = query.where(entities.c.type == wanted.type)
            if wanted.name_keys is not None:
                named = select(entity_names.c.entity_id).where(
                    entity_names.c.namespace == self._namespace, entity_names.c.name_key.in_(wanted.name_keys)
                )
                query = query.where(entities.c.id.in_(named))
            if wanted.text is not None:
                query = query.where(dialect.contains(connection, entities.c.search_text, wanted.text.casefold()))
            if wanted.attributes:
                query = query.where(dialect.json_equals(connection, entities.c.attributes, wanted.attributes))
            query = query.order_by(entities.c.id).limit(limit)
            found: list[EntityVersion] = []
            while len(found) < limit:
                read = [entity_of(row) for row in connection.execute(query.where(entities.c.id > after)).all()]
                # Which spellings a version had, only the version itself knows.
                found += [v for v in read if keys is None or not keys.isdisjoint(v.name_keys)]
                if len(read) < limit:
                    break
                after = read[-1].id
        return found[:limit]

    def entities_by_id(self, ids: Sequence[str], known_at: int | None) -> dict[str, EntityVersion]:
        if not ids:
            return {}
        with self._connect() as connection:
            query = self._entities(known_at).where(dialect.among(connection, entities.c.id, ids))
            found = [entity_of(row) for row in connection.execute(query).all()]
        return {entity.id: entity for entity in found}

    def facts(self, wanted: FactFilter, at: Moment, after: tuple[int, str] | None, limit: int) -> list[FactVersion]:
        with self._connect() as connection:
            if wanted.entity is not None and after is None and wanted == FactFilter(entity=wanted.entity):
                return self._all_of_entity(connection, wanted.entity, at, limit)
            query = self._matching(connection, wanted, at)
            if after is not None:
                start, last = after
                query = query.where(or_(facts.c.start < start, and_(facts.c.start == start, facts.c.id > last)))
            if wanted.entity is not None:
                return self._of_entity(connection, query, wanted.entity, limit)
            ordered = query.order_by(facts.c.start.desc(), facts.c.id).limit(limit)
            return [fact_of(row) for row in connection.execute(ordered).all()]

    def _all_of_entity(self, connection: Connection, entity: str, at: Moment, limit: int) -> list[FactVersion]:
        """What is asked most, prepared: building the statements would take longer than running them."""
        given = {
            "namespace": self._namespace,
            "entity": entity,
            "limit": limit,
            "known_at": at.known_at,
            "as_of": at.as_of,
        }
        found: dict[str, FactVersion] = {}
        for side in ("subject_id", "object_id"):
            statement = _of_side(side, is_past=at.known_at is not None, is_dated=at.as_of is not None)
            found.update((row[0], fact_of(row)) for row in statement.rows(connection, given))
        return sorted(found.values(), key=_newest_first)[:limit]

    def _of_entity(self, connection: Connection, query: Select[Any], entity: str, limit: int) -> list[FactVersion]:
        """Each side by its own index: one query with OR would sort all the facts of a hub."""
        found: dict[str, FactVersion] = {}
        for side in (facts.c.subject_id, facts.c.object_id):
            ordered = query.where(side == entity).order_by(facts.c.start.desc(), facts.c.id).limit(limit)
            found.update((row.id, fact_of(row)) for row in connection.execute(ordered).all())
        return sorted(found.values(), key=lambda fact: (-fact.start, fact.id))[:limit]

    def fact_history(self, fact_id: str) -> list[FactVersion]:
        query = select(*FACT_COLUMNS).where(facts.c.namespace == self._namespace, facts.c.id == fact_id)
        with self._connect() as connection:
            return [fact_of(row) for row in connection.execute(query.order_by(facts.c.created_at)).all()]

    def edges(
        self, entity_ids: Sequence[str], at: Moment, per_entity: int, predicates: Sequence[str] | None
    ) -> list[FactVersion]:
        by_entity: dict[str, list[FactVersion]] = {entity: [] for entity in entity_ids}
        with self._connect() as connection:
            limited = self._limited(connection, at, predicates, per_entity)
            for side in ("subject_id", "object_id"):
                # Whose subject side fills its share needs no other.
                unfilled = [entity for entity, own in by_entity.items() if len(own) < per_entity]
                for entity, own in self._side(connection, side, unfilled, at, limited).items():
                    by_entity[entity] += own
        kept: dict[str, FactVersion] = {}
        for own in by_entity.values():
            distinct = {fact.id: fact for fact in own}  # a loop is on both sides
            for fact in islice(distinct.values(), per_entity):
                kept.setdefault(fact.id, fact)
        return list(kept.values())

    def _side(
        self,
        connection: Connection,
        side: str,
        ids: Sequence[str],
        at: Moment,
        limited: dict[str, Any],
    ) -> dict[str, list[FactVersion]]:
        statement = dialect.edges_statement(
            connection,
            side,
            is_past=at.known_at is not None,
            is_dated=at.as_of is not None,
            has_predicates="predicates" in limited,
        )
        given = {**limited, "ids": dialect.list_parameter(connection, ids)}
        found: defaultdict[str, list[FactVersion]] = defaultdict(list)
        for entity, *values in connection.execute(statement, given).all() if ids else ():
            found[entity].append(fact_of(values))
        for own in found.values():
            own.sort(key=_newest_first)
        return found

    def _limited(
        self, connection: Connection, at: Moment, predicates: Sequence[str] | None, per_entity: int
    ) -> dict[str, Any]:
        """Parameters of the statement, only those that it has."""
        given: dict[str, Any] = {
            "known_at": at.known_at,
            "as_of": at.as_of,
            "predicates": None if predicates is None else dialect.list_parameter(connection, predicates),
        }
        present = {name: value for name, value in given.items() if value is not None}
        return {"namespace": self._namespace, "per_entity": per_entity, **present}

    def sources(self, fact_ids: Sequence[str], known_at: int | None) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {fact: set() for fact in fact_ids}
        query: Any = select(fact_sources.c.fact_id, fact_sources.c.episode_id)
        query = _as_known(query.where(fact_sources.c.namespace == self._namespace), fact_sources, known_at)
        with self._connect() as connection:
            for row in connection.execute(
                query.where(dialect.among(connection, fact_sources.c.fact_id, fact_ids))
            ).all():
                found[row.fact_id].add(row.episode_id)
        return {fact: sorted(episodes) for fact, episodes in found.items()}

    def changes(
        self, since: int, until: int, after: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, FactVersion]]:
        found: list[tuple[int, FactVersion]] = []
        with self._connect() as connection:
            for column in (facts.c.created_at, facts.c.expired_at):
                query = select(*FACT_COLUMNS).where(
                    facts.c.namespace == self._namespace, column >= since, column < until
                )
                if after is not None:
                    moment, last = after
                    query = query.where(or_(column > moment, and_(column == moment, facts.c.id > last)))
                ordered = query.order_by(column, facts.c.id, facts.c.created_at).limit(limit)
                found += [(getattr(row, column.name), fact_of(row)) for row in connection.execute(ordered).all()]
        return whole_page(sorted(found, key=lambda pair: (pair[0], pair[1].id, pair[1].created_at)), limit)

    def all_edges(self, at: Moment, limit: int) -> list[tuple[str, str, str]]:
        query = self._visible(at, facts.c.id, facts.c.subject_id, facts.c.object_id).where(
            facts.c.object_id.is_not(None)
        )
        with self._connect() as connection:
            rows: Any = connection.execute(query.order_by(facts.c.id).limit(limit))
            # An entity's id as one text, however many facts it has: half the memory of a large graph.
            known: dict[str, str] = {}
            return [
                (fact, known.setdefault(subject, subject), known.setdefault(target, target))
                for part in rows.partitions(_PART)
                for fact, subject, target in part
            ]

    # --- conditions ---------------------------------------------------------------------------------------------------

    def _entities(self, known_at: int | None) -> Select[Any]:
        query = select(*ENTITY_COLUMNS).where(entities.c.namespace == self._namespace)
        return _as_known(query, entities, known_at)

    def _visible(self, at: Moment, *columns: Any) -> Select[Any]:
        query: Any = select(*columns).where(facts.c.namespace == self._namespace)
        query = _as_known(query, facts, at.known_at)
        if at.as_of is not None:
            query = query.where(facts.c.start <= at.as_of, facts.c.stop > at.as_of)
        return query

    def _matching(self, connection: Connection, wanted: FactFilter, at: Moment) -> Select[Any]:
        query = self._visible(at, *FACT_COLUMNS)
        if wanted.subject is not None:
            query = query.where(facts.c.subject_id == wanted.subject)
        if wanted.object is not None:
            query = query.where(facts.c.object_id == wanted.object)
        if wanted.predicates is not None:
            query = query.where(dialect.among(connection, facts.c.predicate, wanted.predicates))
        if wanted.ids is not None:
            query = query.where(dialect.among(connection, facts.c.id, wanted.ids))
        for word in (wanted.text or "").casefold().split():
            query = query.where(dialect.contains(connection, facts.c.search_text, word))
        if wanted.qualifiers:
            query = query.where(dialect.json_equals(connection, facts.c.qualifiers, wanted.qualifiers))
        return query


@cache
def _of_side(side: str, *, is_past: bool, is_dated: bool) -> Prepared:
    query = select(*FACT_COLUMNS).where(
        facts.c.namespace == bindparam("namespace"), facts.c[side] == bindparam("entity")
    )
    query = _as_known(query, facts, bindparam("known_at") if is_past else None)
    if is_dated:
        query = query.where(facts.c.start <= bindparam("as_of"), facts.c.stop > bindparam("as_of"))
    ordered = query.order_by(facts.c.start.desc(), facts.c.id).limit(bindparam("limit"))
    return Prepared(lambda _: ordered)


def _newest_first(fact: FactVersion) -> tuple[int, str]:
    return (-fact.start, fact.id)


def _as_known(query: Select[Any], table: Any, known_at: Any) -> Select[Any]:
    if known_at is None:
        return query.where(table.c.expired_at.is_(None))
    return query.where(table.c.created_at <= known_at, or_(table.c.expired_at.is_(None), table.c.expired_at > known_at))
