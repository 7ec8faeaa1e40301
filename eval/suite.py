"""Everything that the development files allow, in one command: what `make eval` runs and docs/results.md tells."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from eval.benchmarks import Options, run_retrieval
from eval.catalog import Means
from eval.errors import BadData
from eval.haystacks import built
from eval.report.document import results_page
from eval.rows import write_text
from eval.run import Progress

_COMMAND: Final = "memory-service eval all"


@dataclass(frozen=True, slots=True)
class _Part:
    """One run of the suite."""

    name: str
    benchmark: str
    data: Path
    systems: tuple[str, ...]
    cached: bool
    """Whether embeddings of earlier runs are used: then ingest's times say nothing."""


def run_suite(data: Path, out: Path, docs: Path | None, means: Means, progress: Progress) -> dict[str, dict[str, Any]]:
    """Runs all parts into folders under `out`, then writes `docs`; returns the results by part. Raises EvalError.

    Parts that an interrupted run has done are not done again.
    """
    cached = replace(means, embedding_cache=out / "embeddings")
    documents: dict[str, dict[str, Any]] = {}
    for part in _parts(data, out):
        options = Options(part.data, out / part.name, part.systems, command=_COMMAND)
        documents[part.name] = run_retrieval(part.benchmark, options, cached if part.cached else means, progress)
    if docs is not None:
        write_text(docs, results_page(documents))
    return documents


def _parts(data: Path, out: Path) -> list[_Part]:
    locomo, longmemeval = data / "locomo" / "locomo_dev.json", data / "longmemeval"
    for path in (locomo, longmemeval):
        if not path.exists():
            raise BadData(path, "is not there; --data names the folder that holds locomo/ and longmemeval/.")
    haystacks = built(longmemeval, out / "haystacks.json")
    # LoCoMo is embedded anew each time, so that the costs told are those of a first run.
    return [
        _Part("locomo", "locomo", locomo, ("service", "bm25", "minilm", "oracle", "full", "ablations"), cached=False),
        _Part(
            "longmemeval-pool", "longmemeval-pool", haystacks, ("service", "bm25", "minilm", "ablations"), cached=True
        ),
        _Part("longmemeval-48", "longmemeval", haystacks, ("service", "bm25", "minilm", "oracle"), cached=True),
    ]
