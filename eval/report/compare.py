"""Runs side by side: every system against one, question by question, with paired bootstrap intervals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval.errors import BadResults
from eval.metrics.bootstrap import Interval, interval, paired
from eval.report.markdown import Document, family, number, table, titles

COMPARED: Final[dict[str, tuple[str, ...]]] = {
    "locomo": ("turn.any@10", "turn.all@10", "turn.fraction@10", "session.all@5"),
    "longmemeval": ("turn.any@10", "turn.all@10", "turn.ndcg@10", "session.any@5", "session.all@5"),
    "dmr": ("context.rouge_l@10",),
    "sort": ("accuracy",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One system of one run."""

    label: str
    metrics: Mapping[str, Mapping[str, float]]
    """By question, then by metric."""


def compared(benchmark: str) -> tuple[str, ...]:
    return COMPARED[family(benchmark)]


def side_by_side(documents: Sequence[tuple[str, Document]]) -> str:
    """A table for each benchmark file among the runs, given with their names. Raises BadResults when there is nothing."""
    files: dict[tuple[str, str], list[tuple[str, Document]]] = defaultdict(list)
    for name, document in documents:
        files[document["benchmark"], document["dataset"]["sha256"]].append((name, document))
    parts: list[str] = []
    for (benchmark, _), runs in files.items():
        entries = _entries(runs)
        if entries:
            parts.append(f"## {benchmark}: {runs[0][1]['dataset']['file']}\n\n{comparison(benchmark, entries)}")
    if not parts:
        raise BadResults("None of these runs has scored questions.")
    return "\n\n".join(parts) + "\n"


def comparison(benchmark: str, entries: Sequence[Entry], base: int = 0) -> str:
    """Each system's mean with its interval, and its difference from `base` on the questions that both have."""
    metrics = compared(benchmark)
    rows: list[list[str]] = []
    for entry in entries:
        rows.append([entry.label, str(len(entry.metrics)), *(_cell(entry, entries[base], m) for m in metrics)])
    head = ["system", "questions", *titles(metrics)]
    told = (
        f"Mean [95% interval]; below it the difference from **{entries[base].label}** on the same questions, "
        "in bold where its interval leaves zero out."
    )
    return f"{table(head, rows)}\n\n{told}"


def _entries(runs: Sequence[tuple[str, Document]]) -> list[Entry]:
    entries: list[Entry] = []
    for name, document in runs:
        for system in document["systems"]:
            scored = {row["question"]: row["metrics"] for row in system["questions"] if "metrics" in row}
            if scored:
                label = system["name"] if len(runs) == 1 else f"{system['name']} ({name})"
                entries.append(Entry(label, scored))
    return entries


def _cell(entry: Entry, base: Entry, metric: str) -> str:
    own = interval([scores[metric] for scores in entry.metrics.values()])
    cell = f"{number(own.mean)} [{number(own.low)}, {number(own.high)}]"
    if entry is base:
        return cell
    shared = [question for question in entry.metrics if question in base.metrics]
    if not shared:
        return cell
    change = paired([entry.metrics[q][metric] for q in shared], [base.metrics[q][metric] for q in shared])
    return f"{cell}<br>{difference(change)}"


def difference(change: Interval) -> str:
    """A signed difference with its interval."""
    text = f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
    return f"**{text}**" if change.is_difference else text
