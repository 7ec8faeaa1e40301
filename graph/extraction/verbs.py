"""What stands between a subject and its verb: tense, negation, and whether it is said to be so at all."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from graph.extraction.words import ADVERBS, BE, DO, HAVE, MODALS, PARTICIPLES, UNCERTAIN, WAS, word_set

Tense = Literal["present", "past", "perfect", "used_to"]
Negation = Literal["", "not", "never", "no_longer"]

_WORD: Final = re.compile(r"\s*('[a-z]{1,2}\b|[^\W\d_][\w'-]*)")
_MAX_WORDS: Final = 8
_PAST: Final = word_set(
    "was were had got went bought sold left quit met made took gave found became began grew won lost built kept "
    "taught caught brought sent spent told wrote drove flew rode spoke sang swam ate drank fell broke chose wore "
    "came saw did said knew thought felt ran paid led held cost beat fed hid rose sold slept swept "
    "woke gotten put wed swore stood hurt read"
)
_ED: Final = re.compile(r"[a-z]{2,}ed$")
_ADJECTIVES: Final = word_set(
    "engaged married retired based located interested excited addicted obsessed hooked divorced "
    "separated employed enrolled involved "
    "tired bored worried scared used known made given left named called hired fired promoted diagnosed"
)
"""After "'s" they are what one is, not what one has done."""
_ANY_MORE: Final = re.compile(r"\b(?:any ?more|any longer)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb with its helpers."""

    form: str
    """The main verb as written, in lower case; "be" for any form of it alone."""
    tense: Tense
    negation: Negation
    is_progressive: bool
    start: int
    end: int
    """Characters of the main verb."""
    can: bool = False
    """Stands after "can"."""
    adverbs: frozenset[str] = frozenset()
    begins: bool = False
    """Stands after "started": it holds from then on."""


def read_verb(text: str, start: int, end: int) -> Verb | None:
    """The verb that follows a subject which ends at `start`; None where it is not said that it is or was so."""
    helpers: list[str] = []
    adverbs: set[str] = set()
    negation: Negation = ""
    position = start
    for _ in range(_MAX_WORDS):
        match = _WORD.match(text, position, end)
        if match is None:
            return _bare_be(text, helpers, negation, adverbs, position)
        word = match[1].lower()
        if word in UNCERTAIN or (word in MODALS and word not in ("can", "can't", "cannot")):
            return None
        if word in ("not", "never") or word.endswith("n't") or word == "cannot":
            negation = "never" if word == "never" else "not"
        if word == "no" and text[match.end() : match.end() + 7].lower().startswith(" longer"):
            negation, position = "no_longer", match.end() + 7
            continue
        if word in ("not", "never") or (word in ADVERBS and not _is_verb_like(word)):
            adverbs.add(word)
        elif _is_helper(word, text, match.end(), helpers, end):
            helpers.append(word)
        else:
            return _verb(match, helpers, negation, adverbs, text=text, end=end)
        position = match.end()
    return None


def _is_verb_like(word: str) -> bool:
    return word in ("like", "love")


def _is_helper(word: str, text: str, after: int, helpers: list[str], end: int) -> bool:
    if word in BE or word in DO or word in ("can", "can't", "cannot"):
        return word not in ("do", "does", "did") or _next(text, after, end) in (
            "not",
            "n't",
            "really",
            "love",
            "have",
            "like",
            "enjoy",
            "still",
        )
    if word in HAVE:
        return "'" in word or _is_participle(_next_verb(text, after, end))
    if word == "used":
        return _next(text, after, end) == "to" and not any(h in BE for h in helpers)
    return word == "to" and helpers[-1:] == ["used"]


def _next(text: str, after: int, end: int) -> str:
    match = _WORD.match(text, after, end)
    return match[1].lower() if match else ""


def _next_verb(text: str, after: int, end: int) -> str:
    """The next word that is no adverb."""
    for _ in range(4):
        match = _WORD.match(text, after, end)
        if match is None:
            return ""
        word = match[1].lower()
        if word not in ADVERBS and word not in ("not", "never") and word not in UNCERTAIN:
            return word
        after = match.end()
    return ""


def _is_participle(word: str) -> bool:
    return word in PARTICIPLES or bool(_ED.match(word))


def _bare_be(text: str, helpers: list[str], negation: Negation, adverbs: set[str], position: int) -> Verb | None:
    """What follows a form of "be" is no word: a number, a quote, 健太's are words."""
    if not helpers or helpers[-1] not in BE:
        return None
    position += len(text[position:]) - len(text[position:].lstrip())
    return Verb("be", _tense("", helpers), negation, False, position, position, adverbs=frozenset(adverbs))


