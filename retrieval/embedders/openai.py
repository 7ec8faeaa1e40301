"""An embedder behind an OpenAI-compatible endpoint: POST {base_url}/embeddings."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embedders.base import EmbedderError, Vectors
from retrieval.embedders.tokenizer import encodable, load_tokenizer, offsets
from retrieval.embedders.wrappers import TransientEmbedderError
from retrieval.limits import MAX_ERROR_CHARS, MAX_REMOTE_BATCH_TEXTS, REMOTE_TIMEOUT_S

_PIECE = re.compile(r"[^\W_]{1,4}|[^\w\s]|_", re.ASCII)
"""Stands for a token where no tokenizer is given: at most four ASCII letters or digits, or any other character.
English averages four letters to a token (OpenAI's rule of thumb), so this counts too many rather than too few."""


class OpenAIEmbedder:
    """Speaks OpenAI's embeddings API, as vLLM, TEI, Ollama, llama.cpp and others do too.

    Thread-safe. Wrap it in `RetryingEmbedder`: busy servers and lost connections raise TransientEmbedderError.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None,
        dimension: int,
        *,
        max_tokens: int = 512,
        tokenizer: Path | None = None,
        request_dimension: bool = False,
        timeout_s: float = REMOTE_TIMEOUT_S,
    ) -> None:
        """base_url: as `https://api.openai.com/v1`. dimension: what the model answers; another is refused.

        max_tokens: of one text. tokenizer: the model's tokenizer.json; without it, tokens are approximated.
        request_dimension: ask for shortened vectors (OpenAI's `dimensions`; many servers refuse the field).
        """
        import httpx2  # only a remote endpoint needs it loaded

        self._model = model
        self._dimension = dimension
        self._max_tokens = max_tokens
        self._tokenizer = load_tokenizer(tokenizer) if tokenizer else None
        self._extra: dict[str, Any] = {"dimensions": dimension} if request_dimension else {}
        self._transport_error = httpx2.TransportError
        self._client = httpx2.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=timeout_s,
        )

    @property
    def name(self) -> str:
        """The model and its dimension: an endpoint does not tell its weights."""
        return f"openai:{self._model}:{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension). One request for each MAX_REMOTE_BATCH_TEXTS texts.

        Raises TransientEmbedderError on 429, 5xx, timeouts and lost connections; EmbedderError on any other answer.
        """
        assert not isinstance(texts, str), "a single text would be read as a list of characters"
        vectors = np.empty((len(texts), self._dimension), np.float32)
        for first in range(0, len(texts), MAX_REMOTE_BATCH_TEXTS):
            batch = texts[first : first + MAX_REMOTE_BATCH_TEXTS]
            vectors[first : first + len(batch)] = self._request(batch)
        return vectors

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        if self._tokenizer is None:
            return [match.span() for match in _PIECE.finditer(text)]
        return offsets(self._tokenizer, text)

    def count_tokens(self, text: str) -> int:
        return len(self.token_offsets(text))

    def close(self) -> None:
        """Closes the pooled connections."""
        self._client.close()

    def _request(self, texts: Sequence[str]) -> Vectors:
        # Servers refuse an empty text; a space means the same.
        body = {"model": self._model, "input": [encodable(text) or " " for text in texts], "encoding_format": "float"}
        try:
            answer = self._client.post("embeddings", json=body | self._extra)
        except self._transport_error as error:
            raise TransientEmbedderError(f"The embedding endpoint cannot be reached: {error!r}") from error
        if answer.status_code != HTTPStatus.OK:
            raise _refusal(answer.status_code, answer.text, answer.headers.get("Retry-After"))
        return self._vectors(answer, len(texts))

    def _vectors(self, answer: Any, count: int) -> Vectors:
        """The answer's vectors in the order of the texts: the order of its items is not promised, their `index` is."""
        try:
            items = sorted(answer.json()["data"], key=lambda item: item["index"])
            places = [item["index"] for item in items]
            vectors = np.asarray([item["embedding"] for item in items], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EmbedderError(f"The embedding endpoint's answer cannot be read: {error!r}") from error
        if places != list(range(count)) or vectors.shape != (count, self._dimension):
            raise EmbedderError(
                f"The embedding endpoint answered {count} texts with vectors of shape {vectors.shape}; "
                f"the dimension configured is {self._dimension}."
            )
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms) & (norms > 0)).all():
            raise EmbedderError("The embedding endpoint answered with a vector that is zero or not finite.")
        return vectors / norms


def _refusal(status: int, body: str, retry_after: str | None) -> EmbedderError:
    message = f"The embedding endpoint answered {status}: {' '.join(body.split())[:MAX_ERROR_CHARS]}"
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT) or status >= 500:
        return TransientEmbedderError(message, _seconds(retry_after))
    return EmbedderError(message)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: RFC 9110, section 10.2.3 allows a number or a date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
