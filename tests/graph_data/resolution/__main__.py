"""Prints the table: `python -m tests.graph_data.resolution [--errors dev|held-out]`."""

import sys
from collections.abc import Sequence
from typing import Literal

from tests.graph_data.resolution import dataset
from tests.graph_data.resolution.metrics import b_cubed, pairwise
from tests.graph_data.resolution.systems import SYSTEMS, System, ours


def predict(system: System, mentions: Sequence[dataset.Mention]) -> dict[str, str]:
    """Each namespace by itself, as the service holds them."""
    found: dict[str, str] = {}
    for namespace in sorted({mention.namespace for mention in mentions}):
        some = system([mention for mention in mentions if mention.namespace == namespace])
        found |= {id: f"{namespace}/{entity}" for id, entity in some.items()}
    return found


def table(halves: Sequence[dataset.Half] = ("dev", "held-out")) -> str:
    lines = [
        "| half | mentions | entities | system | pairwise P | R | F1 | B-cubed P | R | F1 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for half in halves:
        mentions = dataset.mentions(half)
        gold = {mention.id: mention.gold for mention in mentions}
        for name, system in SYSTEMS.items():
            predicted = predict(system, mentions)
            scores = (pairwise(predicted, gold), b_cubed(predicted, gold))
            numbers = " | ".join(f"{value:.3f}" for s in scores for value in (s.precision, s.recall, s.f1))
            lines.append(f"| {half} | {len(gold)} | {len(set(gold.values()))} | {name} | {numbers} |")
    return "\n".join(lines)


def errors(half: Literal["dev", "held-out"]) -> str:
    """What ours puts together that is two, and apart that is one."""
    mentions = dataset.mentions(half)
    predicted = predict(ours, mentions)
    lines: dict[str, None] = {}
    for place, one in enumerate(mentions):
        for other in mentions[place + 1 :]:
            is_one, ought = predicted[one.id] == predicted[other.id], one.gold == other.gold
            if is_one != ought:
                names = " ~ ".join(sorted((one.name, other.name)))
                lines[f"{'wrongly one' if is_one else 'wrongly two'}: {one.namespace} {names}"] = None
    return "\n".join(sorted(lines))


if __name__ == "__main__":
    print(errors("dev" if "dev" in sys.argv else "held-out") if "--errors" in sys.argv else table())
