"""Proper names, whatever is said of them: runs of capitalised words that no sentence start explains."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.extraction import places
from graph.extraction.phrases import MARK, Span
from graph.extraction.text import Sentence
from graph.extraction.words import COMMON
from graph.resolution.givennames import is_given_name
from graph.resolution.names import name_key

_CAPITAL: Final = rf"[^\W\d_a-z][\w{MARK}&-]*"
_RUN: Final = re.compile(rf"\b{_CAPITAL}(?:(?: (?:of|de|da|do|van|von|del|di))? {_CAPITAL}){{0,4}}")
_ORGANIZATION: Final = re.compile(
    r"\b(?:university|universidad|universidade|universität|college|institute|school|academy|inc|corp|"
    r"ltd|llc|gmbh|bank|hospital|"
    r"company|group|party|church|foundation|association|club|agency|ministry|department)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Named:
    span: Span
    type: str


def mentioned(sentence: Sentence) -> Iterator[Named]:
    """The names of a sentence with their types, by place."""
    for match in _RUN.finditer(sentence.text):
        span = _without_common(match)
        if span is not None and not _is_shouted(span.text) and not _is_only_a_start(sentence.text, span):
            yield Named(span, type_of(span.text))


def type_of(name: str) -> str:
    """By the name alone: what is not known for a place, an organization or a given name is a thing."""
    if _ORGANIZATION.search(name):
        return "Organization"
    if is_given_name(name_key(name).split(" ")[0]):
        return "Person"
    return "Place" if places.is_place(name) else "Thing"


def _without_common(match: re.Match[str]) -> Span | None:
    words, start = match[0], match.start()
    while words:
        first, _, rest = words.partition(" ")
        if first.lower() not in COMMON:
            break
        start, words = start + len(first) + 1, rest
    return Span(start, start + len(words), words) if len(words) > 1 else None


def _is_shouted(name: str) -> bool:
    return name.isupper() and len(name) > 8


def _is_only_a_start(text: str, span: Span) -> bool:
    """Whether the capital may be the sentence's: one word at its start, or after a quote or colon, that is no known name."""
    ahead = text[: span.start].rstrip()
    if " " in span.text or (ahead and ahead[-1] not in ":\"'(*-—–•#.!?"):
        return False
    return not is_given_name(name_key(span.text)) and not places.is_place(span.text)
