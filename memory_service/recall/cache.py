"""Namespaces' indexes in memory: loaded when first asked for, kept level with the log, let go least recently used first.

Lexical content comes straight from the log, so an episode is found before any worker has seen it; vectors follow when the
worker has written them. Each process that serves reads does this for itself (ground rule 14).
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Generator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from memory_service.log.records import ERASURE
from memory_service.log.schema import AnyRow
from memory_service.log.store import Store
from memory_service.log.text import searchable_text
from memory_service.log.views import Head, NamespaceSnapshot, NamespaceView
from memory_service.observability import metrics
from memory_service.recall.snapshots import SnapshotStore
from retrieval import related
from retrieval.analysis import terms
from retrieval.embedders import Embedder
from retrieval.index import Document, MemoryIndex

_ROWS_AT_ONCE: Final = 2_000
_LOCKED_LOOKUPS: Final = 8
"""Look-ups made under one lock: searches of the namespace come in between."""

_REBUILD_SHARE: Final = 0.2
"""An index whose removed documents exceed this share is read anew from the log."""


class NamespaceIndex:
    """One namespace's index with how far it has followed the log."""

    def __init__(self, namespace: str, dimension: int) -> None:
        self.namespace = namespace
        self.dimension = dimension
        self.lock = threading.RLock()
        self.index = MemoryIndex(dimension)
        self.applied_seq = 0
        self.created_at: int | None = None
        self.erased = False
        """Something was erased since it was last level with the log."""
        self.names: frozenset[str] = frozenset()
        """The index's name terms, as a value that is read without the lock."""

    def catch_up(self, snapshot: NamespaceSnapshot, head: Head | None) -> None:
        """Applies what the log has gained. The caller holds the lock and read `head` from the same snapshot."""
        self.erased = False
        if head is None or head.created_at != self.created_at or self._is_worn():
            self._reset(head)
        if head is not None and head.seq != self.applied_seq:
            self._add_episodes(snapshot)
            self._apply_records(snapshot)
            self.applied_seq = head.seq
        if self.names != self.index.name_terms:
            self.names = frozenset(self.index.name_terms)

    def _reset(self, head: Head | None) -> None:
        self.index = MemoryIndex(self.dimension)
        self.applied_seq = 0
        self.created_at = None if head is None else head.created_at

    def _is_worn(self) -> bool:
        return self.index.dead > max(1000, self.index.size * _REBUILD_SHARE)

    def _add_episodes(self, snapshot: NamespaceSnapshot) -> None:
        after = max(self.applied_seq, int(self.index.column("seq")[-1]) if self.index.size else 0)
        while rows := snapshot.appended_since(after, _ROWS_AT_ONCE):
            for row in rows:
                self.index.add(_document(row))
            after = rows[-1].seq

    def _apply_records(self, snapshot: NamespaceSnapshot) -> None:
        after = self.applied_seq
        while rows := snapshot.index_records_since(after, _ROWS_AT_ONCE):
            self.index.remove([row.episode_seq for row in rows if row.kind == ERASURE])
            self.index.set_many([self._passages(row) for row in rows if row.kind != ERASURE])
            after = rows[-1].seq

    def _passages(self, row: AnyRow) -> tuple[int, list[tuple[int, int]], Any, list[tuple[int, int]]]:
        payload = json.loads(row.payload)
        vectors = np.frombuffer(row.vectors, np.float16).reshape(-1, self.dimension)
        return row.episode_seq, payload["passages"], vectors, payload["times"]


