"""Runs an exported sentence-transformers model on ONNX Runtime, in fp32 on the CPU."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import onnxruntime.capi.onnxruntime_pybind11_state as ort_errors
from numpy.typing import NDArray
from tokenizers import Encoding

from retrieval.embedders.base import EmbedderError, Vectors
from retrieval.embedders.layout import Pooling
from retrieval.embedders.manifest import GRAPH_FILE, TOKENIZER_FILE, read_manifest
from retrieval.embedders.tokenizer import encodable, load_tokenizer, offsets
from retrieval.limits import (
    EMBED_CHUNK_TEXTS,
    MAX_BATCH_TOKENS,
    MAX_COMBINED_TEXTS,
    MAX_EMBED_THREADS,
    MAX_SPECIAL_TOKENS,
)

_ORT_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_ERRORS_ONLY = 3


class OnnxEmbedder:
    """A sentence-transformers model, exported by `retrieval.embedders.export`.

    Thread-safe: the session and the tokenizer are only read. With all-MiniLM-L6-v2, one text of a query's length takes
    2.5 ms on two cores.
    """

    def __init__(self, folder: Path, *, threads: int = 0, batch_tokens: int = MAX_BATCH_TOKENS) -> None:
        """Loads the export in `folder`, which the caller has verified.

        threads: of one model run; 0: one per core, at most 4. batch_tokens: tokens of one run, padding included.
        Raises EmbedderError if the export cannot be read.
        """
        manifest = read_manifest(folder)
        self._pooling: Pooling = manifest.pooling
        self._lower_case = manifest.lower_case
        self._pad_id = manifest.pad_id
        self._batch_tokens = batch_tokens
        self._dimension = manifest.dimension
        self._max_tokens = manifest.max_tokens
        self._name = f"{manifest.label}@{manifest.source_sha256[:12]}:{manifest.pooling}:{manifest.max_tokens}"
        self._tokenizer = load_tokenizer(folder / TOKENIZER_FILE)
        self._session = _load_session(folder / GRAPH_FILE, threads or default_threads())
        self._counted: dict[str, int] = {}
        """Tokens of the texts of the last small call: a search asks for them right after it."""
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._special_tokens = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        if self._special_tokens > MAX_SPECIAL_TOKENS:
            raise EmbedderError(
                f"{folder}: its tokenizer adds {self._special_tokens} tokens, not at most {MAX_SPECIAL_TOKENS}."
            )
        if not set(self._inputs) <= set(_INPUTS):
            raise EmbedderError(
                f"{folder}: its graph asks for the inputs {self._inputs}, of which only {_INPUTS} are known."
            )

    @property
    def name(self) -> str:
        """The model's name, its weights' hash, its pooling and its window: all that decides the vectors."""
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension). Raises EmbedderError if the model fails to run."""
        assert not isinstance(texts, str), "a single text would be read as a list of characters"
        vectors = np.empty((len(texts), self._dimension), np.float32)
        for first in range(0, len(texts), EMBED_CHUNK_TEXTS):
            rows = self._token_ids(texts[first : first + EMBED_CHUNK_TEXTS])
            for batch in _batches([len(row) for row in rows], self._batch_tokens):
                vectors[[first + place for place in batch]] = self._run([rows[place] for place in batch])
        return vectors

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return offsets(self._tokenizer, text)

    def count_tokens(self, text: str) -> int:
        known = self._counted.get(text)
        return len(self._tokenizer.encode(encodable(text), add_special_tokens=False).ids) if known is None else known

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        prepared = [encodable(text.lower() if self._lower_case else text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(prepared, add_special_tokens=False)
        if len(texts) <= MAX_COMBINED_TEXTS and not self._lower_case:
            self._counted = {text: len(found.ids) for text, found in zip(texts, encodings, strict=True)}
        return [self._finished(encoding).ids for encoding in encodings]

    def _finished(self, encoding: Encoding) -> Encoding:
        """The encoding cut to the window, with its special tokens. The tokenizer itself cuts nothing, for the offsets."""
        encoding.truncate(self._max_tokens - self._special_tokens)
        return self._tokenizer.post_process(encoding)

    def _run(self, rows: list[list[int]]) -> Vectors:
        """Unit vectors of one batch of token ids, shape (len(rows), dimension)."""
        ids, mask = _padded(rows, self._pad_id)
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            outputs = self._session.run(None, {name: known[name] for name in self._inputs})
        except _ORT_ERRORS as error:
            raise EmbedderError(f"The embedding model failed to run: {error}") from error
        hidden = np.asarray(outputs[0], dtype=np.float32)
        return _normalised(hidden[:, 0] if self._pooling == "cls" else _mean(hidden, mask))


def default_threads() -> int:
    """One per core that this process may use, at most MAX_EMBED_THREADS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_EMBED_THREADS)


def _load_session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # The arena grows to one run's working memory, which the batch cap bounds (230 MB in all); without it, malloc's
    # fragments take 100 to 200 MB more. Memory plans would be kept for every shape that ever came.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    # Spinning saves .4 ms of a query on idle cores, and triples its p95 when another process wants one of them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _ORT_ERRORS as error:
        raise EmbedderError(f"{path} cannot be loaded: {error}") from error


def _batches(lengths: list[int], max_tokens: int) -> Iterator[list[int]]:
    """Places of texts that run together: of like lengths, their count times the longest at most `max_tokens`.

    A text that is longer by itself still runs. Longest first: a lack of memory then shows at once and not at the end.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _padded(rows: list[list[int]], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and their attention mask, both of shape (len(rows), longest row)."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask


def _mean(hidden: Vectors, mask: NDArray[np.int64]) -> Vectors:
    """Mean of the token vectors (batch, tokens, dimension) that are no padding; shape (batch, dimension)."""
    weights = mask.astype(np.float32)
    total = np.einsum("btd,bt->bd", hidden, weights)
    return total / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


def _normalised(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
