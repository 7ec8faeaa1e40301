"""Wrappers of the embedder port: each adds one thing, and they nest, as `CachedEmbedder(BatchingEmbedder(embedder))`.

EmbedderError
└── TransientEmbedderError    a remote endpoint that may answer if it is asked again
"""

import hashlib
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from retrieval.embedders.base import Embedder, EmbedderError, Vectors
from retrieval.limits import (
    MAX_CACHED_VECTOR_BYTES,
    MAX_COMBINED_TEXTS,
    REMOTE_ATTEMPTS,
    REMOTE_BACKOFF_MAX_MS,
    REMOTE_BACKOFF_MS,
)

_ENTRY_OVERHEAD_BYTES = 256
"""An ordered dict's slot, the key's and the array's headers."""


class TransientEmbedderError(EmbedderError):
    """The endpoint is busy, restarting or out of reach: the same request may succeed later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """What the server asked for, if it did."""


class EmbedderWrapper:
    """Passes every call on to `inner`; the wrappers override `embed`."""

    def __init__(self, inner: Embedder) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    @property
    def max_tokens(self) -> int:
        return self.inner.max_tokens

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.inner.embed(texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self.inner.token_offsets(text)

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)


class CachedEmbedder(EmbedderWrapper):
    """Remembers the vectors of single texts, the least recently used leaving first.

    A call of several texts is ingest, which does not repeat itself: it passes by and drives no query out.
    Keys are hashes: the cache holds no text.
    """

    def __init__(self, inner: Embedder, max_bytes: int = MAX_CACHED_VECTOR_BYTES) -> None:
        """max_bytes: of the vectors and their bookkeeping."""
        super().__init__(inner)
        self._entry_bytes = inner.dimension * 4 + _ENTRY_OVERHEAD_BYTES
        self._max_entries = max_bytes // self._entry_bytes
        self._entries: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) != 1:
            return self.inner.embed(texts)
        key = hashlib.blake2b(texts[0].encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
        if found is None:
            found = self.inner.embed(texts)
            self._keep(key, found.copy())
        return found.copy()  # the caller may write into its vector

    def clear(self) -> None:
        """Forgets every vector: an erased text's query must not stay answerable."""
        with self._lock:
            self._entries.clear()

    def _keep(self, key: bytes, vectors: Vectors) -> None:
        with self._lock:
            self._entries[key] = vectors
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)


class _Call:
    """One caller's texts on their way through a combined run."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.vectors: Vectors | None = None
        self.leads = False
        self._ready = threading.Lock()
        self._ready.acquire()

    def wait(self) -> None:
        """Returns once this call has its vectors, has failed, or is to lead the next run."""
        self._ready.acquire()

    def wake(self) -> None:
        self._ready.release()


class BatchingEmbedder(EmbedderWrapper):
    """Runs the small calls that arrive while the model is busy as one batch. No call waits for another to come.

    Sixteen callers of one query each on two cores, beside separate runs, which contend for the cores: 690 queries/s for
    490, p95 38 ms for 57, 2.3 ms of CPU a query for 4.0. One caller alone pays some microseconds.
    """

    def __init__(self, inner: Embedder, max_texts: int = MAX_COMBINED_TEXTS) -> None:
        """max_texts: of one run; a call of more than a quarter of them gains nothing and runs by itself."""
        super().__init__(inner)
        self._max_texts = max_texts
        self._lock = threading.Lock()
        self._waiting: list[_Call] = []
        self._busy = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not 0 < len(texts) <= self._max_texts // 4:
            return self.inner.embed(texts)
        call = self._enqueue(texts)
        if not call.leads:
            call.wait()
        if call.leads:
            self._lead(call)
        # A combined run that failed may have failed for another's text: each call then learns its own outcome.
        return self.inner.embed(texts) if call.vectors is None else call.vectors

    def _enqueue(self, texts: Sequence[str]) -> _Call:
        call = _Call(texts)
        with self._lock:
            call.leads = not self._busy
            self._busy = True
            self._waiting.append(call)
        return call

    def _lead(self, leader: _Call) -> None:
        """Runs the leader's call with those waiting, then hands the lead to the first call that came meanwhile."""
        batch = self._take()
        try:
            self._run(batch)
        except EmbedderError:
            if len(batch) == 1:
                raise
        finally:
            self._hand_over()
            for call in batch:
                if call is not leader:
                    call.wake()

    def _hand_over(self) -> None:
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            self._busy = successor is not None
        if successor is not None:
            successor.leads = True
            successor.wake()

    def _take(self) -> list[_Call]:
        """The calls of the next run, in order of arrival; the leader's own is the first."""
        with self._lock:
            count, texts = 0, 0
            while count < len(self._waiting) and texts + len(self._waiting[count].texts) <= self._max_texts:
                texts += len(self._waiting[count].texts)
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _run(self, batch: list[_Call]) -> None:
        vectors = self.inner.embed([text for call in batch for text in call.texts])
        first = 0
        for call in batch:
            call.vectors = vectors[first : first + len(call.texts)].copy()
            first += len(call.texts)


class RetryingEmbedder(EmbedderWrapper):
    """Asks again after a TransientEmbedderError, with exponential backoff and jitter, or when the server said to."""

    def __init__(
        self,
        inner: Embedder,
        *,
        attempts: int = REMOTE_ATTEMPTS,
        backoff_ms: int = REMOTE_BACKOFF_MS,
        backoff_max_ms: int = REMOTE_BACKOFF_MAX_MS,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """attempts: calls in all, at least 1. sleep takes seconds; rng gives the jitter (both for tests)."""
        super().__init__(inner)
        self._attempts = max(1, attempts)
        self._backoff_ms = backoff_ms
        self._backoff_max_ms = backoff_max_ms
        self._sleep = sleep
        self._rng = rng or random.Random()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises the last TransientEmbedderError, and every other EmbedderError at once."""
        for attempt in range(self._attempts - 1):
            try:
                return self.inner.embed(texts)
            except TransientEmbedderError as error:
                self._sleep(self._pause_ms(attempt, error.retry_after_s) / 1000)
        return self.inner.embed(texts)

    def _pause_ms(self, attempt: int, retry_after_s: float | None) -> float:
        if retry_after_s is not None:
            return min(max(retry_after_s, 0.0) * 1000, self._backoff_max_ms)
        # Jitter: clients that failed together do not come back together.
        return self._rng.uniform(0.5, 1.0) * min(self._backoff_ms * 2**attempt, self._backoff_max_ms)
