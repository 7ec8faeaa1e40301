"""The graph in the log: extractions, retractions and merges are records; the graph's tables follow from them.

Everything here runs in the writer's transaction, so that a record and what it means are committed together.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select, update

from graph.ledger.schema import FOLLOWING, RAW, feed
from graph.model import Extraction, Source
from graph.planner import Planner
from graph.planner.erase import erase_episodes
from graph.rows import Changes
from graph.stores.sql.schema import TABLES, entities, fact_sources, facts, positions
from memory_service.log.schema import AnyRow, episodes, records
from memory_service.log.text import searchable_text
from memory_service.log.writer import Transaction

GRAPH: Final = "graph"
MERGE: Final = "merge"
RETRACTION: Final = "retraction"
NO_EPISODE: Final = 0
"""What merges and retractions have for an episode's seq: people make them, not episodes."""

_ROWS: Final = 1_000
_EXTRACTIONS: Final = TypeAdapter(Extraction)
_DERIVED: Final = (*RAW, *FOLLOWING, *TABLES)


# --- extractions as JSON ----------------------------------------------------------------------------------------------


def extraction_json(extraction: Extraction) -> str:
    """What is not said is left out: most episodes say little."""
    return _EXTRACTIONS.dump_json(extraction, exclude_defaults=True).decode()


def extraction_of(payload: str | bytes) -> Extraction:
    """Raises ValueError (pydantic's ValidationError) for what is none."""
    return _EXTRACTIONS.validate_json(payload)


