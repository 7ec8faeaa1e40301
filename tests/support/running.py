"""The whole service in this process, with a client over it and the few calls that most tests make."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
from starlette.testclient import TestClient

from memory_service.app import build_app, build_service
from memory_service.clock import Clock
from memory_service.log.digest import logical_digest
from memory_service.service import MemoryService
from memory_service.settings import Settings
from retrieval.embedders import Embedder
from tests.support.polling import eventually

NS = "ann"


@dataclass
class Running:
    """A running service. Paths are under /v1/namespaces/{ns} unless they begin with a slash."""

    http: TestClient
    service: MemoryService
    settings: Settings

    def url(self, path: str, ns: str = NS) -> str:
        if path.startswith("/"):
            return path
        return f"/v1/namespaces/{quote(ns, safe='')}/{path}".rstrip("/")

    def get(self, path: str, ns: str = NS, **options: Any) -> httpx2.Response:
        return self.http.get(self.url(path, ns), **options)

    def post(self, path: str, body: Any = None, ns: str = NS, **options: Any) -> httpx2.Response:
        if body is not None:
            options["json"] = body
        return self.http.post(self.url(path, ns), **options)

    def delete(self, path: str, ns: str = NS, **options: Any) -> httpx2.Response:
        return self.http.delete(self.url(path, ns), **options)

    def append(self, *episodes: Any, ns: str = NS, wait: str | None = None, **fields: Any) -> dict[str, Any]:
        """Stores texts or whole episodes, and returns the answer."""
        made = [e if isinstance(e, dict) else {"content": e} for e in episodes]
        params = {"wait": wait, "timeout_ms": 60_000} if wait else {}
        response = self.post("episodes", {"episodes": made, **fields}, ns, params=params)
        assert response.status_code == 202, response.text
        return response.json()

    def search(self, query: str, ns: str = NS, **fields: Any) -> list[dict[str, Any]]:
        """The results."""
        response = self.post("search", {"query": query, **fields}, ns)
        assert response.status_code == 200, response.text
        return response.json()["results"]

    def found(self, query: str, ns: str = NS, **fields: Any) -> list[str]:
        """Ids of the results."""
        return [result["id"] for result in self.search(query, ns, **fields)]

    def pages(
        self, path: str, limit: int = 200, ns: str = NS, headers: dict[str, str] | None = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            given = {"limit": limit, **params, **({"cursor": cursor} if cursor else {})}
            response = self.get(path, ns, params=given, headers=headers)
            assert response.status_code == 200, response.text
            yield from response.json()["items"]
            cursor = response.json().get("next_cursor")
            if cursor is None:
                return

    def status(self, episode_id: str, ns: str = NS) -> dict[str, Any]:
        return self.get(f"episodes/{episode_id}/status", ns).json()

    def await_status(self, episode_id: str, status: str, ns: str = NS) -> None:
        eventually(lambda: self.status(episode_id, ns).get("status") == status)

    def settle(self) -> None:
        """Waits until the worker has nothing left to do."""
        assert self.service.worker.drain(60.0), "the worker did not finish"

    def count(self, ns: str = NS) -> int:
        """Episodes that the namespace lists."""
        return sum(1 for _ in self.pages("episodes", ns=ns))

    def digest(self, ns: str | None = NS) -> str:
        self.settle()
        with self.service.store.database.read() as connection:
            return logical_digest(connection, ns)


@contextmanager
def running(
    settings: Settings, clock: Clock | None = None, embedder: Embedder | None = None, **client: Any
) -> Iterator[Running]:
    """Starts the service with its lifespan, and stops it at the end."""
    service = build_service(settings, clock, embedder)
    # Without keys the service answers for this machine's names alone.
    with TestClient(build_app(settings, service), **{"base_url": "http://localhost", **client}) as http:
        yield Running(http, service, settings)


Start = Callable[..., Running]
