"""Reading files of foreign formats: bytes to checked values, every failure as BadData with its place."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from eval.errors import BadData

T = TypeVar("T")

_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9._:~#@-]")
_WEEKDAY: Final = re.compile(r"\s*\([A-Za-z]+\)")
_TEMPLATES: Final = ("%Y/%m/%d %H:%M", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file a value stands, for messages that lead there."""

    path: Path
    name: str

    def at(self, what: str) -> "Place":
        """A place within this one."""
        return Place(self.path, f"{self.name}, {what}")

    def bad(self, what: str) -> BadData:
        """The error to raise: the place, then what is wrong with it."""
        return BadData(self.path, f"{self.name} {what}")

    def checked(self, value: Any, kind: type[T]) -> T:
        """The value, of the type that the format gives it. Raises BadData."""
        # bool is an int to isinstance, and never is one in these formats.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.bad(f"must be {_noun(kind)}, not {_noun(type(value))}.")
        return value

    def get(self, record: dict[str, Any], name: str, kind: type[T]) -> T:
        """A field that must be there. Raises BadData."""
        if name not in record:
            raise self.bad(f"has no field `{name}`.")
        return self.at(f"`{name}`").checked(record[name], kind)

    def instant(self, text: str) -> datetime:
        """A date with time as these sets write it, "2023/05/30 (Tue) 23:40" or ISO 8601. They give no zone: UTC is assumed."""
        bare = _WEEKDAY.sub("", text).strip()
        for template in _TEMPLATES:
            try:
                return datetime.strptime(bare, template).replace(tzinfo=UTC)
            except ValueError:
                continue
        try:
            found = datetime.fromisoformat(bare)
        except ValueError:
            raise self.bad(f"has {text!r}, which is no date such as 2023/05/30 (Tue) 23:40.") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_bytes(path: Path) -> bytes:
    """The file's content, not empty."""
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise BadData(path, "is a folder; name the file in it.") from None
    except OSError as error:
        raise BadData(path, f"cannot be read ({error.strerror}).") from error
    if not data.strip():
        raise BadData(path, "is empty.")
    return data


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parse_text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(path, f"is not text in UTF-8 (byte {error.start}).") from error


def parse_json(path: Path, data: bytes) -> Any:
    """A file that holds one JSON value."""
    text = parse_text(path, data)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadData(path, _json_trouble(text, error)) from error


def parse_json_lines(path: Path, data: bytes) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Objects of a JSON Lines file, each with its place."""
    for number, line in enumerate(parse_text(path, data).splitlines(), 1):
        if not line.strip():
            continue
        place = Place(path, f"line {number}")
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise place.bad(_json_trouble(line, error)) from error
        yield place, place.checked(value, dict)


def _json_trouble(text: str, error: json.JSONDecodeError) -> str:
    if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated"):
        return f"ends too early, at line {error.lineno}: is it truncated? ({error.msg})"
    return f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."


def as_id(text: str) -> str:
    """The text as a valid id; what an id cannot hold becomes a hyphen."""
    return _NOT_IN_ID.sub("-", text)[:100] or "-"


def _noun(kind: type) -> str:
    nouns = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number", type(None): "null"}
    return nouns.get(kind, kind.__name__)
