"""Sending a request until it is answered: exponential backoff with jitter, Retry-After, and a bound on the whole."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count

from memory_service.client import limits
from memory_service.client.steps import Call, Failure, Flow, Reply, attempt, pause
from memory_service.errors import ConnectionFailed

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
"""The service is busy or restarting, or its proxy cannot reach it. Not 507: a full disk stays full."""

_LOST_STATUSES = frozenset({502, 504})
"""A proxy lost the answer: what the service did is unknown."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one operation tries. Raises ValueError for bounds that are none."""

    retries: int = limits.DEFAULT_RETRIES
    """Attempts after the first."""
    timeout_s: float = limits.DEFAULT_TIMEOUT_S
    """No attempt starts later than this after the first, pauses included."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that never run backwards."""

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be 0 or more, not {self.retries}")
        if not (math.isfinite(self.timeout_s) and self.timeout_s > 0):
            raise ValueError(f"timeout_s must be a positive number of seconds, not {self.timeout_s}")

    def pause_s(self, attempts: int, asked_s: float | None) -> float:
        """Seconds before the next attempt; never less than the service asked for by Retry-After."""
        # The exponent is bounded, since a float power of thousands of retries overflows.
        backoff_s = min(limits.BACKOFF_BASE_S * 2.0 ** min(attempts - 1, 32), limits.BACKOFF_MAX_S)
        # Half of it is jitter: clients that failed together must not come back together.
        return max(asked_s or 0.0, backoff_s / 2) + random.uniform(0.0, backoff_s / 2)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for, given as a number or as an HTTP date (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def send(call: Call, policy: RetryPolicy, limit_s: float | None = None) -> Flow[Reply]:
    """The answer to a request, of whatever status, after such retries as the request and the policy allow.

    `limit_s` stands in for the policy's `timeout_s`. Raises ConnectionFailed when no answer came.
    """
    deadline = policy.clock() + (policy.timeout_s if limit_s is None else limit_s) + call.patience_s
    doubtful = False
    for attempts in count(1):
        silence_s = max(deadline - policy.clock(), limits.MIN_ATTEMPT_S)
        outcome = yield from attempt(replace(call, timeout_s=silence_s))
        wait_s = policy.pause_s(attempts, _asked_s(outcome))
        given_up = attempts > policy.retries or policy.clock() + wait_s > deadline
        if not call.repeatable or given_up or not _is_passing(outcome):
            return _settled(call, outcome, attempts, doubtful)
        doubtful = doubtful or _may_have_been_done(outcome)
        yield from pause(wait_s)
    raise AssertionError("count() has no end")


def _asked_s(outcome: Reply | Failure) -> float | None:
    return retry_after_s(outcome.headers) if isinstance(outcome, Reply) else None


def _is_passing(outcome: Reply | Failure) -> bool:
    return isinstance(outcome, Failure) or outcome.status in RETRIED_STATUSES


def _may_have_been_done(outcome: Reply | Failure) -> bool:
    if isinstance(outcome, Failure):
        return outcome.may_have_arrived
    return outcome.status in _LOST_STATUSES


def _settled(call: Call, outcome: Reply | Failure, attempts: int, doubtful: bool) -> Reply:
    if isinstance(outcome, Reply):
        return replace(outcome, doubtful=doubtful)
    raise connection_failed(call, outcome, attempts)


def connection_failed(call: Call, failure: Failure, attempts: int = 1) -> ConnectionFailed:
    """What failed, where, and what to do about it."""
    advice = "Is the service running (`memory-service serve`), and is the base_url (or MEMORY_URL) its address?"
    if failure.may_have_arrived:
        advice = "The connection broke, or timeout_s is too short for this request."
        if not call.repeatable:
            advice += " It may have been carried out: look before you repeat it."
    tries = "" if attempts == 1 else f", tried {attempts} times"
    return ConnectionFailed(f"{call.method} {failure.url} failed ({failure.reason}{tries}). {advice}")
