"""Answer metrics, worked by hand."""

import pytest

from eval.dataset import Question
from eval.metrics.answers import list_f1, locomo_score, normalized, rouge_l_recall, token_f1


def question(group: str, answer: str) -> Question:
    return Question("q", "?", group, answer, ())


def test_articles_and_punctuation_go_and_commas_do_not_part_words():
    assert normalized("The cat, a dog and an owl's 1,000 mice!") == ["cat", "dog", "owls", "1000", "mice"]


def test_words_are_compared_by_their_porter_stem():
    assert token_f1("running dogs", "run dog") == 1.0


def test_f1_by_hand():
    # Shared: dog. Precision 1/3, recall 1/2: 2 * (1/6) / (5/6).
    assert token_f1("big brown dog", "dog park") == pytest.approx(0.4)


def test_a_repeated_word_counts_as_often_as_both_have_it():
    # Shared: dog once. Precision 1/3, recall 1.
    assert token_f1("dog dog dog", "dog") == pytest.approx(0.5)


@pytest.mark.parametrize(("prediction", "truth"), [("", "dog"), ("dog", ""), ("", ""), ("the", "a")])
def test_nothing_shared_is_zero(prediction, truth):
    assert token_f1(prediction, truth) == 0.0


def test_a_list_is_scored_part_by_part():
    # "painting" is found (1), "pottery" is not (0).
    assert list_f1("painting, hiking", "pottery, painting") == 0.5
    assert list_f1("painting, pottery", "pottery, painting") == 1.0


@pytest.mark.parametrize(
    ("group", "answer", "prediction", "score"),
    [
        ("multi-hop", "pottery, painting", "painting", 0.5),
        ("single-hop", "pottery, painting", "painting", pytest.approx(2 / 3)),
        ("temporal", "7 May 2023", "7 May 2023", 1.0),
        ("open-domain", "Yes; she likes cats", "yes", 1.0),
        ("adversarial", "", "Not mentioned in the conversation", 1.0),
        ("adversarial", "", "No information available.", 1.0),
        ("adversarial", "", "a dog", 0.0),
    ],
)
def test_each_category_has_its_rule(group, answer, prediction, score):
    assert locomo_score(question(group, answer), prediction) == score


def test_rouge_l_recall_is_the_longest_common_order_over_the_truth():
    # Truth of 4 words; "lives ... Lisbon" keep their order, "Ben" comes too late.
    assert rouge_l_recall("He lives near Lisbon, Ben does", "Ben lives in Lisbon") == 0.5
    assert rouge_l_recall("Ben lives in Lisbon with a very long dog", "Ben lives in Lisbon") == 1.0
    assert rouge_l_recall("", "Ben") == 0.0
