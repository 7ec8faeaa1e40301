"""What a rule is, and what it says."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from graph.extraction import phrases
from graph.extraction.clauses import Clause
from graph.extraction.phrases import Span
from graph.extraction.subjects import Subject
from graph.extraction.verbs import Verb
from graph.model import Scalar

Aspect = Literal["state", "event", "end", "always"]
"""A state holds while its verb is present; an event begins what it names; an end ends it; some facts have no time."""

ObjectKind = Literal["place", "organization", "person", "pet", "literal", "role", "animal", "speaker"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule has read, before it is placed in time."""

    predicate: str
    object: Span | None
    kind: ObjectKind = "literal"
    aspect: Aspect = "state"
    qualifiers: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    is_from_other: bool = False
    """Subject and object change places."""
    is_over: bool = False
    has_date: bool = True
    is_positive: bool = False
    """Holds although its verb is negated: what one cannot stand."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A clause as rules see it."""

    text: str
    clause: Clause
    verb: Verb

    @property
    def subject(self) -> Subject:
        return self.clause.subject

    @property
    def after(self) -> int:
        return self.verb.end

    @property
    def end(self) -> int:
        return self.clause.end

    def match(self, pattern: re.Pattern[str], start: int | None = None) -> re.Match[str] | None:
        """At the place after the verb."""
        return pattern.match(self.text, self.after if start is None else start, self.end)

    def search(self, pattern: re.Pattern[str], start: int | None = None) -> re.Match[str] | None:
        return pattern.search(self.text, self.after if start is None else start, self.end)

    def name(self, start: int) -> Span | None:
        return phrases.name(self.text, start, self.end)

    def noun(self, start: int) -> Span | None:
        return phrases.noun_phrase(self.text, start, self.end)

    def nouns(self, start: int) -> list[Span]:
        return phrases.listed(self.text, start, self.end)

    def names(self, start: int) -> list[Span]:
        return phrases.listed(self.text, start, self.end, named_only=True)

    def span(self, match: re.Match[str], group: str) -> Span:
        return Span(match.start(group), match.end(group), match[group])


@dataclass(frozen=True, slots=True)
class Rule:
    """Reads what may follow one of its verbs."""

    name: str
    verbs: frozenset[str]
    """Forms of the verb; "be" stands for all of its forms. One of them must be in a sentence."""
    read: Callable[[Reading], Iterable[Said]]
    example: str
    """A sentence that it reads, for the documentation and a test."""


CAPITAL: Final = r"[^\Wa-z]"
"""A letter that is no small one, a digit or an underscore, where a pattern has it."""


def forms(words: str) -> frozenset[str]:
    return frozenset(words.split())


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Of any case but where a capital is asked for. Patterns are literals of the rules, so what is kept does not grow."""
    return re.compile(pattern.replace(CAPITAL, f"(?-i:{CAPITAL})"), re.IGNORECASE)


MONTH: Final = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|"
    r"mar|apr|jun|jul|aug|sept?|"
    r"oct|nov|dec)\.?"
)
DATE: Final = (
    rf"(?:(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}(?:,? \d{{4}})?|{MONTH} (?:the "
    rf")?\d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?|"
    r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4})"
)
AMOUNT: Final = re.compile(
    r"(?:[$€£¥]\s?\d[\d,.]*\d|[$€£¥]\s?\d|\b\d[\d,.]*\s?(?:euros?|dollars?|pounds?|bucks|usd|eur|gbp|"
    r"reais|yen|rupees|quid|€|£))",
    re.IGNORECASE,
)


def head(span: Span) -> str:
    """The last word of a phrase, or of what stands before its "of"."""
    words = span.text.lower().replace('"', "").split(" of ")[0].split()
    return words[-1] if words else ""


_SINGULAR: Final = frozenset(
    ["lens", "canvas", "atlas", "gas", "christmas", "binoculars", "glasses", "sunglasses", "headphones"]
)


def singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    is_plural = word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _SINGULAR
    return word[:-1] if is_plural else word
