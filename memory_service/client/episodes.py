"""Operations on episodes: append, read, wait, erase."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, Unpack

from memory_service.client.arguments import EpisodeFields
from memory_service.client.base import Requester
from memory_service.client.limits import DEFAULT_ERASURE_S, DEFAULT_WAIT_S
from memory_service.client.operation import iteration, operation
from memory_service.client.polling import Patience
from memory_service.client.requests import JSON_HEADERS, given, idempotency_headers, json_body, path
from memory_service.client.steps import Call, Emit, Flow, Stream
from memory_service.errors import EpisodeDead
from memory_service.limits import MAX_PAGE_ITEMS, MAX_WAIT_MS
from memory_service.wire import (
    AppendRequest,
    AppendResponse,
    Episode,
    EpisodeIn,
    EpisodePage,
    EpisodeReceipt,
    StatusResponse,
)

EpisodeLike: TypeAlias = EpisodeIn | Mapping[str, Any]
Awaited: TypeAlias = Literal["indexed", "enriched"]

_PROGRESS = ("stored", "indexed", "enriched")


class EpisodeOperations(Requester):
    """All of them raise ProblemError subclasses, ConnectionFailed, and ValueError for arguments that cannot be sent."""

    @operation
    def append(
        self,
        namespace: str,
        episodes: Iterable[EpisodeLike],
        *,
        session_id: str | None = None,
        idempotency_key: str | None = None,
        wait: Awaited | None = None,
    ) -> Flow[AppendResponse]:
        """Stores episodes, all or none; they are durable when this returns, and stored once however often it retried.

        `session_id` is for the episodes that name none. `wait` blocks until they are searchable ("indexed") or all
        derived from them is ("enriched"), at most a minute: the status reached is in the receipts.
        Raises EpisodeConflict, Gone, IdempotencyMismatch, BackPressure, StorageFull.
        """
        fields = given(episodes=list(episodes), session_id=session_id)
        return (yield from self._append(namespace, fields, idempotency_key, wait))

    @operation
    def remember(
        self,
        namespace: str,
        content: str | dict[str, Any] | list[Any],
        *,
        idempotency_key: str | None = None,
        wait: Awaited | None = None,
        **fields: Unpack[EpisodeFields],
    ) -> Flow[EpisodeReceipt]:
        """Stores one episode; its receipt carries the id and the `seq` to pass as `min_seq`. Else as `append`."""
        episode = given(content=content, **fields)
        stored = yield from self._append(namespace, {"episodes": [episode]}, idempotency_key, wait)
        return stored.episodes[0]

    @operation
    def episode(self, namespace: str, episode_id: str) -> Flow[Episode]:
        """One episode as it was stored. Raises NotFound."""
        return (yield from self._get(Episode, "namespaces", namespace, "episodes", episode_id))

    @operation
    def episodes(
        self,
        namespace: str,
        *,
        session_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Flow[EpisodePage]:
        """One page of episodes; `limit` is at most 200. Raises InvalidCursor."""
        return (yield from self._page(namespace, session_id, limit, cursor))

    @iteration
    def iter_episodes(self, namespace: str, *, session_id: str | None = None) -> Stream[Episode]:
        """Every episode, fetched a page at a time as the iteration goes on."""
        cursor: str | None = None
        while True:
            page = yield from self._page(namespace, session_id, MAX_PAGE_ITEMS, cursor)
            for episode in page.items:
                yield Emit(episode)
            cursor = page.next_cursor
            if cursor is None:
                return

    @operation
    def episode_status(self, namespace: str, episode_id: str) -> Flow[StatusResponse]:
        """How far an episode has come, and why it came no further. Raises NotFound."""
        return (yield from self._get(StatusResponse, *_status_segments(namespace, episode_id)))

    @operation
    def wait(
        self,
        namespace: str,
        episode_ids: str | Iterable[str],
        *,
        status: Literal["stored", "indexed", "enriched"] = "indexed",
        timeout_s: float = DEFAULT_WAIT_S,
    ) -> Flow[list[StatusResponse]]:
        """Waits until each episode has reached the status; the statuses come in the order of the ids.

        Raises WaitTimeout, NotFound, and EpisodeDead with the reason if one is dead.
        """
        ids = [episode_ids] if isinstance(episode_ids, str) else list(episode_ids)
        patience = self._patience(timeout_s)
        reached: list[StatusResponse] = []
        for episode_id in ids:
            reached.append((yield from self._reach(namespace, episode_id, status, patience)))
        return reached

    @operation
    def delete_episode(self, namespace: str, episode_id: str, *, timeout_s: float = DEFAULT_ERASURE_S) -> Flow[None]:
        """Erases an episode and all that came from it; returns once it can be read nowhere.

        Raises NotFound, and WaitTimeout if the erasure goes on for longer than `timeout_s`.
        """
        yield from self._erase(timeout_s, "namespaces", namespace, "episodes", episode_id)

    @operation
    def delete_session(self, namespace: str, session_id: str, *, timeout_s: float = DEFAULT_ERASURE_S) -> Flow[None]:
        """Erases a session's episodes and all that came from them. Else as `delete_episode`."""
        yield from self._erase(timeout_s, "namespaces", namespace, "sessions", session_id)

    @operation
    def delete_namespace(self, namespace: str, *, timeout_s: float = DEFAULT_ERASURE_S) -> Flow[None]:
        """Erases a namespace and all in it. Else as `delete_episode`."""
        yield from self._erase(timeout_s, "namespaces", namespace)

    def _append(
        self, namespace: str, fields: dict[str, Any], idempotency_key: str | None, wait: Awaited | None
    ) -> Flow[AppendResponse]:
        call = Call(
            "POST",
            path("namespaces", namespace, "episodes"),
            params=given(wait=wait),
            body=json_body(AppendRequest.model_validate(fields)),
            headers=JSON_HEADERS | idempotency_headers(idempotency_key),
            repeatable=True,
            patience_s=MAX_WAIT_MS / 1000 if wait else 0.0,
        )
        return (yield from self._ask(call, AppendResponse))

    def _page(self, namespace: str, session_id: str | None, limit: int | None, cursor: str | None) -> Flow[EpisodePage]:
        segments = ("namespaces", namespace, "episodes")
        return (yield from self._get(EpisodePage, *segments, session_id=session_id, limit=limit, cursor=cursor))

    def _reach(self, namespace: str, episode_id: str, status: str, patience: Patience) -> Flow[StatusResponse]:
        call = Call("GET", path(*_status_segments(namespace, episode_id)), repeatable=True)
        while True:
            now = yield from self._ask(call, StatusResponse, self._limit_s(patience))
            if now.status == "dead":
                raise EpisodeDead(_obituary(namespace, now))
            if _PROGRESS.index(now.status) >= _PROGRESS.index(status):
                return now
            yield from self._pause(patience, _delay(now, status))


def _status_segments(namespace: str, episode_id: str) -> tuple[str, ...]:
    return ("namespaces", namespace, "episodes", episode_id, "status")


def _obituary(namespace: str, dead: StatusResponse) -> str:
    return (
        f"Episode {dead.id!r} of namespace {namespace!r} is dead after {dead.attempts} attempts: "
        f"{dead.reason or 'no reason was recorded'}. It is kept; dead_letters() shows what failed, and "
        "retry_dead_letter() tries again."
    )


def _delay(now: StatusResponse, status: str) -> str:
    trouble = f" ({now.attempts} attempts, the last failed: {now.reason})" if now.reason else ""
    return f"Episode {now.id!r} is {now.status!r}{trouble}, not yet {status!r},"
