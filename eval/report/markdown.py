"""Markdown tables of results documents."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

Document = Mapping[str, Any]
NONE: Final = "–"

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "locomo": (
        "turn.any@5",
        "turn.all@5",
        "turn.any@10",
        "turn.all@10",
        "turn.fraction@10",
        "turn.ndcg@10",
        "session.any@5",
        "session.all@5",
    ),
    "longmemeval": (
        "turn.any@5",
        "turn.all@5",
        "turn.any@10",
        "turn.all@10",
        "turn.ndcg@10",
        "session.any@5",
        "session.all@5",
        "session.ndcg@5",
        "official.any@5",
        "official.all@5",
        "official.ndcg@5",
    ),
    "dmr": ("context.rouge_l@10",),
    "sort": ("accuracy",),
}
"""What a benchmark's main table shows, as `level.metric@k`."""


_GROUPED: Final = {
    "locomo": "turn.all@10",
    "longmemeval": "turn.all@10",
    "dmr": "context.rouge_l@10",
    "sort": "accuracy",
}
"""The metric that is told by kind of question."""


def family(benchmark: str) -> str:
    """ "longmemeval-pool" is judged and told as "longmemeval"."""
    return benchmark.partition("-")[0]


def columns_of(benchmark: str) -> tuple[str, ...]:
    return COLUMNS[family(benchmark)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    marks = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, marks, *rows])


def number(value: float | None, digits: int = 3) -> str:
    """A share as ".123"; what is not known is a dash."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def titles(columns: Sequence[str]) -> list[str]:
    """ "turn.all@10" as a heading."""
    return [column.replace(".", " ").replace("fraction", "frac.") for column in columns]


def retrieval(document: Document) -> str:
    """The systems that rank, one row each."""
    columns = columns_of(document["benchmark"])
    ranking = [system for system in document["systems"] if system["metrics"]]
    rows = [[system["name"], *(number(system["metrics"].get(c)) for c in columns)] for system in ranking]
    return table(["system", *titles(columns)], rows)


def by_group(document: Document, metric: str) -> str:
    """One metric for each category or question type."""
    ranking = [system for system in document["systems"] if system["metrics"]]
    groups = {name: own["scored"] for system in ranking for name, own in system["by_group"].items()}
    head = ["system", *(f"{name} ({count})" for name, count in groups.items())]
    rows = [
        [system["name"], *(number(system["by_group"].get(name, {}).get(metric)) for name in groups)]
        for system in ranking
    ]
    return table(head, rows)


def cutoffs(document: Document, level: str) -> str:
    """any / all / NDCG at every cutoff."""
    ranking = [system for system in document["systems"] if system["metrics"]]
    ks = sorted({int(name.split("@")[1]) for system in ranking for name in system["metrics"]})
    rows = [
        [
            system["name"],
            *("/".join(number(system["metrics"][f"{level}.{m}@{k}"]) for m in ("any", "all", "ndcg")) for k in ks),
        ]
        for system in ranking
    ]
    return table(["system", *(f"@{k}" for k in ks)], rows)


def costs(document: Document) -> str:
    """What each system takes."""
    head = ["system", "ingest s", "texts/s", "bytes/episode", "search p50 ms", "p95 ms", "tokens/context", "LLM calls"]
    rows: list[list[str]] = []
    for system in document["systems"]:
        own = system["costs"]
        warm = "*" if own["embeddings_from_cache"] else ""
        rows.append(
            [
                system["name"],
                f"{own['ingest_s']:.1f}{warm}",
                f"{own['episodes_per_s']:.0f}{warm}" if own["episodes_per_s"] else NONE,
                f"{own['stored_bytes_per_episode']}" if own["stored_bytes_per_episode"] else NONE,
                f"{own['search_p50_ms']:.1f}",
                f"{own['search_p95_ms']:.1f}",
                f"{own['tokens_per_context']:.0f}" if own["tokens_per_context"] is not None else NONE,
                str(own["llm_calls"]),
            ]
        )
    note = (
        "\n\n\\* with the embedding cache: texts that an earlier run or system embedded were not embedded again."
        if any("*" in row[1] for row in rows)
        else ""
    )
    return table(head, rows) + note


def abstention(document: Document) -> str | None:
    """How well the confidence tells answerable questions from others; None where there are no others."""
    judged = [system for system in document["systems"] if system["abstention"]]
    if not judged:
        return None
    rows = [
        [
            system["name"],
            number(system["abstention"]["area"]),
            *(number(answered_at(system["abstention"]["curve"], share)) for share in (0.5, 0.8)),
        ]
        for system in judged
    ]
    head = ["system", "ROC area", "answered when abstaining on half", "on four fifths"]
    return table(head, rows)


def answered_at(curve: Sequence[Sequence[float]], abstained: float) -> float | None:
    """Share of answerable questions answered at the lowest threshold that abstains on so many of the others."""
    fitting = [answered for _, answered, share in curve if share >= abstained]
    return fitting[0] if fitting else None


def left_out(document: Document) -> str:
    """What was not run, and why; empty when all was."""
    return "\n".join(f"- {what}: {why}" for what, why in document["left_out"].items())


def answers(document: Document) -> str | None:
    """Scores of answers by kind of question; None where no language model answered."""
    judged = [system for system in document["systems"] if system["qa"]]
    if not judged:
        return None
    metrics = [name for name in judged[0]["qa"] if name != "answered"]
    groups = {name: own["scored"] for system in judged for name, own in system["qa_by_group"].items()}
    head = [
        "system",
        "metric",
        "all",
        *(f"{name} ({count})" for name, count in groups.items()),
        "tokens/question",
        "USD",
    ]
    rows: list[list[str]] = []
    for system in judged:
        own = system["costs"]
        per_question = own["llm_tokens"] / max(1, system["qa"]["answered"])
        for metric in metrics:
            by_group_ = [number(system["qa_by_group"].get(name, {}).get(metric)) for name in groups]
            told = [metric.removeprefix("qa."), number(system["qa"][metric]), *by_group_]
            rows.append([system["name"], *told, f"{per_question:.0f}", f"{own['llm_usd']:.4f}"])
    return table(head, rows)


def by_length(document: Document) -> str:
    """SORT's accuracy by excerpt length in words, for each variant."""
    names = {name for system in document["systems"] for name in system["by_group"]}
    lengths = sorted({int(name.split()[-2]) for name in names})
    rows: list[list[str]] = []
    for system in document["systems"]:
        for variant in dict.fromkeys(row["group"].partition(",")[0] for row in system["questions"]):
            own = [system["by_group"].get(f"{variant}, {length} words", {}).get("accuracy") for length in lengths]
            rows.append([f"{system['name']}, {variant}", *(number(value) for value in own)])
    return table(["system", *(f"{length:,} words" for length in lengths)], rows)


