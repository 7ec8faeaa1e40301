"""HTTP with the least of a client, so that what is measured is the server: one kept connection of the standard library."""

import http.client
import json
import time
from typing import Any, Self
from urllib.parse import urlsplit

_TIMEOUT_S = 120.0
_KEPT_S = 2.0
"""uvicorn closes a connection that is idle for 5 s."""


class RequestFailed(RuntimeError):
    """The server answered with an error. The message holds its status and body."""


class Connection:
    """One kept connection to a server. Belongs to one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"}
        self._used_at = 0.0

    def send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of the answer. Connects anew after a pause."""
        if time.monotonic() - self._used_at > _KEPT_S:
            self._http.close()
        self._http.request(method, path, body, self._headers if body is not None else {})
        response = self._http.getresponse()
        answer = response.read()
        self._used_at = time.monotonic()
        return response.status, answer

    def post(self, path: str, body: bytes) -> bytes:
        """The body of a successful answer. Raises RequestFailed."""
        status, answer = self.send("POST", path, body)
        if status >= 300:
            raise RequestFailed(f"{status} {answer[:300]!r}")
        return answer

    def get_json(self, path: str) -> Any:
        """Raises RequestFailed."""
        status, answer = self.send("GET", path)
        if status >= 300:
            raise RequestFailed(f"{status} {answer[:300]!r}")
        return json.loads(answer)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def await_ready(url: str, limit_s: float = 60.0) -> None:
    """Returns at the first 200 of /readyz. Raises RequestFailed when the time is up."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            with Connection(url) as connection:
                if connection.send("GET", "/readyz")[0] == 200:
                    return
        except OSError:
            pass
        time.sleep(0.005)
    raise RequestFailed(f"{url} was not ready within {limit_s:g} s")
