"""How alike two clusterings of the same mentions are."""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class Score:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def pairwise(predicted: Mapping[str, Hashable], gold: Mapping[str, Hashable]) -> Score:
    """Of the pairs of mentions put together, how many belong together, and the reverse; 1 where there are none."""
    assert predicted.keys() == gold.keys()
    found, wanted = _pairs(list(predicted.values())), _pairs(list(gold.values()))
    right = _pairs([(predicted[mention], gold[mention]) for mention in gold])
    return Score(right / found if found else 1.0, right / wanted if wanted else 1.0)


def _pairs(labels: list[Hashable] | list[tuple[Hashable, Hashable]]) -> int:
    sizes: dict[Hashable, int] = defaultdict(int)
    for label in labels:
        sizes[label] += 1
    return sum(comb(size, 2) for size in sizes.values())


def b_cubed(predicted: Mapping[str, Hashable], gold: Mapping[str, Hashable]) -> Score:
    """Each mention's share of right companions in its cluster, and of its entity's mentions there, averaged over mentions.

    Bagga and Baldwin 1998, "Algorithms for scoring coreference chains", section 4; equal weights.
    """
    assert predicted.keys() == gold.keys()
    if not gold:
        return Score(1.0, 1.0)
    clusters, entities = _members(predicted), _members(gold)
    precision = recall = 0.0
    for mention in gold:
        cluster, entity = clusters[predicted[mention]], entities[gold[mention]]
        right = len(cluster & entity)
        precision += right / len(cluster)
        recall += right / len(entity)
    return Score(precision / len(gold), recall / len(gold))


def _members(labels: Mapping[str, Hashable]) -> dict[Hashable, set[str]]:
    members: dict[Hashable, set[str]] = defaultdict(set)
    for mention, label in labels.items():
        members[label].add(mention)
    return members
