"""Writing to the graph by hand: stating, retracting, merging and undoing a merge, each in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from graph.errors import InvalidClaim
from graph.ledger.store import Ledger
from graph.stores.sql.schema import fact_sources, facts
from graph.types import TypeRegistry
from memory_service import wire_graph
from memory_service.errors import Conflict, Invalid, NotFound
from memory_service.knowledge.ids import FOREVER, entity_of
from memory_service.knowledge.statements import EXTRACTOR, Statement, facts_from, refuse_other_fact, statement
from memory_service.log import graph
from memory_service.log.episodes import append
from memory_service.log.graph import GRAPH
from memory_service.log.outbox import Dispatcher
from memory_service.log.records import Extract, write_records
from memory_service.log.writer import Transaction


@dataclass(frozen=True, slots=True)
class Stages:
    """Where new episodes enter the pipeline."""

    first: tuple[str, int]
    dispatcher: Dispatcher
    types: TypeRegistry


def state(tx: Transaction, namespace: str, request: wire_graph.FactsIn, stages: Stages) -> wire_graph.FactsResponse:
    """Stores each fact as an episode with its extraction. All or none."""
    made = [_statement(tx, namespace, index, fact, stages.types) for index, fact in enumerate(request.facts)]
    before = tx.seq
    receipts = append(tx, namespace, [each.draft for each in made], stages.first, stages.dispatcher)
    extracts: dict[int, Extract] = {}
    for receipt, each in zip(receipts, made, strict=True):
        if receipt.seq > before and receipt.seq not in extracts:
            extracts[receipt.seq] = Extract(namespace, receipt.seq, receipt.id, GRAPH, EXTRACTOR, each.extraction)
        else:
            _refuse_other(tx, namespace, receipt.seq, extracts, each)
    write_records(tx, list(extracts.values()))
    for node, entity in {tie for each in made for tie in each.ties}:
        if entity_of(tx.connection, namespace, node, None) != entity:
            graph.merge(tx, namespace, graph.Merge(node, entity, True, "stated of this entity"))
    answered = [
        wire_graph.FactReceipt(episode_id=r.id, fact_ids=facts_from(tx.connection, namespace, r.id)) for r in receipts
    ]
    return wire_graph.FactsResponse(facts=answered, seq=tx.seq if extracts else max(r.seq for r in receipts))


def _refuse_other(tx: Transaction, namespace: str, seq: int, extracts: dict[int, Extract], each: Statement) -> None:
    if seq in extracts:
        if extracts[seq].payload != each.extraction:
            raise Conflict("Two facts of one request have the same id and differ.")
    else:
        refuse_other_fact(tx.connection, namespace, seq, each.extraction)


def _statement(tx: Transaction, namespace: str, index: int, fact: wire_graph.FactIn, types: TypeRegistry) -> Statement:
    try:
        return statement(tx.connection, namespace, fact, types)
    except InvalidClaim as error:
        raise Invalid(str(error), errors=[{"pointer": f"/facts/{index}", "detail": str(error)}]) from None


def retract(tx: Transaction, namespace: str, fact_id: str, reason: str) -> int:
    """Takes back every claim that the fact comes from. Raises NotFound."""
    believed = select(facts.c.id).where(
        facts.c.namespace == namespace, facts.c.id == fact_id, facts.c.expired_at.is_(None)
    )
    if tx.connection.execute(believed).first() is None:
        raise NotFound(f"No fact {fact_id!r} is believed here.")
    query = select(fact_sources.c.assertion_id).where(
        fact_sources.c.namespace == namespace, fact_sources.c.fact_id == fact_id, fact_sources.c.expired_at.is_(None)
    )
    sources = sorted(tx.connection.execute(query).scalars())
    graph.retract(tx, namespace, graph.Retraction(fact_id, sources, reason))
    return tx.seq


def merge(tx: Transaction, namespace: str, a: str, b: str, reason: str) -> str:
    """Makes two entities one. Returns its id. Raises NotFound, Invalid."""
    if _known(tx, namespace, a) == _known(tx, namespace, b):
        raise Invalid(f"{a!r} and {b!r} are one entity already.")
    # Of the ids as they were given, not of what they stand for now: so the undoing of one merge in a chain cuts it there.
    graph.merge(tx, namespace, graph.Merge(a, b, True, reason))
    return entity_of(tx.connection, namespace, a, None)


def split(tx: Transaction, namespace: str, a: str, b: str, reason: str) -> Sequence[str]:
    """Undoes a merge, the service's own or somebody's: `a` and `b` name what is to be two. Raises NotFound, Invalid."""
    _known(tx, namespace, a)
    _known(tx, namespace, b)
    if a == b or entity_of(tx.connection, namespace, a, None) != entity_of(tx.connection, namespace, b, None):
        raise Invalid(f"{a!r} and {b!r} are not one entity.")
    graph.merge(tx, namespace, graph.Merge(a, b, False, reason))
    return [entity_of(tx.connection, namespace, each, None) for each in (a, b)]


def _known(tx: Transaction, namespace: str, entity_id: str) -> str:
    """The entity that the id stands for now."""
    ledger = Ledger(tx.connection, namespace)
    if entity_id not in ledger.nodes([entity_id]):
        raise NotFound(f"No entity {entity_id!r} here.")
    return ledger.entities_of([entity_id], FOREVER)[entity_id]
