"""Puts the last results' tables into docs/benchmarks.md, between its markers."""

import json
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.report import markdown

_PATH: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BEGIN: Final = "<!-- results: written by `python -m bench --write-docs` -->"
_END: Final = "<!-- end of results -->"


def write(results_path: Path, console: Console) -> None:
    """Replaces what stands between the markers. Raises ValueError when the document has lost them."""
    found = json.loads(results_path.read_text(encoding="utf-8"))
    text = _PATH.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{_PATH} has no markers {_BEGIN} and {_END}")
    results = list(found["results"].values())
    body = f"{_heading(found['machine'], results)}\n\n{markdown(results)}"
    _PATH.write_text(f"{before}{_BEGIN}\n\n{body}\n{_END}{after}", encoding="utf-8")
    console.print(f"Written into {_PATH}.", highlight=False)


def _heading(machine: dict[str, object], results: list[dict[str, object]]) -> str:
    when = sorted({str(result["at"])[:10] for result in results})
    commands = list(dict.fromkeys(str(result["command"]) for result in results))
    command = " and ".join(f"`{each}`" for each in commands)
    return (
        f"Measured on {' and '.join(when)} with {command} on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}, "
        f"commit {machine['commit']}."
    )
