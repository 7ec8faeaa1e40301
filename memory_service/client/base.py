"""What every group of operations sends its requests through."""

from typing import TypeVar

from pydantic import BaseModel

from memory_service.client import answers, limits, retry
from memory_service.client.polling import Patience
from memory_service.client.requests import given, path
from memory_service.client.steps import Call, Flow, Reply, pause
from memory_service.errors import WaitTimeout

M = TypeVar("M", bound=BaseModel)

_ABSENT = frozenset({404, 410})


class Requester:
    """Requests with retries and mapped errors, under one policy."""

    def __init__(self, policy: retry.RetryPolicy) -> None:
        self._policy = policy

    def _send(self, call: Call, limit_s: float | None = None) -> Flow[Reply]:
        reply = yield from retry.send(call, self._policy, limit_s)
        return answers.checked(reply)

    def _ask(self, call: Call, model: type[M], limit_s: float | None = None) -> Flow[M]:
        reply = yield from self._send(call, limit_s)
        return answers.parsed(reply, model)

    def _get(self, model: type[M], *segments: str, **params: str | int | None) -> Flow[M]:
        call = Call("GET", path(*segments), params=given(**params), repeatable=True)
        return (yield from self._ask(call, model))

    def _patience(self, timeout_s: float) -> Patience:
        return Patience(self._policy.clock, timeout_s)

    def _limit_s(self, patience: Patience) -> float:
        """How long one request of a poll may be retried."""
        return min(self._policy.timeout_s, max(patience.remaining_s, limits.MIN_ATTEMPT_S))

    def _erase(self, timeout_s: float, *segments: str) -> Flow[None]:
        """Deletes, and asks again while the erasure goes on: a DELETE says 202 until what it names is gone."""
        call = Call("DELETE", path(*segments), repeatable=True)
        patience = self._patience(timeout_s)
        accepted = False
        while True:
            reply = yield from retry.send(call, self._policy, self._limit_s(patience))
            if reply.status in _ABSENT and (accepted or reply.doubtful):
                return  # it was there; the attempt whose answer was lost, or the erasure, has done its work
            if answers.checked(reply).status != 202:
                return
            accepted = True
            yield from self._pause(patience, f"The erasure of {call.path} was accepted and is not yet complete")

    def _pause(self, patience: Patience, unfinished: str) -> Flow[None]:
        """Pauses before the next poll. Raises WaitTimeout with what is unfinished when time is up."""
        pause_s = patience.next_pause_s()
        if pause_s is None:
            raise WaitTimeout(f"{unfinished} after {patience.timeout_s:g} s.")
        yield from pause(pause_s)
