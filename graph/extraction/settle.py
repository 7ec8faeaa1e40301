"""From what a rule says to a claim: does it hold, is it over, was it never so, and since when."""

import re
from dataclasses import replace
from typing import Final

from graph.extraction.clauses import Clause
from graph.extraction.rules.base import Said
from graph.extraction.times import Times, When
from graph.extraction.verbs import Verb
from graph.model import Claim

_LASTS: Final = re.compile(
    r"\b(?:since|for (?:the (?:past|last)|over|about|almost|nearly|more than|a|an|\w+) ?\w*|all my life|"
    r"always|so far)\b",
    re.IGNORECASE,
)
_HABIT: Final = frozenset(["always", "long", "really", "still"])


def settle(said: Said, clause: Clause | None, times: Times, occurred_at: int) -> Claim | None:
    """The claim without its subject, object and source; None where the sentence does not say that it is or was so."""
    if clause is None or clause.verb is None:
        return _over(When(), occurred_at, said) if said.is_over or said.aspect == "end" else _claim(said, When())
    verb = clause.verb
    when = times.of(clause.start, verb.start, clause.end) if said.has_date and said.aspect != "always" else When()
    if clause.must_be_past and verb.tense == "present" and said.aspect != "always":
        return None
    if said.is_positive:
        return _claim(said, When())
    if verb.negation == "never":
        return replace(_claim(said, When()), stance="denies") if verb.tense != "present" else None
    if verb.negation == "not":
        return None
    if verb.negation == "no_longer" or said.is_over or said.aspect == "end":
        is_said = said.aspect != "end" or verb.tense in ("past", "perfect")
        return _over(when, occurred_at, said) if is_said else None
    return _positive(said, verb, when, clause, text=times.text, occurred_at=occurred_at)


def _positive(said: Said, verb: Verb, when: When, clause: Clause, *, text: str, occurred_at: int) -> Claim | None:
    if said.aspect == "always":
        return _claim(said, When())
    if said.aspect == "event":
        return _claim(said, when) if verb.tense in ("past", "perfect") else None
    if verb.begins:
        return _claim(said, when)
    if verb.tense == "present":
        return _claim(said, When(since=when.since, precision=when.precision) if when.since else When())
    if verb.tense == "perfect":
        lasts = verb.is_progressive or _LASTS.search(text, verb.end, clause.end) or verb.adverbs & _HABIT
        return _claim(said, When(since=when.since, precision=when.precision)) if lasts else None
    return _over(when, occurred_at, said)


def _claim(said: Said, when: When) -> Claim:
    begins = when.since if when.since is not None else when.at
    if begins is None:
        return Claim(0, said.predicate, None)
    return Claim(
        0, said.predicate, None, valid_at=begins, invalid_at=when.until, basis="stated", precision=when.precision
    )


def _over(when: When, occurred_at: int, said: Said) -> Claim:
    """Where nothing but the end is known it is the end, and else the instant at which it was said to be over."""
    if said.object is None:
        return Claim(
            0,
            said.predicate,
            None,
            stance="ends",
            valid_at=when.at,
            basis="stated" if when.at else "observed",
            precision=when.precision,
        )
    if when.since is not None and when.until is not None:
        return Claim(
            0,
            said.predicate,
            None,
            valid_at=when.since,
            invalid_at=when.until,
            basis="stated",
            precision=when.precision,
        )
    end = when.until if when.until is not None else when.at
    return Claim(
        0,
        said.predicate,
        None,
        invalid_at=occurred_at if end is None else end,
        basis="unbounded",
        precision="instant" if end is None else when.precision,
    )
