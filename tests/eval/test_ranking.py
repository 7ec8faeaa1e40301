"""Retrieval metrics, worked by hand. log2(3) = 1.58496, so 1 / log2(3) = .63093."""

import pytest

from eval.metrics.ranking import at_cutoff, dcg, first_of_each, turn_to_session

SESSIONS = {"a1": "A", "a3": "A", "a5": "A", "b1": "B", "b3": "B", "c1": "C", "d1": "D"}


def test_the_official_dcg_gives_the_first_two_ranks_the_same_weight():
    assert dcg([1, 0, 0]) == dcg([0, 1, 0]) == 1.0
    assert dcg([0, 0, 1]) == pytest.approx(0.63093, abs=1e-5)
    assert dcg([1, 1, 1]) == pytest.approx(2.63093, abs=1e-5)
    assert dcg([]) == 0.0


def test_any_and_all_differ_once_there_is_more_than_one_piece_of_evidence():
    scores = at_cutoff(["x", "g1", "y", "g2"], {"g1", "g2"}, 3)
    assert (scores.any, scores.all, scores.fraction) == (1.0, 0.0, 0.5)
    assert at_cutoff(["x", "g1", "y", "g2"], {"g1", "g2"}, 4).all == 1.0


def test_ndcg_is_measured_against_the_best_order_within_the_cutoff():
    # Found at rank 2 only: 1 / (1 + 1).
    assert at_cutoff(["x", "g1", "y"], {"g1", "g2"}, 3).ndcg == 0.5
    # At k = 1 the ideal has one piece of evidence however many there are.
    assert at_cutoff(["g1", "x"], {"g1", "g2", "g3"}, 1).ndcg == 1.0
    # Ranks 1 and 3 of three ideal ones: (1 + .63093) / 2.63093.
    assert at_cutoff(["g1", "x", "g2"], {"g1", "g2", "g3"}, 3).ndcg == pytest.approx(0.61991, abs=1e-5)


def test_a_ranking_shorter_than_the_cutoff_is_not_an_error():
    scores = at_cutoff(["g1"], {"g1", "g2"}, 50)
    assert (scores.any, scores.all, scores.ndcg) == (1.0, 0.0, 0.5)
    assert at_cutoff([], {"g1"}, 5).ndcg == 0.0


def test_without_evidence_all_of_nothing_is_found_and_nothing_of_it_as_the_official_scorer_says():
    scores = at_cutoff(["x"], set(), 5)
    assert (scores.any, scores.all, scores.ndcg) == (0.0, 1.0, 0.0)


def test_sessions_come_in_the_order_of_their_best_turn():
    assert first_of_each(["B", "A", "B", "C", "A"]) == ["B", "A", "C"]


class TestOfficialSessionScores:
    def test_the_cut_comes_after_as_many_turns_as_show_k_sessions(self):
        ranked = ["b1", "b3", "c1", "a1"]
        assert turn_to_session(ranked, SESSIONS, {"a1"}, 2).any == 0.0  # B, B, C: two sessions
        assert turn_to_session(ranked, SESSIONS, {"a1"}, 3).any == 1.0

    def test_a_turn_without_evidence_does_not_find_its_session(self):
        assert turn_to_session(["a3", "b1", "a1"], SESSIONS, {"a1"}, 2).any == 0.0

    def test_and_counts_as_a_session_of_its_own(self):
        # a3 is "noans A", a1 is A: the second distinct session is reached at rank 2, before B.
        assert turn_to_session(["a3", "a1", "b1"], SESSIONS, {"a1", "b1"}, 2).all == 0.0
        assert turn_to_session(["a3", "a1", "b1"], SESSIONS, {"a1", "b1"}, 3).all == 1.0

    def test_the_gain_counts_every_evidence_turn_of_a_session(self):
        # Two evidence turns of A at ranks 1 and 2, both before the first other session ends the cut.
        assert turn_to_session(["a1", "a3", "b1"], SESSIONS, {"a1", "a3"}, 2).ndcg == 1.0
        # Rank 1 only, of an ideal of two: 1 / 2.
        assert turn_to_session(["a1", "b1", "a3"], SESSIONS, {"a1", "a3"}, 2).ndcg == 0.5

    def test_one_session_is_the_ideal_at_cutoff_one_although_it_has_two_evidence_turns(self):
        assert turn_to_session(["a1", "a3", "b1"], SESSIONS, {"a1", "a3"}, 1).ndcg == 1.0

    def test_a_ranking_that_ends_before_k_sessions_is_judged_as_one_of_the_whole_corpus(self):
        scores = turn_to_session(["a1", "b1"], SESSIONS, {"a1", "a3", "a5"}, 10)
        assert (scores.any, scores.all) == (1.0, 1.0)
        assert scores.ndcg == pytest.approx(1 / 2.63093, abs=1e-5)
