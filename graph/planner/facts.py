"""From assertions to fact versions: the groups that something touched are set into timelines anew, or carried on."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import bindparam, select

from graph.ledger.rows import scalars_of
from graph.ledger.schema import tails
from graph.ledger.store import Ledger
from graph.predicates import Predicate, predicate
from graph.rows import FOREVER, Changes, FactVersion
from graph.stores.sql.dialect import list_parameter, listed
from graph.stores.sql.prepared import Prepared, primary_key
from graph.stores.sql.rows import FACT_COLUMNS, fact_of, source_version
from graph.stores.sql.schema import fact_sources, facts
from graph.temporal.assertion import UNBOUNDED, Assertion, literal_key
from graph.temporal.timeline import Period, advance, needs_whole_group, timeline
from graph.temporal.versions import change_facts, change_sources

Row = dict[str, Any]
GroupKey = tuple[str, ...]


Boxes = set[tuple[str, str]]
"""(container, object), as told by any claim of a group."""


def _can_conflict(kind: Predicate) -> bool:
    return kind.cardinality != "accumulating"


def _around(object_key: str, boxes: Boxes) -> frozenset[str]:
    return frozenset(box for box, inner in boxes if inner == object_key)


def _settles(assertion: Assertion) -> int:
    """The last moment that a denial, or a claim of unknown start, can have a say in."""
    if assertion.stance == "denies":
        return assertion.occurred_at
    return FOREVER if assertion.invalid_at is None else assertion.invalid_at


def _carries_on(new: Assertion, kind: Predicate, settled_at: int, boxes: Boxes) -> bool:
    """Whether an assertion that sorts last changes nothing but the end of its timeline.

    It must be of a period, after all that is of none in particular, and tell of no container that could undo an older conflict.
    """
    is_after = min(new.sort_key[0], new.occurred_at) > settled_at
    tells = _can_conflict(kind) and any((box, new.object_key) not in boxes for box in new.within)
    return is_after and not tells and not needs_whole_group(new, kind)


def group_key(assertion: Assertion, kind: Predicate) -> GroupKey:
    """Assertions of one key make one timeline. A symmetric functional predicate has no key: its groups are chains of pairs."""
    if kind.cardinality != "accumulating":
        return (kind.name, assertion.subject)
    if kind.is_symmetric:
        return (kind.name, *sorted((assertion.subject, assertion.object_key)))
    return (kind.name, assertion.subject, assertion.object_key)


class FactPlanner:
    """Plans one moment's changes of facts. `entities` maps nodes to entities as of now."""

    def __init__(self, ledger: Ledger, now: int, entities: "EntityMap", changes: Changes) -> None:
        self._ledger = ledger
        self._now = now
        self._entities = entities
        self._changes = changes

    def plan(self, new: Sequence[Row], disturbed: Sequence[Row]) -> None:
        """New assertions carry timelines on where they can; groups of disturbed ones are computed anew."""
        self._entities.load(new)
        self._entities.load(disturbed)
        anew: dict[str, Row] = {row["id"]: row for row in disturbed}
        rest = self._carry_on(new, anew)
        anew.update((row["id"], row) for row in rest)
        if anew:
            self.recompute(self._closed(list(anew.values())))

    # --- carrying on ----------------------------------------------------------------------------------------------------

    def _carry_on(self, new: Sequence[Row], disturbed: Mapping[str, Row]) -> list[Row]:
        """Advances the groups that end before all of their new assertions. Returns the assertions of the other groups."""
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in new:
            groups[self._tail_key(row)].append(row)
        known = self._ledger.tails(groups)
        untouched = {self._tail_key(row) for row in disturbed.values()}
        rest: list[Row] = []
        for key, rows in groups.items():
            tail = known.get(key)
            if tail is None or key in untouched or not self._carried(rows, tail, key):
                rest += rows
        return rest

    def _tail_key(self, row: Row) -> str:
        made = self._assertion(row)
        return "\0".join(group_key(made, predicate(made.predicate)))

    def _carried(self, rows: Sequence[Row], tail: Row, key: str) -> bool:
        made = sorted((self._assertion(row) for row in rows), key=lambda a: a.sort_key)
        kind = predicate(made[0].predicate)
        if made[0].sort_key <= (tail["start"], tail["occurred_at"], tail["assertion_id"]):
            return False
        boxes = {(box, inner) for box, inner in json.loads(tail["within"])}
        if not all(_carries_on(each, kind, tail["settled_at"], boxes) for each in made):
            return False
        made = [replace(each, within=_around(each.object_key, boxes)) for each in made]
        stored = self._believed(json.loads(tail["open_facts"]))
        after = [replace(period, within=_around(period.object_key, boxes)) for period in map(_period, stored)]
        for each in made:
            after = advance(after, each, kind)
        known = {a.id: a for a in made}
        change_facts(stored, [self._version(period, known) for period in after], self._now, self._changes)
        links = {(p.anchor, source): known[source].episode_id for p in after for source in p.sources}
        change_sources([], links, self._now, self._changes)
        self._remember_tail(key, made[-1], after, tail["settled_at"], tail["within"])
        return True

    def _believed(self, ids: Sequence[str]) -> list[FactVersion]:
        """Versions that stand, by start."""
        found = self._versions(_BELIEVED, {"ids": list_parameter(self._ledger.connection, ids)}) if ids else []
        return sorted(found, key=lambda version: (version.start, version.id))

    def _versions(self, statement: Prepared, given: Row) -> list[FactVersion]:
        rows = statement.rows(self._ledger.connection, {"namespace": self._ledger.namespace, **given})
        return [fact_of(row) for row in rows]

    def _remember_tail(
        self, key: str, last: Assertion, periods: Sequence[Period], settled_at: int, within: str
    ) -> None:
        start, occurred_at, assertion = last.sort_key
        row = {"group_key": key, "start": start, "occurred_at": occurred_at, "assertion_id": assertion}
        unclosed = [p.anchor for p in periods if p.invalid_at is None or p.invalid_at >= start]
        row |= {"settled_at": settled_at, "within": within, "open_facts": json.dumps(unclosed)}
        self._ledger.upsert(tails, [row])

    # --- anew -----------------------------------------------------------------------------------------------------------

    def _closed(self, rows: Sequence[Row]) -> list[Row]:
        """All assertions of the rows' groups."""
        found: dict[str, Row] = {row["id"]: row for row in rows}
        asked: set[GroupKey] = set()
        for row in rows:
            made = self._assertion(row)
            kind = predicate(made.predicate)
            key = group_key(made, kind)
            if key not in asked:
                asked.add(key)
                found.update((other["id"], other) for other in self._group(made, kind))
        result = list(found.values())
        self._entities.load(result)
        return result

    def _group(self, made: Assertion, kind: Predicate) -> list[Row]:
        if kind.is_symmetric and kind.cardinality != "accumulating":
            return self._chain(made, kind)
        nodes = self._entities.nodes_of(made.subject)
        if kind.cardinality != "accumulating":
            return self._ledger.group(nodes, kind.name, None, "", self._now)
        others = self._entities.nodes_of(made.object_id) if made.object_id else []
        literal = literal_key(made.object_text)
        found = self._ledger.group(nodes, kind.name, others, literal, self._now)
        if kind.is_symmetric and others:
            found += self._ledger.group(others, kind.name, nodes, "", self._now)
        return found

    def _chain(self, made: Assertion, kind: Predicate) -> list[Row]:
        """Everyone who was ever paired with one of the two, with one of those, and so on."""
        waiting, seen = [made.subject, made.object_key], set[str]()
        found: dict[str, Row] = {}
        while waiting:
            entity = waiting.pop()
            if entity in seen or not entity:
                continue
            seen.add(entity)
            rows = self._ledger.touching(self._entities.nodes_of(entity), kind.name, self._now)
            self._entities.load(rows)
            found.update((row["id"], row) for row in rows)
            waiting += [
                side for row in rows for side in (self._assertion(row).subject, self._assertion(row).object_key)
            ]
        return list(found.values())

    def recompute(self, rows: Sequence[Row]) -> None:
        """Versions of a set of assertions that is closed under grouping."""
        ids = [row["id"] for row in rows]
        standing = [
            self._assertion(row)
            for row in rows
            if row["recorded_at"] <= self._now and (row["retracted_at"] is None or row["retracted_at"] > self._now)
        ]
        after: list[Period] = []
        for group in self._groups(standing):
            kind = predicate(group[0].predicate)
            periods = timeline(group, kind)
            after += periods
            self._note_tail(group, periods, kind)
        self._ledger.forget_tails({self._tail_key(row) for row in rows} - {self._key_of(a) for a in standing})
        known = {a.id: a for a in standing}
        # A fact has the id of the assertion that arrived first, so the group's assertions lead to what was believed.
        asked = {"ids": list_parameter(self._ledger.connection, ids)}
        before = self._versions(_BELIEVED, asked)
        change_facts(before, [self._version(period, known) for period in after], self._now, self._changes)
        links = {(p.anchor, source): known[source].episode_id for p in after for source in p.sources}
        rows = _SOURCES.rows(self._ledger.connection, {"namespace": self._ledger.namespace, **asked})
        change_sources(map(source_version, rows), links, self._now, self._changes)

    def _key_of(self, made: Assertion) -> str:
        return "\0".join(group_key(made, predicate(made.predicate)))

    def _note_tail(self, group: Sequence[Assertion], periods: Sequence[Period], kind: Predicate) -> None:
        """A chain has none: it has no key."""
        last = max(group, key=lambda a: a.sort_key)
        if kind.is_symmetric and kind.cardinality != "accumulating":
            self._ledger.forget_tails({self._key_of(a) for a in group})
            return
        settled_at = max((_settles(a) for a in group if needs_whole_group(a, kind)), default=UNBOUNDED)
        boxes = sorted({(box, a.object_key) for a in group for box in a.within}) if _can_conflict(kind) else []
        self._remember_tail(self._key_of(last), last, periods, settled_at, json.dumps(boxes))

    def _groups(self, standing: Iterable[Assertion]) -> list[list[Assertion]]:
        groups: dict[GroupKey, list[Assertion]] = defaultdict(list)
        chained: dict[str, list[Assertion]] = defaultdict(list)
        for made in standing:
            kind = predicate(made.predicate)
            if kind.is_symmetric and kind.cardinality != "accumulating":
                chained[kind.name].append(made)
            else:
                groups[group_key(made, kind)].append(made)
        # A chain is closed as a whole, and pairs that share nobody do not touch each other in one timeline.
        return [*groups.values(), *chained.values()]

    # --- versions -------------------------------------------------------------------------------------------------------

    def _version(self, period: Period, made: Mapping[str, Assertion]) -> FactVersion:
        """The period in words and names. `closed_by` of a stored one is an episode already."""
        kind = predicate(period.predicate)
        subject = self._entities.name(period.subject)
        target = self._entities.name(period.object_id) if period.object_id else period.object_text
        verb = kind.past or kind.says if period.invalid_at is not None else kind.says
        closing = made.get(period.closed_by or "")
        return FactVersion(
            id=period.anchor,
            created_at=self._now,
            expired_at=None,
            subject_id=period.subject,
            subject_name=subject,
            predicate=period.predicate,
            object_id=period.object_id,
            object_text=target,
            valid_at=period.valid_at,
            invalid_at=period.invalid_at,
            basis=period.basis,
            precision=period.precision,
            qualifiers=period.qualifiers,
            text=f"{subject} {verb} {target}",
            sentence=period.sentence,
            confidence=period.confidence,
            rule=period.rule,
            closed_by=closing.episode_id if closing else period.closed_by,
            close_rule=period.close_rule,
        )

    def _assertion(self, row: Row) -> Assertion:
        return self._entities.assertion(row)


