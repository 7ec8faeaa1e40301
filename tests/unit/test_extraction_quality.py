"""The labelled sentences, as a floor. Of the held-out half nothing but the totals may come out of here."""

import pytest

from tests.graph_data.extraction import documented_rules, evaluate, rules_table

FLOOR = 0.90


def figures(name: str) -> tuple[float, float]:
    """Numbers only, so that a failing assertion shows no sentence."""
    total = evaluate(name).total
    return total.precision, total.recall


@pytest.mark.parametrize(("name", "recall_floor"), [("dev.jsonl", 0.90), ("held_out.jsonl", 0.65)])
def test_precision_stays_above_its_floor(name: str, recall_floor: float):
    precision, recall = figures(name)
    assert precision >= FLOOR
    assert recall >= recall_floor


def test_the_documentation_lists_the_rules():
    assert documented_rules() == rules_table()
