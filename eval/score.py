"""From a ranking to a question's metrics, by level and cutoff."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from eval.dataset import History, Question
from eval.limits import CONTEXT_TURNS, CUTOFFS
from eval.metrics.answers import rouge_l_recall
from eval.metrics.ranking import AtCutoff, at_cutoff, first_of_each, turn_to_session
from eval.systems.base import Ranking

Metrics = dict[str, float]
"""By `level.metric@k`, as `turn.all@10`."""


class Scorer(Protocol):
    """Judges rankings of one history's turns."""

    def ranked(self, ranking: Ranking) -> list[str]:
        """The turns that count, before any cut."""
        ...

    def metrics(self, question: Question, ranked: Sequence[str]) -> Metrics: ...


def scorer_for(benchmark: str, history: History) -> Scorer:
    """What judges a benchmark's rankings."""
    if benchmark == "dmr":
        return ContextScorer(history)
    return EvidenceScorer(history, official_sessions=benchmark.startswith("longmemeval"))


class EvidenceScorer:
    """Against the evidence that the file names."""

    def __init__(self, history: History, *, official_sessions: bool) -> None:
        """official_sessions: adds LongMemEval's own session scores of a turn ranking, as level `official`."""
        self._session_of: Mapping[str, str] = history.sessions()
        self._ranks = {turn.id for turn in history.turns if turn.ranks}
        self._official = official_sessions

    def ranked(self, ranking: Ranking) -> list[str]:
        return [turn for turn in dict.fromkeys(ranking.ids) if turn in self._ranks]

    def metrics(self, question: Question, ranked: Sequence[str]) -> Metrics:
        gold = frozenset(question.gold)
        sessions = first_of_each([self._session_of[turn] for turn in ranked])
        own = frozenset(self._session_of[turn] for turn in gold)
        found: Metrics = {}
        for k in CUTOFFS:
            found |= _named("turn", k, at_cutoff(ranked, gold, k))
            found |= _named("session", k, at_cutoff(sessions, own, k))
            if self._official:
                found |= _named("official", k, turn_to_session(ranked, self._session_of, gold, k))
        return found


class ContextScorer:
    """Where the file names no evidence, as DMR's: how much of the true answer's words stand in the first turns, in order.

    It needs no language model. It says what a reader could have found there, not that it would have.
    """

    def __init__(self, history: History) -> None:
        self._texts = {turn.id: turn.text for turn in history.turns}

    def ranked(self, ranking: Ranking) -> list[str]:
        return list(dict.fromkeys(ranking.ids))

    def metrics(self, question: Question, ranked: Sequence[str]) -> Metrics:
        context = "\n".join(self._texts[turn] for turn in ranked[:CONTEXT_TURNS])
        return {f"context.rouge_l@{CONTEXT_TURNS}": round(rouge_l_recall(context, question.answer), 6)}


def _named(level: str, k: int, scores: AtCutoff) -> Metrics:
    return {
        f"{level}.any@{k}": scores.any,
        f"{level}.all@{k}": scores.all,
        f"{level}.ndcg@{k}": round(scores.ndcg, 6),
        f"{level}.fraction@{k}": round(scores.fraction, 6),
    }
