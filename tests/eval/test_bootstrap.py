"""Bootstrap intervals."""

import pytest

from eval.metrics.bootstrap import interval, paired


def test_the_interval_of_equal_values_is_a_point():
    found = interval([0.5] * 20)
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)


def test_the_interval_holds_the_mean_and_narrows_with_more_questions():
    few, many = interval([0, 1] * 10), interval([0, 1] * 500)
    assert few.low < few.mean < few.high
    # The normal approximation for a share of one half: 1.96 * .5 / sqrt(1000).
    assert many.high - many.mean == pytest.approx(0.031, abs=0.003)
    assert many.high - many.low < few.high - few.low


def test_the_same_values_always_give_the_same_interval():
    assert interval([0, 1, 1, 0, 1]) == interval([0, 1, 1, 0, 1])


def test_pairing_sees_a_small_gain_on_the_same_questions_that_two_intervals_would_hide():
    hard = [0.0] * 50 + [1.0] * 50
    better = [0.0] * 42 + [1.0] * 58
    gain = paired(better, hard)
    assert gain.mean == pytest.approx(0.08)
    assert gain.is_difference
    assert interval(better).low < interval(hard).high


def test_a_system_does_not_differ_from_itself():
    assert not paired([0, 1, 1], [0, 1, 1]).is_difference
