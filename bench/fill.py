"""Large stores without an hour of embedding: turns with made-up notes, and vectors made from a few real ones.

A store is written through the log's own import, so that it is what a server would have written itself; only the content of
vectors and notes is synthetic. Filled stores are kept under the results' folder, by a key over all that decides them.
"""

import base64
import hashlib
import inspect
import json
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

import bench.corpus
from bench import yardsticks
from bench.context import Context
from bench.corpus import Turn
from memory_service.app import build_store
from memory_service.log import records, schema, transfer
from memory_service.log.outbox import NoDispatcher
from memory_service.pipeline.graph import GraphStage
from memory_service.pipeline.stages import IndexStage, NoteStage
from memory_service.settings import Settings
from retrieval.analysis import terms
from retrieval.sentences import passages

NAMESPACE: Final = "bench"
_CHUNK: Final = 2_000
_REAL_VECTORS: Final = 1_000
_NOISE: Final = 0.35
"""Length of the random vector that is added to a real one: their cosine is then about 0.94."""

_LINKS: Final = 4
_MODULES: Final[tuple[ModuleType, ...]] = (bench.corpus, schema, records, transfer)


def store_file(context: Context, size: int, bars: Progress) -> Path:
    """The database file of a store with `size` enriched episodes; filled now or in an earlier run."""
    cached = context.out / "cache" / f"{size}-{_key(size)}.db"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        for outdated in cached.parent.glob(f"{size}-*"):
            outdated.unlink()
        with context.folder() as folder:
            _fill(folder, size, bars)
            os.replace(folder / "memory.db", cached)
    return cached


def data_dir(context: Context, size: int, folder: Path, bars: Progress) -> Path:
    """A data folder with a copy of that store, and no index snapshot."""
    target = folder / f"store-{size}"
    target.mkdir()
    shutil.copyfile(store_file(context, size, bars), target / "memory.db")
    return target


def _key(size: int) -> str:
    """Changes when the corpus, the filler, the log's code or the model does."""
    digest = hashlib.sha256(f"{size} {yardsticks.embedder().name}".encode())
    digest.update(Path(__file__).read_bytes())
    for module in _MODULES:
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:12]


def _fill(folder: Path, size: int, bars: Progress) -> None:
    embedder = yardsticks.embedder()
    store = build_store(Settings(data_dir=folder))
    versions = {stage.name: stage.version for stage in (IndexStage, NoteStage, GraphStage)}
    task = bars.add_task(f"filling a store of {size:,} episodes", total=size)
    try:
        store.bind_embedder(embedder.name)
        for first in range(0, size, _CHUNK):
            lines = _lines(list(bench.corpus.turns(min(_CHUNK, size - first), first=first)), embedder.name, first)
            data = transfer.read_import(lines, embedder.name, embedder.dimension)
            store.writer.write(lambda tx, d=data: transfer.write_import(tx, NAMESPACE, d, versions, NoDispatcher()))
            bars.advance(task, len(data.drafts))
        store.database.checkpoint()
    finally:
        store.close()
    bars.remove_task(task)


def _lines(turns: Sequence[Turn], model: str, seed: int) -> Iterator[bytes]:
    """Import lines of turns, each with its index, its note, and nothing said of the graph."""
    rng = random.Random(seed)
    noise = np.random.default_rng(seed)
    for place, turn in enumerate(turns):
        yield _line({"type": "episode", **turn.request()})
        yield _line(_index_record(turn, model, noise))
        yield _line(_note_record(turn, turns[max(0, place - 200) : place], rng))
        yield _line(_graph_record(turn))


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _index_record(turn: Turn, model: str, noise: np.random.Generator) -> dict[str, Any]:
    spans = passages(turn.content)
    said = int(turn.occurred_at.timestamp()) * 1_000_000
    times = [(said - 7 * 86_400_000_000, said)] if "ago" in turn.content or "week" in turn.content else []
    encoded = base64.b64encode(vectors(len(spans), noise).tobytes()).decode()
    payload = {"passages": spans, "times": times, "model": model}
    base = {"type": "record", "episode_id": turn.id, "kind": "index", "extractor": f"index/{IndexStage.version}"}
    return {**base, "payload": payload, "vectors": encoded}


def _note_record(turn: Turn, before: Sequence[Turn], rng: random.Random) -> dict[str, Any]:
    linked = rng.sample(before, min(_LINKS, len(before)))
    keywords = list(dict.fromkeys(terms(turn.content)))[:6]
    payload = {
        "context": f"{turn.speaker} on {turn.occurred_at:%d %B %Y}, about {', '.join(keywords[:3])}, after {turn.content[:100]}.",
        "keywords": keywords,
        "tags": ["plan", "time", f"name:{turn.speaker}"],
        "importance": 0.4,
        "links": [{"episode_id": other.id, "kind": "similar", "weight": 0.5} for other in linked],
    }
    base = {"type": "record", "episode_id": turn.id, "kind": "note", "extractor": "deterministic/1"}
    return {**base, "payload": payload, "sources": [other.id for other in (*before[-2:], *linked)]}


def _graph_record(turn: Turn) -> dict[str, Any]:
    base = {"type": "record", "episode_id": turn.id, "kind": "graph", "extractor": "none"}
    return {**base, "payload": {"mentions": [], "claims": []}}


def vectors(count: int, noise: np.random.Generator) -> NDArray[np.float16]:
    """Unit vectors near real ones, shape (count, dimension)."""
    real = _real_vectors()
    random_part = noise.standard_normal((count, real.shape[1]), np.float32)
    random_part *= _NOISE / np.linalg.norm(random_part, axis=1, keepdims=True)
    found = real[noise.integers(len(real), size=count)] + random_part
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@lru_cache(maxsize=1)
def _real_vectors() -> NDArray[np.float32]:
    """Of the corpus's first passages. Shape (1000, dimension)."""
    texts = yardsticks.passage_texts(list(bench.corpus.turns(_REAL_VECTORS)))
    return yardsticks.embedder().embed(texts[:_REAL_VECTORS])
