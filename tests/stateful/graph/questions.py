"""Every question of a view, asked of the model too."""

from collections.abc import Iterable
from itertools import pairwise
from math import inf

from graph.rows import FactVersion
from graph.stores.port import EntityFilter, FactFilter, GraphView, Moment
from graph.temporal.assertion import UNBOUNDED
from tests.stateful.graph.model import Belief, Model, Spell

ALL = 10_000


def belief_of(version: FactVersion, sources: Iterable[str] = ()) -> Belief:
    """The version in the model's words."""
    return Belief(
        id=version.id,
        subject=version.subject_id,
        predicate=version.predicate,
        target=version.object_id,
        literal="" if version.object_id else version.object_text,
        since=-inf if version.valid_at is None else version.valid_at,
        until=inf if version.invalid_at is None else -inf if version.invalid_at == UNBOUNDED else version.invalid_at,
        basis=version.basis,
        precision=version.precision,
        extras=version.qualifiers,  # type: ignore[arg-type]
        sentence=version.sentence,
        confidence=version.confidence,
        rule=version.rule,
        closed_by=version.closed_by,
        close_rule=version.close_rule,
        sources=frozenset(sources),
    )


def ordered(beliefs: Iterable[Belief]) -> list[Belief]:
    return sorted(beliefs, key=lambda belief: (-belief.since, belief.id))


def known(model: Model, known_at: int | None) -> list[Belief]:
    return ordered(model.beliefs(inf if known_at is None else known_at))


def instants(model: Model) -> list[int]:
    """All bounds of what was ever believed, a little before and after them, and between."""
    beliefs = [belief for at in [*model.moments(), inf] for belief in model.beliefs(at)]
    bounds = sorted({int(t) for b in beliefs for t in (b.since, b.until) if abs(t) != inf})
    between = [(one + other) // 2 for one, other in pairwise(bounds)]
    return sorted({t + step for t in bounds for step in (-1, 0, 1)} | set(between) | {0})


def moments(model: Model) -> list[int | None]:
    """All known_at that tell something apart: each moment, before it, and now."""
    return [*sorted({at + step for at in model.moments() for step in (-1, 0)}), None]


# --- questions --------------------------------------------------------------------------------------------------------


def assert_same_beliefs(view: GraphView, model: Model, known_at: int | None) -> None:
    """Facts of every time with their sources and names, and who is who."""
    wanted = known(model, known_at)
    found = view.facts(FactFilter(), Moment(None, known_at), None, ALL)
    sources = view.sources([fact.id for fact in found], known_at)
    assert [belief_of(fact, sources[fact.id]) for fact in found] == wanted, f"known at {known_at}"
    for fact in found:
        assert fact.subject_name == model.name(fact.subject_id)
        assert fact.object_id is None or fact.object_text == model.name(fact.object_id)
    until = inf if known_at is None else known_at
    people = {
        head: (model.name(head), tuple(model.spellings(group, until)), model.first_known(group))
        for head, group in sorted(model.people(until).items())
    }
    entities = view.entities(EntityFilter(), known_at, "", ALL)
    assert {e.id: (e.name, e.aliases, e.first_at) for e in entities} == people, f"known at {known_at}"
    assert set(view.entities_by_id([*people], known_at)) == set(people)


def assert_same_at(view: GraphView, model: Model, known_at: int | None, as_of: Iterable[int]) -> None:
    """What is true at these instants."""
    wanted = known(model, known_at)
    for instant in as_of:
        found = [fact.id for fact in view.facts(FactFilter(), Moment(instant, known_at), None, ALL)]
        assert found == [belief.id for belief in wanted if belief.holds(instant)], f"as of {instant}, {known_at}"


def assert_same_about(view: GraphView, model: Model, at: Moment) -> None:
    """What is asked of one entity or predicate, page by page."""
    wanted = [b for b in known(model, at.known_at) if at.as_of is None or b.holds(at.as_of)]
    edges = [b for b in wanted if b.target is not None]
    assert view.all_edges(at, ALL) == sorted((b.id, b.subject, str(b.target)) for b in edges)
    for who in {end for b in wanted for end in (b.subject, b.target) if end is not None}:
        own = [b.id for b in wanted if who in (b.subject, b.target)]
        assert _pages(view, FactFilter(entity=who), at) == own
        assert _ids(view.facts(FactFilter(subject=who), at, None, ALL)) == [b.id for b in wanted if b.subject == who]
        assert _ids(view.facts(FactFilter(object=who), at, None, ALL)) == [b.id for b in wanted if b.target == who]
        touching = {b.id for b in edges if who in (b.subject, b.target)}
        assert set(_ids(view.edges([who], at, ALL, None))) == touching
    for predicate in {b.predicate for b in wanted}:
        own = [b.id for b in wanted if b.predicate == predicate]
        assert _ids(view.facts(FactFilter(predicates=[predicate]), at, None, ALL)) == own


def assert_same_histories(view: GraphView, model: Model) -> None:
    """Every version of every fact, with the time for which it was believed."""
    histories = model.histories()
    for id, spells in histories.items():
        found = [Spell(v.created_at, v.expired_at, belief_of(v)) for v in view.fact_history(id)]
        assert found == spells
    begun = [(spell.begun, id, spell.begun) for id, spells in histories.items() for spell in spells]
    over = [(s.over, id, s.begun) for id, spells in histories.items() for s in spells if s.over is not None]
    changes = view.changes(0, 2**60, None, ALL)
    assert [(moment, v.id, v.created_at) for moment, v in changes] == sorted([*begun, *over])


def assert_all_the_same(view: GraphView, model: Model) -> None:
    """Everything, at every as_of and known_at."""
    as_of = instants(model)
    for known_at in moments(model):
        assert_same_beliefs(view, model, known_at)
        assert_same_at(view, model, known_at, as_of)
        assert_same_about(view, model, Moment(None, known_at))
    assert_same_about(view, model, Moment(as_of[len(as_of) // 2], None))
    assert_same_histories(view, model)


def _ids(facts: Iterable[FactVersion]) -> list[str]:
    return [fact.id for fact in facts]


def _pages(view: GraphView, wanted: FactFilter, at: Moment) -> list[str]:
    found: list[str] = []
    after: tuple[int, str] | None = None
    while page := view.facts(wanted, at, after, 2):
        found += _ids(page)
        after = page[-1].start, page[-1].id
    return found