class EntityMap:
    """Nodes, entities and their names as of one moment, loaded as they are needed."""

    def __init__(self, ledger: Ledger, now: int) -> None:
        self._ledger = ledger
        self._now = now
        self._entity: dict[str, str] = {}
        self._nodes: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        self._made: dict[str, Assertion] = {}
        self._within: dict[str, list[str]] = {}

    def load(self, rows: Sequence[Row]) -> None:
        """Looks up all nodes of the assertions at once."""
        wanted = {row["subject_node"] for row in rows} | {row["object_node"] for row in rows if row["object_node"]}
        wanted.update(self._load_containers(rows))
        missing = wanted - self._entity.keys()
        if missing:
            self._entity |= self._ledger.entities_of(missing, self._now)
            self._load_names({self._entity[node] for node in missing} - self._names.keys())

    def _load_containers(self, rows: Sequence[Row]) -> set[str]:
        """Objects' containers stand in the row as places of its episode's mentions."""
        places = {row["id"]: (row["episode_seq"], json.loads(row["within"])) for row in rows if row["within"] != "[]"}
        nodes = self._ledger.nodes_at({(seq, place) for seq, own in places.values() for place in own})
        for assertion, (seq, own) in places.items():
            self._within[assertion] = [nodes[seq, place] for place in own if (seq, place) in nodes]
        return {node for assertion in places for node in self._within[assertion]}

    def _load_names(self, entities: Collection[str]) -> None:
        self._names |= {entity: row["name"] for entity, row in self._ledger.nodes(entities).items()}

    def nodes_of(self, entity: str) -> list[str]:
        if entity not in self._nodes:
            self._nodes |= self._ledger.nodes_of([entity], self._now)
        return self._nodes[entity]

    def name(self, entity: str) -> str:
        if entity not in self._names:
            self._load_names([entity])
        return self._names[entity]

    def assertion(self, row: Row) -> Assertion:
        """The row as the temporal rules see it."""
        if (made := self._made.get(row["id"])) is None:
            made = self._made[row["id"]] = self._make(row)
        return made

    def _make(self, row: Row) -> Assertion:
        return Assertion(
            id=row["id"],
            episode_id=row["episode_id"],
            seq=row["episode_seq"],
            place=row["place"],
            subject=self._entity[row["subject_node"]],
            predicate=row["predicate"],
            object_id=self._entity[row["object_node"]] if row["object_node"] else None,
            object_text=row["object_text"],
            stance=row["stance"],
            valid_at=row["valid_at"],
            invalid_at=row["invalid_at"],
            basis=row["basis"],
            precision=row["precision"],
            occurred_at=row["occurred_at"],
            qualifiers=scalars_of(row["qualifiers"]),
            within=frozenset(self._entity[node] for node in self._within.get(row["id"], ())),
            sentence=row["sentence"],
            confidence=row["confidence"],
            rule=row["rule"],
        )


