"""Growing numpy columns: append in amortised constant time, read as arrays."""

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)
_FIRST_ROOM = 8
"""Small: most namespaces of a large store are."""


class Column(Generic[S]):
    """One array that grows at its end. `array` is a view of what is filled; it is valid until the next append."""

    def __init__(self, dtype: type[S], initial: NDArray[S] | None = None) -> None:
        self._data: NDArray[S] = (
            np.empty(_FIRST_ROOM, dtype) if initial is None or not len(initial) else np.array(initial, dtype)
        )
        self._size = 0 if initial is None else len(initial)

    def __len__(self) -> int:
        return self._size

    @property
    def array(self) -> NDArray[S]:
        return self._data[: self._size]

    @property
    def nbytes(self) -> int:
        """Bytes held, spare room included."""
        return self._data.nbytes

    def append(self, value: Any) -> None:
        self._reserve(1)
        self._data[self._size] = value
        self._size += 1

    def extend(self, values: NDArray[Any]) -> None:
        self._reserve(len(values))
        self._data[self._size : self._size + len(values)] = values
        self._size += len(values)

    def _reserve(self, more: int) -> None:
        needed = self._size + more
        if needed > len(self._data):
            grown = np.empty(max(needed, len(self._data) * 2), self._data.dtype)
            grown[: self._size] = self._data[: self._size]
            self._data = grown


class Codes:
    """Strings to small integers, in order of first appearance; None is -1."""

    def __init__(self, values: list[str] | None = None) -> None:
        self.values: list[str] = list(values or ())
        self._codes = {value: code for code, value in enumerate(self.values)}

    def __len__(self) -> int:
        return len(self.values)

    def add(self, value: str | None) -> int:
        """The code of a value, a new one if need be."""
        if value is None:
            return -1
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code

    def find(self, value: str) -> int | None:
        """The code of a value, None when it never appeared."""
        return self._codes.get(value)
