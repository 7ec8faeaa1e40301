"""The graph in the log: extractions, retractions and merges are records; the graph's tables follow from them.

Everything here runs in the writer's transaction, so that a record and what it means are committed together.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from graph.ids import assertion_id, node_id
from graph.ledger.schema import FOLLOWING, RAW, blocks, mentions, nodes
from graph.ledger.store import Ledger
from graph.model import Extraction, Source
from graph.planner import Planner
from graph.planner.erase import erase_episodes
from graph.stores.sql.schema import TABLES, facts
from memory_service.log import feed
from memory_service.log.schema import AnyRow, episodes, outbox, records
from memory_service.log.text import searchable_text
from memory_service.log.writer import Transaction

GRAPH: Final = "graph"
MERGE: Final = "merge"
RETRACTION: Final = "retraction"
NO_EPISODE: Final = 0
"""What merges and retractions have for an episode's seq: people make them, not episodes."""

_ROWS: Final = 1_000
_ALWAYS: Final = 2**62
_EXTRACTIONS: Final = TypeAdapter(Extraction)
_DERIVED: Final = (*RAW, *FOLLOWING, *TABLES)


# --- extractions as JSON ----------------------------------------------------------------------------------------------


def extraction_json(extraction: Extraction) -> str:
    """What is not said is left out: most episodes say little."""
    return _EXTRACTIONS.dump_json(extraction, exclude_defaults=True).decode()


def extraction_of(payload: str | bytes) -> Extraction:
    """Raises ValueError (pydantic's ValidationError) for what is none."""
    return _EXTRACTIONS.validate_json(payload, strict=True)


_SAYS_NOTHING: Final = extraction_json(Extraction((), ()))


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
    tell = feed.teller(tx.connection, namespace) if tx.feeds_graph else None
    return Planner(tx.connection, namespace, tell) if tell else Planner(tx.connection, namespace)


def add_extractions(tx: Transaction, namespace: str, extractions: dict[int, Extraction]) -> None:
    """Makes what episodes say part of the graph. Raises InvalidClaim."""
    planner(tx, namespace).add(_with_sources(tx.connection, extractions), tx.recorded_at)


def _with_sources(connection: Connection, extractions: Mapping[int, Extraction]) -> list[tuple[Source, Extraction]]:
    rows = connection.execute(select(episodes).where(episodes.c.seq.in_(extractions)).order_by(episodes.c.seq))
    return [(source_of(row), extractions[row.seq]) for row in rows]


def _parts(extractions: Mapping[int, Extraction]) -> Iterator[dict[int, Extraction]]:
    items = iter(extractions.items())
    while part := dict(islice(items, _ROWS)):
        yield part


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


# --- moving -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaimName:
    """A claim (or a mention) by its episode and its place there: ids differ from namespace to namespace, these do not."""

    episode_id: str
    place: int

    @property
    def atom(self) -> str:
        return f"{self.episode_id}#{self.place}"


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node by its name's key; one of several who share it also by the mention that it is told apart by."""

    block: str
    mention: ClaimName | None = None

    def id(self, namespace: str) -> str:
        return node_id(namespace, self.block, "" if self.mention is None else self.mention.atom)


@dataclass(frozen=True, slots=True)
class NamedMerge:
    """A merge that means the same in every namespace."""

    a: NodeName
    b: NodeName
    is_same: bool
    reason: str

    @property
    def pair(self) -> frozenset[NodeName]:
        return frozenset((self.a, self.b))


@dataclass(frozen=True, slots=True)
class NamedRetraction:
    """A retraction that means the same in every namespace."""

    fact: ClaimName
    claims: list[ClaimName]
    reason: str


Named: TypeAlias = NamedMerge | NamedRetraction


def words(connection: Connection, namespace: str) -> Iterator[Named]:
    """What people said of a namespace's graph, in the order in which they did."""
    query = select(records).where(records.c.namespace == namespace, records.c.kind.in_((MERGE, RETRACTION)))
    for row in connection.execute(query.order_by(records.c.seq)).all():
        payload = json.loads(row.payload)
        found = _named_merge if row.kind == MERGE else _named_retraction
        if (named := found(connection, namespace, payload)) is not None:
            yield named


def _named_merge(connection: Connection, namespace: str, payload: dict[str, Any]) -> NamedMerge | None:
    a, b = (_node_name(connection, namespace, payload[side]) for side in ("a", "b"))
    return None if a is None or b is None else NamedMerge(a, b, payload["is_same"], payload["reason"])


