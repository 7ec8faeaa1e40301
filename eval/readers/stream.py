"""A JSON array read item by item in bounded memory: LongMemEval_M's is 2.7 GB, each of its 500 items 5 MB.

At any time there is one item, and text of a few. The standard library decodes an item at a place in a text, so it is given as
much of the text as holds the next one.
"""

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from eval.errors import BadData

_READ_BYTES: Final = 1 << 20
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_SPLIT_CHARS: Final = 16
"""The longest token but a string that the end of what is read can cut: "-Infinity" or an escaped surrogate pair."""


_NUMBER_TAIL: Final = 2
"""What may follow a number without being read as its part, though it is: "1" of "1e-"."""


class JsonArray:
    """The items of a file that holds one JSON array. Iterate once; `sha256` is the file's when the last item has come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        """Where in the text the next item, or what stands before it, begins."""
        self._expected = 0
        self._ended = False
        self._bytes = 0
        self._lines = 0
        """Line ends in the text that was let go; `_column` counts what was let go since the last of them."""
        self._column = 0

    @property
    def sha256(self) -> str:
        assert self._ended, "the file was not read to its end"
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Any]:
        """Raises BadData for what cannot be read or is no array, with its place."""
        try:
            with self._path.open("rb", buffering=0) as file:
                yield from self._items(file)
        except IsADirectoryError:
            raise BadData(self._path, "is a folder; name the file in it.") from None
        except OSError as error:
            raise BadData(self._path, f"cannot be read ({error.strerror}).") from error

    def _items(self, file: Any) -> Iterator[Any]:
        first = self._next_char(file)
        if not first:
            raise BadData(self._path, "is empty.")
        if first != "[":
            self._read(file, _READ_BYTES)  # a short file has then ended
            raise self._no_array()
        self._at += 1
        while self._next_char(file) != "]":
            yield self._item(file)
            following = self._next_char(file)
            if following == ",":
                self._at += 1
            elif following != "]":
                raise self._trouble(json.JSONDecodeError("Expecting ',' or ']'", self._text, self._at))
        self._at += 1
        if self._next_char(file):
            raise self._trouble(json.JSONDecodeError("Extra data", self._text, self._at))

    def _item(self, file: Any) -> Any:
        """The item that begins here. It is expected to be as long as the last; if not, each try has twice the text."""
        if self._expected > len(self._text) - self._at:
            self._read(file, self._expected)
        while True:
            try:
                item, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or not self._is_cut(error):
                    raise self._trouble(error) from error
            except RecursionError:
                raise BadData(self._path, f"is not JSON: it is nested too deeply (line {self._lines + 1}).") from None
            else:
                if self._ended or end + _NUMBER_TAIL < len(self._text):
                    self._expected = end - self._at + _SPLIT_CHARS
                    self._at = end
                    return item
            self._read(file, max(_READ_BYTES, len(self._text) - self._at))

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the error may come from the end of what is read so far."""
        return error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _SPLIT_CHARS

    def _next_char(self, file: Any) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read(file, _READ_BYTES)

    def _read(self, file: Any, size: int) -> None:
        """Lets go of what was used, and reads about so many more bytes."""
        used = self._text[: self._at]
        self._lines += used.count("\n")
        self._column = len(used) - used.rfind("\n") - 1 + (0 if "\n" in used else self._column)
        data: bytes = file.read(size)
        self._ended = not data
        self._digest.update(data)
        try:
            self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            place = self._bytes + error.start - len(error.object) + len(data)
            raise BadData(self._path, f"is not text in UTF-8 (byte {place}).") from error
        self._bytes += len(data)
        self._at = 0

    def _no_array(self) -> BadData:
        """What a file that does not begin as an array is: another JSON value, or no JSON. A long one is not read for it."""
        if not self._ended:
            return BadData(self._path, f"must be a list of JSON, but begins with {self._text[self._at]!r}.")
        try:
            value = json.loads(self._text)
        except json.JSONDecodeError as error:
            return self._trouble(error)
        except RecursionError:
            return BadData(self._path, "is not JSON: it is nested too deeply.")
        return BadData(self._path, f"must be a list, not {type(value).__name__}.")

    def _trouble(self, error: json.JSONDecodeError) -> BadData:
        line = self._lines + error.lineno
        column = error.colno + (self._column if error.lineno == 1 else 0)
        at_end = self._ended and error.pos >= len(self._text.rstrip()) - 1
        if at_end or error.msg.startswith("Unterminated"):
            return BadData(self._path, f"ends too early, at line {line}: is it truncated? ({error.msg})")
        return BadData(self._path, f"is not JSON: {error.msg} at line {line}, column {column}.")
