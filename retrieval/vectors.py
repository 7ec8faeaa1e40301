"""Vectors of passages: FAISS, half precision, inner product of unit vectors. Disposable; SQL holds the vectors."""

from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.coarse import Coarse
from retrieval.columns import Column
from retrieval.limits import COARSE_SHARE

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
        self._coarse = Coarse(dimension, self._floats)

    def __len__(self) -> int:
        return len(self._docs)

    @property
    def nbytes(self) -> int:
        return len(self) * self.dimension * 2 + self._docs.nbytes + self._coarse.nbytes

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
        self._coarse.remove(gone)
        kept: Column[np.int32] = Column(np.int32, np.delete(self.docs, gone))
        self._docs = kept

    def nearest(self, query: Floats, k: int, allowed: NDArray[np.bool_] | None = None) -> tuple[Rows, Floats]:
        """The k best rows of the allowed ones (a mask over rows; None: all), best first, with their inner products."""
        k = min(k, len(self))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        wanted = k * COARSE_SHARE
        if wanted < len(self) and self._coarse.follow(self._codes()):
            candidates, bound = self._coarse.nearest(query, wanted, _only(allowed))
            rows, scores = self._best_of(np.sort(candidates), query, k)
            # Where the bound does not exclude all other rows, they are looked at.
            if len(candidates) < wanted or bound < scores[-1]:
                return rows, scores
        return _search(self._index, query, k, allowed)

    def _best_of(self, candidates: Rows, query: Floats, k: int) -> tuple[Rows, Floats]:
        """`nearest` of these rows, which come ascending: the same scores, and ties in the same order."""
        few = _new_index(self.dimension)
        few.add_sa_codes(self._codes()[candidates].view(np.uint8))
        places, scores = _search(few, query, k, None)
        return candidates[places], scores

    def rows(self, rows: Rows) -> Floats:
        """The vectors of these rows. Shape (n, dimension)."""
        return self._floats(self._codes()[rows])

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """Inner products of the query with these rows."""
        return self.rows(rows) @ query

    def _floats(self, halves: NDArray[np.float16]) -> Floats:
        """FAISS turns halves into floats several times as fast as numpy does."""
        if not len(halves):
            return np.empty(halves.shape, np.float32)
        return self._index.sa_decode(halves.view(np.uint8))

    def _codes(self) -> NDArray[np.float16]:
        size = len(self) * self.dimension * 2
        raw: Any = faiss.rev_swig_ptr(self._index.codes.data(), size)
        return raw.view(np.float16).reshape(len(self), self.dimension)

    # --- snapshots -----------------------------------------------------------------------------------------------

    def frozen(self) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
        """All vectors and their documents."""
        return self._codes().copy() if len(self) else np.empty((0, self.dimension), np.float16), self.docs.copy()


def _search(index: Any, query: Floats, k: int, allowed: NDArray[np.bool_] | None) -> tuple[Rows, Floats]:
    scores, rows = index.search(query.reshape(1, -1), k, params=_only(allowed))
    found = rows[0] >= 0
    return rows[0][found], scores[0][found]


def _only(allowed: NDArray[np.bool_] | None) -> Any:
    """FAISS's parameters of a search among these rows."""
    if allowed is None:
        return None
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little")))


def _new_index(dimension: int) -> Any:
    # One thread: a scan is a few milliseconds, and OpenMP's barrier costs more than that when the cores are busy.
    faiss.omp_set_num_threads(1)
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True
    return index