class IndexCache:
    """All namespaces' indexes of this process, within a budget of bytes. Thread-safe."""

    def __init__(self, folder: Path, embedder: Embedder, max_bytes: int, *, save_snapshots: bool = True) -> None:
        self._dimension = embedder.dimension
        self._snapshots = SnapshotStore(folder, embedder.name, writable=save_snapshots)
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, NamespaceIndex] = OrderedDict()
        self._bytes: dict[str, int] = {}
        self._total_bytes = 0
        self._lock = threading.Lock()

    @contextmanager
    def current(self, view: NamespaceView) -> Generator[tuple[MemoryIndex, NamespaceSnapshot, int]]:
        """The namespace's index, level with a snapshot of the log, locked while it is used; and the store's seq."""
        entry = self._entry(view.namespace)
        with entry.lock, view.snapshot() as snapshot:
            head, seq = snapshot.head()
            if entry.created_at is None and head is not None:
                self._snapshots.load_into(entry, head)
            entry.catch_up(snapshot, head)
            yield entry.index, snapshot, seq
            saved = self._snapshots.save_if_due(entry)
        if saved:
            self._withdraw_if_erased(view, entry.applied_seq)
        self._account(entry)

    def _withdraw_if_erased(self, view: NamespaceView, applied_seq: int) -> None:
        """Another process may have erased something, and deleted the snapshots, while this one was being written."""
        with view.snapshot() as snapshot:
            if snapshot.erased_since(applied_seq):
                self.delete_snapshot(view.namespace)

    def name_terms(self, view: NamespaceView) -> Set[str]:
        """Terms of the namespace's speakers' names, as of the last use of its index."""
        entry = self._entry(view.namespace)
        if entry.created_at is None or entry.erased:
            with self.current(view):
                pass  # brings the names level
        return entry.names

    def related(
        self, view: NamespaceView, seqs: Sequence[int], names: Sequence[Sequence[str]], limit: int
    ) -> list[list[tuple[int, float | None]]]:
        """Earlier episodes near to each of these, by vector or by name (the pipeline's NoteIndex port)."""
        found: list[list[tuple[int, float | None]]] = []
        wanted = [(seq, [t for name in own for t in terms(name)]) for seq, own in zip(seqs, names, strict=True)]
        for start in range(0, len(wanted), _LOCKED_LOOKUPS):
            with self.current(view) as (index, _, _):
                part = wanted[start : start + _LOCKED_LOOKUPS]
                found += [related.find(index, seq, own, limit) for seq, own in part]
        return found

    def forget(self, namespace: str) -> None:
        """Something was erased: what is in memory is brought level at the next use; what is on disk goes now."""
        entry = self._entry(namespace)
        with entry.lock:  # a snapshot that is being written must be whole before it can go
            entry.erased = True
            self.delete_snapshot(namespace)

    def delete_snapshot(self, namespace: str) -> None:
        """Removes the namespace's files."""
        self._snapshots.delete(namespace)

    def save(self, namespace: str) -> None:
        """Writes the namespace's snapshot now, if it is in memory and has grown."""
        with self._lock:
            entry = self._entries.get(namespace)
        if entry is not None:
            with entry.lock:
                self._snapshots.save_if_due(entry, at_exit=True)

    def save_all(self) -> None:
        """Writes what has grown; called when the service stops, so that the next start finds it."""
        for namespace in list(self._entries):
            self.save(namespace)

    def sweep(self, store: Store) -> None:
        """At a start: removes snapshots that a killed process left behind an erasure, or half written."""

        def is_current(namespace: str, created_at: int, applied_seq: int) -> bool:
            with store.namespace(namespace).snapshot() as snapshot:
                head, _ = snapshot.head()
                return head is not None and head.created_at == created_at and not snapshot.erased_since(applied_seq)

        self._snapshots.sweep(store.namespace_names(), is_current)

    def publish(self) -> None:
        """Sets the metrics."""
        metrics.index_bytes.set(self._total_bytes)
        metrics.index_namespaces.set(len(self._entries))

    def _entry(self, namespace: str) -> NamespaceIndex:
        with self._lock:
            entry = self._entries.get(namespace)
            if entry is None:
                entry = self._entries[namespace] = NamespaceIndex(namespace, self._dimension)
            self._entries.move_to_end(namespace)
            return entry

    def _account(self, used: NamespaceIndex) -> None:
        """Notes the size of what was just used, and lets go of the least recently used beyond the budget.

        The one in use stays, however large. Only its size is taken anew: with thousands of namespaces, asking all of them at
        every search would cost more than the search.
        """
        size = used.index.nbytes
        with self._lock:
            if used.namespace not in self._entries:
                return
            self._total_bytes += size - self._bytes.get(used.namespace, 0)
            self._bytes[used.namespace] = size
            while self._total_bytes > self._max_bytes and len(self._entries) > 1:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._total_bytes -= self._bytes.pop(oldest, 0)


def _document(row: AnyRow) -> Document:
    return Document(
        seq=row.seq,
        session=row.session_id,
        speaker=row.speaker,
        role=row.role,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        text=searchable_text(row.kind, row.content),
    )
