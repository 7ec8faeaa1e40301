"""Asking again with growing pauses until a deadline."""

from collections.abc import Callable

from memory_service.client import limits


class Patience:
    """A deadline, and the pauses until it.

    `timeout_s`: seconds from now. Raises ValueError if that is negative.
    """

    def __init__(self, clock: Callable[[], float], timeout_s: float) -> None:
        if not timeout_s >= 0:  # written so that NaN is refused too
            raise ValueError(f"timeout_s must be 0 or more seconds, not {timeout_s}")
        self._clock = clock
        self._deadline = clock() + timeout_s
        self._pause_s = limits.POLL_FIRST_S
        self.timeout_s = timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._deadline - self._clock())

    def next_pause_s(self) -> float | None:
        """Seconds to wait before asking again; None when time is up."""
        if not self.remaining_s:
            return None
        pause_s = min(self._pause_s, self.remaining_s)
        self._pause_s = min(self._pause_s * limits.POLL_GROWTH, limits.POLL_MAX_S)
        return pause_s
