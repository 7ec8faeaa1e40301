"""Names to keys: what two spellings of one name share before any rule compares them.

Nothing here depends on a word list from outside: a key is stored, and must not change when a dependency does.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from graph.limits import MAX_NAME_CHARS
from graph.resolution.words import DEGREES, GENDERED, GENERATIONS, HONORIFICS, LEGAL_FORMS, REGIONS

_LATIN_LETTERS: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t", "ŀ": "l"}
)
_APOSTROPHES: Final = "'’ʼ‘`´＇′"
_POSSESSIVE: Final = re.compile(rf"(?<=\w)(?:[{_APOSTROPHES}]s|(?<=s)[{_APOSTROPHES}])$")
_DOTTED: Final = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?\.?")
"""U.S.A., where it is the whole name."""

_INNER_DOT: Final = re.compile(r"(?<=\d)[.,](?=\d)")
_LONE_AMPERSAND: Final = re.compile(r"(?<=\s)[&+](?=\s)")
_KEPT: Final = "\ue000"
"""Stands for a full stop between digits while punctuation is folded."""

_POLITE_SUFFIX: Final = re.compile(r"(?<=\S)\s?(?:さん|さま|ちゃん|くん|先生)$|(?<=\S\S)\s?(?:씨|님)$")
_MAX_ROUNDS: Final = 8


@lru_cache(maxsize=16_384)
def name_key(name: str) -> str:
    """The normalised name: at most `MAX_NAME_CHARS` characters, never empty for a name that is not.

    NFKC (UAX 15), case folded, accents of Latin letters folded, honorifics and possessives off, "Jones, Katherine" turned
    round. Marks of other scripts stay, for there they are letters. `name_key(name_key(x)) == name_key(x)`.
    """
    key = _once(name[:MAX_NAME_CHARS])
    for _ in range(_MAX_ROUNDS):
        again = _once(key)
        if again == key:
            break
        key = again
    return key


def name_tokens(key: str) -> tuple[str, ...]:
    """The words of a key, or of any name."""
    return tuple(name_key(key).split())


def compact(key: str) -> str:
    """Without spaces: "you tube" and "youtube" share it."""
    return key.replace(" ", "")


def _once(name: str) -> str:
    text = _clean(name)
    folded = _fold_latin(text)
    words = _strip_titles(_words(_turn_round(_strip_possessive(folded))))
    return _cut(" ".join(words)) or _cut(text) or _code_points(name)


def _clean(name: str) -> str:
    """NFKC and case folded; control and format characters (bidi overrides, joiners, lone surrogates) off; single spaces."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(c if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} else "" for c in text)
    return " ".join(kept.split())


def _fold_latin(text: str) -> str:
    """Accents off Latin letters, and off no others: й is no и, and a vowel sign is a vowel."""
    out: list[str] = []
    is_latin = False
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) == "Mn":
            if is_latin:
                continue
        else:
            is_latin = _is_latin(char)
        out.append(char)
    return unicodedata.normalize("NFKC", "".join(out)).translate(_LATIN_LETTERS)


def _is_latin(char: str) -> bool:
    return (char.isascii() and char.isalpha()) or unicodedata.name(char, "").startswith("LATIN ")


def _strip_possessive(text: str) -> str:
    return _POLITE_SUFFIX.sub("", _POSSESSIVE.sub("", text))


def _turn_round(text: str) -> str:
    """ "jones, katherine" to "katherine jones"; but not "hale, jr", "acme, inc" or "paris, texas"."""
    left, comma, right = text.partition(",")
    ours, theirs = left.split(), right.split()
    if not comma or "," in right or not 1 <= len(ours) <= 2 or not 1 <= len(theirs) <= 3:
        return text
    first = theirs[0].strip(".")
    is_suffix = first in GENERATIONS | DEGREES | LEGAL_FORMS or " ".join(theirs) in REGIONS
    has_digit = any(char.isdigit() for char in text)
    return text if is_suffix or has_digit else f"{right.strip()} {left.strip()}"


def _words(text: str) -> list[str]:
    """Punctuation to spaces; but C++ and C# keep theirs, AT&T and O'Brien close up, and 3.11 keeps its point."""
    if _DOTTED.fullmatch(text):
        text = text.replace(".", "")
    text = _INNER_DOT.sub(_KEPT, _LONE_AMPERSAND.sub("and", text))
    folded = "".join(_fold_punctuation(text, place) for place in range(len(text)))
    return [word.replace(_KEPT, ".") for word in folded.split()]


def _fold_punctuation(text: str, place: int) -> str:
    char = text[place]
    if char == _KEPT or char.isalnum() or unicodedata.category(char)[0] == "M":
        return char
    if char in "+#" and place and (text[place - 1].isalnum() or text[place - 1] in "+#"):
        return char
    is_inside = char in _APOSTROPHES + "&"
    return "" if is_inside else " "


def _strip_titles(words: list[str]) -> list[str]:
    while len(words) > 1 and words[-1] in DEGREES:
        words = words[:-1]
    while len(words) > 1 and words[0] in HONORIFICS:
        words = words[1:]
    while len(words) > 2 and words[0] in GENDERED:
        words = words[1:]
    return words


def _cut(text: str) -> str:
    return text[:MAX_NAME_CHARS].strip()


def _code_points(name: str) -> str:
    """A name of nothing but spaces or control characters still has a key."""
    return " ".join(f"u+{ord(char):x}" for char in name[:8])
