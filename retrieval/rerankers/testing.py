"""A deterministic reranker without a model, for tests and demonstrations. It ships."""

import re
from collections.abc import Sequence

import numpy as np

from retrieval.rerankers.base import Scores

_WORD = re.compile(r"\w+")


class OverlapReranker:
    """Scores a text by the share of the query's distinct words that it holds, between 0 and 1."""

    @property
    def name(self) -> str:
        return "test-overlap"

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        assert not isinstance(texts, str), "a single text would be read as a list of characters"
        asked = _words(query)
        shares = [len(asked & _words(text)) / max(1, len(asked)) for text in texts]
        return np.array(shares, np.float32)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