def _node_name(connection: Connection, namespace: str, node: str) -> NodeName | None:
    """None for a node that no mention leads to: no name would bring it back."""
    query = select(nodes.c.block).where(nodes.c.namespace == namespace, nodes.c.id == node)
    block = connection.execute(query).scalar()
    if block is not None and (name := NodeName(block)).id(namespace) == node:
        return name
    # Of a name that several share. The node itself may be gone: who is told apart by which mention changes with what is told.
    shared = select(blocks.c.block).where(blocks.c.namespace == namespace, blocks.c.people > 1)
    for candidate in [block] if block is not None else connection.execute(shared).scalars().all():
        query = select(mentions.c.episode_id, mentions.c.place).where(
            mentions.c.namespace == namespace, mentions.c.block == candidate
        )
        names = (NodeName(candidate, ClaimName(row.episode_id, row.place)) for row in connection.execute(query))
        if (name := next((name for name in names if name.id(namespace) == node), None)) is not None:
            return name
    return None


def _named_retraction(connection: Connection, namespace: str, payload: dict[str, Any]) -> NamedRetraction | None:
    found = Ledger(connection, namespace).assertions([payload["fact_id"], *payload["assertion_ids"]])
    names = {row["id"]: ClaimName(row["episode_id"], row["place"]) for row in found}
    claims = [names[made] for made in payload["assertion_ids"] if made in names]
    return NamedRetraction(names.get(payload["fact_id"], claims[0]), claims, payload["reason"]) if claims else None


def add_imported(
    tx: Transaction,
    namespace: str,
    extractions: Mapping[int, Extraction],
    said: Sequence[Named],
) -> int:
    """Makes what an import brings part of the graph, all at one moment.

    `said`: what people said of it, in order. Returns how much of that was new.
    """
    own = planner(tx, namespace)
    for part in _parts(extractions):
        own.keep(_with_sources(tx.connection, part), tx.recorded_at)
    merges = _new_merges(own.ledger, [word for word in said if isinstance(word, NamedMerge)])
    new = 0
    for word in said:
        if isinstance(word, NamedRetraction):
            new += _import_retraction(tx, own, word)
        elif word.pair in merges:
            new += _import_merge(tx, own, word)
    if extractions or new:
        own.process(tx.recorded_at)
    return new


def _new_merges(ledger: Ledger, merges: Sequence[NamedMerge]) -> set[frozenset[NodeName]]:
    """Pairs on which the last word here is another: a file that is imported twice says nothing new."""
    last = {decision.pair: decision.is_same for decision in merges}
    pairs = {pair: frozenset(name.id(ledger.namespace) for name in pair) for pair in last}
    stored: dict[frozenset[str], bool] = {}
    for row in sorted(ledger.decisions_of(set[str]().union(*pairs.values()), _ALWAYS), key=lambda row: row["seq"]):
        stored[frozenset((row["a"], row["b"]))] = bool(row["is_same"])
    return {pair for pair, is_same in last.items() if stored.get(pairs[pair]) != is_same}


def _import_merge(tx: Transaction, own: Planner, named: NamedMerge) -> bool:
    """False where an episode that names one of them is here already and was read differently."""
    if not all(_is_named(tx.connection, own.ledger.namespace, name) for name in named.pair):
        return False
    namespace = own.ledger.namespace
    made = Merge(named.a.id(namespace), named.b.id(namespace), named.is_same, named.reason)
    seq = _record(tx, namespace, MERGE, asdict(made))
    own.keep_decision(made.a, made.b, seq, tx.recorded_at, is_same=made.is_same, reason=made.reason)
    return True


def _is_named(connection: Connection, namespace: str, name: NodeName) -> bool:
    query = select(mentions.c.place).where(mentions.c.namespace == namespace, mentions.c.block == name.block)
    if name.mention is not None:
        query = query.where(mentions.c.episode_id == name.mention.episode_id, mentions.c.place == name.mention.place)
    return connection.execute(query.limit(1)).first() is not None


