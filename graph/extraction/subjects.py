"""Who a clause speaks of, and where its verb begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from graph.extraction.phrases import MARK, Span
from graph.extraction.relatives import ADJECTIVES, PEOPLE, PETS
from graph.extraction.words import COMMON

_CONTRACTED: Final = re.compile(
    r"'s (?:an?|the|been|not|now|also|just|allergic|from|in|at|on|really|very|so|married|engaged|gone|"
    r"got|always|still|never|only|vegan|vegetarian|"
    r"\d+|[a-z]+ing|[a-z]{2,}ed|my|our|turning)\b"
)
"""Where "'s" is a verb: "Ana's a nurse"."""

_ROLE: Final = "|".join(sorted((re.escape(word) for word in PEOPLE), key=len, reverse=True))
_CAPITAL: Final = rf"[^\W\d_a-z][\w{MARK}-]*"
NAME: Final = rf"{_CAPITAL}(?: {_CAPITAL}){{0,2}}"
_TITLE: Final = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? )?"

RELATIVE: Final = re.compile(
    rf"\b(?:[Mm]y|[Oo]ur) (?:(?:{ADJECTIVES}) ){{0,2}}(?P<role>{_ROLE})\b(?!-| tongue| language)"
    rf"(?: of [\w-]+ years)?(?:(?P<comma>,)? (?:named |called )?(?P<name>{_TITLE}{NAME}))?(?P<close>,)?"
)
"""My sister; my sister Ana; my sister, Ana,."""

_AT_END: Final = re.compile(r"\s*(?:[.!;)]|$)")
_FURTHER: Final = re.compile(
    rf"'s? (?:(?:{ADJECTIVES}) )?(?P<role>{_ROLE})\b(?!-)(?!'s)(?:,? (?P<name>{_TITLE}{NAME}))?"
)
"""My wife's sister; my sister Ana's husband."""

_FIRST: Final = re.compile(
    rf"(?:(?:[Mm]y|[Oo]ur) (?:\w+ ){{0,2}}(?:{_ROLE})(?: {NAME})?|{NAME}|me|you) and I\b|\b[Mm]e and "
    rf"(?:(?:my|our) (?:\w+ ){{0,2}}(?:{_ROLE})\b(?: {NAME})?|{NAME})|\bI\b|\bi\b(?='|\s)|\b[Ww]e\b"
)
_THIRD: Final = re.compile(rf"{_TITLE}{NAME}")
_OWN: Final = re.compile(r"\b(?:[Mm]y|[Oo]ur)\b(?=\s)")
_PERSONAL: Final = re.compile(r"\b(?:[Ss]he|[Hh]e)\b")
_POSSESSIVE: Final = re.compile(r"'s\b|'(?=\s)")

Kind = Literal["self", "own", "relative", "further", "name", "pronoun"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a clause, or the one whose thing is the subject."""

    kind: Kind
    span: Span
    after: int
    """Where what is said of it begins."""
    is_owner: bool = False
    """The subject is something of theirs: what follows is the noun."""
    role: str = ""
    name: Span | None = None


def subjects(text: str) -> Iterator[Subject]:
    """All that may be one, by place. Whether a clause begins there is not asked."""
    found = [*_relatives(text), *_firsts(text), *_owners(text), *_names(text), *_pronouns(text)]
    taken = 0
    for each in sorted(found, key=lambda one: (one.span.start, -one.span.end)):
        if each.span.start >= taken:
            taken = each.span.end
            yield each


def _span(match: re.Match[str], group: str | int = 0) -> Span:
    return Span(match.start(group), match.end(group), match[group])


def _relatives(text: str) -> Iterator[Subject]:
    for match in RELATIVE.finditer(text):
        yield relative(text, match)


def relative(text: str, match: re.Match[str]) -> Subject:
    """With the name only where it is one: not "my sister, Monday"."""
    name, end = None, match.end("role")
    if match["name"] and first_word(match["name"]) not in COMMON:
        name, end = _span(match, "name"), match.end("name")
        if match["comma"] and match["close"]:
            end = match.end("close")
        elif match["comma"] and not _AT_END.match(text, match.end("name")):
            name, end = None, match.end("role")
    further = _FURTHER.match(text, end)
    if further:
        base = name.start if name is not None else match.start()
        whole = Span(base, further.end(), text[base : further.end()])
        named = _span(further, "name") if further["name"] and first_word(further["name"]) not in COMMON else None
        if further["name"] and named is None:
            whole = Span(base, further.end("role"), text[base : further.end("role")])
        kind: Kind = "name" if named or name else "further"
        return Subject(
            kind, Span(match.start(), whole.end, text[match.start() : whole.end]), whole.end, name=named or whole
        )
    owns = None if _CONTRACTED.match(text, end) else _POSSESSIVE.match(text, end)
    role = " ".join(match[0][: match.end("role") - match.start()].split()[1:])
    after = owns.end() if owns else end
    return Subject("relative", Span(match.start(), end, text[match.start() : end]), after, bool(owns), role, name)


def first_word(name: str) -> str:
    return name.split(maxsplit=1)[0].lower().rstrip(".")


def _firsts(text: str) -> Iterator[Subject]:
    for match in _FIRST.finditer(text):
        if match[0].endswith((" I", "I", "i", "We", "we")) or match[0][:3].lower() == "me ":
            yield Subject("self", _span(match), match.end())


def _owners(text: str) -> Iterator[Subject]:
    for match in _OWN.finditer(text):
        yield Subject("own", _span(match), match.end(), is_owner=True)


def _names(text: str) -> Iterator[Subject]:
    for match in _THIRD.finditer(text):
        words = match[0].split()
        while words and words[0].lower().rstrip(".,") in COMMON:
            words = words[1:]
        if not words or words[0] == "I":
            continue
        name = " ".join(words)
        span = Span(match.end() - len(name), match.end(), name)
        owns = None if _CONTRACTED.match(text, span.end) else _POSSESSIVE.match(text, span.end)
        if owns:
            rest = text[owns.end() :].lstrip().split(maxsplit=1)
            is_owner = bool(rest) and owns.end() < len(text)
            yield Subject("name", span, owns.end(), is_owner, name=span)
        yield Subject("name", span, span.end, name=span)


def _pronouns(text: str) -> Iterator[Subject]:
    for match in _PERSONAL.finditer(text):
        yield Subject("pronoun", _span(match), match.end())


__all__ = ["PETS", "RELATIVE", "Subject", "first_word", "relative", "subjects"]
