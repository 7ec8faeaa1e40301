"""The clock port: wall time for the log, a frozen one for tests."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from memory_service.instants import from_micros, to_micros


class Clock(Protocol):
    """Tells the time. Thread-safe."""

    def now_micros(self) -> int:
        """Microseconds since 1970 in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_micros(self) -> int:
        return time.time_ns() // 1000


class FrozenClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self._micros = to_micros(now or datetime(2026, 1, 1, tzinfo=UTC))
        self._lock = threading.Lock()

    def now_micros(self) -> int:
        with self._lock:
            return self._micros

    def advance(self, seconds: float) -> None:
        """Moves the time forward."""
        with self._lock:
            self._micros += int(seconds * 1_000_000)


def now(clock: Clock) -> datetime:
    """The clock's time as an aware datetime in UTC."""
    return from_micros(clock.now_micros())
