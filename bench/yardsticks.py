"""What the service is measured against inside the benchmark's own process: a bare commit and the bare embedder."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pysqlite3

from bench.corpus import Turn
from memory_service.settings import Settings
from retrieval.embedders import Embedder
from retrieval.embedders.resolve import load_embedder
from retrieval.sentences import passages


class BareCommits:
    """One table in SQLite, WAL, synchronous=FULL: one row and one synced commit at a time."""

    def __init__(self, path: Path) -> None:
        self._connection: Any = pysqlite3.connect(str(path), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE episodes (seq INTEGER PRIMARY KEY, content TEXT NOT NULL)")

    def commit(self, content: str) -> None:
        """Stores one row for good."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO episodes (content) VALUES (?)", (content,))
        self._connection.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()


@lru_cache(maxsize=1)
def embedder() -> Embedder:
    """The service's own, with its default settings; loaded once."""
    settings = Settings()
    return load_embedder("minilm", settings.model_dir, settings.embedding_threads)


def passage_texts(turns: Sequence[Turn]) -> list[str]:
    """What the pipeline embeds of these turns (memory_service.pipeline.stages.IndexStage)."""
    return [turn.content[start:end] for turn in turns for start, end in passages(turn.content)]
