"""Abstention as a curve: answer only where the confidence reaches a threshold, for every threshold there is.

LongMemEval asks 30 questions whose answer is not in the history (arXiv 2410.10813, section 3.1, "abstention").
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold does."""

    threshold: float
    answered: float
    """Share of the answerable questions that are answered."""
    abstained: float
    """Share of the unanswerable ones on which it abstains."""


def curve(confidences: Sequence[float], answerable: Sequence[bool]) -> list[Point]:
    """A point for each distinct confidence, ascending: a question is answered when its confidence reaches the threshold.

    Empty when either kind of question is missing: there is nothing to trade.
    """
    yes = [c for c, can in zip(confidences, answerable, strict=True) if can]
    no = [c for c, can in zip(confidences, answerable, strict=True) if not can]
    if not yes or not no:
        return []
    return [
        Point(t, sum(c >= t for c in yes) / len(yes), sum(c < t for c in no) / len(no)) for t in sorted({*yes, *no})
    ]


def area(confidences: Sequence[float], answerable: Sequence[bool]) -> float | None:
    """Chance that an answerable question has the higher confidence of a pair (ROC area; a tie counts half). None: no pairs."""
    yes = [c for c, can in zip(confidences, answerable, strict=True) if can]
    no = [c for c, can in zip(confidences, answerable, strict=True) if not can]
    if not yes or not no:
        return None
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))
