"""What happens around every request: size limits, content types, request ids, metrics, and the last resort for errors."""

import time
import uuid
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_service import limits
from memory_service.api.answers import problem
from memory_service.api.hosts import names_this_machine
from memory_service.errors import HostRefused, InternalError, ProblemError, TooLarge, UnsupportedMediaType
from memory_service.observability import metrics

_log = structlog.get_logger(__name__)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_IMPORT_TYPES: Final = ("application/x-ndjson", "application/jsonl", "application/octet-stream")


class RequestFrame:
    """The outermost layer. Logs and counts the route's template, never the path: ids in it may be content."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, local_host: str | None = None) -> None:
        """local_host: where it listens, when only this machine may ask; None where keys decide who may."""
        self._app = app
        self._local_host = local_host
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        request_id = uuid.uuid4().hex[:16]

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._answer(scope, receive, observed_send)
        except ClientDisconnect:
            status = status or 499
        except Exception:
            _log.exception("unhandled_error", request_id=request_id)
            if status:
                raise  # The answer has begun; all that is left is to cut it off.
            await problem(InternalError("An unexpected error; its request id is in x-request-id."))(
                scope, receive, observed_send
            )
        finally:
            _count(scope, status, time.perf_counter() - started, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_import = scope["path"].endswith("/import")
        limit = limits.MAX_IMPORT_BYTES if is_import else self._max_body_bytes
        try:
            if self._local_host is not None:
                _check_host(scope, self._local_host)
            _check_content_type(scope, is_import=is_import)
            await self._app(scope, _bounded(scope, receive, limit), send)
        except (HostRefused, TooLarge, UnsupportedMediaType) as error:
            await problem(error)(scope, receive, send)


def _check_host(scope: Scope, own: str) -> None:
    """One header too many is as bad as a wrong one: who else reads it may read the other."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not names_this_machine(hosts[0], own):
        raise HostRefused("Ask for localhost or 127.0.0.1, or have the service ask for keys: MEMORY_AUTH=keys.")


def _check_content_type(scope: Scope, *, is_import: bool) -> None:
    if scope["method"] not in ("POST", "PUT", "PATCH"):
        return
    headers = dict(scope["headers"])
    given = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    wanted = _IMPORT_TYPES if is_import else ("application/json",)
    if has_body and given not in wanted:
        raise UnsupportedMediaType(f"Send the body as {wanted[0]}, not as {given or 'nothing'}.")


def _bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Refuses a body by its announced length at once, and an unannounced one when it grows past the limit."""
    announced = dict(scope["headers"]).get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> ProblemError:
    return TooLarge(f"The body is larger than {limit} bytes.")


def _count(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    # A caller makes up methods at will, and each would be a series of its own for good.
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.requests.labels(method, route, str(status)).inc()
    metrics.request_seconds.labels(method, route).observe(seconds)
    _log.debug(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 2),
        request_id=request_id,
    )