def _period(version: FactVersion) -> Period:
    """A stored version as the timeline knows it; its sources stay where they are."""
    return Period(
        anchor=version.id,
        arrival=(UNBOUNDED, 0, version.id),
        subject=version.subject_id,
        predicate=version.predicate,
        object_id=version.object_id,
        object_text=version.object_text,
        object_key=_object_key(version),
        within=frozenset(),
        valid_at=version.valid_at,
        invalid_at=version.invalid_at,
        basis=version.basis,
        precision=version.precision,
        qualifiers=version.qualifiers,
        sentence=version.sentence,
        confidence=version.confidence,
        rule=version.rule,
        closed_by=version.closed_by,
        close_rule=version.close_rule,
        sources=(),
    )


def _object_key(version: FactVersion) -> str:
    return version.object_id or literal_key(version.object_text)


# --- statements -------------------------------------------------------------------------------------------------------


def _believed(*conditions: Any) -> Any:
    own = (facts.c.namespace == bindparam("namespace"), facts.c.expired_at.is_(None))
    return select(*FACT_COLUMNS).where(*own, *conditions)


_BELIEVED: Final = Prepared(lambda connection: _believed(listed(connection, facts.c.id, "ids")), primary_key(facts))
_SOURCES: Final = Prepared(
    lambda connection: select(fact_sources).where(
        fact_sources.c.namespace == bindparam("namespace"),
        fact_sources.c.expired_at.is_(None),
        listed(connection, fact_sources.c.fact_id, "ids"),
    )
)
