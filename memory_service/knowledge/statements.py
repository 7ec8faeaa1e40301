"""Facts that somebody states by hand: each is an episode with its extraction, so that it can be cited and erased."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from graph.ids import node_id
from graph.ledger.store import Ledger
from graph.model import Claim, Extraction, Mention
from graph.planner.arrive import check
from graph.predicates import predicate
from graph.stores.sql.schema import fact_sources
from graph.types import TypeRegistry
from memory_service import wire_graph
from memory_service.errors import EpisodeConflict, NotFound
from memory_service.instants import to_micros, to_offset_minutes
from memory_service.knowledge.ids import entity_of
from memory_service.log.episodes import DEFAULT_SESSION, Draft
from memory_service.log.graph import GRAPH, extraction_json, extraction_of
from memory_service.log.schema import records

EXTRACTOR = "stated/1"
_BY_ID = "entity:"
_PHRASES = {"asserts": "{s} {v} {o}", "ends": "{s} no longer {v} {o}", "denies": "{s} never {v} {o}"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact as an episode and what it says."""

    draft: Draft
    extraction: Extraction
    ties: tuple[tuple[str, str], ...]
    """(node, entity): nodes made for an entity that its name does not tell from others."""


def statement(connection: Connection, namespace: str, fact: wire_graph.FactIn, types: TypeRegistry) -> Statement:
    """Raises NotFound for an id that names nobody, InvalidClaim for what cannot be."""
    mentions = [_mention(connection, namespace, fact.subject)]
    target: int | str | None = fact.value
    if fact.object is not None:
        mentions.append(_mention(connection, namespace, fact.object))
        target = 1
    text = fact.sentence or _sentence(fact, mentions)
    claim = Claim(
        subject=0,
        predicate=fact.predicate,
        object=target,
        stance=fact.stance,
        valid_at=None if fact.valid_at is None else to_micros(fact.valid_at),
        invalid_at=None if fact.invalid_at is None else to_micros(fact.invalid_at),
        basis="observed" if fact.valid_at is None else "stated",
        qualifiers=dict(fact.qualifiers or {}),
        start=0,
        end=len(text),
        confidence=fact.confidence,
        rule=EXTRACTOR,
    )
    extraction = types.checked(Extraction(tuple(mentions), (claim,)))
    check(extraction)
    return Statement(_draft(fact, text), extraction, tuple(_ties(namespace, mentions)))


def _ties(namespace: str, mentions: list[Mention]) -> Iterator[tuple[str, str]]:
    for mention in mentions:
        if mention.key is not None and mention.key.startswith(_BY_ID):
            yield node_id(namespace, f"#{mention.key}"), mention.key.removeprefix(_BY_ID)


def _draft(fact: wire_graph.FactIn, text: str) -> Draft:
    return Draft(
        id=fact.id,
        session_id=fact.session_id or DEFAULT_SESSION,
        kind="text",
        role=None,
        speaker=None,
        content=text,
        occurred_at=None if fact.occurred_at is None else to_micros(fact.occurred_at),
        offset_minutes=0 if fact.occurred_at is None else to_offset_minutes(fact.occurred_at),
        metadata="{}",
    )


def _mention(connection: Connection, namespace: str, given: wire_graph.EntityIn) -> Mention:
    attributes = dict(given.attributes or {})
    if given.id is None:
        return Mention(given.name or "", given.type, attributes=attributes)
    ledger = Ledger(connection, namespace)
    actual = entity_of(connection, namespace, given.id, None)
    node = ledger.nodes([actual]).get(actual)
    if node is None:
        raise NotFound(f"No entity {given.id!r} here.")
    # A block with a key from outside is named by it; one that several share cannot be named by its name.
    key = node["block"][1:] if node["block"].startswith("#") else None
    shared = ledger.blocks([node["block"]])[node["block"]]["people"] > 1
    return Mention(node["name"], node["type"], key=f"{_BY_ID}{actual}" if shared else key, attributes=attributes)


def _sentence(fact: wire_graph.FactIn, mentions: list[Mention]) -> str:
    target = fact.value if fact.object is None else mentions[1].name
    kind = predicate(fact.predicate)
    return _PHRASES[fact.stance].format(s=mentions[0].name, v=kind.says, o=target or "").strip()


def refuse_other_fact(connection: Connection, namespace: str, seq: int, extraction: Extraction) -> None:
    """An id that is sent again must say the same. Raises EpisodeConflict."""
    query = select(records.c.payload).where(
        records.c.namespace == namespace, records.c.episode_seq == seq, records.c.kind == GRAPH
    )
    known = connection.execute(query).scalar()
    if known is None or extraction_json(extraction_of(known)) != extraction_json(extraction):
        raise EpisodeConflict("The episode of this id is stored with another fact.")


def facts_from(connection: Connection, namespace: str, episode_id: str) -> list[str]:
    """Ids of the facts that an episode is a source of, as believed now."""
    query = select(fact_sources.c.fact_id).where(
        fact_sources.c.namespace == namespace,
        fact_sources.c.episode_id == episode_id,
        fact_sources.c.expired_at.is_(None),
    )
    return sorted(set(connection.execute(query).scalars()))
