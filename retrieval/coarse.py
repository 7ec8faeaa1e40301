"""A byte for each component: a scan of passages at half the cost, which knows how far off it can be.

A row x is kept as y, its components rounded to 1/127 of the largest, and so is a query, q as p: FAISS multiplies bytes by bytes.
By Cauchy-Schwarz q.x <= p.y + |q| |x - y| + |q - p| |y|, so what p.y says of a row bounds what q.x can be.
"""

from collections.abc import Callable
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.limits import COARSE_BLOCK_ROWS, MIN_COARSE_ROWS

faiss: Any = _faiss

Floats = Callable[[NDArray[np.float16]], NDArray[np.float32]]

_ZERO = 128
"""The code of 0."""

_ROUNDING = 1e-5
"""What sums of 32-bit floats may differ by."""


def _largest(rows: NDArray[np.float16]) -> float:
    """The largest component. Without their sign, halves are in the order of their bits."""
    largest = (rows.view(np.uint16) & 0x7FFF).max()
    return float(np.uint16(largest).view(np.float16))


def _longest(rows: NDArray[np.float32]) -> float:
    """The length of the longest row."""
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max()))


class Coarse:
    """Vectors of a byte each component. Holds no more than the exact rows that it follows."""

    def __init__(self, dimension: int, floats: Floats) -> None:
        """floats: turns halves into 32-bit floats, exactly."""
        self._dimension = dimension
        self._floats = floats
        self._index: Any = None
        self._scale = 1.0
        self._error = 0.0
        """The largest |x - y| of any row so far ..."""
        self._length = 0.0
        """... and the largest |y|."""

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    @property
    def nbytes(self) -> int:
        return len(self) * self._dimension

    def follow(self, rows: NDArray[np.float16]) -> bool:
        """Takes over, out of all exact rows, those that are new. False while they are too few to be worth it."""
        if self._index is None:
            if len(rows) < MIN_COARSE_ROWS:
                return False
            self._index = faiss.IndexScalarQuantizer(
                self._dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
            )
            self._scale = 127.0 / max(_largest(rows), 1e-6)
        for first in range(len(self), len(rows), COARSE_BLOCK_ROWS):
            scaled = self._floats(rows[first : first + COARSE_BLOCK_ROWS])
            scaled *= self._scale
            # Later rows may have larger components than those at first; they are cut, and the error says so.
            rounded = np.clip(np.rint(scaled), -127, 127)
            self._index.add_sa_codes((rounded + _ZERO).astype(np.uint8))
            self._length = max(self._length, _longest(rounded) / self._scale)
            scaled -= rounded
            self._error = max(self._error, _longest(scaled) / self._scale)
        return True

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Takes rows out; the others close up."""
        own = rows[rows < len(self)]
        if len(own):
            self._index.remove_ids(own)

    def nearest(self, query: NDArray[np.float32], k: int, parameters: Any) -> tuple[NDArray[np.int64], float]:
        """The k best rows by their rounded vectors, and the most that the inner product of any other can be."""
        scale = 127.0 / max(float(np.abs(query).max()), 1e-6)
        rounded = np.rint(query * scale)
        scores, rows = self._index.search(rounded.reshape(1, -1), k, params=parameters)
        found = rows[0][rows[0] >= 0]
        if len(found) < k:
            return found, -np.inf  # there is no other
        furthest = float(scores[0][-1]) / (self._scale * scale)
        own_error = float(np.linalg.norm(query - rounded / scale))
        return found, furthest + float(np.linalg.norm(query)) * self._error + own_error * self._length + _ROUNDING
