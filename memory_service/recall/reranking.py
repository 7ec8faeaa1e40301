"""The second opinion: the first results read again, each together with the query, by a reranker."""

from collections.abc import Sequence

from memory_service.errors import ModelUnavailable
from memory_service.observability import metrics
from memory_service.observability.traces import tracer
from retrieval.rerankers import Reranker, RerankerError

CHANNEL = "reranker"
"""Its name beside the scorer's own channels."""


class Reranking:
    """A reranker, and how many results it reads. Thread-safe."""

    def __init__(self, reranker: Reranker, depth: int) -> None:
        self.depth = depth
        self._reranker = reranker

    @property
    def name(self) -> str:
        return self._reranker.name

    def order(self, query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
        """Places of the texts, best first, each with its score; equals keep their order. Raises ModelUnavailable."""
        with tracer.start_as_current_span("rerank"), metrics.search_seconds.labels("rerank").time():
            try:
                scores = self._reranker.score(query, texts).tolist()
            except RerankerError as error:
                raise ModelUnavailable(f"The results cannot be reranked: {error}") from error
        return sorted(enumerate(scores), key=lambda found: -found[1])
