"""The metrics worked by hand, and the floor below which resolution must not fall on its set."""

import pytest

from tests.graph_data.resolution import dataset
from tests.graph_data.resolution.__main__ import predict, table
from tests.graph_data.resolution.metrics import Score, b_cubed, pairwise
from tests.graph_data.resolution.systems import SYSTEMS, exact, graphiti_thresholds, ours

GOLD = {"1": "a", "2": "a", "3": "a", "4": "b", "5": "b"}


def test_pairwise_counts_pairs() -> None:
    # together: 12, 34, 35, 45; they should be: 12, 13, 23, 45
    predicted = {"1": 1, "2": 1, "3": 2, "4": 2, "5": 2}
    assert pairwise(predicted, GOLD) == Score(2 / 4, 2 / 4)
    assert pairwise(predicted, GOLD).f1 == 0.5


def test_b_cubed_averages_over_mentions() -> None:
    # precision 1, 1, 1/3, 2/3, 2/3; recall 2/3, 2/3, 1/3, 1, 1
    score = b_cubed({"1": 1, "2": 1, "3": 2, "4": 2, "5": 2}, GOLD)
    assert score.precision == pytest.approx(11 / 15)
    assert score.recall == pytest.approx(11 / 15)


def test_the_extremes_are_what_they_should_be() -> None:
    alone, heap = dict(zip(GOLD, GOLD, strict=True)), dict.fromkeys(GOLD, 0)
    assert pairwise(GOLD, GOLD).f1 == b_cubed(GOLD, GOLD).f1 == 1
    assert pairwise(alone, GOLD) == Score(1.0, 0.0)
    assert b_cubed(alone, GOLD) == Score(1.0, 2 / 5)
    assert pairwise(heap, GOLD) == Score(4 / 10, 1.0)
    assert b_cubed(heap, GOLD).precision == pytest.approx((3 * 3 / 5 + 2 * 2 / 5) / 5)
    assert pairwise({}, {}).f1 == b_cubed({}, {}).f1 == 1


def test_the_set_is_large_varied_and_divided() -> None:
    mentions = dataset.mentions()
    dev, held_out = dataset.mentions("dev"), dataset.mentions("held-out")
    assert len(mentions) >= 240
    assert len({(m.namespace, m.session) for m in mentions}) >= 80
    assert len({m.id for m in mentions}) == len(mentions) == len(dev) + len(held_out)
    assert not {m.namespace for m in dev} & {m.namespace for m in held_out}
    assert {m.type for m in mentions} >= {"Person", "Organization", "Place", "Product", "Thing"}


def test_entities_are_put_together_better_than_by_equal_names_or_by_graphitis_thresholds() -> None:
    for half in ("dev", "held-out"):
        mentions = dataset.mentions(half)
        gold = {mention.id: mention.gold for mention in mentions}
        scores = {name: b_cubed(predict(system, mentions), gold).f1 for name, system in SYSTEMS.items()}
        assert max(scores, key=lambda name: scores[name]) == "rules and evidence (ours)"
        found = pairwise(predict(ours, mentions), gold)
        assert found.precision >= 0.93
        assert found.f1 >= 0.75


def test_the_order_of_mentions_changes_no_entity() -> None:
    mentions = dataset.mentions("dev")

    def groups(found: dict[str, str]) -> set[frozenset[str]]:
        return {frozenset(id for id in found if found[id] == label) for label in found.values()}

    assert groups(predict(ours, mentions)) == groups(predict(ours, mentions[::-1]))


def test_the_yardsticks_do_what_is_said_of_them() -> None:
    some = [m for m in dataset.mentions() if m.namespace == "n06"]
    found = graphiti_thresholds(some)
    pharma = {found[m.id] for m in some if m.name.startswith("Contoso Pharmac")}
    assert len({exact(some)[m.id] for m in some if m.name == "Emma Thompson"}) == 1
    assert len(pharma) == 2  # a swapped pair of letters costs more than a tenth of the sets of three


def test_the_table_has_a_row_for_each_system_and_half() -> None:
    assert len(table().splitlines()) == 2 + 2 * len(SYSTEMS)
