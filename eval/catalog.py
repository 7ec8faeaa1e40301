"""From the names that --system takes to systems under test."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from eval.errors import EvalError
from eval.systems.base import System
from retrieval.embedders.base import Embedder, EmbedderError
from retrieval.embedders.resolve import load_embedder
from retrieval.embedders.stored import StoredEmbedder

DEFAULT_SYSTEMS: Final = ("service", "bm25", "minilm", "oracle", "full")


@dataclass(frozen=True)
class Means:
    """What systems are made of, for one run."""

    model: str
    """Name of the embedding model, as MEMORY_EMBEDDING_MODEL takes it."""
    model_dir: Path
    url: str | None = None
    embedding_cache: Path | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """Environment variables of the service that is started."""

    @cached_property
    def embedder(self) -> Embedder:
        """Also counts tokens. Raises EvalError."""
        try:
            loaded = load_embedder(self.model, self.model_dir)
            return StoredEmbedder(loaded, self.embedding_cache) if self.embedding_cache else loaded
        except EmbedderError as error:
            raise EvalError(str(error)) from error


def build(names: Sequence[str], means: Means, stack: ExitStack) -> list[System]:
    """The systems of these names, closed when the stack is left. Raises EvalError for a name that there is not."""
    made: list[System] = []
    for name in dict.fromkeys(names):
        if name not in _MAKERS:
            raise EvalError(f"There is no system {name!r}. There are: {', '.join(_MAKERS)}.")
        made += _MAKERS[name](means)
    for system in made:
        stack.callback(system.close)
    return made


def _service(means: Means) -> list[System]:
    from eval.systems.service import Service

    settings = {"MEMORY_EMBEDDING_MODEL": means.model, "MEMORY_MODEL_DIR": str(means.model_dir)} | means.settings
    name = "this service" + "".join(f", {k.removeprefix('MEMORY_').lower()}={v}" for k, v in means.settings.items())
    return [
        Service(name, url=means.url, settings=settings, shown=means.settings, embedding_cache=means.embedding_cache)
    ]


def _with_graph(means: Means) -> list[System]:
    return _service(replace(means, settings={"MEMORY_GRAPH_CHANNEL": "on"} | means.settings))


def _bm25(means: Means) -> list[System]:
    from eval.systems.bm25 import Bm25

    return [Bm25()]


def _minilm(means: Means) -> list[System]:
    from eval.systems.dense import Dense

    return [Dense(means.embedder, cached=means.embedding_cache is not None)]


def _oracle(means: Means) -> list[System]:
    from eval.systems.bounds import OracleEvidence

    return [OracleEvidence()]


def _full(means: Means) -> list[System]:
    from eval.systems.bounds import FullContext

    return [FullContext()]


def _ablations(means: Means) -> list[System]:
    from eval.systems.ablation import ABLATIONS, Ablation, Shelf

    shelf = Shelf(means.embedder)
    return [Ablation(name, shelf, changed) for name, changed in ABLATIONS.items()]


def _mem0(means: Means) -> list[System]:
    from eval.systems.mem0 import Mem0, absent
    from retrieval.embedders.resolve import resolve_model

    if why := absent():
        raise EvalError(f"mem0 cannot be run: {why}.")
    try:
        return [Mem0(resolve_model(means.model))]
    except EmbedderError as error:
        raise EvalError(str(error)) from error


_MAKERS: Final[dict[str, Callable[[Means], list[System]]]] = {
    "service": _service,
    "bm25": _bm25,
    "minilm": _minilm,
    "oracle": _oracle,
    "full": _full,
    "graph": _with_graph,
    "ablations": _ablations,
    "mem0": _mem0,
}
