"""Answer metrics: LoCoMo's token F1 by category (task_eval/evaluation.py), and DMR's ROUGE-L recall.

LoCoMo (arXiv 2402.17753, section 4.1): answers are lower-cased, rid of punctuation and of "a", "an", "the" and "and", stemmed by
Porter's algorithm, and compared as bags of words.
"""

import re
import string
from collections import Counter
from functools import cache
from statistics import fmean
from typing import Any, Final

from eval.dataset import Question

_ARTICLES: Final = re.compile(r"\b(a|an|the|and)\b")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_DECLINED: Final = ("no information available", "not mentioned")


def normalized(text: str) -> list[str]:
    """An answer's words as LoCoMo compares them, not yet stemmed."""
    return _ARTICLES.sub(" ", text.replace(",", "").lower().translate(_PUNCTUATION)).split()


def token_f1(prediction: str, truth: str) -> float:
    """Harmonic mean of precision and recall over stems, repeated words counted; 0 when none is shared."""
    stem = _porter().stem
    told, wanted = ([stem(word) for word in normalized(text)] for text in (prediction, truth))
    shared = (Counter(told) & Counter(wanted)).total()
    if not shared:
        return 0.0
    precision, recall = shared / len(told), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def list_f1(prediction: str, truth: str) -> float:
    """For answers that are lists: each true part against the predicted part that fits it best, averaged."""
    told = prediction.split(",")
    return fmean(max(token_f1(part, wanted) for part in told) for wanted in truth.split(","))


def locomo_score(question: Question, prediction: str) -> float:
    """LoCoMo's rule for the question's category."""
    match question.group:
        case "adversarial":
            return float(any(phrase in prediction.lower() for phrase in _DECLINED))
        case "multi-hop":
            return list_f1(prediction, question.answer)
        case "open-domain":
            # Only what stands before a semicolon is the answer; the rest explains it.
            return token_f1(prediction, question.answer.split(";")[0].strip())
        case _:
            return token_f1(prediction, question.answer)


def rouge_l_recall(prediction: str, truth: str) -> float:
    """Share of the truth's words that stand in the prediction in the same order (MemGPT, arXiv 2310.08560, section 3.1)."""
    return float(_rouge().score(truth, prediction)["rougeL"].recall)


@cache
def _porter() -> Any:
    from nltk.stem import PorterStemmer

    return PorterStemmer()


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)
