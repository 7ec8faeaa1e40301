"""The service: what the API's routes and the command line ask of the parts. It owns no state of its own."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from graph.types import TypeRegistry
from memory_service import failpoints, limits, wire, wire_graph
from memory_service.controller.context import ContextPacker
from memory_service.errors import BackPressure, Gone, Invalid, NotFound
from memory_service.instants import from_micros
from memory_service.knowledge import writing
from memory_service.knowledge.projection import Projector
from memory_service.knowledge.reader import GraphReader
from memory_service.log import erasure, idempotency, outbox, transfer
from memory_service.log.episodes import Draft, Receipt, append, draft, id_hash
from memory_service.log.erasure import Erased
from memory_service.log.schema import namespaces
from memory_service.log.store import Store
from memory_service.log.views import NamespaceView
from memory_service.log.writer import Transaction
from memory_service.observability import metrics
from memory_service.pipeline.progress import Progress
from memory_service.pipeline.worker import Worker
from memory_service.recall.cache import IndexCache
from memory_service.recall.searcher import Searcher

T = TypeVar("T")

_QUEUE_LOOK_S = 0.25
"""How old the known queue length may be: counting it for every write would cost more than the write."""

_STATUS_POLL_S = 0.1
_CHECKPOINT_TRIES = 20
_CHECKPOINT_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request's key with the hash of what it asked."""

    key: str
    body_hash: bytes


