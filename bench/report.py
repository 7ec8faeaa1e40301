"""What a measurement found, and how it is shown: tables on the terminal, JSON, a table in the documentation."""

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.stats import Samples

_VERDICTS = {True: "met", False: "not met", None: ""}
_STYLES = {True: "green", False: "red", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. `bar` is what was asked for; a row without one is there for information."""

    what: str
    measured: str
    yardstick: str = ""
    bar: str = ""
    met: bool | None = None


@dataclass
class Result:
    """All that one measurement found. Rows are for people; the summaries and facts are for the JSON file."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list[Row])
    samples: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])

    def keep(self, **samples: Samples) -> None:
        """Summaries of samples by name. Empty ones are left out."""
        self.samples |= {name: each.summary() for name, each in samples.items() if each.values_ms}

    def info(self, what: str, measured: str, yardstick: str = "") -> None:
        """A row without a bar."""
        self.rows.append(Row(what, measured, yardstick))

    def at_most(self, what: str, ratio: float, bar: float, measured: str, yardstick: str) -> None:
        """A row whose ratio to its yardstick must not exceed the bar."""
        self.rows.append(Row(what, f"{measured} = {ratio:.2f}x", yardstick, f"<= {bar:g}x", ratio <= bar))

    def at_least(
        self, what: str, value: float, bar: float, measured: str, *, bar_text: str, yardstick: str = ""
    ) -> None:
        """A row whose value must reach the bar."""
        self.rows.append(Row(what, measured, yardstick, bar_text, value >= bar))

    def below(self, what: str, value: float, bar: float, unit: str, *, digits: int = 0) -> None:
        """A row whose absolute value must stay below the bar."""
        self.rows.append(Row(what, f"{value:.{digits}f} {unit}", "", f"< {bar:g} {unit}", value < bar))

    def none(self, what: str, count: int) -> None:
        """A row whose count must be zero."""
        self.rows.append(Row(what, f"{count}", "", "0", count == 0))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def show(console: Console, result: Result) -> None:
    """Prints the table with its notes."""
    table = Table(title=result.title, title_justify="left", title_style="bold", show_lines=False)
    for heading in ("", "measured", "yardstick", "bar", ""):
        table.add_column(heading, overflow="fold")
    for row in result.rows:
        verdict = _VERDICTS[row.met]
        table.add_row(
            row.what, row.measured, row.yardstick, row.bar, f"[{_STYLES[row.met]}]{verdict}[/]" if verdict else ""
        )
    console.print(table)
    for note in result.notes:
        console.print(f"  {note}", style="dim", highlight=False, markup=False)


def markdown(results: list[dict[str, Any]]) -> str:
    """The tables of results, as they stand in the JSON file, in Markdown."""
    parts: list[str] = []
    for result in results:
        lines = ["| | measured | yardstick | bar | |", "| --- | --- | --- | --- | --- |"]
        for row in result["rows"]:
            cells = (row["what"], row["measured"], row["yardstick"], row["bar"], _VERDICTS[row["met"]])
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        notes = [f"- {note}" for note in result["notes"]]
        parts.append(
            "\n".join([f"**{result['name']}**: {result['title']}", "", *lines, *([""] if notes else []), *notes])
        )
    return "\n\n".join(parts) + "\n"