def _verb(
    match: re.Match[str], helpers: list[str], negation: Negation, adverbs: set[str], *, text: str, end: int
) -> Verb:
    word = match[1].lower()
    if negation == "not" and _ANY_MORE.search(text, match.end(), end):
        negation = "no_longer"
    known = frozenset(adverbs)
    can = any(h in ("can", "can't", "cannot") for h in helpers)
    is_be = bool(helpers) and helpers[-1] in BE
    progressive = is_be and word.endswith("ing")
    tense = _tense(word, helpers)
    if helpers[-1:] == ["'s"] and len(helpers) == 1 and _is_participle(word) and word not in _ADJECTIVES:
        return Verb(word, "perfect", negation, False, match.start(1), match.end(1), can, known)
    if is_be and not progressive:
        return Verb("be", tense, negation, False, match.start(1), match.start(1), can, known)
    return Verb(word, tense, negation, progressive, match.start(1), match.end(1), can, known)


def _tense(word: str, helpers: list[str]) -> Tense:
    if "used" in helpers:
        return "used_to"
    if any(h in WAS for h in helpers) or any(h in ("did", "didn't") for h in helpers):
        return "past"
    if any(h in HAVE for h in helpers):
        return "perfect"
    if any(h in BE or h in DO or h.startswith("can") for h in helpers):
        return "present"
    return "past" if word in _PAST or _ED.match(word) else "present"


_GERUND: Final = re.compile(r"\s+(?:up )?(?P<word>[a-z]+ing)\b")
_STOPPED: Final = frozenset(["stopped", "quit"])
_STARTED: Final = frozenset(["started", "began"])
_SAVOURED: Final = frozenset(["loved", "enjoyed", "love", "enjoy", "remember"])
_DONE: Final = {"visiting": "visited", "exploring": "explored", "touring": "toured", "attending": "attended"}


_CHANCE: Final = re.compile(
    r"\s+(?:(?:the|a) (?:chance|opportunity|pleasure) to|to|able to|lucky enough to|fortunate enough to)\s+(?P<word>[a-z]+)\b"
)
_AFTER_CHANCE: Final = {
    "attend": "attended",
    "visit": "visited",
    "explore": "explored",
    "buy": "bought",
    "purchase": "purchased",
    "go": "went",
    "volunteer": "volunteered",
    "participate": "participated",
    "travel": "traveled",
    "tour": "toured",
}
"""What one "got to" do, or "had the chance to" do, is done."""


def _chance(text: str, verb: Verb, end: int) -> Verb | None:
    """What was done, after "got to", "had the chance to", "was lucky enough to"."""
    match = _CHANCE.match(text, verb.end - (verb.form == "be"), end)
    if match is None or match["word"] not in _AFTER_CHANCE or verb.negation or verb.tense not in ("past", "perfect"):
        return None
    way = match[0].split()[0]
    is_done = way != "to" if verb.form in ("had", "be") else verb.form in ("got", "managed")
    done = Verb(_AFTER_CHANCE[match["word"]], "past", "", False, match.start("word"), match.end("word"))
    return done if is_done else None


def unfolded(text: str, verb: Verb, end: int) -> list[Verb]:
    """The verb, and the one that it begins, ends or enjoys: "stopped working at" is no more working."""
    chance = _chance(text, verb, end)
    if chance is not None:
        return [verb, chance]
    match = _GERUND.match(text, verb.end, end)
    if match is None or verb.negation:
        return [verb]
    word, start, stop = match["word"], match.start("word"), match.end("word")
    if verb.form == "ended" and word in ("buying", "getting", "purchasing"):
        return [verb, Verb("bought", "past", "", False, start, stop)]
    if verb.form in _STOPPED and verb.tense in ("past", "perfect"):
        if word == "being":
            return [Verb("be", "used_to", "", False, stop + 1, stop + 1)]
        return [Verb(word, "used_to", "", False, start, stop)]
    if verb.form in _STARTED and verb.tense in ("past", "perfect"):
        return [verb, Verb(word, "present", "", True, start, stop, begins=True)]
    if verb.form in _SAVOURED and word in _DONE and verb.tense in ("past", "perfect"):
        return [verb, Verb(_DONE[word], "past", "", False, start, stop)]
    return [verb]
