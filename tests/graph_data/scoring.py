"""How well facts that were extracted agree with those labelled by hand; labels/README.md says what a label means.

A predicted fact matches a labelled one where subject, predicate, object and stance agree:

- Names agree where, without case, determiners, possessives and punctuation, the words of one contain the other's and both have
  the same head: "new coffee maker" and "coffee maker", not "University of Bergen" and "Bergen". The label may list alternatives.
- A fact under an inverse predicate is turned round, a symmetric one agrees in both directions.
- "ends" agrees with "asserts" that has an end, for both say that it is over.

Each label is matched once, so a fact found twice under other words is an error the second time; the same fact in the same words
is counted once. A prediction that matches an optional label only is left out of all figures, and so is that label. Dates are no
part of a match: they are scored among the matched facts.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from graph.model import Stance
from graph.predicates import INVERSES, predicate

LABELS = Path(__file__).parent / "labels"
SPEAKER = "speaker"
Z_95 = 1.959963984540054
"""The normal distribution's 97.5% quantile."""

_DROPPED = frozenset(
    ["a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those", "some"]
)
_FIRST_PERSON = frozenset(("speaker", "user", "i", "me", "my", "myself", "we", "us"))
_AFTER_HEAD = frozenset(
    ["in", "on", "at", "by", "for", "from", "with", "to", "about", "which", "who", "called", "named"]
)
_APOSTROPHE = re.compile("['’]s?(?=\\W|$)")
_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)$")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a sentence, labelled or predicted. A prediction needs the first four; dates are ISO at any precision."""

    subject: str
    """SPEAKER, or the words of the sentence."""
    predicate: str
    object: str | None
    stance: Stance = "asserts"
    valid_at: str | None = None
    invalid_at: str | None = None
    optional: bool = False
    or_object: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    id: str
    text: str
    speaker: str
    occurred_at: str
    """ISO 8601 with an offset."""
    source: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(slots=True)
class Counts:
    """Facts found, predicted wrongly and missed."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    @property
    def predicted(self) -> int:
        return self.true_positives + self.false_positives

    @property
    def labelled(self) -> int:
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float:
        """1 where nothing was predicted."""
        return self.true_positives / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """1 where nothing was labelled."""
        return self.true_positives / self.labelled if self.labelled else 1.0

    @property
    def f1(self) -> float:
        total = self.predicted + self.labelled
        return 2 * self.true_positives / total if total else 1.0

    @property
    def precision_interval(self) -> Interval:
        return wilson(self.true_positives, self.predicted)

    @property
    def recall_interval(self) -> Interval:
        return wilson(self.true_positives, self.labelled)


@dataclass(slots=True)
class Dates:
    """Dates that matched facts have in their labels, and how many of them the predictions give."""

    labelled: int = 0
    right: int = 0

    @property
    def accuracy(self) -> float:
        return self.right / self.labelled if self.labelled else 1.0

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.labelled)


@dataclass(slots=True)
class Score:
    total: Counts = field(default_factory=Counts)
    by_predicate: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    dates: Dates = field(default_factory=Dates)
    errors: list[tuple[str, Fact]] = field(default_factory=list[tuple[str, Fact]])
    """Sentence id and prediction that no label bears out."""
    misses: list[tuple[str, Fact]] = field(default_factory=list[tuple[str, Fact]])
    """Sentence id and label that nothing matched."""


def wilson(successes: int, trials: int, z: float = Z_95) -> Interval:
    """The score interval of a proportion (Wilson 1927, JASA 22:209); all of [0, 1] without a trial."""
    if trials == 0:
        return Interval(0.0, 1.0)
    share, square = successes / trials, z * z
    centre = share + square / (2 * trials)
    reach = z * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    return Interval(max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale))


def load(path: Path) -> list[Sentence]:
    """The sentences of one file of labels."""
    return [_sentence(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def score(labelled: Iterable[Sentence], predicted: Mapping[str, Sequence[Fact]]) -> Score:
    """Compare predictions, by sentence id, with the labels. Raises ValueError where a prediction's sentence is not labelled."""
    sentences = list(labelled)
    unknown = predicted.keys() - {sentence.id for sentence in sentences}
    if unknown:
        raise ValueError(f"predictions for sentences without labels: {sorted(unknown)}")
    result = Score()
    for sentence in sentences:
        _score_sentence(result, sentence, predicted.get(sentence.id, ()))
    return result


