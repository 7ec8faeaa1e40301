"""Every store answers like the reference, whatever was written and whatever is asked."""

import uuid
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.rows import Changes, EntityVersion, FactVersion, SourceVersion
from graph.stores.port import EntityFilter, FactFilter, GraphStore, GraphView, Moment
from tests.support.graph_reference import ReferenceGraphStore
from tests.support.graph_rows import entity, fact, source

NODES = ("A", "a", "b", "c-1")
FACTS = ("F", "f", "g", "h:2")
PREDICATES = ("likes", "is")
WORDS = ("Ana", "ana", "Straße", "STRASSE", "İ", "\u200fعبد", "e\u0301", "%", "x")
MOMENTS = st.integers(0, 6)
INSTANTS = st.one_of(st.none(), st.integers(-3, 6), st.sampled_from([-62_135_596_800_000_000, 253_402_300_799_999_999]))
SCALARS = st.sampled_from([True, False, 0, 1, 1.0, 0.5, "1", "true", "", 2**62, -(2**62)])
ATTRIBUTES = st.dictionaries(st.sampled_from(["k", "K", "k.l", '"']), SCALARS, max_size=2)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """When the versions of one thing were believed: never two at once, perhaps none at a time, the last perhaps still."""
    edges = sorted(draw(st.sets(MOMENTS, min_size=2, max_size=6)))
    touching = pairwise(edges)
    apart = zip(edges[::2], edges[1::2], strict=False)
    found: list[tuple[int, int | None]] = list(touching if draw(st.booleans()) else apart)
    return [*found[:-1], (found[-1][0], None)] if draw(st.booleans()) else found


@st.composite
def entities(draw: st.DrawFn) -> list[EntityVersion]:
    return [
        entity(
            id_, begin, end, name=draw(st.sampled_from(WORDS)), aliases=draw(st.lists(st.sampled_from(WORDS), max_size=2)),
            type=draw(st.sampled_from(["Person", "person"])), attributes=tuple(sorted(draw(ATTRIBUTES).items())),
        )
        for id_ in draw(st.sets(st.sampled_from(NODES)))
        for begin, end in draw(spans())
    ]  # fmt: skip


@st.composite
def facts(draw: st.DrawFn) -> list[FactVersion]:
    return [
        fact(
            id_, draw(st.sampled_from(NODES)), draw(st.sampled_from([*NODES, None])), begin, expired_at=end,
            literal=draw(st.sampled_from(WORDS)), predicate=draw(st.sampled_from(PREDICATES)),
            valid_at=draw(INSTANTS), invalid_at=draw(INSTANTS), text=draw(TEXTS), sentence=draw(TEXTS),
            qualifiers=tuple(sorted(draw(ATTRIBUTES).items())),
        )
        for id_ in draw(st.sets(st.sampled_from(FACTS)))
        for begin, end in draw(spans())
    ]  # fmt: skip


@st.composite
def sources(draw: st.DrawFn) -> list[SourceVersion]:
    return [
        source(id_, f"ep{n}", begin, end)
        for id_ in draw(st.sets(st.sampled_from(FACTS), max_size=3))
        for n in range(draw(st.integers(1, 2)))
        for begin, end in draw(spans())
    ]


@st.composite
def batches(draw: st.DrawFn) -> list[Changes]:
    """Some rows; then others, which may have keys of the first; with keys to delete among both."""
    found: list[Changes] = []
    for _ in range(draw(st.integers(1, 3))):
        changes = Changes(draw(entities()), draw(facts()), draw(sources()))
        for name, rows in (("entities", changes.entities), ("facts", changes.facts), ("sources", changes.sources)):
            before = [row for earlier in found for row in getattr(earlier, name)]
            keys = [row.key for row in [*before, *rows]]
            getattr(changes, f"gone_{name}").extend(draw(st.lists(st.sampled_from(keys), max_size=4)) if keys else [])
        found.append(changes)
    return found


