"""When extracted facts hold."""

from datetime import UTC, datetime

import pytest

from graph.extraction import RuleExtractor
from graph.model import Claim
from graph.planner.arrive import check
from tests.support.graph_reading import SAID_AT, extracted, micros, source


def at(year: int, month: int = 1, day: int = 1) -> int:
    return micros(datetime(year, month, day, tzinfo=UTC))


def the_claim(text: str) -> Claim:
    (claim,) = extracted(text).claims
    return claim


@pytest.mark.parametrize(
    ("text", "valid_at", "precision"),
    [
        ("I moved to Lisbon in May 2020.", at(2020, 5), "month"),
        ("In 2019 I moved to Lisbon.", at(2019), "year"),
        ("Yesterday I bought a lamp.", at(2024, 3, 14), "day"),
        ("I've been working at Acme since 2015.", at(2015), "year"),
        ("I started using Notion in January 2023.", at(2023, 1), "month"),
    ],
)
def test_a_stated_start(text: str, valid_at: int, precision: str):
    claim = the_claim(text)
    assert (claim.valid_at, claim.invalid_at, claim.basis, claim.precision) == (valid_at, None, "stated", precision)


def test_a_start_that_is_not_stated_is_left_to_the_planner():
    claim = the_claim("I live in Lisbon.")
    assert (claim.valid_at, claim.basis) == (None, "observed")


def test_between_two_years():
    claim = the_claim("From 2010 to 2014 I worked at Nokia.")
    assert (claim.valid_at, claim.invalid_at, claim.basis) == (at(2010), at(2014), "stated")


def test_a_past_without_a_start_is_unbounded_and_over():
    claim = the_claim("I was living in Dubai until 2019.")
    assert (claim.stance, claim.valid_at, claim.invalid_at, claim.basis) == ("asserts", None, at(2019), "unbounded")


def test_a_past_without_dates_is_over_when_it_is_said():
    claim = the_claim("I used to live in Faro.")
    assert (claim.stance, claim.invalid_at, claim.basis) == ("asserts", micros(SAID_AT), "unbounded")


def test_an_end_of_nobody_knows_whom():
    claim = the_claim("We got divorced in 2020.")
    assert (claim.stance, claim.object, claim.valid_at, claim.basis) == ("ends", None, at(2020), "stated")


def test_each_clause_has_its_own_time():
    found = {
        claim.predicate: claim.valid_at
        for claim in extracted("I moved to Lisbon in 2019 and I joined Siemens as a welder in 2021.").claims
    }
    assert found == {"lives_in": at(2019), "works_at": at(2021)}


@pytest.mark.parametrize("text", ["I live in Lisbon, and next year I'll travel.", "I moved to Lisbon before 2015."])
def test_times_that_are_no_start(text: str):
    assert the_claim(text).valid_at is None


def test_nothing_is_dated_without_a_finder():
    (claim,) = RuleExtractor().extract(source("I moved to Lisbon in May 2020.")).claims
    assert claim.valid_at is None


@pytest.mark.parametrize("text", ["From 2014 to 2010 I worked at Nokia.", "I lived in Rome until 1 January 0001."])
def test_no_claim_ends_before_it_begins(text: str):
    check(extracted(text))
