"""From a ranking to a question's metrics, by level and cutoff."""

from collections.abc import Mapping

from eval.dataset import History, Question
from eval.limits import CUTOFFS
from eval.metrics.ranking import AtCutoff, at_cutoff, first_of_each, turn_to_session
from eval.systems.base import Ranking

Metrics = dict[str, float]
"""By `level.metric@k`, as `turn.all@10`."""


class Scorer:
    """Judges rankings of one history's turns."""

    def __init__(self, history: History, *, official_sessions: bool) -> None:
        """official_sessions: adds LongMemEval's own session scores of a turn ranking, as level `official`."""
        self._session_of: Mapping[str, str] = history.sessions()
        self._ranks = {turn.id for turn in history.turns if turn.ranks}
        self._official = official_sessions

    def ranked(self, ranking: Ranking) -> list[str]:
        """The turns that count, before any cut."""
        return [turn for turn in dict.fromkeys(ranking.ids) if turn in self._ranks]

    def metrics(self, question: Question, ranked: list[str]) -> Metrics:
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


def _named(level: str, k: int, scores: AtCutoff) -> Metrics:
    return {
        f"{level}.any@{k}": scores.any,
        f"{level}.all@{k}": scores.all,
        f"{level}.ndcg@{k}": round(scores.ndcg, 6),
        f"{level}.fraction@{k}": round(scores.fraction, 6),
    }
