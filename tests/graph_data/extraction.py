"""Precision and recall of the rules on the labelled sentences: `python -m tests.graph_data.extraction`.

--misses shows the errors and misses of dev.jsonl. Of held_out.jsonl only totals are ever shown, and only with --held-out: the rules are not
written by looking at it.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from graph.extraction import RuleExtractor
from graph.model import Claim, Extraction, Mention, Precision, Source
from tests.graph_data.scoring import LABELS, SPEAKER, Fact, Score, Sentence, load, report, score
from tests.support.graph_times import times_in

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


def _show(title: str, found: Sequence[tuple[str, Fact]], sentences: dict[str, str]) -> None:
    print(f"\n{title}")
    for id, fact in found:
        print(
            f"{id} {sentences[id][:150]}\n    {fact.subject} | {fact.predicate} | {fact.object} | {fact.stance} {fact.valid_at} {fact.invalid_at}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show errors and misses of dev.jsonl")
    parser.add_argument("--held-out", action="store_true", help="totals of held_out.jsonl as well")
    options = parser.parse_args()
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