def by_bin(document: Document) -> str:
    """SORT's accuracy by distance bin, nearest first, for each variant."""
    rows: list[list[str]] = []
    for system in document["systems"]:
        cells: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in system["questions"]:
            cells[row["group"].partition(",")[0]][row["bin"]].append(row["metrics"]["accuracy"])
        for variant, bins in cells.items():
            rows.append(
                [f"{system['name']}, {variant}", *(number(fmean(bins[b])) if bins[b] else NONE for b in range(4))]
            )
    return table(["system", "bin 0", "bin 1", "bin 2", "bin 3"], rows)


def page(document: Document) -> str:
    """The Markdown page of one run."""
    metric = _GROUPED[family(document["benchmark"])]
    parts = [
        f"# {document['benchmark']}: {document['dataset']['file']}",
        f"{_counts(document)}\n\nMade by `{document['options'].get('command', '')}`.",
        "## Retrieval",
        retrieval(document),
    ]
    if document["benchmark"] == "sort":
        parts += ["### accuracy by excerpt length", by_length(document)]
        parts += ["### accuracy by distance bin", by_bin(document)]
    else:
        parts += [f"### {metric} by kind of question", by_group(document, metric)]
    levels = [level for level in ("turn", "session", "official") if _has(document, level)]
    for level in levels:
        parts += [f"### {level}: any/all/NDCG at each cutoff", cutoffs(document, level)]
    if told := answers(document):
        parts += ["## Answers", told]
    if told := abstention(document):
        parts += ["## Abstention by confidence", told]
    parts += ["## Costs", costs(document)]
    if missing := left_out(document):
        parts += ["## Left out", missing]
    return "\n\n".join(parts) + "\n"


def _counts(document: Document) -> str:
    return f"Read: {counted(document['dataset']['counts'])}."


def counted(counts: Mapping[str, int]) -> str:
    """What was found in a file; what was not is not mentioned."""
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)


def _has(document: Document, level: str) -> bool:
    return any(f"{level}.any@5" in system["metrics"] for system in document["systems"])
