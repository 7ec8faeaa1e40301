"""eval: the benchmarks of this field, run over this service and its peers (docs/evaluation.md).

The package `eval` comes with the extra of the same name. It is imported by these commands alone, once they run.
"""

import os
import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memory_service.cli.console import fail, out, progress
from memory_service.settings import load_settings

if TYPE_CHECKING:
    from eval.benchmarks import Options
    from eval.catalog import Means

Data = Annotated[Path, typer.Option(help="The benchmark's file, in its official format.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first questions.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of rows and results (default: eval/out/NAME).")]
SystemNames = Annotated[
    list[str] | None,
    typer.Option("--system", help="service, bm25, minilm, oracle, full, ablations, mem0; may be repeated."),
]
Url = Annotated[str | None, typer.Option(help="A running service to measure (default: one is started).")]
Cache = Annotated[Path | None, typer.Option("--embedding-cache", help="Folder that keeps vectors between runs.")]
Setting = Annotated[
    list[str] | None, typer.Option("--set", help="MEMORY_NAME=VALUE of the service that is started; may be repeated.")
]
Model = Annotated[str | None, typer.Option("--llm", help="Model that answers and judges.")]
ModelUrl = Annotated[
    str | None, typer.Option("--llm-url", help="OpenAI-compatible endpoint (default: OpenAI's; key: OPENAI_API_KEY).")
]
ModelPrice = Annotated[
    str | None, typer.Option("--llm-price", help="Dollars for a million prompt and completion tokens, as 0.15,0.60.")
]
MaxUsd = Annotated[
    float | None, typer.Option("--max-usd", min=0, help="Hard budget; no call is made that could exceed it.")
]

_DEFAULT_OUT: Final = Path("eval/out")


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    commands = typer.Typer(help="Run benchmarks over this service and its peers.", no_args_is_help=True)
    for command in (locomo, longmemeval, dmr, sort, report):
        commands.command()(command)
    commands.command("all")(all_)
    app.add_typer(commands, name="eval")


def locomo(
    *,
    data: Data,
    limit: Limit = None,
    out_dir: Out = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
    llm: Model = None,
    llm_url: ModelUrl = None,
    llm_price: ModelPrice = None,
    max_usd: MaxUsd = None,
) -> None:
    """LoCoMo (arXiv 2402.17753): evidence recall by turn, session and category; token F1 of answers."""
    means = _means(url, embedding_cache, setting)
    options = _options("locomo", data, out_dir, system, limit)
    _run("locomo", _with_llm(options, llm, llm_url, llm_price, max_usd), means)


def longmemeval(
    *,
    data: Data,
    pool: Annotated[bool, typer.Option("--pool", help="One namespace with every session of the file.")] = False,
    limit: Limit = None,
    out_dir: Out = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
    llm: Model = None,
    llm_url: ModelUrl = None,
    llm_price: ModelPrice = None,
    max_usd: MaxUsd = None,
) -> None:
    """LongMemEval (arXiv 2410.10813), S, M or oracle file: official retrieval metrics, abstention, judged answers."""
    name = "longmemeval-pool" if pool else "longmemeval"
    means = _means(url, embedding_cache, setting)
    options = _options(name, data, out_dir, system, limit)
    _run(name, _with_llm(options, llm, llm_url, llm_price, max_usd), means)


def dmr(
    *,
    data: Annotated[Path, typer.Option(help="MSC-Self-Instruct, JSON Lines.")],
    limit: Limit = None,
    out_dir: Out = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
    llm: Model = None,
    llm_url: ModelUrl = None,
    llm_price: ModelPrice = None,
    max_usd: MaxUsd = None,
) -> None:
    """Deep Memory Retrieval (MemGPT, arXiv 2310.08560): accuracy by judge and ROUGE-L recall."""
    means = _means(url, embedding_cache, setting)
    # The file names no evidence, so there is no oracle.
    options = _options("dmr", data, out_dir, system or ["service", "bm25", "minilm", "full"], limit)
    _run("dmr", _with_llm(options, llm, llm_url, llm_price, max_usd), means)


