"""The results of one run as JSON: every input, setting, version and per-question row, and what they sum to."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any, Final

from eval.dataset import Dataset
from eval.errors import BadResults
from eval.inputs import environment
from eval.metrics import abstention
from eval.rows import Row, write_json
from eval.run import SystemRows

FORMAT: Final = 1
FILE: Final = "results.json"


def build(
    dataset: Dataset, systems: Sequence[SystemRows], options: Mapping[str, Any], left_out: Mapping[str, str]
) -> dict[str, Any]:
    """The document of one run. `left_out` tells for each system or part that was not run why."""
    return {
        "format": FORMAT,
        "benchmark": dataset.benchmark,
        "dataset": {"file": dataset.path.name, "sha256": dataset.sha256, "counts": dataset.counts},
        "options": dict(options),
        "environment": environment(),
        "left_out": dict(left_out),
        "systems": [_system(rows) for rows in systems],
    }


def write(out: Path, document: Mapping[str, Any]) -> None:
    """Raises EvalError."""
    write_json(out / FILE, document)


def read(folder: Path) -> dict[str, Any]:
    """The results in a folder. Raises BadResults."""
    path = folder / FILE if folder.is_dir() else folder
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadResults(
            f"{folder} holds no {FILE}: the run there did not come to its end, or it is another folder."
        ) from None
    except OSError as error:
        raise BadResults(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadResults(f"{path} is damaged ({error}).") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadResults(f"{path} is no results file of format {FORMAT}.")
    return document


def _system(rows: SystemRows) -> dict[str, Any]:
    scored = [row for row in rows.questions if "metrics" in row]
    answered = [row for row in rows.questions if "qa" in row]
    return {
        "name": rows.name,
        "key": rows.key,
        "settings": rows.settings,
        "scored": len(scored),
        "metrics": means(scored, "metrics"),
        "by_group": _by_group(scored, "metrics"),
        "qa": {"answered": len(answered), **means(answered, "qa")} if answered else None,
        "qa_by_group": _by_group(answered, "qa"),
        "abstention": _abstention(rows.questions),
        "costs": _costs(rows),
        "questions": rows.questions,
        "ingests": rows.ingests,
    }


def means(rows: Sequence[Row], part: str) -> dict[str, float]:
    """Mean of every metric in that part of the rows."""
    if not rows:
        return {}
    return {name: round(fmean(row[part][name] for row in rows), 6) for name in rows[0][part]}


def _by_group(rows: Sequence[Row], part: str) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["group"]].append(row)
    return {name: {"scored": len(own), **means(own, part)} for name, own in sorted(groups.items())}


def _abstention(rows: Sequence[Row]) -> dict[str, Any] | None:
    judged = [row for row in rows if row.get("confidence") is not None]
    confidences = [row["confidence"] for row in judged]
    answerable = [row["answerable"] for row in judged]
    area = abstention.area(confidences, answerable)
    if area is None:
        return None
    points = abstention.curve(confidences, answerable)
    return {
        "area": round(area, 4),
        "unanswerable": answerable.count(False),
        "curve": [[round(p.threshold, 5), round(p.answered, 4), round(p.abstained, 4)] for p in points],
    }


def _costs(rows: SystemRows) -> dict[str, Any]:
    seconds = sum(row["seconds"] for row in rows.ingests)
    episodes = sum(row["episodes"] for row in rows.ingests)
    stored = [row for row in rows.ingests if row["stored_bytes"] is not None]
    times = sorted(row["ms"] for row in rows.questions)
    stored_episodes = sum(row["episodes"] for row in stored)
    return {
        "ingest_s": round(seconds, 2),
        "episodes": episodes,
        "episodes_per_s": round(episodes / seconds, 1) if seconds > 0 else None,
        "embeddings_from_cache": any(row["notes"].get("embedding cache") for row in rows.ingests),
        "stored_bytes_per_episode": round(sum(r["stored_bytes"] for r in stored) / stored_episodes)
        if stored_episodes
        else None,
        "search_p50_ms": round(percentile(times, 50), 2),
        "search_p95_ms": round(percentile(times, 95), 2),
        "tokens_per_context": round(fmean(row["context_tokens"] for row in rows.questions), 1)
        if rows.questions
        else None,
        "llm_calls": sum(row.get("llm_calls", 0) for row in rows.questions),
        "llm_tokens": sum(row.get("llm_tokens", 0) for row in rows.questions),
        "llm_usd": round(sum(row.get("llm_usd", 0.0) for row in rows.questions), 6),
    }


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Of values in ascending order; 0 of none."""
    if len(ascending) < 2:
        return ascending[0] if ascending else 0.0
    return quantiles(ascending, n=100, method="inclusive")[percent - 1]
