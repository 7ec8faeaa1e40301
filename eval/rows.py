"""Rows on disk, one JSON line each, appended as they are made: what an interrupted run has done is not done again."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from eval.errors import BadResults, EvalError

Row = dict[str, Any]


class RowLog:
    """An append-only file of rows, one run's at a time. Raises EvalError when it cannot be written or another run has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            _lock(self._file, path)
            self.rows = list(_read(path))
        except OSError as error:
            raise unwritable(path, error) from error

    def append(self, row: Row) -> None:
        """Written through to the operating system before this returns."""
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise unwritable(self._path, error) from error
        self.rows.append(row)

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise unwritable(self._path, error) from error


def _lock(file: BinaryIO, path: Path) -> None:
    """Held until the file is closed, also by the end of the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EvalError(f"Another run is writing {path}. Wait for it, or give another --out.") from None


def _read(path: Path) -> Iterator[Row]:
    """Rows of earlier runs. A last line without its end was being written when the run ended: it is cut off."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise BadResults(f"{path}, line {number} is damaged. Delete the file to begin anew, or give another --out.")
        yield row


def write_json(path: Path, value: Any) -> None:
    """The whole file or none of it: readers never see half a result. Raises EvalError."""
    write_text(path, json.dumps(value, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """The whole file or none of it. Raises EvalError."""
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> EvalError:
    """What to do about a file that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EvalError(f"The disk is full; {path} keeps what was done. Make room and run the same command again.")
    return EvalError(f"{path} cannot be written: {error.strerror or error}.")
