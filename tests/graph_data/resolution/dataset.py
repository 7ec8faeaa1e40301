"""The set as it lies in `contexts.jsonl`: one context to a line, its mentions with their entity in `gold`.

A namespace is one user's memory, and mentions of two namespaces are never one. Where a text does not tell who is meant, the
mention is an entity of its own. Half of the namespaces are for development, half are held out, by `SEED`.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from graph.resolution.evidence import Evidence

PATH: Final = Path(__file__).with_name("contexts.jsonl")
SEED: Final = 20_260_101

Half = Literal["dev", "held-out"]


@dataclass(frozen=True)
class Mention:
    id: str
    namespace: str
    session: str
    occurred_at: int
    name: str
    type: str
    gold: str
    evidence: Evidence


def mentions(half: Half | None = None) -> list[Mention]:
    """Of one half, or all, in the order in which they were said."""
    contexts = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]
    chosen = namespaces(half, sorted({context["namespace"] for context in contexts}))
    return [
        _mention(context, raw) for context in contexts if context["namespace"] in chosen for raw in context["mentions"]
    ]


def namespaces(half: Half | None, names: list[str]) -> set[str]:
    dev = set(random.Random(SEED).sample(names, len(names) // 2))
    return set(names) if half is None else dev if half == "dev" else set(names) - dev


def _mention(context: dict[str, Any], raw: dict[str, Any]) -> Mention:
    stated = raw.get("evidence", {})
    evidence = Evidence(
        type=raw["type"],
        constants={name: frozenset(values) for name, values in stated.get("constants", {}).items()},
        intervals=frozenset((p, o, _micros(start), _micros(end)) for p, o, start, end in stated.get("intervals", [])),
        keys=frozenset(stated.get("keys", [])),
    )
    when = _micros(context["occurred_at"])
    head = (raw["id"], context["namespace"], context["session"], when)
    return Mention(*head, raw["name"], raw["type"], f"{context['namespace']}/{raw['gold']}", evidence)


def _micros(text: str) -> int:
    instant = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    return round(instant.timestamp()) * 1_000_000