def sort(
    *,
    data: Annotated[Path, typer.Option(help="A text file, or a folder of *.txt.")],
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of each excerpt length, segment length and bin.")] = 10,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first pairs in the model's conditions.")] = None,
    out_dir: Out = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
    llm: Model = None,
    llm_url: ModelUrl = None,
    llm_price: ModelPrice = None,
    max_usd: MaxUsd = None,
) -> None:
    """SORT (arXiv 2410.08133): which of two segments came first; from memory, in context, and without the text."""
    means = _means(url, embedding_cache, setting)
    options = _options("sort", data, out_dir, system or ["service", "bm25", "minilm"], limit)
    _run("sort", _with_llm(options, llm, llm_url, llm_price, max_usd), means, pairs)


def report(runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]) -> None:
    """Compare runs side by side, with paired bootstrap intervals."""
    with _installed():
        from eval import results
        from eval.report.compare import side_by_side
    print(side_by_side([(run.name, results.read(run)) for run in runs]))


def all_(
    data: Annotated[Path, typer.Option(help="Folder with locomo/, longmemeval/ and booksort/.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of rows and results.")] = _DEFAULT_OUT,
    docs: Annotated[Path | None, typer.Option(help="Markdown file to rewrite with the results.")] = None,
) -> None:
    """Everything that the development files allow; `make eval` runs this."""
    with _installed():
        from eval.suite import run_suite
    with progress() as bar:
        run_suite(data, out_dir, docs, _means(None, None, None), _Bar(bar))
    out.print(f"Results are in {out_dir}" + (f" and {docs}." if docs else "."), highlight=False, soft_wrap=True)


# --- parts ------------------------------------------------------------------------------------------------------------


def _run(benchmark: str, options: "Options", means: "Means", pairs: int | None = None) -> None:
    from eval.benchmarks import run_benchmark, run_sort
    from eval.report.markdown import answers, retrieval

    with progress() as bar:
        if pairs is not None:
            document = run_sort(options, pairs, means, _Bar(bar))
        else:
            document = run_benchmark(benchmark, options, means, _Bar(bar))
    for told in (retrieval(document), answers(document)):
        if told:
            from rich.markdown import Markdown

            out.print(Markdown(told))
    for what, why in document["left_out"].items():
        out.print(f"Left out: {what}: {why}.", highlight=False, soft_wrap=True)
    out.print(f"Results are in {options.out}.", highlight=False, soft_wrap=True)


def _options(
    benchmark: str, data: Path, out_dir: Path | None, systems: list[str] | None, limit: int | None
) -> "Options":
    with _installed():
        from eval.benchmarks import Options
        from eval.catalog import DEFAULT_SYSTEMS
    command = shlex.join(["memory-service", *sys.argv[1:]])
    return Options(data, out_dir or _DEFAULT_OUT / benchmark, systems or DEFAULT_SYSTEMS, limit, command)


def _with_llm(
    options: "Options", model: str | None, url: str | None, price: str | None, max_usd: float | None
) -> "Options":
    from dataclasses import replace

    from eval.llm.client import Llm, openai_complete

    if model is None:
        if url or price or max_usd is not None:
            fail("--llm-url, --llm-price and --max-usd go with --llm MODEL.")
        return options
    complete = openai_complete(url, os.environ.get("OPENAI_API_KEY"))
    cache = options.out.parent / "llm"
    llm = Llm(model, complete, cache, endpoint=url or "openai", price=_price(price), max_usd=max_usd)
    return replace(options, llm=llm)


def _price(text: str | None) -> Any:
    from eval.llm.client import Price

    if text is None:
        return None
    try:
        prompt, completion = (float(part) for part in text.split(","))
    except ValueError:
        fail(f"--llm-price takes two numbers, as 0.15,0.60, not {text!r}.")
    return Price(prompt, completion)


def _means(url: str | None, cache: Path | None, changed: list[str] | None) -> "Means":
    with _installed():
        from eval.catalog import Means
    settings = load_settings()
    pairs = dict(_pair(text) for text in changed or [])
    model = pairs.pop("MEMORY_EMBEDDING_MODEL", settings.embedding_model)
    return Means(model, settings.model_dir, url, cache, pairs)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.startswith("MEMORY_"):
        fail(f"--set takes MEMORY_NAME=VALUE, not {text!r}.")
    return name, value


@contextmanager
def _installed() -> Generator[None]:
    """Tells what to install where a package is missing."""
    try:
        yield
    except ImportError as error:
        fail(f"The benchmarks need more packages ({error}): pip install 'agent-memory-service[server,eval]'.")


class _Bar:
    """The runner's progress on the terminal: one task at a time."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None

    def begin(self, what: str, total: int | None) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total)

    def advance(self) -> None:
        self._bar.advance(self._task)
