"""What a flow asks its driver to do, and what it gets back.

A flow is a generator that holds an operation's logic once for both clients. It touches neither the network nor the
clock's hands: it yields a step, its driver performs it, blocking or awaiting, and sends the outcome in.

    step      outcome
    Call      Reply, or Failure when no answer came
    Sleep     None
    Read      the next bytes of a streamed reply, empty at its end, or Failure
    Work      what the function returned; the async driver runs it in a thread
    Emit      None; only in a Stream: the item goes to whoever iterates
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Param: TypeAlias = str | int | list[str]
"""A list is the same parameter several times."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    method: str
    path: str
    """Percent-encoded, from the root of the service."""
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])
    body: bytes | BinaryIO | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    repeatable: bool = False
    """Whether sending it twice does no more than sending it once."""
    streamed: bool = False
    """Whether the body of a good answer is left to be fetched by Read."""
    patience_s: float = 0.0
    """How much longer than usual the service may take to answer."""
    timeout_s: float = 0.0
    """How long the service may stay silent in this attempt; set by `retry.send`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, of whatever status."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    chunks: Any = None
    """The driver's own iterator over a streamed body."""
    doubtful: bool = False
    """Whether an earlier attempt, whose answer was lost, may have been carried out."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer came, or it broke off."""

    reason: str
    url: str
    may_have_arrived: bool


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Read:
    reply: Reply


@dataclass(frozen=True, slots=True)
class Work:
    """A function that blocks on the local disk."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    item: T


Step: TypeAlias = Call | Sleep | Read | Work
Flow: TypeAlias = Generator[Step, Any, T]
Stream: TypeAlias = Generator[Step | Emit[T], Any, None]


# What a yield gives back depends on the step; these name its type, so that flows are checked in full.


def attempt(call: Call) -> Flow[Reply | Failure]:
    """Sends the request once."""
    outcome: Reply | Failure = yield call
    return outcome


def pause(seconds: float) -> Flow[None]:
    """Lets this many seconds pass."""
    yield Sleep(seconds)


def read(reply: Reply) -> Flow[bytes | Failure]:
    """The next bytes of a streamed reply; empty at its end."""
    outcome: bytes | Failure = yield Read(reply)
    return outcome


def work(function: Callable[[], T]) -> Flow[T]:
    """Runs a function that blocks on the disk."""
    result: T = yield Work(function)
    return result
