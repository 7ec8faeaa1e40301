"""Where a graph database is and how to get in, from a URL that may hold all of it."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from graph.errors import StoreRefused

SCHEMES: Final = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_PORT: Final = 7687


@dataclass(frozen=True, slots=True)
class Address:
    """A Bolt address without its credentials, and the credentials. Only the address is ever shown."""

    url: str
    place: str
    """Host and port, for people."""
    user: str | None
    password: str | None = field(repr=False)
    database: str | None = None

    @property
    def auth(self) -> tuple[str, str] | None:
        return None if self.user is None else (self.user, self.password or "")


def parse_address(url: str, user: str | None, password: str | None, database: str | None) -> Address:
    """Takes apart `bolt://user:password@host:port/database`. What is given beside the URL goes before what stands in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise StoreRefused("The graph database's URL cannot be read: expected bolt://host:port") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise StoreRefused(
            f"The graph database's URL must be scheme://host:port, its scheme one of {', '.join(SCHEMES)}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{host}:{port}"
    return Address(
        url=urlunsplit((parts.scheme, place, "", parts.query, "")),
        place=place,
        user=user if user is not None else _unquoted(parts.username),
        password=password if password is not None else _unquoted(parts.password),
        database=database or parts.path.strip("/") or None,
    )


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
