"""Performing the steps of a flow over httpx2: once by blocking, once by awaiting."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, closing
from functools import partial
from typing import Any, BinaryIO, TypeVar, assert_never

import httpx2

from memory_service.client.limits import CHUNK_BYTES, CONNECT_TIMEOUT_S
from memory_service.client.steps import Call, Emit, Failure, Flow, Read, Reply, Sleep, Step, Stream, Work

T = TypeVar("T")

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class SyncDriver:
    """Runs flows by blocking. Safe to share between threads, as far as its transport is."""

    def __init__(self, http: httpx2.Client, sleep: Callable[[float], object]) -> None:
        self._http = http
        self._sleep = sleep

    def run(self, flow: Flow[T]) -> T:
        """Performs a flow's steps until it returns."""
        outcome: object = None
        with closing(flow), ExitStack() as open_replies:
            while True:
                try:
                    step = flow.send(outcome)
                except StopIteration as finished:
                    return finished.value
                outcome = self._perform(step, open_replies)

    def iterate(self, stream: Stream[T]) -> Generator[T, None, None]:
        """Performs a stream's steps as its items are asked for."""
        outcome: object = None
        with closing(stream), ExitStack() as open_replies:
            while True:
                try:
                    step = stream.send(outcome)
                except StopIteration:
                    return
                if isinstance(step, Emit):
                    outcome = None
                    yield step.item
                else:
                    outcome = self._perform(step, open_replies)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _perform(self, step: Step, open_replies: ExitStack) -> object:
        match step:
            case Call():
                return self._attempt(step, open_replies)
            case Sleep():
                return self._sleep(step.seconds)
            case Read():
                return self._read(step.reply)
            case Work():
                return step.function()
        assert_never(step)

    def _attempt(self, call: Call, open_replies: ExitStack) -> Reply | Failure:
        body = call.body if isinstance(call.body, bytes | None) else _chunks(call.body)
        request = _request(self._http, call, body)
        try:
            response = self._http.send(request, stream=True)
            if call.streamed and response.is_success:
                open_replies.callback(response.close)
                return _reply(response, b"", response.iter_bytes(CHUNK_BYTES))
            return _reply(response, response.read())
        except httpx2.RequestError as error:
            return _failure(error, str(request.url))

    def _read(self, reply: Reply) -> bytes | Failure:
        try:
            for chunk in reply.chunks:
                if chunk:
                    return chunk
            return b""
        except httpx2.RequestError as error:
            return _failure(error, reply.url)


class AsyncDriver:
    """Runs flows by awaiting, on asyncio. Belongs to one event loop."""

    def __init__(self, http: httpx2.AsyncClient, sleep: Callable[[float], Awaitable[object]]) -> None:
        self._http = http
        self._sleep = sleep

    async def run(self, flow: Flow[T]) -> T:
        """Performs a flow's steps until it returns."""
        outcome: object = None
        with closing(flow):
            async with AsyncExitStack() as open_replies:
                while True:
                    try:
                        step = flow.send(outcome)
                    except StopIteration as finished:
                        return finished.value
                    outcome = await self._perform(step, open_replies)

    async def iterate(self, stream: Stream[T]) -> AsyncGenerator[T, None]:
        """Performs a stream's steps as its items are asked for."""
        outcome: object = None
        with closing(stream):
            async with AsyncExitStack() as open_replies:
                while True:
                    try:
                        step = stream.send(outcome)
                    except StopIteration:
                        return
                    if isinstance(step, Emit):
                        outcome = None
                        yield step.item
                    else:
                        outcome = await self._perform(step, open_replies)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _perform(self, step: Step, open_replies: AsyncExitStack) -> object:
        match step:
            case Call():
                return await self._attempt(step, open_replies)
            case Sleep():
                return await self._sleep(step.seconds)
            case Read():
                return await self._read(step.reply)
            case Work():
                return await asyncio.to_thread(step.function)
        assert_never(step)

    async def _attempt(self, call: Call, open_replies: AsyncExitStack) -> Reply | Failure:
        body = call.body if isinstance(call.body, bytes | None) else _chunks_in_thread(call.body)
        request = _request(self._http, call, body)
        try:
            response = await self._http.send(request, stream=True)
            if call.streamed and response.is_success:
                open_replies.push_async_callback(response.aclose)
                return _reply(response, b"", response.aiter_bytes(CHUNK_BYTES))
            return _reply(response, await response.aread())
        except httpx2.RequestError as error:
            return _failure(error, str(request.url))

    async def _read(self, reply: Reply) -> bytes | Failure:
        try:
            async for chunk in reply.chunks:
                if chunk:
                    return chunk
            return b""
        except httpx2.RequestError as error:
            return _failure(error, reply.url)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(partial(file.read, CHUNK_BYTES), b"")


async def _chunks_in_thread(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


def _request(http: httpx2.Client | httpx2.AsyncClient, call: Call, body: Any) -> httpx2.Request:
    timeout = httpx2.Timeout(call.timeout_s, connect=min(call.timeout_s, CONNECT_TIMEOUT_S))
    params = dict(call.params) or None
    return http.build_request(
        call.method, call.path, params=params, content=body, headers=call.headers, timeout=timeout
    )


def _reply(response: httpx2.Response, body: bytes, chunks: Any = None) -> Reply:
    headers: Mapping[str, str] = response.headers
    return Reply(response.status_code, str(response.url), headers, body, chunks)


def _failure(error: httpx2.RequestError, url: str) -> Failure:
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(reason, url, may_have_arrived=not isinstance(error, _NEVER_SENT))
