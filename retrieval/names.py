"""Proper names in text, without a model: runs of capitalised words that a sentence start does not explain."""

import re
from typing import Final

from retrieval.analysis import STOP_WORDS

_RUN: Final = re.compile(r"[A-Z][\w'’&-]*(?:\s+[A-Z][\w'’&-]*){0,3}")
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:;\n\"“(]\s*|^\s*[-*]\s*)$")
_POSSESSIVE: Final = re.compile(r"['’]s$")
_CALENDAR: Final = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "today",
        "tomorrow",
        "yesterday",
        "christmas",
        "easter",
    ]
)
_INTERJECTIONS: Final = frozenset(
    [
        "hey",
        "hi",
        "hello",
        "thanks",
        "thank",
        "wow",
        "yeah",
        "yes",
        "yep",
        "okay",
        "ok",
        "oh",
        "ah",
        "great",
        "nice",
        "cool",
        "awesome",
        "sorry",
        "please",
        "sure",
        "well",
        "really",
        "haha",
        "congrats",
        "congratulations",
        "good",
        "bye",
        "absolutely",
        "definitely",
        "maybe",
        "actually",
        "glad",
        "happy",
        "sounds",
        "let's",
        "im",
        "i'm",
        "i've",
        "i'll",
        "i'd",
        "it's",
        "that's",
        "what's",
        "there's",
        "he's",
        "she's",
        "we're",
        "they're",
        "you're",
        "don't",
        "didn't",
        "can't",
        "won't",
        "isn't",
        "mr",
        "mrs",
        "ms",
        "dr",
    ]
)
_MAX_NAMES: Final = 12
_MAX_CHARS: Final = 8_000
"""Names matter where a text begins; documents are not scanned to their end."""


def find_names(text: str) -> list[str]:
    """Names in order of appearance, each once, possessives taken off. At most 12."""
    text = text[:_MAX_CHARS]
    found: dict[str, str] = {}
    for match in _RUN.finditer(text):
        name = _trimmed(
            match.group(), at_start=bool(_SENTENCE_START.search(text[max(0, match.start() - 4) : match.start()]))
        )
        if name and name.lower() not in found:
            found[name.lower()] = name
        if len(found) == _MAX_NAMES:
            break
    return list(found.values())


def _trimmed(run: str, *, at_start: bool) -> str:
    """The run less the words that are capitalised for another reason."""
    words = [_POSSESSIVE.sub("", word).rstrip("-’'&") for word in run.split()]
    while words and _is_ordinary(words[0]):
        words.pop(0)
        at_start = False
    while words and _is_ordinary(words[-1]):
        words.pop()
    # One capitalised word at the start of a sentence may be any word.
    if len(words) == 1 and at_start and not words[0].isupper():
        return ""
    return " ".join(words)


def _is_ordinary(word: str) -> bool:
    lowered = word.lower()
    return len(word) < 2 or lowered in STOP_WORDS or lowered in _CALENDAR or lowered in _INTERJECTIONS
