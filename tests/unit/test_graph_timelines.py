"""Rules of timelines that a plain model of them found wrong or open once."""

from typing import Any

from graph.model import Precision
from graph.predicates import predicate
from graph.temporal.assertion import Assertion
from graph.temporal.timeline import Period, timeline

DAY = 86_400_000_000
JANUARY, FEBRUARY, APRIL, MAY = (19_358 * DAY + day * DAY for day in (0, 31, 90, 120))
"""Of 2023."""
NEXT_JANUARY = JANUARY + 365 * DAY


def said(
    id: str, target: str | None, valid_at: int | None = None, invalid_at: int | None = None, **given: Any
) -> Assertion:
    """Of Ana, unless `subject` says otherwise; when it was said is the place in the alphabet."""
    fields: dict[str, Any] = {
        "subject": "ana", "predicate": "lives_in", "stance": "asserts", "basis": "stated", "precision": "instant",
        "occurred_at": ord(id), "place": 0, "seq": ord(id), **given,
    }  # fmt: skip
    return Assertion(
        id=id,
        episode_id=id,
        object_id=target,
        object_text=target or "",
        valid_at=valid_at,
        invalid_at=invalid_at,
        **fields,
    )


def periods(*assertions: Assertion) -> list[Period]:
    return timeline(assertions, predicate(assertions[0].predicate))


def spans(*assertions: Assertion) -> list[tuple[str | None, int | None, int | None]]:
    return [(period.object_id, period.valid_at, period.invalid_at) for period in periods(*assertions)]


def test_a_period_goes_on_where_a_claim_begins_at_its_stated_end() -> None:
    assert spans(said("a", "lisbon", JANUARY, APRIL), said("b", "lisbon", APRIL)) == [("lisbon", JANUARY, None)]
    both = said("a", "lisbon", JANUARY, APRIL), said("b", "lisbon", APRIL, MAY)
    assert [(p.valid_at, p.invalid_at, p.closed_by) for p in periods(*both)] == [(JANUARY, MAY, "b")]


def _start(first: int, precision: Precision, second: int, finer: Precision) -> int | None:
    told = said("a", "lisbon", first, precision=precision), said("b", "lisbon", second, precision=finer)
    return spans(*told)[0][1]


def test_a_start_is_refined_by_one_that_is_known_better_and_lies_within_it() -> None:
    assert _start(JANUARY, "year", MAY, "month") == MAY
    assert _start(APRIL, "month", APRIL + 3 * DAY, "day") == APRIL + 3 * DAY


def test_the_next_month_or_year_does_not_refine_a_start() -> None:
    assert _start(APRIL, "month", MAY, "day") == APRIL, "April has 30 days"
    assert _start(JANUARY, "year", NEXT_JANUARY, "day") == JANUARY, "2023 has 365"
    assert _start(JANUARY, "year", FEBRUARY, "year") == JANUARY, "known no better"


def test_a_month_is_as_long_as_where_it_was_meant() -> None:
    ahead, behind = 13 * 3_600_000_000, -11 * 3_600_000_000
    for offset in (ahead, behind):
        assert _start(APRIL - offset, "month", MAY - offset, "day") == APRIL - offset
        assert _start(APRIL - offset, "month", MAY - offset - 1, "instant") == MAY - offset - 1


def test_a_start_that_no_calendar_has_is_left_alone() -> None:
    assert _start(2**61, "year", 2**61 + 40 * DAY, "day") == 2**61


def test_what_was_said_without_a_start_does_not_make_a_known_one_vaguer() -> None:
    used_to = said("a", "lisbon", None, MAY, basis="unbounded")
    told = used_to, said("b", "lisbon", JANUARY, precision="year"), said("c", "lisbon", APRIL, precision="month")
    assert spans(*told)[0][1] == APRIL


def test_two_that_ended_and_began_nobody_knows_when_do_not_correct_each_other() -> None:
    """ "She used to live in Faro", "she used to live in Porto"."""
    told = said("a", "faro", None, APRIL, basis="unbounded"), said("b", "porto", None, MAY, basis="unbounded")
    assert spans(*told) == [("faro", None, APRIL), ("porto", None, MAY)]


def test_one_that_is_over_does_not_correct_one_that_was_always_so() -> None:
    told = said("a", "lisbon", None, basis="unbounded"), said("b", "porto", None, MAY, basis="unbounded")
    assert spans(*told) == [("lisbon", None, None), ("porto", None, MAY)]


def test_of_two_that_were_always_so_the_one_said_later_counts() -> None:
    told = said("a", "lisbon", None, basis="unbounded"), said("b", "porto", None, basis="unbounded")
    assert [(p.object_id, p.close_rule) for p in periods(*told)] == [("lisbon", "corrected"), ("porto", None)]


def test_containment_counts_whichever_claim_tells_it() -> None:
    country, town = said("a", "portugal", JANUARY), said("b", "lisbon", APRIL)
    assert spans(country, town) == [("portugal", JANUARY, APRIL), ("lisbon", APRIL, None)]
    later = said("c", "lisbon", MAY, within=frozenset({"portugal"}))
    assert spans(country, town, later) == [("portugal", JANUARY, None), ("lisbon", APRIL, None)]


def test_nobody_is_their_own_spouse() -> None:
    wed = said("a", "rui", JANUARY, predicate="spouse")
    assert spans(wed, said("b", "ana", APRIL, predicate="spouse")) == [("rui", JANUARY, None)]
    assert spans(wed, said("b", "ana", APRIL, predicate="spouse", stance="ends")) == [("rui", JANUARY, None)]


def test_that_something_is_over_does_not_move_an_end_that_is_known_better() -> None:
    used_to = said("b", "lisbon", None, MAY, basis="unbounded")
    assert spans(said("a", "lisbon", JANUARY, APRIL), used_to) == [("lisbon", JANUARY, APRIL)]
    assert spans(said("a", "lisbon", JANUARY), used_to) == [("lisbon", JANUARY, MAY)]
    assert periods(said("a", "lisbon", JANUARY), used_to)[0].close_rule == "ended"
