"""Reading and writing the ledger of one namespace, on a connection whose transaction the caller owns."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, Table, and_, bindparam, delete, insert, or_, select, update

from graph.ledger.schema import (
    FOLLOWING,
    RAW,
    assertions,
    blocking,
    blocks,
    decisions,
    feed,
    links,
    members,
    mentions,
    nodes,
    tails,
)
from graph.stores.sql.dialect import first_of_each, list_parameter, listed, upsert
from graph.stores.sql.prepared import Prepared, index_on

Row = dict[str, Any]
_PARAMETERS: Final = 500
"""A database takes only so many in one statement."""


class Ledger:
    """The raw rows and what the planner makes of them. `now` hides what was recorded later, so that replays see the past."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.connection = connection
        self.namespace = namespace

    # --- what arrived -----------------------------------------------------------------------------------------------

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Rows that have all of the table's columns."""
        if rows:
            _inserting(table).run_many(self.connection, [{"namespace": self.namespace, **row} for row in rows])

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        upsert(self.connection, table, [{"namespace": self.namespace, **row} for row in rows])

    def recorded(self, table: Table, now: int) -> list[Row]:
        """Rows that were recorded at this moment, in order of arrival."""
        order = [name for name in ("episode_seq", "place", "seq") if name in table.c]
        return sorted(self._found(_recorded_at(table), table, moment=now), key=itemgetter(*order))

    def retracted(self, now: int) -> list[Row]:
        return self._found(_RETRACTED_AT, assertions, moment=now)

    def moments(self) -> list[int]:
        """Every moment at which something was recorded or retracted, in order."""
        found: set[int] = set()
        columns = (mentions.c.recorded_at, assertions.c.recorded_at, assertions.c.retracted_at, decisions.c.recorded_at)
        for column in columns:
            query = select(column).where(column.table.c.namespace == self.namespace, column.is_not(None)).distinct()
            found.update(self.connection.execute(query).scalars())
        return sorted(found)

    # --- names --------------------------------------------------------------------------------------------------------

    def blocks(self, names: Collection[str]) -> dict[str, Row]:
        return {row["block"]: row for row in self._those(blocks, "block", names)}

    def block_mentions(self, block: str, now: int) -> list[Row]:
        rows = self._found(_BLOCK_MENTIONS, mentions, block=block)
        known = [row for row in rows if row["recorded_at"] <= now]
        return sorted(known, key=itemgetter("episode_seq", "place"))

    def nodes(self, ids: Collection[str]) -> dict[str, Row]:
        return {row["id"]: row for row in self._those(nodes, "id", ids)}

    def nodes_named(self, keys: Collection[str]) -> list[Row]:
        return self._those(nodes, "name_key", keys)

    def nodes_in(self, names: Collection[str]) -> list[Row]:
        """Nodes of these blocks."""
        return self._those(nodes, "block", names)

    def nodes_at(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """The nodes of mentions by (episode_seq, place)."""
        rows = self._those(mentions, "episode_seq", {seq for seq, _ in places})
        return {(row["episode_seq"], row["place"]): row["node_id"] for row in rows}

    def place(self, moved: Iterable[tuple[int, int, str]]) -> None:
        """Writes which node a mention stands for: (episode_seq, place, node)."""
        values = [{"namespace": self.namespace, "seq": seq, "at": place, "node": node} for seq, place, node in moved]
        for statement in _PLACE:
            statement.run_many(self.connection, values)

    def episodes_naming(self, node_ids: Collection[str], limit: int) -> list[int]:
        """Seqs of the newest episodes that mention any of the nodes, newest first."""
        found: set[int] = set()
        for node in node_ids:
            query = select(mentions.c.episode_seq).where(
                mentions.c.namespace == self.namespace, mentions.c.node_id == node
            )
            ordered = query.order_by(mentions.c.episode_seq.desc()).limit(limit)
            found.update(self.connection.execute(ordered).scalars())
        return sorted(found, reverse=True)[:limit]

    def candidates(self, keys: Collection[str], limit: int) -> dict[str, list[str]]:
        """Nodes by the blocking keys that they have; of each key at most `limit`, by id."""
        given = {"namespace": self.namespace, "keys": list_parameter(self.connection, sorted(keys)), "most": limit}
        found: dict[str, list[str]] = {}
        for key, node in _CANDIDATES.rows(self.connection, given) if keys else ():
            found.setdefault(key, []).append(node)
        return found

    # --- entities -------------------------------------------------------------------------------------------------------

    def links_of(self, ids: Collection[str]) -> list[Row]:
        return self._those(links, "a", ids) + self._those(links, "b", ids)

    def decisions_of(self, ids: Collection[str], now: int) -> list[Row]:
        found = self._those(decisions, "a", ids) + self._those(decisions, "b", ids)
        return [row for row in found if row["recorded_at"] <= now]

    def aliases_of(self, ids: Collection[str], now: int) -> list[tuple[str, str]]:
        """Pairs of nodes that some text takes for one: whoever a name is given, and the name."""
        if not self.has_aliases():
            return []
        other = mentions.alias()
        pairs = (
            select(mentions.c.node_id, other.c.node_id.label("other_id"))
            .join(
                other,
                and_(
                    other.c.namespace == mentions.c.namespace,
                    other.c.episode_seq == mentions.c.episode_seq,
                    other.c.place == mentions.c.alias_of,
                ),
            )
            .where(
                mentions.c.namespace == self.namespace,
                mentions.c.recorded_at <= now,
                mentions.c.alias_of.is_not(None),
            )
        )
        found: set[tuple[str, str]] = set()
        for part in _parts(ids):
            query = pairs.where(or_(mentions.c.node_id.in_(part), other.c.node_id.in_(part)))
            found.update((row.node_id, row.other_id) for row in self.connection.execute(query))
        return sorted(found)

    def has_aliases(self) -> bool:
        return bool(_ANY_ALIAS.rows(self.connection, {"namespace": self.namespace}))

    def entities_of(self, ids: Collection[str], now: int) -> dict[str, str]:
        """The entity that each node was part of."""
        found = {node: node for node in ids}
        for row in self._those(members, "node_id", ids):
            if _is_open(row, now):
                found[row["node_id"]] = row["entity_id"]
        return found

    def standing_member(self, node: str) -> list[Row]:
        """The row that says whose the node is; none where it stands for itself."""
        return [row for row in self._those(members, "node_id", [node]) if row["expired_at"] is None]

    def nodes_of(self, ids: Collection[str], now: int) -> dict[str, list[str]]:
        """The nodes of each entity, sorted."""
        found: dict[str, set[str]] = {entity: set() for entity in ids}
        elsewhere = self.entities_of(ids, now)
        for entity in ids:
            if elsewhere[entity] == entity:
                found[entity].add(entity)
        for row in self._those(members, "entity_id", ids):
            if _is_open(row, now):
                found[row["entity_id"]].add(row["node_id"])
        return {entity: sorted(own) for entity, own in found.items()}

    # --- assertions -------------------------------------------------------------------------------------------------------

    def assertions(self, ids: Collection[str]) -> list[Row]:
        return self._those(assertions, "id", ids)

    def assertions_of(self, node_ids: Collection[str], now: int) -> list[Row]:
        """Those that have one of these nodes on either side."""
        found = [*self._those(assertions, "subject_node", node_ids), *self._those(assertions, "object_node", node_ids)]
        return list({row["id"]: row for row in found if row["recorded_at"] <= now}.values())

    def group(
        self, subjects: Sequence[str], predicate: str, objects: Sequence[str] | None, literal: str, now: int
    ) -> list[Row]:
        """Assertions of a subject and predicate; where `objects` is given, only those of these nodes or of the literal."""
        given: Row = {"predicate": predicate, "subjects": list_parameter(self.connection, subjects)}
        if objects is None:
            found = self._found(_GROUP, assertions, **given)
        elif objects:
            listed_objects = list_parameter(self.connection, objects)
            found = self._found(_GROUP_OF_OBJECTS, assertions, **given, objects=listed_objects)
        else:
            found = self._found(_GROUP_OF_LITERAL, assertions, **given, literal=literal)
        return [row for row in found if row["recorded_at"] <= now]

    def touching(self, node_ids: Sequence[str], predicate: str, now: int) -> list[Row]:
        """Assertions of a predicate with one of the nodes on either side."""
        given: Row = {"predicate": predicate, "nodes": list_parameter(self.connection, node_ids)}
        found = [row for side in _TOUCHING for row in self._found(side, assertions, **given)]
        return list({row["id"]: row for row in found if row["recorded_at"] <= now}.values())

    def tails(self, keys: Collection[str]) -> dict[str, Row]:
        return {row["group_key"]: row for row in self._those(tails, "group_key", keys)}

    def forget_tails(self, keys: Collection[str]) -> None:
        if keys:
            given = {"namespace": self.namespace, "keys": list_parameter(self.connection, sorted(keys))}
            _FORGET_TAILS.run(self.connection, given)

    def retract(self, ids: Collection[str], now: int) -> None:
        for part in _parts(ids):
            chosen = and_(
                assertions.c.namespace == self.namespace, assertions.c.id.in_(part), assertions.c.retracted_at.is_(None)
            )
            self.connection.execute(update(assertions).where(chosen).values(retracted_at=now))

    # --- what an erasure asks -------------------------------------------------------------------------------------------

    def of_episodes(self, seqs: Collection[int]) -> tuple[list[Row], list[Row]]:
        """Mentions and assertions of episodes."""
        named = self._those(mentions, "episode_seq", seqs)
        return named, self._those(assertions, "episode_seq", seqs)

    def has_witness(self, row: Row) -> bool:
        """Whether an earlier mention told all that this one tells: without this one nothing would be different."""
        if row["alias_of"] is not None or row["attributes"] is not None:
            return False
        same = ("node_id", "name", "type", "evidence", "is_self")
        query = self._of(mentions).where(
            *(mentions.c[name].is_not_distinct_from(row[name]) for name in same),
            mentions.c.recorded_at < row["recorded_at"],
        )
        return self.connection.execute(query.limit(1)).first() is not None

    def named_elsewhere(self, ids: Collection[str], seqs: Collection[int]) -> set[str]:
        """Those of the nodes that other episodes name too."""
        found: set[str] = set()
        for node in ids:
            query = select(mentions.c.episode_seq).where(
                mentions.c.namespace == self.namespace,
                mentions.c.node_id == node,
                mentions.c.episode_seq.not_in(seqs),
            )
            if self.connection.execute(query.limit(1)).first() is not None:
                found.add(node)
        return found

    def ever_with(self, ids: Collection[str]) -> set[str]:
        """Nodes and entities that these were ever part of, or that were ever part of these."""
        rows = self._those(members, "node_id", ids) + self._those(members, "entity_id", ids)
        return {row[side] for row in rows for side in ("node_id", "entity_id")}

    def moves_of(self, ids: Collection[str]) -> set[int]:
        """When any of these nodes changed hands."""
        rows = self._those(members, "node_id", ids)
        return {row[side] for row in rows for side in ("created_at", "expired_at") if row[side] is not None}

    def moved_at(self, now: int) -> set[str]:
        """Nodes that changed hands at this moment."""
        query = self._of(members).where(or_(members.c.created_at == now, members.c.expired_at == now))
        return {row["node_id"] for row in self._rows(query)}

    def decision_moments(self) -> set[int]:
        query = select(decisions.c.recorded_at).where(decisions.c.namespace == self.namespace)
        return set(self.connection.execute(query).scalars())

    def drop_lost_decisions(self) -> list[int]:
        """Deletes decisions on nodes that are no more. Returns their seqs."""
        rows = self._rows(self._of(decisions))
        known = self.nodes({row[side] for row in rows for side in ("a", "b")})
        lost = [row["seq"] for row in rows if row["a"] not in known or row["b"] not in known]
        for part in _parts(lost):
            gone = and_(decisions.c.namespace == self.namespace, decisions.c.seq.in_(part))
            self.connection.execute(delete(decisions).where(gone))
        return lost

    def displace(self, names: Collection[str]) -> None:
        """Takes their nodes from the mentions of these blocks."""
        for part in _parts(names):
            chosen = and_(mentions.c.namespace == self.namespace, mentions.c.block.in_(part))
            self.connection.execute(update(mentions).where(chosen).values(node_id=""))

    # --- letting go -----------------------------------------------------------------------------------------------------

    def forget_episodes(self, seqs: Collection[int]) -> None:
        for table in (mentions, assertions):
            for part in _parts(seqs):
                gone = and_(table.c.namespace == self.namespace, table.c.episode_seq.in_(part))
                self.connection.execute(delete(table).where(gone))

    def forget_nodes(self, ids: Collection[str], names: Collection[str]) -> None:
        """Deletes what follows from these nodes and blocks; the mentions stay."""
        columns = (nodes.c.id, members.c.node_id, blocking.c.node_id, links.c.a, links.c.b)
        for column, values in (*((column, ids) for column in columns), (blocks.c.block, names)):
            for part in _parts(values):
                gone = and_(column.table.c.namespace == self.namespace, column.in_(part))
                self.connection.execute(delete(column.table).where(gone))

    def wipe(self, *, raw: bool) -> None:
        for table in (*FOLLOWING, *(RAW if raw else ())):
            self.connection.execute(delete(table).where(table.c.namespace == self.namespace))

    def tell(self, rows: Sequence[Row]) -> None:
        """Adds keys to the feed of an outside store."""
        self.insert(feed, rows)

    # --- helpers ----------------------------------------------------------------------------------------------------------

    def _of(self, table: Table) -> Select[Any]:
        query: Any = select(table).where(table.c.namespace == self.namespace)
        return query

    def _rows(self, query: Select[Any]) -> list[Row]:
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def _those(self, table: Table, column: str, values: Collection[Any]) -> list[Row]:
        """Rows that have one of the values."""
        if not values:
            return []
        return self._found(_among(table, column), table, among=list_parameter(self.connection, sorted(set(values))))

    def _found(self, statement: Prepared, table: Table, **given: Any) -> list[Row]:
        names = _names(table)
        rows = statement.rows(self.connection, {"namespace": self.namespace, **given})
        return [dict(zip(names, row, strict=True)) for row in rows]


def _is_open(row: Row, now: int) -> bool:
    return row["created_at"] <= now and (row["expired_at"] is None or row["expired_at"] > now)


def _parts(values: Collection[Any]) -> Iterable[list[Any]]:
    ordered = sorted(set(values))
    return (ordered[start : start + _PARAMETERS] for start in range(0, len(ordered), _PARAMETERS))


# --- statements that every episode runs -------------------------------------------------------------------------------


@cache
def _names(table: Table) -> tuple[str, ...]:
    return tuple(table.columns.keys())


def _own(table: Table) -> Select[Any]:
    query: Any = select(table).where(table.c.namespace == bindparam("namespace"))
    return query


@cache
def _inserting(table: Table) -> Prepared:
    return Prepared(lambda _: insert(table).values({name: bindparam(name) for name in _names(table)}))


@cache
def _among(table: Table, column: str) -> Prepared:
    is_key = list(table.primary_key.columns)[1].name == column
    return Prepared(
        lambda connection: _own(table).where(listed(connection, table.c[column], "among")),
        None if is_key else index_on(table, column),
    )


@cache
def _recorded_at(table: Table) -> Prepared:
    by = index_on(table, "recorded_at") if table is not decisions else None
    return Prepared(lambda _: _own(table).where(table.c.recorded_at == bindparam("moment")), by)


_RETRACTED_AT: Final = Prepared(
    lambda _: _own(assertions).where(assertions.c.retracted_at == bindparam("moment")),
    index_on(assertions, "retracted_at"),
)
_BLOCK_MENTIONS: Final = Prepared(
    lambda _: _own(mentions).where(mentions.c.block == bindparam("block")), index_on(mentions, "block")
)
_ANY_ALIAS: Final = Prepared(
    lambda _: (
        select(mentions.c.place)
        .where(mentions.c.namespace == bindparam("namespace"), mentions.c.alias_of.is_not(None))
        .limit(1)
    )
)
_CANDIDATES: Final = Prepared(
    lambda connection: first_of_each(connection, blocking, "blocking_key", "node_id", keys="keys", limit="most")
)
_FORGET_TAILS: Final = Prepared(
    lambda connection: delete(tails).where(
        tails.c.namespace == bindparam("namespace"), listed(connection, tails.c.group_key, "keys")
    )
)


def _placing(table: Table, place: Column[Any], node: str) -> Prepared:
    here = and_(table.c.namespace == bindparam("namespace"), table.c.episode_seq == bindparam("seq"))
    return Prepared(lambda _: update(table).where(here, place == bindparam("at")).values({node: bindparam("node")}))


_PLACE: Final = (
    _placing(mentions, mentions.c.place, "node_id"),
    _placing(assertions, assertions.c.subject_place, "subject_node"),
    _placing(assertions, assertions.c.object_place, "object_node"),
)


def _grouped(side: str, *conditions: Callable[[Connection], Any]) -> Prepared:
    """Of one predicate, found by the nodes on one side."""
    same = assertions.c.predicate == bindparam("predicate")
    return Prepared(
        lambda connection: _own(assertions).where(*(each(connection) for each in conditions), same),
        index_on(assertions, side),
    )


def _one_of(side: Column[Any], name: str) -> Callable[[Connection], Any]:
    return lambda connection: listed(connection, side, name)


_OF_SUBJECTS: Final = _one_of(assertions.c.subject_node, "subjects")
_GROUP: Final = _grouped("subject_node", _OF_SUBJECTS)
_GROUP_OF_OBJECTS: Final = _grouped("subject_node", _OF_SUBJECTS, _one_of(assertions.c.object_node, "objects"))
_GROUP_OF_LITERAL: Final = _grouped(
    "subject_node",
    _OF_SUBJECTS,
    lambda _: and_(assertions.c.object_node.is_(None), assertions.c.literal_key == bindparam("literal")),
)
_TOUCHING: Final = (
    _grouped("subject_node", _one_of(assertions.c.subject_node, "nodes")),
    _grouped("object_node", _one_of(assertions.c.object_node, "nodes")),
)
