"""The retrieval benchmarks from end to end: a file in, results, a Markdown page and a plot out."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eval import catalog, results
from eval.dataset import Dataset
from eval.readers.locomo import read_locomo
from eval.readers.longmemeval import read_longmemeval
from eval.report.markdown import page
from eval.report.plot import plot_retrieval
from eval.rows import write_text
from eval.run import Progress, Runner, open_log


@dataclass(frozen=True)
class Options:
    """What one run was asked for."""

    data: Path
    out: Path
    systems: Sequence[str] = catalog.DEFAULT_SYSTEMS
    limit: int | None = None
    command: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])


READERS: Final[dict[str, Callable[[Path], Dataset]]] = {
    "locomo": read_locomo,
    "longmemeval": read_longmemeval,
    "longmemeval-pool": lambda path: read_longmemeval(path, pool=True),
}


def run_retrieval(benchmark: str, options: Options, means: catalog.Means, progress: Progress) -> dict[str, Any]:
    """Runs one benchmark and writes its folder; returns the results. Raises EvalError and MemoryServiceError.

    Nothing but rows is written before all of it is done: a folder with results has whole ones.
    """
    dataset = READERS[benchmark](options.data).limited(options.limit)
    with ExitStack() as stack:
        systems = catalog.build(options.systems, means, stack)
        log = stack.enter_context(closing(open_log(options.out)))
        rows = Runner(dataset, log, means.embedder.count_tokens, progress).run(systems)
    told = {
        "command": options.command,
        "limit": options.limit,
        "systems": list(options.systems),
        "url": means.url,
        "embedding_model": means.model,
        "embedding_cache": means.embedding_cache is not None,
        "settings": means.settings,
    }
    left_out = dict(options.left_out) | _without_llm()
    document = results.build(dataset, rows, told, left_out)
    write_text(options.out / "results.md", page(document))
    plot_retrieval(document, options.out / "plot.png")
    results.write(options.out, document)
    return document


def _without_llm() -> dict[str, str]:
    return {"answers and their judging": "need a language model; give --llm"}
