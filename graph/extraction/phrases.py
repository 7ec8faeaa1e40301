"""Noun phrases and names: where the one that begins at a place ends, without a parser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.extraction.words import CALENDAR, DETERMINERS, PRAISE, PRONOUNS, QUANTITIES, STOPS

MARK: Final = r"\u0300-\u036f"
"""Accents that are characters of their own, in text that is not composed."""

TOKEN: Final = re.compile(rf"\"[^\"\n]{{1,80}}\"|[$€£¥+#@]?\w[\w{MARK}'&+./%@:-]*|[^\w\s]")
_MAX_WORDS: Final = 9
_NAME_WORDS: Final = 6
_LINKS: Final = frozenset(
    ["of", "de", "da", "do", "del", "della", "di", "du", "van", "von", "the", "la", "le", "el", "für", "&", "y"]
)
_NUMBER_WORDS: Final = frozenset(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])


@dataclass(frozen=True, slots=True)
class Span:
    """Some words of a sentence."""

    start: int
    end: int
    text: str


def tokens(text: str, start: int, end: int) -> Iterator[Span]:
    for match in TOKEN.finditer(text, start, end):
        word = match[0].rstrip(".:/-'") or match[0]
        yield Span(match.start(), match.start() + len(word), word)
        if len(word) < len(match[0]) and match[0][len(word)] in ".:":
            yield Span(match.start() + len(word), match.start() + len(word) + 1, match[0][len(word)])


def is_name_word(word: str) -> bool:
    """Written as a name: a capital somewhere, or a script that has none."""
    first = word.lstrip('"+#@$€£¥')[:1]
    if not first.isalpha():
        return False
    return any(c.isupper() for c in word) or first.lower() == first.upper()


def noun_phrase(text: str, start: int, end: int, stops: frozenset[str] = STOPS) -> Span | None:
    """The phrase that begins here, without what says nothing of which thing is meant; None where none does.

    It ends before a preposition other than "of", a conjunction, a pronoun, a verb that the lists know, or punctuation.
    """
    kept: list[Span] = []
    for token in tokens(text, start, end):
        low = token.text.lower()
        if not kept and (low in DETERMINERS or low in PRAISE):
            continue
        if not kept and low in PRONOUNS and low != "one":
            return None
        if not kept and low.startswith(("other's", "others")):
            return None
        if kept and low in _NUMBER_WORDS:
            break
        if not _belongs(token, low, kept, stops):
            break
        kept.append(token)
        if len(kept) > _MAX_WORDS:
            return None
    return _phrase(text, _without_quantity(_without_loose_end(kept)))


def _belongs(token: Span, low: str, kept: list[Span], stops: frozenset[str]) -> bool:
    if low in ("of", "&"):
        return bool(kept)
    if not (token.text[0].isalnum() or token.text[0] in '"$€£¥+#@'):
        return False
    if kept and low in ("a", "an", "the", "some", "every"):
        return kept[-1].text.lower() == "of"
    if kept and kept[-1].text.lower() == "of" and low in DETERMINERS:
        return True
    if low in stops and not (token.text[0].isupper() and len(low) > 2 and "'" not in low and _in_name(token, kept)):
        return False
    return not (kept and low.endswith("ly") and len(low) > 5 and not is_name_word(token.text))


def _in_name(token: Span, kept: list[Span]) -> bool:
    """A capital makes it part of a name: "Under Armour", "Back to Black"."""
    return (not kept and token.start > 0) or bool(kept and is_name_word(kept[-1].text))


def _without_loose_end(kept: list[Span]) -> list[Span]:
    while kept and (kept[-1].text.lower() in ("of", "&") or kept[-1].text.lower() in DETERMINERS):
        kept = kept[:-1]
    return kept


def _without_quantity(kept: list[Span]) -> list[Span]:
    """ "pair of hiking boots" is about boots."""
    if len(kept) > 2 and kept[0].text.lower() in QUANTITIES and kept[1].text.lower() == "of":
        kept = kept[2:]
        while kept and (kept[0].text.lower() in DETERMINERS or kept[0].text.lower() in PRAISE):
            kept = kept[1:]
    return kept


def _phrase(text: str, kept: list[Span]) -> Span | None:
    if not kept or (len(kept) == 1 and kept[0].text.lower() in QUANTITIES | PRONOUNS | CALENDAR):
        return None
    start, end = kept[0].start, kept[-1].end
    words = text[start:end]
    if words.endswith("'s"):
        words, end = words[:-2], end - 2
    return Span(start, end, words) if any(c.isalnum() for c in words) else None


def name(text: str, start: int, end: int) -> Span | None:
    """The proper name that begins here, with an article before it or not: "the University of Bergen"."""
    kept: list[Span] = []
    has_article = False
    for token in tokens(text, start, end):
        low = token.text.lower()
        if not kept and low in ("the", "a", "an"):
            has_article = True
            continue
        if kept and low in _LINKS:
            kept.append(token)
            continue
        if not (token.text[0].isalnum() or token.text[0] == '"') or not _is_part_of_name(token.text, kept):
            if kept and has_article and low.isalpha() and low not in STOPS and low not in ("area", "region"):
                return None
            break
        kept.append(token)
        if len(kept) > _NAME_WORDS or token.text.endswith("'s"):
            break
    while kept and kept[-1].text.lower() in _LINKS:
        kept.pop()
    if kept and kept[0].text.lower() in CALENDAR | {"i"}:
        return None
    return _phrase(text, kept)


def _is_part_of_name(word: str, kept: list[Span]) -> bool:
    return (is_name_word(word) and word != "I" and not word.startswith(("I'", "i'"))) or bool(
        kept and word.isdigit() and len(word) < 4
    )


def listed(text: str, start: int, end: int, named_only: bool = False) -> list[Span]:
    """The phrases of an enumeration: "peanuts, shellfish and penicillin". The first decides how the others must look."""
    read = name if named_only else noun_phrase
    found: list[Span] = []
    first = read(text, start, end)
    while first is not None:
        found.append(first)
        joint = _JOINT.match(text, first.end, end)
        if joint is None or len(found) > _MAX_WORDS:
            break
        first = read(text, joint.end(), end)
        if first is not None and not _is_parallel(text, found, first, joint, end):
            break
    return found


_AND_NEAR: Final = re.compile(r"[^.;!?]{0,60}?\b(?:and|or)\b")
_JOINT: Final = re.compile(r"\s{0,2}(?:,\s{0,2}(?:and|or)?|and|or|&)\s{1,2}(?:also\s)?(?=\S)")
_AFTER_ITEM: Final = re.compile(
    r"\s*(?:$|[,.;!?)—–-]|(?:and|or|in|on|at|from|for|with|last|too|as|since|when|because|but|so|&)\b)"
)


def _is_parallel(text: str, found: list[Span], item: Span, joint: re.Match[str], end: int) -> bool:
    """Whether it goes on as it began: "X, Y and Z" and not "X, and that was fun"."""
    words = item.text.split()
    if len(words) > 5 or _AFTER_ITEM.match(text, item.end, end) is None:
        return False
    first = words[0].lower()
    if first.endswith(("ed", "ing")) and not found[0].text.split()[0].lower().endswith(("ed", "ing")):
        return False
    return "," not in joint[0] or "and" in joint[0] or _leads_to_and(text, item.end, end)


def _leads_to_and(text: str, start: int, end: int) -> bool:
    """Whether a comma is one of an enumeration: an "and" or another comma follows near."""
    return _AND_NEAR.match(text, start, end) is not None
