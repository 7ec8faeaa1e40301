"""An inverted index in memory: for each term the documents that hold it and how often.

Two parts: a frozen base in compressed rows (arrays that may be memory-mapped from a snapshot) and a growing tail of small
arrays. Documents are numbered in the order they are added. Removal is the reader's mask, not ours.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Docs = NDArray[np.int32]
Counts = NDArray[np.float32]

_MAX_COUNT = 255
"""More occurrences of a term in one text tell nothing more: BM25 has long saturated."""

_NO_DOCS: Docs = np.empty(0, np.int32)
_NO_COUNTS: Counts = np.empty(0, np.float32)


class Postings:
    """Term to (documents ascending, counts)."""

    def __init__(self) -> None:
        self._terms: dict[str, int] = {}
        self._base_offsets: NDArray[np.int64] = np.zeros(1, np.int64)
        self._base_docs: Docs = _NO_DOCS
        self._base_counts: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._tail_docs: dict[int, array[int]] = {}
        self._tail_counts: dict[int, array[int]] = {}
        self._tail_size = 0

    def __len__(self) -> int:
        """Number of postings."""
        return len(self._base_docs) + self._tail_size

    @property
    def nbytes(self) -> int:
        """Bytes held, estimated for the term table and exact for the arrays."""
        arrays = self._base_offsets.nbytes + self._base_docs.nbytes + self._base_counts.nbytes
        return arrays + self._tail_size * 5 + len(self._tail_docs) * 240 + len(self._terms) * 100

    def add(self, doc: int, terms: Iterable[str]) -> int:
        """Adds the next document. Returns its length in terms."""
        length = 0
        for term, count in Counter(terms).items():
            length += count
            code = self._terms.setdefault(term, len(self._terms))
            docs = self._tail_docs.get(code)
            if docs is None:
                docs = self._tail_docs[code] = array("i")
                self._tail_counts[code] = array("B")
            docs.append(doc)
            self._tail_counts[code].append(min(count, _MAX_COUNT))
            self._tail_size += 1
        return length

    def get(self, term: str) -> tuple[Docs, Counts]:
        """Documents that hold the term, ascending, and how often each does."""
        code = self._terms.get(term)
        if code is None:
            return _NO_DOCS, _NO_COUNTS
        docs, counts = _NO_DOCS, _NO_COUNTS
        if code < len(self._base_offsets) - 1:
            start, end = self._base_offsets[code], self._base_offsets[code + 1]
            docs, counts = self._base_docs[start:end], self._base_counts[start:end].astype(np.float32)
        if code not in self._tail_docs:
            return docs, counts
        # Copies: a view would forbid the array module to grow its buffer.
        tail_docs = np.array(self._tail_docs[code], np.int32)
        tail_counts = np.array(self._tail_counts[code], np.float32)
        if not len(docs):
            return tail_docs, tail_counts
        return np.concatenate((docs, tail_docs)), np.concatenate((counts, tail_counts))

    def frozen(self) -> tuple[list[str], NDArray[np.int64], Docs, NDArray[np.uint8]]:
        """Everything in compressed rows: terms by code, offsets, documents, counts."""
        terms = list(self._terms)
        parts = [self.get(term) for term in terms]
        offsets = np.zeros(len(terms) + 1, np.int64)
        np.cumsum([len(docs) for docs, _ in parts], out=offsets[1:]) if parts else None
        docs = np.concatenate([docs for docs, _ in parts]) if parts else _NO_DOCS
        counts = np.concatenate([counts for _, counts in parts]) if parts else _NO_COUNTS
        return terms, offsets, docs.astype(np.int32), counts.astype(np.uint8)

    @classmethod
    def thaw(
        cls, terms: Sequence[str], offsets: NDArray[np.int64], docs: Docs, counts: NDArray[np.uint8]
    ) -> "Postings":
        """Postings whose base is what `frozen` gave, possibly memory-mapped."""
        postings = cls()
        postings._terms = {term: code for code, term in enumerate(terms)}
        postings._base_offsets, postings._base_docs, postings._base_counts = offsets, docs, counts
        return postings
