"""Everything that the development files allow, in one command: what `make eval` runs and docs/results.md tells."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from eval.benchmarks import Options, run_benchmark, run_sort
from eval.catalog import Means
from eval.errors import BadData
from eval.haystacks import built
from eval.report.document import results_page
from eval.rows import write_text
from eval.run import Progress
from eval.systems.mem0 import absent

SORT_PAIRS: Final = 10
"""Of each cell; the paper has 110. Three books then give about a thousand pairs in three variants."""

_COMMAND: Final = "memory-service eval all"
_ON_LOCOMO: Final = ("service", "graph", "bm25", "minilm", "mem0", "oracle", "full", "ablations")
"""Peers run on LoCoMo only: mem0 takes minutes for it alone."""


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
        documents[part.name] = _run(part, out / part.name, cached if part.cached else means, progress)
    if docs is not None:
        write_text(docs, results_page(documents))
    return documents


def _run(part: _Part, out: Path, means: Means, progress: Progress) -> dict[str, Any]:
    missing = absent() if "mem0" in part.systems else None
    systems = tuple(name for name in part.systems if not (missing and name == "mem0"))
    left_out = {"mem0": missing} if missing else {}
    options = Options(part.data, out, systems, command=_COMMAND, left_out=left_out)
    if part.benchmark == "sort":
        return run_sort(options, SORT_PAIRS, means, progress)
    return run_benchmark(part.benchmark, options, means, progress)


def _parts(data: Path, out: Path) -> list[_Part]:
    locomo, longmemeval, books = data / "locomo" / "locomo_dev.json", data / "longmemeval", data / "booksort"
    for path in (locomo, longmemeval, books):
        if not path.exists():
            raise BadData(path, "is not there; --data names the folder that holds locomo/, longmemeval/ and booksort/.")
    haystacks = built(longmemeval, out / "haystacks.json")
    # LoCoMo is embedded anew each time, so that the costs told are those of a first run.
    return [
        _Part("locomo", "locomo", locomo, _ON_LOCOMO, cached=False),
        _Part(
            "longmemeval-pool", "longmemeval-pool", haystacks, ("service", "bm25", "minilm", "ablations"), cached=True
        ),
        _Part("longmemeval-48", "longmemeval", haystacks, ("service", "bm25", "minilm", "oracle"), cached=True),
        _Part("sort", "sort", books, ("service", "bm25", "minilm"), cached=True),
    ]
