"""Versions of the graph as the contract's models."""

from collections.abc import Mapping, Sequence

from graph.rows import EntityVersion, FactVersion
from memory_service import wire_graph as wire
from memory_service.instants import from_micros, within_calendar


def entity(namespace: str, version: EntityVersion, summary: str) -> wire.Entity:
    return wire.Entity(
        id=version.id,
        namespace=namespace,
        name=version.name,
        type=version.type,
        aliases=[alias for alias in version.aliases if alias != version.name],
        attributes=dict(version.attributes),
        summary=summary,
        first_known_at=from_micros(version.first_at),
        created_at=from_micros(version.created_at),
        expired_at=None if version.expired_at is None else from_micros(version.expired_at),
    )


def facts(versions: Sequence[FactVersion], sources: Mapping[str, Sequence[str]]) -> list[wire.Fact]:
    return [fact(version, sources.get(version.id, ())) for version in versions]


def fact(version: FactVersion, episode_ids: Sequence[str]) -> wire.Fact:
    is_entity = version.object_id is not None
    closing = None
    if version.closed_by is not None and version.close_rule is not None:
        closing = wire.Closing(rule=version.close_rule, episode_id=version.closed_by)  # type: ignore[arg-type]
    return wire.Fact(
        id=version.id,
        subject=wire.EntityRef(id=version.subject_id, name=version.subject_name),
        predicate=version.predicate,
        object=wire.EntityRef(id=version.object_id, name=version.object_text) if version.object_id else None,
        value=None if is_entity else version.object_text,
        text=version.text,
        sentence=version.sentence,
        qualifiers=dict(version.qualifiers),
        valid_at=None if version.valid_at is None else within_calendar(version.valid_at),
        invalid_at=None if version.invalid_at is None else within_calendar(version.invalid_at),
        valid_at_basis=version.basis,
        valid_at_precision=version.precision,
        created_at=from_micros(version.created_at),
        expired_at=None if version.expired_at is None else from_micros(version.expired_at),
        confidence=version.confidence,
        episode_ids=list(episode_ids),
        extractor=version.rule,
        closed_by=closing,
    )
