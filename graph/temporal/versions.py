"""Versions: beliefs are immutable rows. A change expires a row and inserts another (ground rule 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graph.rows import Changes, FactVersion, SourceVersion


def change_facts(before: Iterable[FactVersion], after: Iterable[FactVersion], now: int, changes: Changes) -> None:
    """Adds what turns the believed versions into others from `now` on. What began and ended at once was never believed."""
    wanted = {version.id: replace(version, created_at=now, expired_at=None) for version in after}
    for version in before:
        if wanted.get(version.id) == replace(version, created_at=now):
            del wanted[version.id]
        elif version.created_at == now:
            changes.gone_facts.append(version.key)
        else:
            changes.facts.append(replace(version, expired_at=now))
    changes.facts += wanted.values()


def change_sources(
    before: Iterable[SourceVersion], after: Mapping[tuple[str, str], str], now: int, changes: Changes
) -> None:
    """The same for sources: `after` maps (fact, assertion) to the episode."""
    wanted = dict(after)
    for version in before:
        if wanted.pop((version.fact_id, version.assertion_id), None) is not None:
            continue
        if version.created_at == now:
            changes.gone_sources.append(version.key)
        else:
            changes.sources.append(replace(version, expired_at=now))
    changes.sources += [SourceVersion(fact, made, episode, now, None) for (fact, made), episode in wanted.items()]
