"""A cross-encoder of sentence-transformers: query and text read in one pass (Nogueira & Cho, arXiv 1901.04085, section 3)."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embedders.tokenizer import encodable
from retrieval.limits import MAX_ERROR_CHARS, MAX_PAIR_TOKENS, RERANK_BATCH_TEXTS, RERANKER_RETRY_S
from retrieval.rerankers.base import RerankerError, Scores


class CrossEncoderReranker:
    """Any model that `sentence_transformers.CrossEncoder` loads and that gives one score: a local folder, or a hub name.

    It is loaded by the first call, which takes torch some seconds and a hub model its download. Where that fails, the calls of
    the next RERANKER_RETRY_S fail at once with the same message. Thread-safe: one call runs at a time.
    """

    def __init__(self, model: Path | str, *, max_tokens: int = MAX_PAIR_TOKENS) -> None:
        """model: a folder, or a hub name as `organisation/model`. max_tokens: of a query and a text together; the longer of the
        two is cut first. A model whose window is smaller keeps its own."""
        self._model = model
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._encoder: Any = None
        self._failure: RerankerError | None = None
        self._failed_at = 0.0

    @property
    def name(self) -> str:
        return self._model.resolve().name if isinstance(self._model, Path) else self._model

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        """What the model says of each pair, after its own activation: mostly between 0 and 1. Raises RerankerError."""
        assert not isinstance(texts, str), "a single text would be read as a list of characters"
        if not texts:
            return np.empty(0, np.float32)
        pairs = [(encodable(query), encodable(text)) for text in texts]
        # One at a time: the tokenizer's settings are its own state, and torch uses every core for one call anyway.
        with self._lock:
            encoder = self._loaded()
            try:
                # Sorts the pairs by length, so that a batch is padded little.
                found = encoder.predict(pairs, batch_size=RERANK_BATCH_TEXTS, show_progress_bar=False)
            except (RuntimeError, ValueError, IndexError, MemoryError) as error:
                raise RerankerError(f"The reranker {self.name} failed to run: {_first_line(error)}") from error
        scores = np.asarray(found, np.float32)
        if scores.shape != (len(texts),) or not np.isfinite(scores).all():
            raise RerankerError(f"The reranker {self.name} gave scores that are not one finite number for each text.")
        return scores

    def _loaded(self) -> Any:
        """The lock is held."""
        if self._encoder is None:
            if self._failure is not None and time.monotonic() - self._failed_at < RERANKER_RETRY_S:
                raise RerankerError(str(self._failure))
            try:
                self._encoder = _load(self._model, self._max_tokens)
            except RerankerError as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
        return self._encoder


def _load(model: Path | str, max_tokens: int) -> Any:
    try:
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise RerankerError(
            f"{error}. A reranker needs torch and sentence-transformers: install the server extra."
        ) from error
    disable_progress_bar()  # standard error is the log's
    is_local = isinstance(model, Path)
    try:
        encoder: Any = CrossEncoder(str(model), local_files_only=is_local)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError) as error:
        what = (
            "is no readable cross-encoder"
            if is_local
            else "cannot be had from the hub (the first time needs a network)"
        )
        raise RerankerError(f"The reranker {model} {what}: {_first_line(error)}") from error
    _check_head(encoder, model)
    # Its name until sentence-transformers 5.
    window = "max_seq_length" if hasattr(encoder, "max_seq_length") else "max_length"
    limits = [max_tokens, getattr(encoder, window), getattr(encoder.config, "max_position_embeddings", None)]
    setattr(encoder, window, min(tokens for tokens in limits if tokens))
    return encoder


def _check_head(encoder: Any, model: Path | str) -> None:
    """A model without a trained head is loaded too, with a random one."""
    kinds = getattr(encoder.config, "architectures", None) or ["an unknown kind"]
    if len(encoder) == 1 and not kinds[0].endswith("ForSequenceClassification"):
        raise RerankerError(f"{model} is {kinds[0]}, which has no head that scores pairs: give a cross-encoder.")
    if encoder.num_labels != 1:
        raise RerankerError(f"{model} gives {encoder.num_labels} labels to a pair; a reranker gives one score.")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), repr(error))[:MAX_ERROR_CHARS]