FACT_FILTERS = st.builds(
    FactFilter,
    entity=st.sampled_from([None, None, *NODES]),
    subject=st.sampled_from([None, None, None, *NODES]),
    object=st.sampled_from([None, None, None, *NODES]),
    predicates=st.one_of(st.none(), st.lists(st.sampled_from(PREDICATES), max_size=2)),
    text=st.one_of(st.none(), TEXTS),
    qualifiers=st.one_of(st.just({}), ATTRIBUTES),
    ids=st.one_of(st.none(), st.lists(st.sampled_from(FACTS), max_size=3)),
)
ENTITY_FILTERS = st.builds(
    EntityFilter,
    type=st.sampled_from([None, None, "Person"]),
    name_keys=st.one_of(st.none(), st.lists(st.sampled_from([word.casefold() for word in WORDS]), max_size=2)),
    text=st.one_of(st.none(), st.sampled_from(WORDS)),
    attributes=st.one_of(st.just({}), ATTRIBUTES),
)
ANY_MOMENT = st.one_of(st.none(), MOMENTS)
MOMENT_PAIRS = st.builds(Moment, as_of=st.one_of(st.none(), st.integers(-4, 7)), known_at=ANY_MOMENT)
SOME_NODES = st.lists(st.sampled_from(NODES), max_size=4)
QUESTION = st.one_of(
    st.tuples(st.just("entities"), ENTITY_FILTERS, ANY_MOMENT, st.sampled_from(["", *NODES]), st.integers(1, 4)),
    st.tuples(st.just("entities_by_id"), SOME_NODES, ANY_MOMENT),
    st.tuples(
        st.just("facts"), FACT_FILTERS, MOMENT_PAIRS,
        st.one_of(st.none(), st.tuples(st.integers(-3, 6), st.sampled_from(FACTS))), st.integers(1, 5),
    ),
    st.tuples(st.just("fact_history"), st.sampled_from(FACTS)),
    st.tuples(
        st.just("edges"), SOME_NODES, MOMENT_PAIRS, st.integers(1, 3),
        st.one_of(st.none(), st.lists(st.sampled_from(PREDICATES), max_size=2)),
    ),
    st.tuples(st.just("sources"), st.lists(st.sampled_from(FACTS)), ANY_MOMENT),
    st.tuples(
        st.just("changes"), MOMENTS, MOMENTS,
        st.one_of(st.none(), st.tuples(MOMENTS, st.sampled_from(FACTS))), st.integers(1, 6),
    ),
    st.tuples(st.just("all_edges"), MOMENT_PAIRS, st.integers(1, 5)),
)  # fmt: skip


def consistent(batches: Sequence[Changes]) -> bool:
    """Two versions of one thing are never believed at once, as the port's callers see to it."""
    reference = ReferenceGraphStore()
    for changes in batches:
        reference.apply("ns", changes, 1)
        view = reference.view("ns")
        for moment in [*range(8), None]:
            facts = view.facts(FactFilter(), Moment(known_at=moment), None, 1_000)
            known = view.entities(EntityFilter(), moment, "", 1_000)
            if len({f.id for f in facts}) < len(facts) or len({e.id for e in known}) < len(known):
                return False
    return True


def ask(view: GraphView, question: tuple[Any, ...]) -> Any:
    method, *arguments = question
    return getattr(view, method)(*arguments)


# Without shrinking: on a server it takes minutes, and an example is small as it is.
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(batches=batches().filter(consistent), questions=st.lists(QUESTION, min_size=10, max_size=10))
def test_every_store_answers_alike(store: GraphStore, batches: list[Changes], questions: list[tuple[Any, ...]]) -> None:
    namespace = f"ns-{uuid.uuid4()}"
    reference = ReferenceGraphStore()
    for position, changes in enumerate(batches, 1):
        for one in (store, reference):
            one.apply(namespace, changes, position)
        assert store.digest(namespace) == reference.digest(namespace)
    for question in questions:
        assert ask(store.view(namespace), question) == ask(reference.view(namespace), question), question
