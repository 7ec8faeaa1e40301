"""The reranker port: a query and texts to one score each, read together and not as two vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


class RerankerError(Exception):
    """The model cannot be found or loaded, or failed to run. The message says what to do."""


class Reranker(Protocol):
    """Says how well each text answers a query. Thread-safe."""

    @property
    def name(self) -> str:
        """Names the model for people."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        """Finite scores of the texts, in their order; more is better, and only scores of one query compare. Shape (len(texts),).

        A text's score does not depend on its company. Raises RerankerError.
        """
        ...