def source_of(row: AnyRow) -> Source:
    """The episode's row as the graph needs it."""
    return Source(
        id=row.id,
        seq=row.seq,
        session_id=row.session_id,
        text=searchable_text(row.kind, row.content),
        speaker=row.speaker,
        role=row.role,
        occurred_at=row.occurred_at,
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def planner(tx: Transaction, namespace: str) -> Planner:
    """A planner in this transaction; what it changes is told to a graph store outside, if there is one."""
    tell = _teller(tx.connection, namespace) if tx.feeds_graph else None
    return Planner(tx.connection, namespace, tell) if tell else Planner(tx.connection, namespace)


def add_extractions(tx: Transaction, namespace: str, extractions: dict[int, Extraction]) -> None:
    """Makes what episodes say part of the graph. Raises InvalidClaim."""
    planner(tx, namespace).add(_with_sources(tx.connection, extractions), tx.recorded_at)


def _with_sources(connection: Connection, extractions: dict[int, Extraction]) -> list[tuple[Source, Extraction]]:
    rows = connection.execute(select(episodes).where(episodes.c.seq.in_(extractions)).order_by(episodes.c.seq))
    return [(source_of(row), extractions[row.seq]) for row in rows]


@dataclass(frozen=True, slots=True)
class Retraction:
    """That a fact is believed no more: all claims that it came from are taken back."""

    fact_id: str
    assertion_ids: list[str]
    reason: str


def retract(tx: Transaction, namespace: str, retraction: Retraction) -> None:
    _record(tx, namespace, RETRACTION, asdict(retraction))
    planner(tx, namespace).retract(retraction.assertion_ids, tx.recorded_at)


@dataclass(frozen=True, slots=True)
class Merge:
    """That two entities are one, or that they are not."""

    a: str
    b: str
    is_same: bool
    reason: str


def merge(tx: Transaction, namespace: str, decision: Merge) -> None:
    seq = _record(tx, namespace, MERGE, asdict(decision))
    planner(tx, namespace).decide(
        decision.a, decision.b, seq, tx.recorded_at, is_same=decision.is_same, reason=decision.reason
    )


def _record(tx: Transaction, namespace: str, kind: str, payload: dict[str, Any]) -> int:
    seq = tx.next_seq(namespace)
    row = {
        "seq": seq,
        "namespace": namespace,
        "kind": kind,
        "episode_seq": NO_EPISODE,
        "extractor": "",
        "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
        "vectors": None,
        "created_at": tx.recorded_at,
        "recorded_at": tx.recorded_at,
    }
    tx.connection.execute(insert(records), row)
    return seq


# --- erasing ----------------------------------------------------------------------------------------------------------


def erase(tx: Transaction, namespace: str, seqs: Sequence[int]) -> None:
    """Takes episodes out of the graph; their records and rows are the caller's."""
    gone = erase_episodes(planner(tx, namespace), seqs)
    if gone.decisions:
        tx.connection.execute(delete(records).where(records.c.seq.in_(gone.decisions)))
    _forget_retracted(tx, namespace, set(gone.assertions))


def _forget_retracted(tx: Transaction, namespace: str, assertions: set[str]) -> None:
    """Retractions let go of claims that are no more; one that is left with none goes too."""
    if not assertions:
        return
    query = select(records).where(records.c.namespace == namespace, records.c.kind == RETRACTION)
    for row in tx.connection.execute(query).all():
        payload = json.loads(row.payload)
        left = [made for made in payload["assertion_ids"] if made not in assertions]
        if not left:
            tx.connection.execute(delete(records).where(records.c.seq == row.seq))
        elif len(left) < len(payload["assertion_ids"]):
            body = json.dumps({**payload, "assertion_ids": left}, ensure_ascii=False, separators=(",", ":"))
            tx.connection.execute(update(records).where(records.c.seq == row.seq).values(payload=body))


def erase_namespace(tx: Transaction, namespace: str) -> None:
    for table in (*_DERIVED, feed):
        tx.connection.execute(delete(table).where(table.c.namespace == namespace))
    if tx.feeds_graph:
        tx.connection.execute(insert(feed), {"namespace": namespace, "kind": "drop", "row_key": "[]"})


# --- rebuilding -------------------------------------------------------------------------------------------------------


def rebuild(connection: Connection, tell: Callable[[int], None] = lambda _done: None) -> None:
    """Wipes every graph and makes it again from the records, each namespace moment by moment."""
    for table in (*_DERIVED, feed, positions):
        connection.execute(delete(table))
    names = {
        row.namespace
        for row in connection.execute(select(records.c.namespace).where(records.c.kind.in_(_KINDS)).distinct())
    }
    for name in sorted(names):
        own = Planner(connection, name)
        _keep_records(connection, own)
        for done, moment in enumerate(own.ledger.moments(), 1):
            own.process(moment)
            tell(done)


_KINDS: Final = (GRAPH, MERGE, RETRACTION)


def _keep_records(connection: Connection, own: Planner) -> None:
    after = 0
    while rows := _records(connection, own.ledger.namespace, after):
        after = rows[-1].seq
        for row in rows:
            _keep(connection, own, row)


def _records(connection: Connection, namespace: str, after: int) -> Sequence[AnyRow]:
    query = select(records).where(
        records.c.namespace == namespace, records.c.kind.in_(_KINDS), records.c.seq > after, records.c.payload != "{}"
    )
    return connection.execute(query.order_by(records.c.seq).limit(_ROWS)).all()


def _keep(connection: Connection, own: Planner, row: AnyRow) -> None:
    if row.kind == GRAPH:
        extraction = extraction_of(row.payload)
        own.keep(_with_sources(connection, {row.episode_seq: extraction}), row.recorded_at)
        return
    payload = json.loads(row.payload)
    if row.kind == MERGE:
        own.keep_decision(
            payload["a"],
            payload["b"],
            row.seq,
            row.recorded_at,
            is_same=payload["is_same"],
            reason=payload["reason"],
        )
    else:
        own.ledger.retract(payload["assertion_ids"], row.recorded_at)


# --- the feed of a store outside --------------------------------------------------------------------------------------


def _teller(connection: Connection, namespace: str) -> Callable[[Changes], None]:
    """Writes down the keys of changed rows; what they hold is looked up when the store is told."""

    def tell(changes: Changes) -> None:
        keys = [
            *(("entity", row.key) for row in changes.entities),
            *(("entity", key) for key in changes.gone_entities),
            *(("fact", row.key) for row in changes.facts),
            *(("fact", key) for key in changes.gone_facts),
            *(("source", row.key) for row in changes.sources),
            *(("source", key) for key in changes.gone_sources),
        ]
        rows = [{"namespace": namespace, "kind": kind, "row_key": json.dumps(key)} for kind, key in keys]
        if rows:
            connection.execute(insert(feed), rows)

    return tell


def feed_everything(connection: Connection, namespace: str) -> None:
    """Puts every version of a namespace into the feed, after an order to drop what the store holds of it."""
    connection.execute(delete(feed).where(feed.c.namespace == namespace))
    connection.execute(insert(feed), {"namespace": namespace, "kind": "drop", "row_key": "[]"})
    columns: Iterable[tuple[str, Any, tuple[str, ...]]] = (
        ("entity", entities, ("id", "created_at")),
        ("fact", facts, ("id", "created_at")),
        ("source", fact_sources, ("fact_id", "assertion_id", "created_at")),
    )
    for kind, table, names in columns:
        query = select(*(table.c[name] for name in names)).where(table.c.namespace == namespace)
        keys = [list(row) for row in connection.execute(query)]
        for start in range(0, len(keys), _ROWS):
            part = keys[start : start + _ROWS]
            rows = [{"namespace": namespace, "kind": kind, "row_key": json.dumps(key)} for key in part]
            connection.execute(insert(feed), rows)
