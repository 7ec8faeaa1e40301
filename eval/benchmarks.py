"""The benchmarks from end to end: a file in, results, a Markdown page and a plot out."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eval import catalog, results
from eval.dataset import Dataset
from eval.llm.client import Llm
from eval.llm.stage import AnswerStage
from eval.readers.dmr import read_dmr
from eval.readers.locomo import read_locomo
from eval.readers.longmemeval import read_longmemeval
from eval.report.markdown import page
from eval.report.plot import plot
from eval.rows import RowLog, write_text
from eval.run import Progress, Runner, SystemRows
from eval.sort.build import Book, pairs_of, read_book
from eval.sort.memory import MemoryRunner, dataset_of
from eval.sort.reading import ReadingRunner


@dataclass(frozen=True)
class Options:
    """What one run was asked for."""

    data: Path
    out: Path
    systems: Sequence[str] = catalog.DEFAULT_SYSTEMS
    limit: int | None = None
    command: str = ""
    llm: Llm | None = None
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the caller left out beforehand, and why."""


READERS: Final[dict[str, Callable[[Path], Dataset]]] = {
    "locomo": read_locomo,
    "longmemeval": read_longmemeval,
    "longmemeval-pool": lambda path: read_longmemeval(path, pool=True),
    "dmr": read_dmr,
}
_NEEDS_LLM: Final = {
    "locomo": "answers and their token F1",
    "longmemeval": "answers and their judging",
    "longmemeval-pool": "answers and their judging",
    "dmr": "accuracy by judge and ROUGE-L recall of answers",
    "sort": "the in-context and no-text conditions",
}


def run_benchmark(benchmark: str, options: Options, means: catalog.Means, progress: Progress) -> dict[str, Any]:
    """Runs one benchmark of a file and writes its folder; returns the results. Raises EvalError and MemoryServiceError.

    Nothing but rows is written before all of it is done: a folder with results has whole ones.
    """
    dataset = READERS[benchmark](options.data).limited(options.limit)
    with ExitStack() as stack:
        systems = catalog.build(options.systems, means, stack)
        log = stack.enter_context(closing(RowLog(options.out / "rows.jsonl")))
        rows = Runner(dataset, log, means.embedder.count_tokens, progress).run(systems)
        if options.llm is not None:
            stack.enter_context(options.llm.budget.kept(options.out, log.rows))
            rows = AnswerStage(dataset, log, options.llm, progress).run(rows)
    return _written(dataset, rows, options, means)


def run_sort(options: Options, pairs_per_cell: int, means: catalog.Means, progress: Progress) -> dict[str, Any]:
    """SORT over a text file or a folder of them; else as `run_benchmark`. `limit` is of pairs, for the model's conditions."""
    books = _books(options.data)
    dataset = dataset_of(options.data, books, pairs_per_cell)
    with ExitStack() as stack:
        systems = catalog.build(options.systems, means, stack)
        log = stack.enter_context(closing(RowLog(options.out / "rows.jsonl")))
        runner = MemoryRunner(dataset, books, pairs_per_cell, log)
        rows = runner.run(systems, means.embedder.count_tokens, progress)
        if options.llm is not None:
            stack.enter_context(options.llm.budget.kept(options.out, log.rows))
            by_name = {book.name: book for book in books}
            pairs = [pair for book in books for pair in pairs_of(book, pairs_per_cell)][: options.limit]
            rows += ReadingRunner(by_name, options.llm, log, progress).run(pairs)
    return _written(dataset, rows, options, means)


def _books(path: Path) -> list[Book]:
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    return [read_book(file) for file in files] or [read_book(path / "*.txt")]


def _written(dataset: Dataset, rows: list[SystemRows], options: Options, means: catalog.Means) -> dict[str, Any]:
    told = {
        "command": options.command,
        "limit": options.limit,
        "systems": list(options.systems),
        "url": means.url,
        "embedding_model": means.model,
        "embedding_cache": means.embedding_cache is not None,
        "settings": means.settings,
        "llm": options.llm.settings if options.llm else None,
    }
    left_out = dict(options.left_out)
    if options.llm is None:
        left_out[_NEEDS_LLM[dataset.benchmark]] = "need a language model; give --llm"
    document = results.build(dataset, rows, told, left_out)
    write_text(options.out / "results.md", page(document))
    plot(document, options.out / "plot.png")
    results.write(options.out, document)
    return document
