"""`python -m bench`: runs the measurements, prints their tables, keeps them as JSON. It tells times and never fails for one."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import ack, document, graph, graphiti, index, machine, memory, mixed, peer, search
from bench.context import Context
from bench.report import Result, show

MEASUREMENTS: Final[dict[str, Callable[[Context], Result]]] = {
    "ack": ack.run,
    "index": index.run,
    "search": search.run,
    "mixed": mixed.run,
    "memory": memory.run,
    "mem0": peer.run,
    "graph-ingest": graph.ingest,
    "graph-read": graph.read,
    "graphiti": graphiti.run,
}


def main() -> None:
    arguments = _arguments()
    context = Context(arguments.quick, arguments.out, Console(), _data())
    context.out.mkdir(parents=True, exist_ok=True)
    names = arguments.only or list(MEASUREMENTS)
    context.console.print(f"[bold]{machine.line()}[/]", highlight=False)
    document_path = context.out / ("quick.json" if arguments.quick else "results.json")
    for name in names:
        _run(context, name, document_path)
    context.console.print(f"Kept in {document_path}.", highlight=False)
    if arguments.write_docs:
        document.write(document_path, context.console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(MEASUREMENTS), metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, tells little of speed")
    parser.add_argument("--out", type=Path, default=Path("bench/out"), help="folder of results and filled stores")
    parser.add_argument("--write-docs", action="store_true", help="put the results' tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    if arguments.quick and arguments.write_docs:
        parser.error("--write-docs needs a full run: quick figures tell little")
    return arguments


def _data() -> Path | None:
    given = os.environ.get("DATA")
    return Path(given) if given else None


def _run(context: Context, name: str, path: Path) -> None:
    """Runs one measurement and adds it to the results file at once, so that a later failure loses nothing."""
    started = time.perf_counter()
    result = MEASUREMENTS[name](context)
    show(context.console, result)
    took_s = round(time.perf_counter() - started, 1)
    context.console.print(f"  {took_s:g} s\n", style="dim", highlight=False)
    _keep(path, {**result.as_json(), "took_s": took_s, "at": datetime.now(UTC).isoformat(timespec="seconds")})


def _keep(path: Path, result: dict[str, Any]) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else {}
    known[result["name"]] = {**result, "command": " ".join(["python -m bench", *sys.argv[1:]])}
    ordered = {name: known[name] for name in MEASUREMENTS if name in known}
    path.write_text(json.dumps({"machine": machine.facts(), "results": ordered}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