def report(result: Score) -> str:
    """The figures as a Markdown table, predicates by name, and a line on dates."""
    lines = [
        "| predicate | labelled | predicted | right | precision [95%] | recall [95%] | F1 |",
        "| --- |" + " --- |" * 6,
    ]
    rows = [*sorted(result.by_predicate.items()), ("all", result.total)]
    lines += [_row(name, counts) for name, counts in rows]
    dates = result.dates
    share = _with_interval(dates.accuracy, dates.interval)
    lines.append(f"\nDates of matched facts: {dates.right} of {dates.labelled} right, {share}")
    return "\n".join(lines)


def matches(label: Fact, prediction: Fact, speaker: str = SPEAKER) -> bool:
    """Whether a prediction says what a label says; `speaker` is the name of the one who speaks."""
    wanted, said = _in_direction(label), _in_direction(prediction)
    if wanted.predicate != said.predicate or not _same_stance(wanted, said):
        return False
    if _same_ends(wanted, said.subject, said.object, speaker):
        return True
    turns = predicate(wanted.predicate).is_symmetric and said.object is not None
    return turns and _same_ends(wanted, said.object or "", said.subject, speaker)


def same_name(one: str, other: str) -> bool:
    """Whether two noun phrases name the same: one's words contain the other's, and the head is shared."""
    ours, theirs = normalised(one), normalised(other)
    if sorted(ours) == sorted(theirs):
        return True
    if not ours or not theirs or _head(ours) != _head(theirs):
        return False
    return set(ours) <= set(theirs) or set(theirs) <= set(ours)


def normalised(text: str) -> tuple[str, ...]:
    """The words that count, in order: no case, no punctuation, no determiners, "14th" as "14"."""
    folded = unicodedata.normalize("NFC", text).casefold()
    plain = re.sub(r"[\W_]+", " ", _APOSTROPHE.sub("", folded)).split()
    return tuple(_ORDINAL.sub("", word) for word in plain if word not in _DROPPED)


def _sentence(line: dict[str, Any]) -> Sentence:
    facts = tuple(_fact(each) for each in line["facts"])
    return Sentence(line["id"], line["text"], line["speaker"], line["occurred_at"], line["source"], facts)


def _fact(data: dict[str, Any]) -> Fact:
    """Qualifiers are not scored, so they are not read."""
    return Fact(
        data["subject"],
        data["predicate"],
        data["object"],
        data["stance"],
        data["valid_at"],
        data["invalid_at"],
        data.get("optional", False),
        tuple(data.get("or_object", ())),
    )


def _score_sentence(result: Score, sentence: Sentence, predicted: Sequence[Fact]) -> None:
    open_labels = [fact for fact in sentence.facts if not fact.optional]
    optional = [fact for fact in sentence.facts if fact.optional]
    unmatched: list[Fact] = []
    # Equal words first, so that a looser match takes no label that another prediction names exactly.
    for prediction in sorted(_distinct(predicted), key=lambda each: not _names_exactly(open_labels, each)):
        found = _find(open_labels, prediction, sentence.speaker)
        if found is None:
            unmatched.append(prediction)
            continue
        open_labels.remove(found)
        _count(result, found.predicate, "true_positives")
        _score_dates(result.dates, found, prediction)
    for prediction in unmatched:
        if _find(optional, prediction, sentence.speaker) is None:
            _count(result, prediction.predicate, "false_positives")
            result.errors.append((sentence.id, prediction))
    for label in open_labels:
        _count(result, label.predicate, "false_negatives")
        result.misses.append((sentence.id, label))


