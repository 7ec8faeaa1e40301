"""Retrieval metrics of LongMemEval's official scorer (src/retrieval/eval_utils.py), used for LoCoMo as well.

Its DCG is odd and is kept: r1 + sum over i >= 2 of r_i / log2(i), so that ranks 1 and 2 count the same. The usual one divides
by log2(i + 1).
"""

import math
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AtCutoff:
    """Scores of one ranking at one cutoff."""

    any: float
    """Whether any evidence is among the first k."""
    all: float
    """Whether all evidence is."""
    ndcg: float
    fraction: float
    """Share of the evidence that is (LoCoMo's recall, arXiv 2402.17753, section 4.1)."""


def dcg(relevances: Sequence[float]) -> float:
    """The official scorer's discounted cumulative gain."""
    return sum(r / math.log2(i) if i > 1 else r for i, r in enumerate(relevances, 1))


def at_cutoff(ranked: Sequence[str], gold: Set[str], k: int) -> AtCutoff:
    """Scores of ranked ids, each at most once. All of `gold` is in the corpus; none of it: 0, all of nothing: 1."""
    found = [doc in gold for doc in ranked[:k]]
    hits = sum(found)
    ideal = dcg([1.0] * min(len(gold), k))
    return AtCutoff(
        any=float(hits > 0),
        all=float(hits == len(gold)),
        ndcg=dcg([float(hit) for hit in found]) / ideal if ideal else 0.0,
        fraction=hits / len(gold) if gold else 0.0,
    )


def first_of_each(groups: Sequence[str]) -> list[str]:
    """Each once, in order of first appearance: a ranking of turns as one of sessions."""
    return list(dict.fromkeys(groups))


def turn_to_session(ranked: Sequence[str], session_of: Mapping[str, str], gold: Set[str], k: int) -> AtCutoff:
    """The official scorer's session scores of a ranking of turns (evaluate_retrieval_turn2session).

    The cut comes after as many turns as show k distinct sessions. Two oddities are kept. A turn without evidence in a session
    that has some counts as another session ("noans_"), so that a session is found by an evidence turn only. And the gain
    counts every evidence turn, not every session.
    """
    wanted = {session_of[turn] for turn in gold}
    keys = [(session_of[turn], turn not in gold and session_of[turn] in wanted) for turn in ranked]
    cut = _turns_to_see(keys, k)
    found = {session_of[turn] for turn in ranked[:cut] if turn in gold}
    # A ranking that ends before k sessions are seen is judged as one of the whole corpus.
    deepest = cut if len(set(keys[:cut])) == k else len(gold)
    ideal = dcg([1.0] * min(len(gold), deepest))
    return AtCutoff(
        any=float(bool(found)),
        all=float(len(found) == len(wanted)),
        ndcg=dcg([float(turn in gold) for turn in ranked[:cut]]) / ideal if ideal else 0.0,
        fraction=len(found) / len(wanted) if wanted else 0.0,
    )


def _turns_to_see(keys: Sequence[Hashable], k: int) -> int:
    """How many of the first turns show k distinct sessions; all of them where they show fewer."""
    seen: set[Hashable] = set()
    for count, key in enumerate(keys, 1):
        seen.add(key)
        if len(seen) == k:
            return count
    return len(keys)
