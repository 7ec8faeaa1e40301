"""Waiting for something to become true, without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""Only a hung test waits this long; a busy machine must not fail one."""


def eventually(look: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """The first true value that `look` returns. Fails when none comes."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        assert time.monotonic() < deadline, f"still {value!r} after {timeout_s:.0f} s"
        time.sleep(0.01)
    return value
