"""Text to terms, for any script: what BM25 counts.

| script | terms |
| --- | --- |
| Latin | lower-cased, accents folded, English Snowball stem, English stop words out |
| Cyrillic, Greek, Arabic, Armenian, Devanagari, Tamil | Snowball stem of the script's largest language |
| Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar | overlapping character pairs; single Han and Hangul too |
| every other | whole words, case folded |
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from typing import Final

import regex
import Stemmer

STOP_WORDS: Final = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "against",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "aren",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "cannot",
        "could",
        "couldn",
        "did",
        "didn",
        "do",
        "does",
        "doesn",
        "doing",
        "don",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "hadn",
        "has",
        "hasn",
        "have",
        "haven",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "herself",
        "him",
        "himself",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "isn",
        "it",
        "its",
        "itself",
        "just",
        "let",
        "ll",
        "m",
        "me",
        "more",
        "most",
        "mustn",
        "my",
        "myself",
        "no",
        "nor",
        "not",
        "now",
        "o",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "ought",
        "our",
        "ours",
        "ourselves",
        "out",
        "over",
        "own",
        "re",
        "s",
        "same",
        "shan",
        "she",
        "should",
        "shouldn",
        "so",
        "some",
        "such",
        "t",
        "than",
        "that",
        "the",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "ve",
        "very",
        "was",
        "wasn",
        "we",
        "were",
        "weren",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "won",
        "would",
        "wouldn",
        "y",
        "you",
        "your",
        "yours",
        "yourself",
        "yourselves",
    ]
)

_IRREGULAR: Final = {
    form: base
    for base, forms in (
        entry.split(":")
        for entry in [
            "go:went,gone",
            "buy:bought",
            "win:won",
            "meet:met",
            "see:saw,seen",
            "make:made",
            "take:took,taken",
            "get:got,gotten",
            "give:gave,given",
            "find:found",
            "think:thought",
            "tell:told",
            "say:said",
            "know:knew,known",
            "feel:felt",
            "leave:left",
            "bring:brought",
            "begin:began,begun",
            "keep:kept",
            "hold:held",
            "write:wrote,written",
            "run:ran",
            "pay:paid",
            "speak:spoke,spoken",
            "grow:grew,grown",
            "lose:lost",
            "fall:fell,fallen",
            "send:sent",
            "build:built",
            "spend:spent",
            "drive:drove,driven",
            "ride:rode,ridden",
            "eat:ate,eaten",
            "drink:drank,drunk",
            "sing:sang,sung",
            "swim:swam,swum",
            "teach:taught",
            "catch:caught",
            "fight:fought",
            "sell:sold",
            "sleep:slept",
            "wear:wore,worn",
            "choose:chose,chosen",
            "break:broke,broken",
            "draw:drew,drawn",
            "fly:flew,flown",
            "forget:forgot,forgotten",
            "hear:heard",
            "hide:hid,hidden",
            "lead:led",
            "lend:lent",
            "mean:meant",
            "rise:rose,risen",
            "show:shown",
            "shake:shook,shaken",
            "shoot:shot",
            "sit:sat",
            "stand:stood",
            "steal:stole,stolen",
            "stick:stuck",
            "strike:struck",
            "swear:swore,sworn",
            "throw:threw,thrown",
            "understand:understood",
            "wake:woke,woken",
            "become:became",
            "come:came",
            "bite:bit,bitten",
            "blow:blew,blown",
            "feed:fed",
            "freeze:froze,frozen",
            "hang:hung",
            "ring:rang,rung",
            "seek:sought",
            "sink:sank,sunk",
            "tear:tore,torn",
            "child:children",
            "man:men",
            "woman:women",
            "foot:feet",
            "tooth:teeth",
            "mouse:mice",
            "goose:geese",
            "person:people",
            "life:lives",
            "wife:wives",
            "knife:knives",
            "leaf:leaves",
            "shelf:shelves",
            "half:halves",
            "wolf:wolves",
        ]
    )
    for form in forms.split(",")
}
"""Snowball strips endings; it cannot know that went is go. Forms that are common words of their own are left out."""

_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_SPACELESS: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD: Final = regex.compile(rf"[{_SPACELESS}]+|(?:(?![{_SPACELESS}])[\p{{L}}\p{{N}}\p{{M}}])+")
_SPACELESS_START: Final = regex.compile(rf"[{_SPACELESS}]")
_ONE_CHARACTER_WORDS: Final = regex.compile(r"[\p{Han}\p{Hangul}]")
_SCRIPT_STEMMERS: Final = (
    (regex.compile(r"\p{Cyrillic}"), "russian"),
    (regex.compile(r"\p{Greek}"), "greek"),
    (regex.compile(r"\p{Arabic}"), "arabic"),
    (regex.compile(r"\p{Armenian}"), "armenian"),
    (regex.compile(r"\p{Devanagari}"), "hindi"),
    (regex.compile(r"\p{Tamil}"), "tamil"),
)
_LATIN: Final = regex.compile(r"\p{Latin}")
_MAX_TERM_CHARS: Final = 64
"""Longer runs are keys, hashes or base64: their prefix is enough to find them again."""

_MAX_CACHED_WORDS: Final = 200_000

# Snowball objects are not thread-safe.
_local = threading.local()
_stems: dict[str, str] = {}


def terms(text: str) -> list[str]:
    """Terms of the text in order, repeated as often as they occur."""
    lowered = text.lower()
    if lowered.isascii():
        return _ascii_terms(lowered)
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _SPACELESS_START.match(word):
            found.extend(_pairs(word))
        else:
            found.extend(_word_terms(word))
    return found


def is_spaceless(text: str) -> bool:
    """Whether the text begins in a script that does not put spaces between words."""
    first = _WORD.search(text)
    return first is not None and _SPACELESS_START.match(first.group()) is not None


def _ascii_terms(lowered: str) -> list[str]:
    known = _stems
    found: list[str] = []
    for word in _ASCII_WORD.findall(lowered):
        if word not in STOP_WORDS:
            stem = known.get(word)
            found.append(_stem("english", word) if stem is None else stem)
    return found


def _word_terms(word: str) -> list[str]:
    if _LATIN.match(word):
        plain = _without_marks(word)
        return [] if plain in STOP_WORDS else [_stem("english", plain)]
    for script, language in _SCRIPT_STEMMERS:
        if script.match(word):
            return [_stem(language, word)]
    return [word[:_MAX_TERM_CHARS]]


def _without_marks(word: str) -> str:
    """Accents off Latin letters only: in Indic scripts the marks are vowels."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _pairs(run: str) -> list[str]:
    """Pairs, and single characters of the scripts in which one character is often a word."""
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    singles = [c for c in run if _ONE_CHARACTER_WORDS.match(c)]
    return pairs + singles if pairs else [run]


def _stem(language: str, word: str) -> str:
    word = word[:_MAX_TERM_CHARS]
    stem = _stemmer(language)(_IRREGULAR.get(word, word) if language == "english" else word)
    if language == "english" and len(_stems) < _MAX_CACHED_WORDS:
        _stems[word] = stem
    return stem


def _stemmer(language: str) -> Callable[[str], str]:
    stemmers: dict[str, Callable[[str], str]] | None = getattr(_local, "stemmers", None)
    if stemmers is None:
        stemmers = _local.stemmers = {}
    if language not in stemmers:
        stemmers[language] = Stemmer.Stemmer(language).stemWord
    return stemmers[language]
