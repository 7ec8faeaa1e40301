"""A deterministic embedder without a model, for tests and demonstrations. It ships."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from retrieval.embedders.base import Vectors

_NO_SPACES = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_TOKEN = re.compile(rf"[{_NO_SPACES}]|[^\W{_NO_SPACES}]+")
"""One character of a script written without spaces, or a word of another."""


class HashEmbedder:
    """Feature hashing of words (Weinberger et al. 2009, section 2): texts that share words are near each other.

    Each lower-cased word, and each character of scripts without spaces, adds +1 or -1 to the component its hash picks.
    """

    def __init__(self, dimension: int = 64) -> None:
        """dimension: of the vectors, at least 1."""
        if dimension < 1:
            raise ValueError("a vector has at least one component")
        self._dimension = dimension

    @property
    def name(self) -> str:
        return f"test-hash-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return 256

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension). A text without words gives the first unit vector."""
        assert not isinstance(texts, str), "a single text would be read as a list of characters"
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for match, _ in zip(_TOKEN.finditer(text), range(self.max_tokens), strict=False):
                place, sign = _feature(match[0].lower(), self._dimension)
                vector[place] += sign
            if not vector.any():
                vector[0] = 1.0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(text)]

    def count_tokens(self, text: str) -> int:
        return sum(1 for _ in _TOKEN.finditer(text))


@lru_cache(maxsize=65536)
def _feature(word: str, dimension: int) -> tuple[int, float]:
    """Component and sign of a word."""
    value = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return (value >> 1) % dimension, 1.0 if value & 1 else -1.0
