"""The life of an entity: in order, by pages, as it was known, and in lines that say no more than is known."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UnknownEntity
from graph.queries import timeline as module
from graph.queries.timeline import Cursor, lines, period, timeline
from graph.rows import FactVersion
from graph.stores.port import GraphView
from tests.support.graph_rows import entity, fact, source
from tests.support.graph_views import Graphs


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphs]:
    made = Graphs(tmp_path_factory.mktemp("graph"))
    yield made
    made.store.close()


def micros(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp()) * 1_000_000


def paged(view: GraphView, limit: int, *, is_newest_first: bool) -> list[str]:
    found: list[str] = []
    after: Cursor | None = None
    for _ in range(100):
        page = timeline(view, "ana", None, after, limit, is_newest_first=is_newest_first)
        found += [each.id for each in page.facts]
        assert len(page.facts) == limit or page.next is None
        if page.next is None:
            return found
        after = page.next
    raise AssertionError("the pages have no end")


STARTS = st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=12)


@settings(deadline=None, max_examples=60)
@given(STARTS, st.integers(1, 5), st.booleans())
def test_pages_hold_every_fact_once_and_in_order(
    graphs: Graphs, starts: list[int | None], limit: int, is_newest_first: bool
) -> None:
    facts = [
        fact(f"f{n:02}", *(("ana", "x") if n % 2 else ("x", "ana")), valid_at=start) for n, start in enumerate(starts)
    ]
    view = graphs.of(*facts, entities=[entity("ana"), entity("x")])
    sign = -1 if is_newest_first else 1
    expected = [each.id for each in sorted(facts, key=lambda each: (sign * each.start, each.id))]
    assert paged(view, limit, is_newest_first=is_newest_first) == expected


def test_literals_and_what_has_ended_are_in_it_and_what_is_not_believed_is_not(graphs: Graphs) -> None:
    view = graphs.of(
        fact("tea", "ana", None, literal="tea"),
        fact("faro", "ana", "faro", valid_at=10, invalid_at=20),
        fact("porto", "ana", "porto", valid_at=30, created_at=100, expired_at=200),
        fact("lisbon", "ana", "lisbon", valid_at=30, created_at=200),
    )
    assert [each.id for each in timeline(view, "ana", None, None, 10).facts] == ["tea", "faro", "lisbon"]
    assert [each.id for each in timeline(view, "ana", 150, None, 10).facts] == ["tea", "faro", "porto"]


def test_an_entity_that_is_not_known_then_is_refused(graphs: Graphs) -> None:
    view = graphs.of(fact("f1", "ana", "lisbon"))
    with pytest.raises(UnknownEntity):
        timeline(view, "nobody", None, None, 10)
    with pytest.raises(UnknownEntity):
        timeline(view, "ana", 50, None, 10)


def test_a_life_of_too_many_facts_says_that_its_beginning_is_missing(
    graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 4)
    monkeypatch.setattr(module, "MAX_TIMELINE_FACTS", 8)
    view = graphs.of(*(fact(f"f{n:02}", "ana", "x", valid_at=n + 1) for n in range(20)))
    page = timeline(view, "ana", None, None, 3)
    assert [each.id for each in page.facts] == ["f12", "f13", "f14"]
    assert not page.is_complete
    assert timeline(view, "ana", None, page.next, 10).is_complete
    assert len(paged(view, 3, is_newest_first=True)) == 20


def spell(**given: Any) -> FactVersion:
    return fact("f", **given)


YEAR = micros(2021, 1, 1)
DAY = micros(2023, 5, 2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"valid_at": YEAR, "precision": "year"}, "2021 – now"),
        ({"valid_at": DAY, "precision": "month"}, "2023-05 – now"),
        ({"valid_at": YEAR, "precision": "year", "invalid_at": DAY}, "2021 – 2023-05-02"),
        ({"valid_at": DAY, "precision": "instant", "basis": "observed"}, "by 2023-05-02 00:00 – now"),
        ({"valid_at": YEAR, "invalid_at": DAY + 3_600_000_000}, "2021-01-01 – 2023-05-02 01:00"),
        ({"invalid_at": DAY}, "until 2023-05-02"),
        ({}, "at some time"),
        ({"basis": "unbounded"}, "always"),
        ({"valid_at": DAY, "invalid_at": DAY}, "never (said of 2023-05-02)"),
        ({"valid_at": -(10**18)}, "-31689 years from 1970 – now"),
    ],
)  # fmt: skip
def test_a_period_says_no_more_than_is_known(given: dict[str, Any], expected: str) -> None:
    assert period(spell(**given)) == expected


def test_lines_tell_what_is_current_what_ended_it_and_who_says_so(graphs: Graphs) -> None:
    view = graphs.of(
        fact("f1", "ana", "faro", valid_at=YEAR, invalid_at=DAY, close_rule="successor", closed_by="ep-9"),
        fact("f2", "ana", "lisbon", valid_at=DAY),
        sources=[source("f2", f"ep-{n}") for n in (4, 2, 3, 1)],
    )
    page = timeline(view, "ana", None, None, 10)
    past, present = lines(view, page.facts, None, DAY + 1)
    assert (past.is_current, past.close_rule, past.closed_by, past.episodes) == (False, "successor", "ep-9", ())
    assert (present.is_current, present.close_rule, present.episodes) == (True, None, ("ep-1", "ep-2", "ep-3"))
    assert str(past) == "  2021-01-01 – 2023-05-02  ana lives in faro (successor by ep-9)"
    assert str(present) == "* 2023-05-02 – now  ana lives in lisbon [ep-1, ep-2, ep-3]"
    assert [each.is_current for each in lines(view, page.facts, None, DAY - 1)] == [True, False]


def test_no_facts_have_no_lines(graphs: Graphs) -> None:
    assert lines(graphs.of(entities=[entity("ana")]), [], None, 0) == []
