"""Abstention over the confidence threshold."""

import pytest

from eval.metrics.abstention import Point, area, curve
from eval.report.markdown import answered_at


def test_each_confidence_is_a_threshold_that_answers_what_reaches_it():
    found = curve([0.9, 0.5, 0.5, 0.2], [True, True, False, False])
    assert found == [Point(0.2, 1.0, 0.0), Point(0.5, 1.0, 0.5), Point(0.9, 0.5, 1.0)]


def test_the_area_is_the_share_of_pairs_in_the_right_order_and_a_tie_is_half_a_pair():
    # Pairs: .9>.5, .9>.2, .5=.5, .5>.2.
    assert area([0.9, 0.5, 0.5, 0.2], [True, True, False, False]) == pytest.approx(3.5 / 4)


def test_with_one_kind_of_question_there_is_nothing_to_trade():
    assert curve([0.9, 0.5], [True, True]) == []
    assert area([0.9], [False]) is None


def test_a_table_shows_the_answers_left_at_the_lowest_threshold_that_abstains_enough():
    points = [[0.2, 1.0, 0.0], [0.5, 0.9, 0.5], [0.9, 0.5, 1.0]]
    assert answered_at(points, 0.5) == 0.9
    assert answered_at(points, 0.8) == 0.5
    assert answered_at(points[:2], 0.8) is None
