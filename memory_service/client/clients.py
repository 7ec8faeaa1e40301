"""The two clients: the same operations, one blocking and one awaited."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Self, TypedDict
from urllib.parse import urlsplit

import httpx2

from memory_service import __version__
from memory_service.client.admin import AdminOperations
from memory_service.client.drivers import AsyncDriver, SyncDriver
from memory_service.client.episodes import EpisodeOperations
from memory_service.client.graph import GraphOperations
from memory_service.client.limits import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S
from memory_service.client.operation import AsyncDriven, SyncDriven
from memory_service.client.recall import RecallOperations
from memory_service.client.retry import RetryPolicy
from memory_service.client.transfer import TransferOperations

DEFAULT_URL = "http://127.0.0.1:8090"


class Operations(EpisodeOperations, RecallOperations, GraphOperations, TransferOperations, AdminOperations):
    """Every operation of the service."""


class MemoryClient(Operations, SyncDriven):
    """The service's blocking client. Use it in a `with`, or close it.

    base_url: default MEMORY_URL, else http://127.0.0.1:8090. api_key: default MEMORY_API_KEY; "" sends none.
    retries: attempts after the first, for requests that are safe to repeat. timeout_s: seconds within which one
    operation may start attempts; also how long the service may be silent. transport, clock and sleep are for tests.
    Raises ValueError for an address, a key or bounds that cannot work.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        retries: int = DEFAULT_RETRIES,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(RetryPolicy(retries, timeout_s, clock))
        self.driver = SyncDriver(httpx2.Client(transport=transport, **_connection(base_url, api_key)), sleep)

    def close(self) -> None:
        """Closes the connections; the client cannot be used afterwards."""
        self.driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncMemoryClient(Operations, AsyncDriven):
    """The service's client for asyncio. Use it in an `async with`, or close it. Its arguments are MemoryClient's."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        retries: int = DEFAULT_RETRIES,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(RetryPolicy(retries, timeout_s, clock))
        self.driver = AsyncDriver(httpx2.AsyncClient(transport=transport, **_connection(base_url, api_key)), sleep)

    async def aclose(self) -> None:
        """Closes the connections; the client cannot be used afterwards."""
        await self.driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Connection(TypedDict):
    base_url: str
    headers: dict[str, str]


def _connection(base_url: str | None, api_key: str | None) -> _Connection:
    url = base_url or os.environ.get("MEMORY_URL") or DEFAULT_URL
    key = os.environ.get("MEMORY_API_KEY", "") if api_key is None else api_key
    return {"base_url": _checked_url(url), "headers": _headers(key.strip())}


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"base_url must be an address such as {DEFAULT_URL}, not {url!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Not shown: it may hold a password.
        raise ValueError("base_url must hold no user, password, query or fragment; a key belongs into api_key")
    return url


def _headers(key: str) -> dict[str, str]:
    if not (key.isascii() and key.isprintable()):
        raise ValueError("api_key must be printable ASCII")  # not shown: it is a secret
    agent = {"User-Agent": f"agent-memory-service/{__version__}"}
    return agent | ({"Authorization": f"Bearer {key}"} if key else {})
