"""Baselines, bounds and ablations."""

from datetime import UTC, datetime

import numpy as np
import pytest

from eval.dataset import History, Question, Turn
from eval.systems.ablation import ABLATIONS, Ablation, Shelf
from eval.systems.bm25 import Bm25
from eval.systems.bounds import FullContext, OracleEvidence
from eval.systems.dense import Dense
from retrieval.embedders.testing import HashEmbedder
from retrieval.scoring import DEFAULT, Weights

NOW = datetime(2023, 5, 8, tzinfo=UTC)
TEXTS = ["The dog sleeps.", "A dog barks at the dog next door.", "Cats purr.", "What about rice?"]
HISTORY = History("h", tuple(Turn(f"t{i}", "s", None, None, text, NOW) for i, text in enumerate(TEXTS)))


def ask(system, text, gold=()):
    system.ingest([HISTORY])
    return system.search(HISTORY, Question("q", text, "g", "", gold), 10)


def test_bm25_by_hand():
    ranking = ask(Bm25(), "dog")
    # Terms: [dog sleep], [dog bark dog next door], [cat purr], [rice]; mean length 2.5, idf ln(1 + 2.5 / 2.5).
    once_in_two = 2.5 / (1 + 1.5 * (0.25 + 0.75 * 2 / 2.5))
    twice_in_five = 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 5 / 2.5))
    assert ranking.ids == ("t0", "t1", "t2", "t3")
    assert ranking.scores == pytest.approx((np.log(2) * once_in_two, np.log(2) * twice_in_five, 0.0, 0.0))


def test_bm25_of_a_query_without_known_words_keeps_the_order_of_the_turns():
    assert ask(Bm25(), "quantum").ids == ("t0", "t1", "t2", "t3")


def test_dense_ranks_by_cosine_and_tells_whether_its_embeddings_were_remembered():
    system = Dense(HashEmbedder(), cached=True)
    assert ask(system, "Cats purr.").ids[0] == "t2"
    assert system.ingest([HISTORY]).notes == {"embedding cache": True}


def test_the_oracle_finds_the_evidence_and_nothing_else():
    assert ask(OracleEvidence(), "dog", gold=("t3", "t1")).ids == ("t3", "t1")


def test_the_full_context_is_everything_and_no_ranking():
    assert ask(FullContext(), "dog").ids == ("t0", "t1", "t2", "t3")
    assert not FullContext().ranks


def test_every_ablation_changes_a_weight_that_there_is():
    for changed in ABLATIONS.values():
        Weights(**changed)
        assert all(getattr(DEFAULT, name) != value for name, value in changed.items())


def test_an_ablation_switches_its_part_off():
    shelf = Shelf(HashEmbedder())
    whole = ask(Ablation("shipped", shelf, {}), "dog")
    without = ask(Ablation("− lexical", shelf, ABLATIONS["− lexical"]), "dog")
    assert whole.scores[0] > without.scores[0]
    assert Ablation("− lexical", shelf, {"lexical": 0.0}).settings["weights"]["lexical"] == 0.0
