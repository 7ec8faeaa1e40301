"""Vectors of passages: FAISS, half precision, inner product of unit vectors. Disposable; SQL holds the vectors."""

from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.columns import Column

faiss: Any = _faiss
"""FAISS ships types that do not fit its Python interface."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Vectors:
    """Rows of unit vectors, each belonging to a document."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = _new_index(dimension)
        self._docs: Column[np.int32] = Column(np.int32)

    def __len__(self) -> int:
        return len(self._docs)

    @property
    def nbytes(self) -> int:
        return len(self) * self.dimension * 2 + self._docs.nbytes

    @property
    def docs(self) -> NDArray[np.int32]:
        """The document of each row."""
        return self._docs.array

    def add(self, docs: NDArray[np.int32], vectors: NDArray[np.float16]) -> None:
        """Adds rows. Shapes (n,) and (n, dimension)."""
        # The codes of this index are the half-precision numbers themselves: they go in as they are.
        self._index.add_sa_codes(np.ascontiguousarray(vectors, np.float16).view(np.uint8))
        self._docs.extend(docs)

    def remove(self, docs: NDArray[np.int32]) -> None:
        """Takes out all rows of these documents; the others close up, so row numbers change."""
        gone = np.flatnonzero(np.isin(self.docs, docs)).astype(np.int64)
        if not len(gone):
            return
        self._index.remove_ids(gone)
        kept: Column[np.int32] = Column(np.int32, np.delete(self.docs, gone))
        self._docs = kept

    def nearest(self, query: Floats, k: int, allowed: NDArray[np.bool_] | None = None) -> tuple[Rows, Floats]:
        """The k best rows of the allowed ones (a mask over rows; None: all), best first, with their inner products."""
        k = min(k, len(self))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)
            parameters = faiss.SearchParameters(sel=selector)
        scores, rows = self._index.search(query.reshape(1, -1), k, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]

    def rows(self, rows: Rows) -> Floats:
        """The vectors of these rows. Shape (n, dimension)."""
        return self._codes()[rows].astype(np.float32)

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """Inner products of the query with these rows."""
        return self.rows(rows) @ query

    def _codes(self) -> NDArray[np.float16]:
        size = len(self) * self.dimension * 2
        raw: Any = faiss.rev_swig_ptr(self._index.codes.data(), size)
        return raw.view(np.float16).reshape(len(self), self.dimension)

    # --- snapshots -----------------------------------------------------------------------------------------------

    def frozen(self) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
        """All vectors and their documents."""
        return self._codes().copy() if len(self) else np.empty((0, self.dimension), np.float16), self.docs.copy()


def _new_index(dimension: int) -> Any:
    # One thread: a scan is a few milliseconds, and OpenMP's barrier costs more than that when the cores are busy.
    faiss.omp_set_num_threads(1)
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True
    return index
