"""Runs side by side: every system against one, question by question, with paired bootstrap intervals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eval.errors import BadResults
from eval.metrics.bootstrap import Interval, interval, paired
from eval.report.markdown import NONE, Document, family, number, table, titles

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
        several = len(runs) > 1
        entries = [e for name, run in runs for e in entries_of(run["systems"], name if several else None)]
        if entries:
            parts.append(f"## {benchmark}: {runs[0][1]['dataset']['file']}\n\n{comparison(benchmark, entries)}")
    if not parts:
        raise BadResults("None of these runs has scored questions.")
    return "\n\n".join(parts) + "\n"


def comparison(benchmark: str, entries: Sequence[Entry], base: int = 0) -> str:
    """Each system's mean with its interval, and its difference from `base` on the questions that both have."""
    answers = sorted({name for e in entries for own in e.metrics.values() for name in own if name.startswith("qa.")})
    metrics = [*compared(benchmark), *answers]
    rows = [
        [entry.label, str(len(entry.metrics)), *(_cell(entry, entries[base], metric) for metric in metrics)]
        for entry in entries
    ]
    head = ["system", "questions", *titles(metrics)]
    told = (
        f"Mean [95% interval]; below it the difference from **{entries[base].label}** on the same questions, "
        "in bold where its interval leaves zero out."
    )
    return f"{table(head, rows)}\n\n{told}"


def entries_of(systems: Sequence[Mapping[str, Any]], run: str | None = None) -> list[Entry]:
    """Systems with scores, of retrieval or of answers; `run` is told beside their names where there are several runs."""
    entries: list[Entry] = []
    for system in systems:
        rows = {row["question"]: {**row.get("metrics", {}), **row.get("qa", {})} for row in system["questions"]}
        scored = {question: metrics for question, metrics in rows.items() if metrics}
        if scored:
            entries.append(Entry(system["name"] if run is None else f"{system['name']} ({run})", scored))
    return entries


def _cell(entry: Entry, base: Entry, metric: str) -> str:
    own = {question: scores[metric] for question, scores in entry.metrics.items() if metric in scores}
    if not own:
        return NONE
    found = interval(list(own.values()))
    cell = f"{number(found.mean)} [{number(found.low)}, {number(found.high)}]"
    shared = [question for question in own if metric in base.metrics.get(question, {})]
    if entry is base or not shared:
        return cell
    change = paired([own[q] for q in shared], [base.metrics[q][metric] for q in shared])
    return f"{cell}<br>{difference(change)}"


def difference(change: Interval) -> str:
    """A signed difference with its interval."""
    text = f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
    return f"**{text}**" if change.is_difference else text
