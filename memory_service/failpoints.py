"""Named points at which a test can have this process die as by SIGKILL. Inert unless MEMORY_FAILPOINT names one.

`MEMORY_FAILPOINT=append:committed:3` kills at the third time that point is reached. The crash suite reads `POINTS`, so a
point cannot be forgotten there.
"""

import os
import signal
import threading
from typing import Final

POINTS: Final = (
    "append:received",
    "append:written",
    "append:committed",
    "stage:index:before",
    "stage:index:extracted",
    "stage:index:written",
    "stage:note:before",
    "stage:note:extracted",
    "stage:note:written",
    "stage:graph:before",
    "stage:graph:extracted",
    "stage:graph:written",
    "erase:written",
    "erase:committed",
    "snapshot:half",
)

_lock = threading.Lock()


def _parse(setting: str | None) -> tuple[str, int] | None:
    if not setting:
        return None
    name, _, count = setting.rpartition(":")
    return (name, int(count)) if count.isdigit() and name in POINTS else (setting, 1)


_armed = _parse(os.environ.get("MEMORY_FAILPOINT"))
_hits = 0


def reach(name: str) -> None:
    """Dies here when this point is armed and its count is reached."""
    if _armed is None or _armed[0] != name:
        return
    global _hits  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        _hits += 1
        due = _hits == _armed[1]
    if due:
        os.kill(os.getpid(), signal.SIGKILL)
