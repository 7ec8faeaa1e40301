"""docs/results.md: what one run of the whole suite found, written by `make eval`."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from eval.report import markdown
from eval.report.compare import comparison, entries_of

_HEAD: Final = """# Results

Written by `make eval`; change the code, not this page. How the figures are made, and what each metric means, is in
[evaluation.md](evaluation.md). No language model takes part in any figure here. The service runs in its shipped settings, as a
process of its own, and is asked over HTTP through the SDK. Times depend on what else the machine was doing; the other figures
are the same in every run. mem0 runs with its core packages: without the extras that download models it ranks by the cosine of
whole turns, so that its row equals MiniLM's.
"""
_TITLES: Final = {
    "locomo": "LoCoMo",
    "longmemeval-pool": "LongMemEval questions, one pool of all sessions",
    "longmemeval-48": "LongMemEval questions, each among 48 other sessions",
    "sort": "SORT from memory, three books of Book-SORT",
}
_ABLATED: Final = "shipped scorer, in process"


def results_page(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of a suite's results, by part."""
    parts = [_HEAD]
    for name, document in documents.items():
        parts += [f"## {_TITLES.get(name, name)}", *_section(document)]
    parts += ["## Published figures", files("eval.report").joinpath("published.md").read_text(encoding="utf-8").strip()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(document: Mapping[str, Any]) -> list[str]:
    ranking = [system for system in document["systems"] if system["metrics"]]
    ablated = [s for s in ranking if s["name"] == _ABLATED or s["name"].startswith("−")]
    plain = [system for system in ranking if system not in ablated]
    parts = [_provenance(document), comparison(document["benchmark"], entries_of(plain))]
    if document["benchmark"] == "sort":
        parts += ["By variant and excerpt length:", markdown.by_length(document)]
        parts += ["By distance bin, nearest first:", markdown.by_bin(document)]
    else:
        parts += ["All columns:", markdown.retrieval({**document, "systems": plain})]
        parts += ["By kind of question, turn all@10:", markdown.by_group({**document, "systems": plain}, "turn.all@10")]
    if ablated:
        told = "Ablations: the shipped scorer in this process, each row with one part switched off."
        parts += [told, comparison(document["benchmark"], entries_of(ablated))]
    if abstained := markdown.abstention({**document, "systems": plain}):
        parts += ["Abstention by the confidence of the first result:", abstained]
    shown = [system for system in document["systems"] if system not in ablated]
    parts += ["Costs:", markdown.costs({**document, "systems": shown})]
    if missing := markdown.left_out(document):
        parts += ["Left out:", missing]
    return parts


def _provenance(document: Mapping[str, Any]) -> str:
    own, machine = document["dataset"], document["environment"]
    counts = markdown.counted(own["counts"])
    return (
        f"`{own['file']}` (SHA-256 `{own['sha256'][:12]}`): {counts}. Version {machine['memory_service']}, "
        f"code `{machine['code']}`, Python {machine['python']}, {machine['cores']} cores, {machine['at'][:10]}."
    )
