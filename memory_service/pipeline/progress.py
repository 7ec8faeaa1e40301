"""Who waits for an episode to reach a status, in this process."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence

_REMEMBERED = 8192
"""Finished work remembered for waiters that come a moment late."""


class Progress:
    """Tells waiters in an event loop what the worker's thread has finished. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[tuple[int, str], None] = {}
        self._order: deque[tuple[int, str]] = deque()
        self._waiters: dict[tuple[int, str], list[_Waiter]] = {}

    def reached(self, stage: str, episode_seqs: Iterable[int]) -> None:
        """The stage of these episodes is durable (or has ended in a dead letter)."""
        keys = [(seq, stage) for seq in episode_seqs]
        with self._lock:
            for key in keys:
                if key not in self._done:
                    self._done[key] = None
                    self._order.append(key)
            while len(self._order) > _REMEMBERED:
                self._done.pop(self._order.popleft(), None)
            woken = [waiter for key in keys for waiter in self._waiters.pop(key, ())]
        for waiter in woken:
            waiter.count_down()

    def forget(self, stage: str, episode_seqs: Iterable[int]) -> None:
        """The stage will be done again."""
        with self._lock:
            for seq in episode_seqs:
                self._done.pop((seq, stage), None)

    async def wait(self, stage: str, episode_seqs: Sequence[int], timeout_s: float) -> bool:
        """True once all are reached; False when the time is up first, or when the work was done by another process."""
        waiter = _Waiter(asyncio.get_running_loop())
        with self._lock:
            open_keys = [(s, stage) for s in dict.fromkeys(episode_seqs) if (s, stage) not in self._done]
            waiter.remaining = len(open_keys)
            for key in open_keys:
                self._waiters.setdefault(key, []).append(waiter)
        if not open_keys:
            return True
        try:
            await asyncio.wait_for(waiter.event.wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            self._forget_waiter(open_keys, waiter)
        return True

    def _forget_waiter(self, keys: Iterable[tuple[int, str]], waiter: "_Waiter") -> None:
        with self._lock:
            for key in keys:
                waiters = self._waiters.get(key)
                if waiters and waiter in waiters:
                    waiters.remove(waiter)
                    if not waiters:
                        del self._waiters[key]


class _Waiter:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.event = asyncio.Event()
        self.remaining = 0
        self._lock = threading.Lock()

    def count_down(self) -> None:
        with self._lock:
            self.remaining -= 1
            finished = self.remaining == 0
        if finished:
            try:
                self.loop.call_soon_threadsafe(self.event.set)
            except RuntimeError:
                return  # The loop has ended, and its waiter with it.
