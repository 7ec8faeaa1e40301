"""This service, through its SDK, as a user would: a server process that the run starts, or one that runs at an address."""

import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import memory_service
from eval.dataset import History, Question, Turn
from eval.errors import SystemFailed
from eval.limits import APPEND_BATCH, INDEX_PATIENCE_S, QUIET_EPISODES
from eval.readers.files import as_id
from eval.systems.base import Ingested, Ranking
from eval.systems.server import Server
from memory_service.client import MemoryClient
from memory_service.errors import ConnectionFailed, MemoryServiceError

_DONE: Final = frozenset({"indexed", "enriched"})
_SCORES_KEPT: Final = 10


class Service:
    """The service in its shipped settings, or with some changed. The server starts with the first ingest."""

    ranks = True

    def __init__(
        self,
        name: str = "this service",
        *,
        url: str | None = None,
        settings: Mapping[str, str] | None = None,
        shown: Mapping[str, str] | None = None,
        embedding_cache: Path | None = None,
        start: Callable[[Path, Mapping[str, str]], Server] = Server,
    ) -> None:
        """url: of a running service, whose settings are its own; namespaces made there are erased again.
        settings: environment variables of a server that is started; `shown` are those of them that results depend on
        and that differ from what is shipped. embedding_cache: its folder of remembered vectors.
        """
        self.name = name
        self._url = url
        self._changed = dict(settings or {})
        self._shown = dict(self._changed if shown is None else shown)
        self._cache = embedding_cache
        self._start = start
        self._server: Server | None = None
        self._client: MemoryClient | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made: list[str] = []

    @property
    def settings(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"version": memory_service.__version__, "changed": self._shown}
        return shown | ({"url": self._url} if self._url else {})

    # --- the interface --------------------------------------------------------------------------------------------------

    def ingest(self, histories: Sequence[History]) -> Ingested:
        with self._told():
            client = self._connected()
            before = self._stored_bytes()
            started = perf_counter()
            told = [history for history in histories if history.turns]
            for history in told:
                self._append(client, history)
            for history in told:
                _await_indexed(client, self._namespace(history), history.turns)
            seconds = perf_counter() - started
            episodes = sum(len(history.turns) for history in histories)
            notes: dict[str, Any] = {"embedding cache": self._cache is not None}
            if episodes <= QUIET_EPISODES:
                for history in told:
                    client.wait(
                        self._namespace(history), history.turns[-1].id, status="enriched", timeout_s=INDEX_PATIENCE_S
                    )
                notes["enriched after s"] = round(perf_counter() - started, 2)
            after = self._stored_bytes()
        return Ingested(seconds, episodes, after - before if after is not None and before is not None else None, notes)

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        with self._told():
            answer = self._connected().search(
                self._namespace(history), question.text, limit=limit, as_of=question.asked_at
            )
        ids = dict.fromkeys(episode for result in answer.results for episode in result.episode_ids)
        return Ranking(tuple(ids), tuple(result.score for result in answer.results[:_SCORES_KEPT]))

    def forget(self) -> None:
        """Erases its namespaces from a service that is not its own; its own server's data goes with the server."""
        if self._url and self._client:
            with self._told():
                for name in self._made:
                    self._client.delete_namespace(name, timeout_s=INDEX_PATIENCE_S)
        self._made.clear()

    def close(self) -> None:
        try:
            self.forget()
        finally:
            if self._client:
                self._client.close()
            if self._server:
                self._server.stop()
            if self._folder:
                self._folder.cleanup()
            self._client = self._server = self._folder = None

    # --- its parts -------------------------------------------------------------------------------------------------------

    def _connected(self) -> MemoryClient:
        if self._client is None:
            url = self._url
            if url is None:
                self._folder = tempfile.TemporaryDirectory(prefix="memory-eval-")
                self._server = self._start(Path(self._folder.name), self._environment())
                url = self._server.url
            self._client = MemoryClient(url)
            self._client.ready()
        return self._client

    def _environment(self) -> dict[str, str]:
        cache = {"MEMORY_EMBEDDING_CACHE_DIR": str(self._cache.resolve())} if self._cache else {}
        return cache | self._changed

    def _namespace(self, history: History) -> str:
        return as_id(f"eval-{history.name}")

    def _append(self, client: MemoryClient, history: History) -> None:
        namespace = self._namespace(history)
        self._made.append(namespace)
        for start in range(0, len(history.turns), APPEND_BATCH):
            batch = history.turns[start : start + APPEND_BATCH]
            client.append(namespace, [_episode(turn) for turn in batch])

    def _stored_bytes(self) -> int | None:
        return self._server.stored_bytes() if self._server else None

    @contextmanager
    def _told(self) -> Generator[None]:
        """Says what became of a server that no longer answers."""
        try:
            yield
        except ConnectionFailed as error:
            if self._server and not self._server.is_alive:
                raise SystemFailed(f"The service ended during the run: {self._server.said()}") from error
            raise
        except SystemFailed:
            raise
        except MemoryServiceError as error:
            raise SystemFailed(f"{self.name}: {error}") from error


def _episode(turn: Turn) -> dict[str, Any]:
    fields = {"id": turn.id, "session_id": as_id(turn.session), "speaker": turn.speaker, "role": turn.role}
    given = {name: value for name, value in fields.items() if value is not None}
    return given | {"content": turn.text, "occurred_at": turn.at.isoformat()}


def _await_indexed(client: MemoryClient, namespace: str, turns: Sequence[Turn]) -> None:
    """Waits for the last one, which comes last, and then makes sure of all."""
    deadline = time.monotonic() + INDEX_PATIENCE_S
    client.wait(namespace, turns[-1].id, status="indexed", timeout_s=INDEX_PATIENCE_S)
    while True:
        waiting = [episode for episode in client.iter_episodes(namespace) if episode.status not in _DONE]
        dead = [episode.id for episode in waiting if episode.status == "dead"]
        if dead:
            raise SystemFailed(f"The service gave up on {len(dead)} episodes of {namespace}, {dead[0]!r} among them.")
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise SystemFailed(f"{len(waiting)} episodes of {namespace} were not indexed in {INDEX_PATIENCE_S:.0f} s.")
        time.sleep(0.1)
