"""Two descriptors that give a flow the call that fits its client: blocking on one, awaitable on the other."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import update_wrapper
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from memory_service.client.drivers import AsyncDriver, SyncDriver
from memory_service.client.steps import Flow, Stream

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class SyncDriven:
    """A client whose operations block."""

    _driver: SyncDriver


class AsyncDriven:
    """A client whose operations are awaited."""

    _driver: AsyncDriver


class operation(Generic[P, T]):  # noqa: N801 - it is used as a decorator
    """Makes a flow a method that returns its result, or an awaitable of it."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._flow = flow
        update_wrapper(self, flow)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncDriven, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: AsyncDriven, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: SyncDriven | AsyncDriven | None, owner: type) -> Any:
        if instance is None:
            return self
        driver = instance._driver

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.run(self._flow(instance, *args, **kwargs))

        return update_wrapper(call, MethodType(self._flow, instance))


class iteration(Generic[P, T]):  # noqa: N801 - it is used as a decorator
    """Makes a stream a method that returns an iterator over its items, or an async iterator."""

    def __init__(self, stream: Callable[Concatenate[Any, P], Stream[T]]) -> None:
        self._stream = stream
        update_wrapper(self, stream)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncDriven, owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, instance: AsyncDriven, owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, instance: SyncDriven | AsyncDriven | None, owner: type) -> Any:
        if instance is None:
            return self
        driver = instance._driver

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.iterate(self._stream(instance, *args, **kwargs))

        return update_wrapper(call, MethodType(self._stream, instance))
