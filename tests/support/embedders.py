"""Embedders that fail, count or wait, for tests of what the service does then."""

from collections.abc import Sequence

from retrieval.embedders.base import EmbedderError, Vectors
from retrieval.embedders.testing import HashEmbedder


class FailingEmbedder(HashEmbedder):
    """Fails at texts that hold a word, until it is mended."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word
        self.mended = False
        self.failures = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not self.mended and any(self._word in text for text in texts):
            self.failures += 1
            raise EmbedderError("the model broke on this text")
        return super().embed(texts)


class CountingEmbedder(HashEmbedder):
    """Counts the texts it embeds."""

    def __init__(self, dimension: int = 64) -> None:
        super().__init__(dimension)
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return super().embed(texts)
