"""Who may do what: keys are looked up once in a while, scopes and namespaces are checked on every request."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from pydantic import AfterValidator

from memory_service import limits as bounds
from memory_service.errors import ConfigurationError, Forbidden, TooManyRequests, Unauthenticated
from memory_service.log.database import Database
from memory_service.log.keys import EVERYTHING, Grant, find_grant
from memory_service.wire import no_dot_segment

_CACHE_S: Final = 5.0
"""How long a key revoked by another process may still work here."""

_CACHE_KEYS: Final = 4096

PathId = Annotated[str, Path(pattern=f"^{bounds.ID_PATTERN}$"), AfterValidator(no_dot_segment)]
NamespaceName = PathId


class Gatekeeper:
    """Finds a request's grant and applies its rate limit. Thread-safe."""

    def __init__(self, database: Database, auth: Literal["keys", "off"], rate_limit: str) -> None:
        self._database = database
        self._auth = auth
        self._rate = _parse_rate(rate_limit)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._grants: OrderedDict[str, tuple[float, Grant | None]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, request: Request) -> Grant:
        """Raises Unauthenticated or TooManyRequests."""
        grant = EVERYTHING if self._auth == "off" else self._grant(_secret(request))
        if self._rate is not None and not self._limiter.hit(self._rate, grant.key_id):
            window = self._limiter.get_window_stats(self._rate, grant.key_id)
            raise TooManyRequests(
                f"This key may send {self._rate}.", retry_after_s=max(1.0, window.reset_time - time.time())
            )
        return grant

    def forget(self) -> None:
        """Looks every key up anew: one was made or revoked."""
        with self._lock:
            self._grants.clear()

    def _grant(self, secret: str) -> Grant:
        now = time.monotonic()
        with self._lock:
            cached = self._grants.get(secret)
        if cached is None or now - cached[0] > _CACHE_S:
            with self._database.read() as connection:
                cached = (now, find_grant(connection, secret))
            with self._lock:
                self._grants[secret] = cached
                while len(self._grants) > _CACHE_KEYS:
                    self._grants.popitem(last=False)
        if cached[1] is None:
            raise Unauthenticated("The API key is unknown or revoked.")
        return cached[1]


def _parse_rate(setting: str) -> RateLimitItem | None:
    if not setting:
        return None
    try:
        return parse(setting)
    except ValueError:
        raise ConfigurationError(f"MEMORY_RATE_LIMIT: {setting!r} is no rate; write it as `100/second`.") from None


def _secret(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send the API key as `Authorization: Bearer KEY`.")
    return secret.strip()


def admit(request: Request) -> Grant:
    """The request's grant, looked up and counted once. Raises Unauthenticated or TooManyRequests."""
    if not hasattr(request.state, "grant"):
        gatekeeper: Gatekeeper = request.app.state.gatekeeper
        request.state.grant = gatekeeper.admit(request)
    return request.state.grant


def needs(scope: str) -> Callable[[Request, str], Grant]:
    """A dependency of routes under a namespace: the key must have the scope there."""

    async def check(request: Request, ns: NamespaceName) -> Grant:
        grant = admit(request)
        if not grant.reaches(ns):
            raise Forbidden(f"This key does not reach namespace {ns!r}.")
        if not grant.allows(scope):
            raise Forbidden(f"This key lacks the scope {scope!r}.")
        return grant

    return check  # type: ignore[return-value]


async def any_grant(request: Request) -> Grant:
    """A dependency of routes that check namespaces themselves."""
    return admit(request)


async def service_admin(request: Request) -> Grant:
    """A dependency of routes over the whole service: an admin key that reaches every namespace."""
    grant = admit(request)
    if "admin" not in grant.scopes or not grant.reaches_all:
        raise Forbidden("This needs an admin key that reaches every namespace.")
    return grant


AnyGrant = Annotated[Grant, Depends(any_grant)]