def _import_retraction(tx: Transaction, own: Planner, named: NamedRetraction) -> bool:
    namespace = own.ledger.namespace
    ids = [assertion_id(namespace, claim.episode_id, claim.place) for claim in named.claims]
    known = {row["id"]: row["retracted_at"] for row in own.ledger.assertions(ids)}
    if all(retracted_at is not None for retracted_at in known.values()):
        return False
    fact_id = assertion_id(namespace, named.fact.episode_id, named.fact.place)
    _record(
        tx, namespace, RETRACTION, asdict(Retraction(fact_id, [made for made in ids if made in known], named.reason))
    )
    own.ledger.retract(known, tx.recorded_at)
    return True


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
            gone = payload["fact_id"] in assertions
            fact_id = _first(tx.connection, namespace, left) if gone else payload["fact_id"]
            body = {**payload, "fact_id": fact_id, "assertion_ids": left}
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            tx.connection.execute(update(records).where(records.c.seq == row.seq).values(payload=text))


def _first(connection: Connection, namespace: str, assertion_ids: Sequence[str]) -> str:
    """The claim that arrived first: what a fact of these is named after."""
    found = Ledger(connection, namespace).assertions(assertion_ids)
    return min(found, key=lambda row: (row["episode_seq"], row["place"]))["id"]


def erase_namespace(tx: Transaction, namespace: str) -> None:
    for table in _DERIVED:
        tx.connection.execute(delete(table).where(table.c.namespace == namespace))
    if tx.feeds_graph:
        feed.tell_drop(tx.connection, namespace)


# --- rebuilding -------------------------------------------------------------------------------------------------------


def rebuild(tx: Transaction, tell: Callable[[int], None] = lambda _more: None) -> None:
    """Wipes every graph and makes it again from the records, each namespace moment by moment.

    `tell(more)` is called with the number of records done since the last call, of those that `count` counts.
    """
    for table in _DERIVED:
        tx.connection.execute(delete(table))
    for name in sorted(tx.connection.execute(select(records.c.namespace).where(_says_something).distinct()).scalars()):
        own = Planner(tx.connection, name)
        for rows in _pages(tx.connection, name):
            for row in rows:
                _keep(tx.connection, own, row)
        _process(tx.connection, own, tell)
        if tx.feeds_graph:
            feed.tell_everything(tx.connection, name)


def _process(connection: Connection, own: Planner, tell: Callable[[int], None]) -> None:
    """Every moment of the kept records: in the log's order no time goes back."""
    moment = None
    for rows in _pages(connection, own.ledger.namespace):
        for row in rows:
            if row.recorded_at != moment:
                moment = row.recorded_at
                own.process(moment)
        tell(len(rows))


@dataclass(frozen=True, slots=True)
class Audit:
    """How the graph's tables agree with the log, over all namespaces."""

    episodes: int
    """That were read."""
    facts: int
    """Believed now."""
    lost: int
    """Episodes of which the log says more than the tables."""
    stray: int
    """Episodes of which the tables say something and the log nothing."""
    unread: int
    """Episodes with a note that nobody has read and nobody will."""


def audit(connection: Connection) -> Audit:
    def counted(query: Select[Any]) -> int:
        return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()

    read = select(records.c.episode_seq).where(records.c.kind == GRAPH)
    named = select(mentions.c.episode_seq).where(mentions.c.episode_seq == records.c.episode_seq)
    noted = records.alias()
    jobs = select(outbox.c.episode_seq)
    return Audit(
        episodes=counted(read),
        facts=counted(select(facts.c.id).where(facts.c.expired_at.is_(None))),
        lost=counted(read.where(_says_something, ~named.where(mentions.c.namespace == records.c.namespace).exists())),
        stray=counted(select(mentions.c.episode_seq).where(mentions.c.episode_seq.not_in(read)).distinct()),
        unread=counted(
            select(noted.c.episode_seq).where(
                noted.c.kind == "note", noted.c.episode_seq.not_in(read), noted.c.episode_seq.not_in(jobs)
            )
        ),
    )


def count(connection: Connection) -> int:
    """How many records a rebuild makes the graphs from."""
    return connection.execute(select(func.count()).select_from(records).where(_says_something)).scalar_one()


_says_something: Final = records.c.kind.in_((GRAPH, MERGE, RETRACTION)) & records.c.payload.not_in(
    ("{}", _SAYS_NOTHING)
)


def _pages(connection: Connection, namespace: str) -> Iterator[Sequence[AnyRow]]:
    after = 0
    query = select(records).where(records.c.namespace == namespace, _says_something).order_by(records.c.seq)
    while rows := connection.execute(query.where(records.c.seq > after).limit(_ROWS)).all():
        after = rows[-1].seq
        yield rows


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