class QueueGauge:
    """The outbox's length and age, looked at no more often than is useful."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at = 0.0
        self._lag = outbox.Lag(0, 0, None)

    def lag(self, *, fresh: bool = False) -> outbox.Lag:
        """As it was at most a moment ago, or now."""
        if fresh or time.monotonic() - self._looked_at > _QUEUE_LOOK_S:
            with self._store.database.read() as connection:
                self._lag = outbox.lag(connection)
            self._looked_at = time.monotonic()
            self._publish(self._lag)
        return self._lag

    def _publish(self, lag: outbox.Lag) -> None:
        now = self._store.clock.now_micros()
        metrics.queue_episodes.set(lag.waiting)
        metrics.queue_lag_seconds.set(0 if lag.oldest_created_at is None else max(0, now - lag.oldest_created_at) / 1e6)
        metrics.dead_letters.set(lag.dead)
        metrics.commits.set(self._store.writer.commits)
        metrics.submissions.set(self._store.writer.submissions)


class MemoryService:
    """The composed service. Async methods are for the event loop; the others block and belong in a thread."""

    def __init__(
        self,
        *,
        store: Store,
        worker: Worker,
        progress: Progress,
        indexes: IndexCache,
        searcher: Searcher,
        packer: ContextPacker,
        graphs: GraphReader,
        types: TypeRegistry,
        projector: Projector | None = None,
        dispatcher: outbox.Dispatcher,
        max_queue_episodes: int,
    ) -> None:
        self.store = store
        self.worker = worker
        self.indexes = indexes
        self.searcher = searcher
        self.packer = packer
        self.graphs = graphs
        self.projector = projector
        self._types = types
        self.queue = QueueGauge(store)
        self._progress = progress
        self._unpurged: set[str] = set()
        """Namespaces with an erasure that was accepted and whose old pages are still in the write-ahead log."""
        self._dispatcher = dispatcher
        self._max_queue_episodes = max_queue_episodes

    def namespace(self, name: str) -> NamespaceView:
        return self.store.namespace(name)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def append(
        self, namespace: str, request: wire.AppendRequest, once: Idempotency | None = None
    ) -> list[Receipt]:
        """Stores the episodes; returns when they are durable. Raises Invalid, EpisodeConflict, Gone, BackPressure."""
        self._refuse_when_full()
        drafts = [self._draft(index, item, request.session_id) for index, item in enumerate(request.episodes)]
        failpoints.reach("append:received")
        future = self.store.writer.submit(lambda tx: self._append(tx, namespace, drafts, once))
        receipts = await asyncio.wrap_future(future)
        failpoints.reach("append:committed")
        metrics.episodes_acknowledged.inc(len(receipts))
        return receipts

    def _append(
        self, tx: Transaction, namespace: str, drafts: Sequence[Draft], once: Idempotency | None
    ) -> list[Receipt]:
        if once is not None:
            answered = idempotency.first_answer(tx, namespace, once.key, once.body_hash)
            if answered is not None:
                return answered
        receipts = append(tx, namespace, drafts, self.worker.first_stage, self._dispatcher)
        if once is not None:
            idempotency.remember_answer(tx, namespace, once.key, once.body_hash, receipts)
        failpoints.reach("append:written")
        return receipts

    @staticmethod
    def _draft(index: int, item: wire.EpisodeIn, session_id: str | None) -> Draft:
        try:
            transfer.check_sizes(item)
        except ValueError as error:
            name = str(error).split(" ", 1)[0]
            problem = {"pointer": f"/episodes/{index}/{name}", "detail": str(error)}
            raise Invalid(f"Episode {index}: {error}.", errors=[problem]) from None
        return draft(item, session_id)

    def _refuse_when_full(self) -> None:
        """By what waits already: a batch may go over the limit, or a large one would be refused for ever."""
        waiting = self.queue.lag().waiting
        if waiting >= self._max_queue_episodes:
            raise BackPressure(
                f"{waiting} episodes wait for enrichment (limit {self._max_queue_episodes}); nothing was stored.",
                retry_after_s=5.0,
            )

    async def wait(
        self, namespace: str, seqs: Sequence[int], status: wire.EpisodeStatus, timeout_s: float
    ) -> dict[int, wire.EpisodeStatus]:
        """Waits until the episodes reach a status or the time is up; returns the status each has then."""
        stage = {"indexed": "index", "enriched": "graph"}[status]
        deadline = time.monotonic() + timeout_s
        view = self.namespace(namespace)
        while (left := deadline - time.monotonic()) > 0:
            if await self._progress.wait(stage, seqs, min(left, _STATUS_POLL_S)):
                break
            # Another process may do the work: then only the store tells.
            if all(_reached(s, status) for s in (await asyncio.to_thread(self.statuses, view, seqs)).values()):
                break
        return await asyncio.to_thread(self.statuses, view, seqs)

    @staticmethod
    def statuses(view: NamespaceView, seqs: Sequence[int]) -> dict[int, wire.EpisodeStatus]:
        with view.snapshot() as snapshot:
            return snapshot.statuses(seqs)

    # --- the graph ----------------------------------------------------------------------------------------------------

    def state_facts(self, namespace: str, request: wire_graph.FactsIn) -> wire_graph.FactsResponse:
        """Raises Invalid, NotFound, Conflict, EpisodeConflict, Gone, BackPressure."""
        self._refuse_when_full()
        stages = writing.Stages(self.worker.first_stage, self._dispatcher, self._types)
        return self._written(namespace, lambda tx: writing.state(tx, namespace, request, stages))

    def retract_fact(self, namespace: str, fact_id: str, request: wire_graph.RetractRequest) -> wire_graph.GraphWritten:
        seq = self._written(namespace, lambda tx: writing.retract(tx, namespace, fact_id, request.reason))
        return wire_graph.GraphWritten(seq=seq)

    def merge_entities(
        self, namespace: str, entity_id: str, request: wire_graph.MergeRequest
    ) -> wire_graph.GraphWritten:
        def work(tx: Transaction) -> wire_graph.GraphWritten:
            merged = writing.merge(tx, namespace, entity_id, request.entity_id, request.reason)
            return wire_graph.GraphWritten(seq=tx.seq, entity_ids=[merged])

        return self._written(namespace, work)

    def split_entities(
        self, namespace: str, entity_id: str, request: wire_graph.MergeRequest
    ) -> wire_graph.GraphWritten:
        def work(tx: Transaction) -> wire_graph.GraphWritten:
            ids = writing.split(tx, namespace, entity_id, request.entity_id, request.reason)
            return wire_graph.GraphWritten(seq=tx.seq, entity_ids=list(ids))

        return self._written(namespace, work)

    def _written(self, namespace: str, work: Callable[[Transaction], T]) -> T:
        """Commits, and gives a graph store outside that answers a moment to be told, so that callers read their own writes."""
        result = self.store.writer.write(work)
        if self.projector is not None and self.projector.is_reachable:
            self.projector.wait(namespace, limits.MAX_GRAPH_APPLY_WAIT_MS / 1000)
        return result

    # --- erasing ------------------------------------------------------------------------------------------------------

    def erase_episode(self, namespace: str, episode_id: str) -> bool:
        """True once it can be read nowhere; False while old pages still wait for a reader to finish."""
        erased = self._erase(
            namespace,
            lambda tx: erasure.erase_episode(tx, namespace, episode_id, self.worker.versions, self._dispatcher),
        )
        if erased is None:
            with self.namespace(namespace).snapshot() as snapshot:
                if not snapshot.is_erased(id_hash(episode_id)):
                    raise NotFound(f"No episode {episode_id!r} here.")
        return self._purge(namespace)

    def erase_session(self, namespace: str, session_id: str) -> bool:
        erased = self._erase(
            namespace,
            lambda tx: erasure.erase_session(tx, namespace, session_id, self.worker.versions, self._dispatcher),
        )
        if erased is None and namespace not in self._unpurged:
            raise NotFound(f"No session {session_id!r} here.")
        return self._purge(namespace)

    def erase_namespace(self, namespace: str) -> bool:
        erased = self._erase(namespace, lambda tx: erasure.erase_namespace(tx, namespace))
        if erased is None and namespace not in self._unpurged:
            raise NotFound(f"No namespace {namespace!r}.")
        return self._purge(namespace)

    def _erase(self, namespace: str, work: Callable[[Transaction], Erased | None]) -> Erased | None:
        def guarded(tx: Transaction) -> Erased | None:
            erased = work(tx)
            failpoints.reach("erase:written")
            return erased

        erased = self.store.writer.write(guarded)
        failpoints.reach("erase:committed")
        if erased is not None:
            self.indexes.forget(namespace)
        return erased

    def _purge(self, namespace: str) -> bool:
        """Old pages leave the write-ahead log with a checkpoint, which waits for readers that still see them; a graph store
        outside is waited for too."""
        self.indexes.delete_snapshot(namespace)
        self._unpurged.add(namespace)
        told = self.projector is None or self.projector.wait(namespace, limits.MAX_GRAPH_APPLY_WAIT_MS / 1000)
        for _ in range(_CHECKPOINT_TRIES if told else 0):
            if self.store.database.checkpoint():
                self._unpurged.discard(namespace)
                return True
            time.sleep(_CHECKPOINT_PAUSE_S)
        return False

    # --- moving -------------------------------------------------------------------------------------------------------

    def export(self, namespace: str) -> Iterator[str]:
        """JSON Lines of a namespace, from one state of the store."""
        with self.store.database.read() as connection:
            embedder = self.searcher.embedder.name
            yield from transfer.export_lines(connection, namespace, embedder, self.store.clock.now_micros())

    def import_lines(self, namespace: str, lines: Iterable[bytes]) -> wire.ImportResponse:
        """All or nothing. Raises InvalidImport with the line, EpisodeConflict, Gone, BackPressure."""
        embedder = self.searcher.embedder
        data = transfer.read_import(lines, embedder.name, embedder.dimension)
        self._refuse_when_full()
        return self.store.writer.write(
            lambda tx: transfer.write_import(tx, namespace, data, self.worker.versions, self._dispatcher)
        )

    # --- asking ---------------------------------------------------------------------------------------------------------

    def search(self, names: Sequence[str], request: wire.SearchRequest) -> wire.SearchResponse:
        return self.searcher.search([self.namespace(name) for name in names], request)

    def context(self, name: str, request: wire.ContextRequest) -> wire.ContextResponse:
        return self.packer.pack(self.namespace(name), request)

    def episode(self, namespace: str, episode_id: str) -> wire.Episode:
        """Raises NotFound, or Gone for an erased one."""
        with self.namespace(namespace).snapshot() as snapshot:
            found = snapshot.episode(episode_id)
            if found is None and snapshot.is_erased(id_hash(episode_id)):
                raise Gone(f"Episode {episode_id!r} was erased.")
        if found is None:
            raise NotFound(f"No episode {episode_id!r} here.")
        return found

    def status(self, namespace: str, episode_id: str) -> wire.StatusResponse:
        with self.namespace(namespace).snapshot() as snapshot:
            found = snapshot.status(episode_id)
        if found is None:
            self.episode(namespace, episode_id)  # says whether it was erased or never there
            raise NotFound(f"No episode {episode_id!r} here.")
        return found

    def namespaces(self, after: str, limit: int) -> list[wire.Namespace]:
        """By name."""
        query = select(namespaces).where(namespaces.c.name > after).order_by(namespaces.c.name).limit(limit)
        with self.store.database.read() as connection:
            rows = connection.execute(query).all()
        return [
            wire.Namespace(name=r.name, episodes=r.episodes, seq=r.head_seq, created_at=from_micros(r.created_at))
            for r in rows
        ]

    def retry_dead_letter(self, namespace: str, letter_id: str) -> None:
        """Raises NotFound."""
        seq, _, rest = letter_id.partition(".")
        stage, _, version = rest.partition(".")
        if not (seq.isdigit() and version.isdigit()):
            raise NotFound(f"No dead letter {letter_id!r} here.")
        key = (int(seq), stage, int(version))
        self._progress.forget(stage, [key[0]])
        if not self.store.writer.write(lambda tx: outbox.retry_dead(tx, namespace, key)):
            raise NotFound(f"No dead letter {letter_id!r} here.")

    def start(self) -> None:
        """Starts what works in the background."""
        self.worker.start()
        if self.projector is not None:
            self.projector.start()

    def close(self) -> None:
        """Finishes the batch at hand, writes the index snapshots, commits what is queued."""
        self.worker.close()
        if self.projector is not None:
            self.projector.close()
        self.indexes.save_all()
        self.store.close()


def request_hash(request: wire.Request, namespace: str) -> bytes:
    """Equal for requests that ask the same."""
    return hashlib.sha256(f"{namespace}\n{request.model_dump_json()}".encode()).digest()


def _reached(status: wire.EpisodeStatus, wanted: wire.EpisodeStatus) -> bool:
    order: dict[wire.EpisodeStatus, int] = {"stored": 0, "indexed": 1, "enriched": 2, "dead": 3}
    return order[status] >= order[wanted]
