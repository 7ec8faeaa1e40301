"""Snapshots of indexes on disk: read at a cold start instead of the whole log. Disposable; a bad one is thrown away.

A snapshot is a folder of .npy files and one manifest, written beside its place and renamed when whole. It holds no texts, but
terms: erasing anything in a namespace deletes its snapshot.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from memory_service import failpoints, limits
from memory_service.log.views import Head
from retrieval.index import MemoryIndex

if TYPE_CHECKING:
    from memory_service.recall.cache import NamespaceIndex

_log = structlog.get_logger(__name__)
_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"


class SnapshotStore:
    """The folder of snapshots of this store and this embedder."""

    def __init__(self, folder: Path, embedder: str, *, writable: bool = True) -> None:
        self._folder = folder
        self._embedder = embedder
        self._writable = writable
        self._saved_size: dict[str, int] = {}

    def load_into(self, entry: "NamespaceIndex", head: Head) -> None:
        """Fills a fresh entry from its snapshot, where one fits this namespace; otherwise leaves it empty."""
        place = self._place(entry.namespace)
        try:
            manifest = json.loads((place / _MANIFEST).read_text())
            if not self._fits(manifest, head):
                raise ValueError("it belongs to another state of the store")
            arrays = {name: _checked(place, name, digest) for name, digest in manifest["arrays"].items()}
            index = MemoryIndex.thaw(entry.dimension, arrays, manifest["lists"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("index_snapshot_discarded", reason=type(error).__name__)
            shutil.rmtree(place, ignore_errors=True)
            return
        entry.index, entry.applied_seq, entry.created_at = index, manifest["applied_seq"], head.created_at
        self._saved_size[entry.namespace] = index.size

    def save_if_due(self, entry: "NamespaceIndex", *, at_exit: bool = False) -> bool:
        """Writes a snapshot when the namespace has outgrown its last one. A failed write is told and costs nothing else.

        Returns whether one was written.
        """
        index = entry.index
        before = self._saved_size.get(entry.namespace, 0)
        growth = 0.02 if at_exit else limits.SNAPSHOT_GROWTH
        if (
            not self._writable
            or index.dead
            or index.size < limits.SNAPSHOT_MIN_ROWS
            or index.size <= before * (1 + growth)
        ):
            return False
        self._saved_size[entry.namespace] = index.size
        try:
            self._save(entry)
        except OSError as error:
            _log.warning("index_snapshot_not_written", reason=error.strerror)
            return False
        return True

    def delete(self, namespace: str) -> None:
        """Removes a namespace's snapshot."""
        self._saved_size.pop(namespace, None)
        shutil.rmtree(self._place(namespace), ignore_errors=True)

    def sweep(self, namespaces: Iterable[str], is_current: Callable[[str, int, int], bool]) -> None:
        """Clears away what killed processes left: halves of snapshots, and snapshots from before an erasure.

        `is_current(namespace, created_at, applied_seq)` says whether nothing of the namespace was erased since.
        """
        if not self._writable or not self._folder.is_dir():
            return
        known = {self._place(namespace).name: namespace for namespace in namespaces}
        for place in list(self._folder.iterdir()):
            if place.suffix == ".part":
                if not _is_running(place):
                    shutil.rmtree(place, ignore_errors=True)
            elif place.name not in known or not self._is_current(place, known[place.name], is_current):
                shutil.rmtree(place, ignore_errors=True)

    @staticmethod
    def _is_current(place: Path, namespace: str, is_current: Callable[[str, int, int], bool]) -> bool:
        try:
            manifest = json.loads((place / _MANIFEST).read_text())
            return is_current(namespace, manifest["created_at"], manifest["applied_seq"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _fits(self, manifest: dict[str, Any], head: Head) -> bool:
        return (
            manifest["format"] == _FORMAT
            and manifest["embedder"] == self._embedder
            and manifest["created_at"] == head.created_at
            and manifest["applied_seq"] <= head.seq
        )

    def _save(self, entry: "NamespaceIndex") -> None:
        arrays, lists = entry.index.frozen()
        place = self._place(entry.namespace)
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            digests: dict[str, str] = {}
            for name, array in arrays.items():
                np.save(part / f"{name}.npy", array)
                digests[name] = _digest(array)
            failpoints.reach("snapshot:half")
            manifest = {
                "format": _FORMAT,
                "embedder": self._embedder,
                "created_at": entry.created_at,
                "applied_seq": entry.applied_seq,
                "arrays": digests,
                "lists": lists,
            }
            (part / _MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False))
            shutil.rmtree(place, ignore_errors=True)
            os.replace(part, place)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _place(self, namespace: str) -> Path:
        # A hash: namespaces are case-sensitive and file systems may not be.
        return self._folder / hashlib.sha256(namespace.encode()).hexdigest()[:32]


def _checked(place: Path, name: str, digest: str) -> np.ndarray[Any, Any]:
    array = np.load(place / f"{name}.npy", allow_pickle=False)
    if _digest(array) != digest:
        raise ValueError(f"{name} does not match its digest")
    return array


def _is_running(part: Path) -> bool:
    """Whether the process that writes this half is alive; it bears its pid."""
    pid = part.stem.rpartition(".")[2]
    return pid.isdigit() and int(pid) != os.getpid() and Path(f"/proc/{pid}").exists()


def _digest(array: np.ndarray[Any, Any]) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).hexdigest()
