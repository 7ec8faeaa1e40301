"""Precision and recall of the rules on the labelled sentences: `python -m tests.graph_data.extraction`.

--misses shows the errors and misses of dev.jsonl. Of held_out.jsonl only totals are ever shown, and only with --held-out: no rule
is written by looking at it. --speed times the rules, --rules writes the table of rules into docs/extraction.md.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from graph.extraction import RuleExtractor
from graph.extraction.rules import catalogue
from graph.model import Claim, Extraction, Mention, Precision, Source
from tests.graph_data.scoring import LABELS, SPEAKER, Fact, Score, Sentence, load, report, score
from tests.support.graph_times import times_in

DOCUMENT = Path(__file__).parents[2] / "docs" / "extraction.md"
_BEGIN, _END = "<!-- rules -->", "<!-- /rules -->"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO: dict[Precision, str] = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "instant": "%Y-%m-%dT%H:%M:%S"}


def evaluate(name: str) -> Score:
    """Of one half of the labels."""
    sentences = load(LABELS / name)
    return score(sentences, {sentence.id: facts(sentence) for sentence in sentences})


def facts(sentence: Sentence) -> list[Fact]:
    """What the rules read in a sentence, in the words of the labels."""
    source = Source(sentence.id, 0, "s", sentence.text, sentence.speaker, "user", _micros(sentence.occurred_at))
    extraction = RuleExtractor(times_in).extract(source)
    return [_fact(claim, extraction, source) for claim in extraction.claims]


def _fact(claim: Claim, extraction: Extraction, source: Source) -> Fact:
    target = claim.object
    valid_at, invalid_at = (_iso(each, claim.precision) for each in (claim.valid_at, claim.invalid_at))
    if claim.stance == "ends":
        valid_at, invalid_at = None, valid_at
    return Fact(
        _words(extraction.mentions[claim.subject], source),
        claim.predicate,
        _words(extraction.mentions[target], source) if isinstance(target, int) else target,
        claim.stance,
        valid_at,
        invalid_at,
    )


def _words(mention: Mention, source: Source) -> str:
    """The speaker's relatives are called after the speaker, and in the labels by "my"."""
    if mention.is_self:
        return SPEAKER
    return mention.name.replace(f"{source.speaker}'s ", "my ")


def _iso(moment: int | None, precision: Precision) -> str | None:
    return None if moment is None else (_EPOCH + timedelta(microseconds=moment)).strftime(_ISO[precision])


def _micros(iso: str) -> int:
    return (datetime.fromisoformat(iso) - _EPOCH) // timedelta(microseconds=1)


def rules_table() -> str:
    """The rules by name with what each reads, as Markdown."""
    rows = [
        f"| `{rule.name}` | {rule.example} | {', '.join(f'`{name}`' for name in _says(rule.name, rule.example))} |"
        for rule in [*catalogue.RULES, *catalogue.OF_OWNERS, *catalogue.OF_SENTENCES]
    ]
    return "\n".join(["| rule | reads | as |", "| --- | --- | --- |", *rows])


def _says(rule: str, example: str) -> list[str]:
    claims = RuleExtractor(times_in).extract(Source("", 0, "", example, "Maria", "user", 0)).claims
    return sorted({claim.predicate for claim in claims if claim.rule == rule})


def documented_rules() -> str:
    """The table as it stands in the documentation."""
    return DOCUMENT.read_text(encoding="utf-8").split(_BEGIN)[1].split(_END)[0].strip()


def _write_rules() -> None:
    head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    tail = rest.partition(_END)[2]
    DOCUMENT.write_text(f"{head}{_BEGIN}\n{rules_table()}\n{_END}{tail}", encoding="utf-8")


def speed() -> str:
    """Milliseconds a sentence of dev.jsonl takes with its times, the best of five: those that state facts, and the others."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for sentence in load(LABELS / "dev.jsonl"):
        source = Source(sentence.id, 0, "s", sentence.text, sentence.speaker, "user", _micros(sentence.occurred_at))
        runs = [_milliseconds(source) for _ in range(6)][1:]
        took[bool(RuleExtractor(times_in).extract(source).claims)].append(min(runs))
    lines = ["| sentences | number | median, ms | 95th percentile, ms |", "| --- | --- | --- | --- |"]
    for name, has_facts in (("with facts", True), ("without", False)):
        ordered = sorted(took[has_facts])
        middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        lines.append(f"| {name} | {len(ordered)} | {middle:.2f} | {high:.2f} |")
    return "\n".join(lines)


def _milliseconds(source: Source) -> float:
    started = perf_counter()
    RuleExtractor(times_in).extract(source)
    return (perf_counter() - started) * 1_000


def _show(title: str, found: Sequence[tuple[str, Fact]], sentences: dict[str, str]) -> None:
    print(f"\n{title}")
    for id, fact in found:
        print(
            f"{id} {sentences[id][:150]}\n    {fact.subject} | {fact.predicate} | {fact.object} | {fact.stance} "
            f"{fact.valid_at} {fact.invalid_at}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show errors and misses of dev.jsonl")
    parser.add_argument("--held-out", action="store_true", help="totals of held_out.jsonl as well")
    parser.add_argument("--rules", action="store_true", help="write the table of rules into docs/extraction.md")
    parser.add_argument("--speed", action="store_true", help="how long a sentence takes, and nothing else")
    options = parser.parse_args()
    if options.speed:
        print(speed())
        return
    if options.rules:
        _write_rules()
        return
    dev = evaluate("dev.jsonl")
    print(f"dev.jsonl\n\n{report(dev)}")
    if options.misses:
        texts = {each.id: each.text for each in load(LABELS / "dev.jsonl")}
        _show("Errors", dev.errors, texts)
        _show("Misses", dev.misses, texts)
    if options.held_out:
        totals = evaluate("held_out.jsonl")
        totals.by_predicate.clear()
        print(f"\nheld_out.jsonl\n\n{report(totals)}")


if __name__ == "__main__":
    main()
