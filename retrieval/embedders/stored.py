"""A wrapper that keeps vectors on disk, by the content of their text: repeated evaluation runs embed each text once."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from retrieval.embedders.base import Embedder, EmbedderError, Vectors
from retrieval.embedders.wrappers import EmbedderWrapper

_KEYS_AT_ONCE: Final = 500
"""Parameters of one statement: the least that any SQLite takes is 999."""

_BUSY_S: Final = 30.0
"""Several processes of one run share the file; each holds it for a batch's inserts."""


class StoredEmbedder(EmbedderWrapper):
    """Looks each text up in a file before it embeds it, and keeps what it embedded.

    A call of one text is a query and passes by, so that searches are timed as they are.
    Nothing is ever taken out, so a text that a store erases stays here as a vector: for public data only. Keys are hashes of
    the model's name and the text; the file holds no text. Thread-safe, and processes may share the folder.
    """

    def __init__(self, inner: Embedder, folder: Path) -> None:
        """Raises EmbedderError when the folder cannot be written or its file is damaged."""
        super().__init__(inner)
        self._path = folder / "vectors.sqlite"
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False)
            self._execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) == 1:
            return self.inner.embed(texts)
        keys = [self._key(text) for text in texts]
        try:
            with self._lock:
                known = self._read(keys)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            known |= self._embed_missing(missing)
        vectors = np.empty((len(keys), self.dimension), np.float32)
        for row, key in enumerate(keys):
            vectors[row] = np.frombuffer(known[key], np.float32)
        return vectors

    def close(self) -> None:
        self._connection.close()

    def _embed_missing(self, missing: dict[bytes, str]) -> dict[bytes, bytes]:
        vectors = self.inner.embed(list(missing.values()))
        made = {key: vector.tobytes() for key, vector in zip(missing, vectors, strict=True)}
        try:
            with self._lock, self._connection:
                self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", made.items())
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return made

    def _read(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for part in _parts(list(dict.fromkeys(keys))):
            marks = ",".join("?" * len(part))
            found.update(self._connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part))
        return found

    def _execute(self, statement: str) -> None:
        with self._connection:
            self._connection.execute(statement)

    def _key(self, text: str) -> bytes:
        body = f"{self.name}\n{text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(body, digest_size=16).digest()

    def _unusable(self, error: Exception) -> EmbedderError:
        return EmbedderError(
            f"The embedding cache {self._path} cannot be used ({error}). Delete it, or name another folder."
        )


def _parts(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]
