"""Two descriptors that give a flow the call that fits its client: blocking on one, awaitable on the other."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import update_wrapper
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from memory_service.client.drivers import AsyncDriver, SyncDriver
from memory_service.client.steps import Flow, Stream

P = ParamSpec("P")
T = TypeVar("T")


class SyncDriven:
    """A client whose operations block."""

    driver: SyncDriver


class AsyncDriven:
    """A client whose operations are awaited."""

    driver: AsyncDriver


class operation(Generic[P, T]):
    """Makes a flow a method that returns its result, or an awaitable of it. A decorator."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncDriven, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: AsyncDriven, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: SyncDriven | AsyncDriven | None, owner: type) -> Any:
        return self if instance is None else _bound(self.flow, instance, instance.driver.run)


class iteration(Generic[P, T]):
    """Makes a stream a method that returns an iterator over its items, or an async iterator. A decorator."""

    def __init__(self, stream: Callable[Concatenate[Any, P], Stream[T]]) -> None:
        self.stream = stream
        self.__doc__ = stream.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncDriven, owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, instance: AsyncDriven, owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, instance: SyncDriven | AsyncDriven | None, owner: type) -> Any:
        return self if instance is None else _bound(self.stream, instance, instance.driver.iterate)


def _bound(flow: Callable[..., Any], instance: object, drive: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return drive(flow(instance, *args, **kwargs))

    # The bound method's name, docstring and signature: what help() and a debugger show.
    return update_wrapper(call, MethodType(flow, instance))
