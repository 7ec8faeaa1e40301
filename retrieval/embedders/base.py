"""The embedder port: text to unit vectors, and the tokenizer that goes with it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class EmbedderError(Exception):
    """The model cannot be found, does not verify, or failed to run. The message says what to do."""


class Embedder(Protocol):
    """Turns texts into unit vectors. Thread-safe."""

    @property
    def name(self) -> str:
        """Identifies the vectors: two embedders of one name give the same vectors (model and weights' hash)."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Tokens of one text that the model reads, special tokens included; what is beyond is cut."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, in their order. Shape (len(texts), dimension), float32."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character spans [start, end) of the text's tokens, special tokens left out, nothing cut."""
        ...

    def count_tokens(self, text: str) -> int:
        """Number of tokens of the text, special tokens left out, nothing cut."""
        ...
