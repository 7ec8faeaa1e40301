"""eval: the benchmarks of this field, run over this service and its peers (docs/evaluation.md).

The package `eval` comes with the extra of the same name. It is imported by these commands alone, once they run.
"""

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markdown import Markdown

from memory_service.cli.console import fail, out, progress
from memory_service.settings import load_settings

if TYPE_CHECKING:
    from eval.catalog import Means

Data = Annotated[Path, typer.Option(help="The benchmark's file, in its official format.", exists=False)]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first questions.")]
Out = Annotated[Path | None, typer.Option(help="Folder of rows and results (default: eval/out/NAME).")]
SystemNames = Annotated[
    list[str] | None, typer.Option("--system", help="service, bm25, minilm, oracle, full, ablations; may be repeated.")
]
Url = Annotated[str | None, typer.Option(help="A running service to measure (default: one is started).")]
Cache = Annotated[Path | None, typer.Option("--embedding-cache", help="Folder that keeps vectors between runs.")]
Setting = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE of a MEMORY_ setting of the started service.")
]

_DEFAULT_OUT: Final = Path("eval/out")


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    commands = typer.Typer(help="Run benchmarks over this service and its peers.", no_args_is_help=True)
    commands.command()(locomo)
    commands.command()(longmemeval)
    commands.command()(report)
    commands.command("all")(all_)
    app.add_typer(commands, name="eval")


def locomo(
    *,
    data: Data,
    limit: Limit = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of rows and results.")] = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
) -> None:
    """LoCoMo (arXiv 2402.17753): evidence recall by turn, session and category."""
    means = _means(url, embedding_cache, setting)
    _retrieval("locomo", means, data, limit=limit, out_dir=out_dir, systems=system)


def longmemeval(
    *,
    data: Data,
    pool: Annotated[bool, typer.Option("--pool", help="One namespace with every session of the file.")] = False,
    limit: Limit = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of rows and results.")] = None,
    system: SystemNames = None,
    url: Url = None,
    embedding_cache: Cache = None,
    setting: Setting = None,
) -> None:
    """LongMemEval (arXiv 2410.10813), S, M or oracle file: the official retrieval metrics, and abstention."""
    name = "longmemeval-pool" if pool else "longmemeval"
    means = _means(url, embedding_cache, setting)
    _retrieval(name, means, data, limit=limit, out_dir=out_dir, systems=system)


def report(runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]) -> None:
    """Compare runs side by side, with paired bootstrap intervals."""
    with _installed():
        from eval import results
        from eval.report.compare import side_by_side
    print(side_by_side([(run.name, results.read(run)) for run in runs]))


def all_(
    data: Annotated[Path, typer.Option(help="Folder with locomo/ and longmemeval/.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of rows and results.")] = _DEFAULT_OUT,
    docs: Annotated[Path | None, typer.Option(help="Markdown file to rewrite with the results.")] = None,
) -> None:
    """Everything that the development files allow; `make eval` runs this."""
    with _installed():
        from eval.suite import run_suite
    with progress() as bar:
        run_suite(data, out_dir, docs, _means(None, None, None), _Bar(bar))
    out.print(f"Results are in {out_dir}" + (f" and {docs}." if docs else "."), highlight=False, soft_wrap=True)


def _retrieval(
    benchmark: str,
    means: "Means",
    data: Path,
    *,
    limit: int | None,
    out_dir: Path | None,
    systems: list[str] | None,
) -> None:
    from eval.benchmarks import Options, run_retrieval
    from eval.catalog import DEFAULT_SYSTEMS
    from eval.report.markdown import retrieval

    folder = out_dir or _DEFAULT_OUT / benchmark
    options = Options(data, folder, systems or DEFAULT_SYSTEMS, limit, shlex.join(["memory-service", *sys.argv[1:]]))
    with progress() as bar:
        document = run_retrieval(benchmark, options, means, _Bar(bar))
    out.print(Markdown(retrieval(document)))
    out.print(f"Results are in {folder}.", highlight=False, soft_wrap=True)


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
