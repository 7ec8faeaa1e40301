"""Local files of JSON Lines: written whole or not at all, and cut into lines."""

import os
from pathlib import Path
from stat import S_ISREG
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import BinaryIO, Self


class Draft:
    """A file beside its target that takes the target's name only once it is complete.

    Nobody but its owner can read it, as it holds someone's memory. Raises OSError.
    """

    def __init__(self, target: str | os.PathLike[str]) -> None:
        self._target = Path(target).resolve()  # through symlinks, which a rename would replace
        if self._target.exists() and not self._target.is_file():
            raise OSError(f"{self._target} is no regular file")
        self._file = NamedTemporaryFile(  # noqa: SIM115 - it lives as long as the draft
            dir=self._target.parent, prefix=f".{self._target.name}.", suffix=".partial", delete=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def write(self, chunk: bytes) -> int:
        """Appends bytes and tells how many."""
        return self._file.write(chunk)

    def publish(self) -> None:
        """Makes the draft durable and gives it the target's name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._file.name, self._target)


class LineSplitter:
    """Lines of UTF-8 text from chunks that end anywhere. Only LF ends a line: JSON text may hold other separators."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that the chunk completes, without their ends."""
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        lines: list[str] = []
        for piece in others:
            lines.append(b"".join(self._begun).decode())
            self._begun = [piece]
        return lines

    def end(self) -> list[str]:
        """The last line, where it has no end."""
        rest = b"".join(self._begun)
        return [rest.decode()] if rest else []


def size_headers(file: BinaryIO) -> dict[str, str]:
    """The length of a regular file, so that the service can refuse one too large before it is sent."""
    stat = os.fstat(file.fileno())
    return {"Content-Length": str(stat.st_size)} if S_ISREG(stat.st_mode) else {}
