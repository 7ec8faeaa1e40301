"""Every error of the service and of its SDK. The server raises them, the wire carries their `slug`, the SDK raises them again.

MemoryServiceError
├── ProblemError                     an HTTP answer, RFC 9457
│   ├── BadRequest            400    ├── InvalidCursor  ├── InvalidImport
│   ├── Unauthenticated       401
│   ├── Forbidden             403    └── HostRefused
│   ├── NotFound              404
│   ├── MethodNotAllowed      405
│   ├── Conflict              409    └── EpisodeConflict
│   ├── Gone                  410
│   ├── TooLarge              413
│   ├── UnsupportedMediaType  415
│   ├── Invalid               422    ├── IdempotencyMismatch  └── KnownAtUnsupported
│   ├── TooManyRequests       429    └── BackPressure
│   ├── InternalError         500
│   ├── Unavailable           503    ├── StorageUnavailable  ├── NotCaughtUp  ├── GraphUnavailable  └── ModelUnavailable
│   └── StorageFull           507
├── ConnectionFailed                 the SDK could not reach the service
├── UnexpectedAnswer                 something answered the SDK that is not this service
├── WaitTimeout                      the SDK's `wait` ran out of time
├── EpisodeDead                      what the SDK's `wait` waits for will not come: the work was given up
└── StartupError                     the service cannot start
    ├── ConfigurationError  ├── SchemaMismatch  ├── EmbedderMismatch  ├── ModelMissing  └── StorageCorrupt
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

PROBLEM_PREFIX = "urn:memory-service:problem:"


class MemoryServiceError(Exception):
    """Root of all errors of this package."""


class ProblemError(MemoryServiceError):
    """An error that has an HTTP status and a stable problem type."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[dict[str, Any]] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        """Where the input is wrong: [{"pointer": "/episodes/3/content", "detail": "..."}]."""
        self.retry_after_s = retry_after_s
        self.http_status = self.status
        """The status as it came over the wire; a gateway's may be none of ours."""

    @property
    def type(self) -> str:
        """The stable `type` of the problem document."""
        return PROBLEM_PREFIX + self.slug


class BadRequest(ProblemError):
    status, slug, title = 400, "bad-request", "The request cannot be read"


class InvalidCursor(BadRequest):
    slug, title = "invalid-cursor", "The cursor is not one of this list's"


class InvalidImport(BadRequest):
    slug, title = "invalid-import", "The import has a bad line; nothing was imported"


class Unauthenticated(ProblemError):
    status, slug, title = 401, "unauthenticated", "A valid API key is needed"


class Forbidden(ProblemError):
    status, slug, title = 403, "forbidden", "The API key may not do this"


class HostRefused(Forbidden):
    slug, title = "host-refused", "A service without keys answers only for names of its own machine"


class NotFound(ProblemError):
    status, slug, title = 404, "not-found", "There is nothing here"


class MethodNotAllowed(ProblemError):
    status, slug, title = 405, "method-not-allowed", "This resource does not have that method"


class Conflict(ProblemError):
    status, slug, title = 409, "conflict", "The request contradicts what is stored"


class EpisodeConflict(Conflict):
    slug, title = "episode-conflict", "An episode of this id holds other fields"


class Gone(ProblemError):
    status, slug, title = 410, "erased", "The episode of this id was erased"


class TooLarge(ProblemError):
    status, slug, title = 413, "too-large", "The request is larger than the limit"


class UnsupportedMediaType(ProblemError):
    status, slug, title = 415, "unsupported-media-type", "The content type is not supported"


class Invalid(ProblemError):
    status, slug, title = 422, "invalid-request", "The request breaks a rule of the contract"


class IdempotencyMismatch(Invalid):
    slug, title = "idempotency-mismatch", "The idempotency key was used with another body"


class KnownAtUnsupported(Invalid):
    slug, title = "known-at-unsupported", "This kind keeps no versions to read at a past known_at"


class TooManyRequests(ProblemError):
    status, slug, title = 429, "rate-limited", "Too many requests"


class BackPressure(TooManyRequests):
    slug, title = "back-pressure", "The enrichment queue is full"


class InternalError(ProblemError):
    status, slug, title = 500, "internal-error", "Internal error"


class Unavailable(ProblemError):
    status, slug, title = 503, "unavailable", "The service cannot answer now"


class StorageUnavailable(Unavailable):
    slug, title = "storage-unavailable", "The store cannot be written or read now"


class NotCaughtUp(Unavailable):
    slug, title = "not-caught-up", "The asked seq is not readable here yet"


class GraphUnavailable(Unavailable):
    slug, title = "graph-unavailable", "The graph store does not answer"


class ModelUnavailable(Unavailable):
    slug, title = "model-unavailable", "A model cannot be used"


class StorageFull(ProblemError):
    status, slug, title = 507, "storage-full", "The disk is full; nothing was stored"


class ConnectionFailed(MemoryServiceError):
    """The service did not answer: wrong address, not running, or the network failed."""


class WaitTimeout(MemoryServiceError):
    """The awaited state was not reached in the time given."""


class UnexpectedAnswer(MemoryServiceError):
    """What answered does not speak this contract: a proxy's page, or another service at the address."""


class EpisodeDead(MemoryServiceError):
    """An awaited episode became a dead letter. The message says why."""


class StartupError(MemoryServiceError):
    """The service cannot start. The message says what to do."""


class ConfigurationError(StartupError):
    """A setting is missing, malformed or unsafe."""


class SchemaMismatch(StartupError):
    """The store was written by a newer version, or cannot be migrated."""


class EmbedderMismatch(StartupError):
    """The store's vectors come from another embedding model."""


class ModelMissing(StartupError):
    """A model cannot be found or does not verify."""


class StorageCorrupt(StartupError):
    """The database file is not readable as a database."""


def _leaves(cls: type[ProblemError]) -> Iterator[type[ProblemError]]:
    yield cls
    for sub in cls.__subclasses__():
        yield from _leaves(sub)


def problem_types() -> dict[str, type[ProblemError]]:
    """Slug to class of every problem the service can answer."""
    return {cls.slug: cls for cls in _leaves(ProblemError)}


def from_problem(status: int, body: dict[str, Any], retry_after_s: float | None = None) -> ProblemError:
    """The error that a problem document stands for; an unknown type becomes its status's class."""
    slug = str(body.get("type", "")).removeprefix(PROBLEM_PREFIX)
    known = problem_types()
    by_status = next((cls for cls in known.values() if cls.status == status), InternalError)
    cls = known.get(slug, by_status)
    detail = str(body.get("detail") or body.get("title") or f"HTTP {status}")
    errors = body.get("errors")
    found = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    error = cls(detail, errors=found, retry_after_s=retry_after_s)
    error.http_status = status
    return error
