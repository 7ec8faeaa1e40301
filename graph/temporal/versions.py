"""Versions: beliefs are immutable rows. A change expires a row and inserts another (ground rule 4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graph.temporal.timeline import Period


@dataclass(frozen=True, slots=True)
class Diff:
    """What turns the beliefs about a group into others."""

    expired: tuple[str, ...]
    """Fact ids whose open version ends now."""
    begun: tuple[Period, ...]
    """Periods whose version begins now; those of known facts among them."""
    linked: tuple[tuple[str, str], ...]
    """(fact, assertion): sources from now on."""
    unlinked: tuple[tuple[str, str], ...]


def carried(before: Sequence[Period], after: Sequence[Period]) -> Diff:
    """The difference where `after` was made by advancing `before`, whose sources were not loaded."""
    return _diff(before, after, {}, {p.anchor: p.sources for p in after})


def recomputed(before: Sequence[Period], sources: Mapping[str, Sequence[str]], after: Sequence[Period]) -> Diff:
    """The difference to a timeline computed from all its assertions."""
    return _diff(before, after, sources, {p.anchor: p.sources for p in after})


def _diff(
    before: Sequence[Period],
    after: Sequence[Period],
    old_sources: Mapping[str, Iterable[str]],
    new_sources: Mapping[str, Iterable[str]],
) -> Diff:
    old = {p.anchor: _belief(p) for p in before}
    new = {p.anchor: _belief(p) for p in after}
    changed = [p for p in after if old.get(p.anchor) != new[p.anchor]]
    expired = [p.anchor for p in before if p.anchor not in new or old[p.anchor] != new[p.anchor]]
    old_links = {(fact, source) for fact, sources in old_sources.items() for source in sources}
    new_links = {(fact, source) for fact, sources in new_sources.items() for source in sources}
    return Diff(
        expired=tuple(expired),
        begun=tuple(changed),
        linked=tuple(sorted(new_links - old_links)),
        unlinked=tuple(sorted(old_links - new_links)),
    )


def _belief(period: Period) -> Period:
    """The period without its sources, which have versions of their own."""
    return replace(period, sources=())