def _count(result: Score, name: str, kind: str) -> None:
    """Under the catalogue's name: an inverse counts for what it is turned into."""
    for counts in (result.total, result.by_predicate[INVERSES.get(name, name)]):
        setattr(counts, kind, getattr(counts, kind) + 1)


def _score_dates(dates: Dates, label: Fact, prediction: Fact) -> None:
    for wanted, said in ((label.valid_at, prediction.valid_at), (label.invalid_at, prediction.invalid_at)):
        if wanted is not None:
            dates.labelled += 1
            # ISO dates of lower precision are prefixes: a day in May is right where May is labelled, not the other way.
            dates.right += said is not None and said.startswith(wanted)


def _distinct(predicted: Sequence[Fact]) -> list[Fact]:
    """Each fact in the same words once, its first telling kept."""
    kept: dict[tuple[object, ...], Fact] = {}
    for each in predicted:
        words = normalised(each.object) if each.object is not None else None
        kept.setdefault((normalised(each.subject), each.predicate, words, each.stance), each)
    return list(kept.values())


def _names_exactly(labels: Sequence[Fact], prediction: Fact) -> bool:
    words = normalised(prediction.object or "")
    return any(words == normalised(label.object or "") for label in labels if label.predicate == prediction.predicate)


def _find(labels: Sequence[Fact], prediction: Fact, speaker: str) -> Fact | None:
    """The label that a prediction matches, one with the very same words before others."""
    found = [label for label in labels if matches(label, prediction, speaker)]
    words = normalised(prediction.object or "")
    return min(found, key=lambda label: normalised(label.object or "") != words, default=None)


def _in_direction(fact: Fact) -> Fact:
    """The same fact under the catalogue's predicate: a child of a parent becomes a parent of a child."""
    if fact.predicate not in INVERSES or fact.object is None:
        return fact
    name = INVERSES[fact.predicate]
    return Fact(fact.object, name, fact.subject, fact.stance, fact.valid_at, fact.invalid_at)


def _same_stance(label: Fact, prediction: Fact) -> bool:
    return label.stance == prediction.stance or (_is_over(label) and _is_over(prediction))


def _is_over(fact: Fact) -> bool:
    return fact.stance == "ends" or (fact.stance == "asserts" and fact.invalid_at is not None)


def _same_ends(label: Fact, subject: str, obj: str | None, speaker: str) -> bool:
    if not _same_mention(label.subject, subject, speaker):
        return False
    if label.object is None or obj is None:
        return label.object is None and obj is None
    return any(_same_mention(each, obj, speaker) for each in (label.object, *label.or_object))


def _same_mention(label: str, said: str, speaker: str) -> bool:
    """The speaker, however called, is the speaker only."""
    is_self = said.casefold() in _FIRST_PERSON or said.casefold() == speaker.casefold()
    if label == SPEAKER or is_self:
        return label == SPEAKER and is_self
    return same_name(label, said)


def _head(words: Sequence[str]) -> tuple[str, ...]:
    """The last word before a phrase that hangs on it; both sides of an "of", for neither names the thing alone."""
    end = next((n for n, word in enumerate(words) if word in _AFTER_HEAD and n > 0), len(words))
    own = words[:end]
    if "of" in own[1:]:
        return own[own.index("of", 1) - 1], own[-1]
    return (own[-1],)


def _row(name: str, counts: Counts) -> str:
    precision = _with_interval(counts.precision, counts.precision_interval)
    recall = _with_interval(counts.recall, counts.recall_interval)
    numbers = f"{counts.labelled} | {counts.predicted} | {counts.true_positives}"
    return f"| {name} | {numbers} | {precision} | {recall} | {counts.f1:.3f} |"


def _with_interval(share: float, interval: Interval) -> str:
    return f"{share:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
