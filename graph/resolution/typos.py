"""A slip of the fingers, or another name?

Two people's names often differ by one letter, and mostly in the same ways: in a vowel (Hansen, Hanson; Maria, Mario) or at the
end (Daniel, Daniela; Robert, Roberts; Petrov, Petrova). Fingers slip otherwise: they swap neighbours, drop or double a letter
inside, or hit the next key. So the kind of an edit decides, not only how many there are; two known given names are two.
"""

from typing import Final, Literal, TypeAlias

from rapidfuzz.distance import OSA, Levenshtein

from graph.resolution.givennames import is_given_name

Slip: TypeAlias = Literal["swap", "double", "drop", "near", "vowel", "other"]

_VOWELS: Final = frozenset("aeiouyаеёиоуыэюяαεηιουω")
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_MIN_LENGTH: Final[dict[Slip, int]] = {"swap": 5, "double": 6, "drop": 6, "near": 7}
"""Shorter names have too many neighbours: Silva and Silvia, Jan and Jane, Joan and John."""

LONG: Final = 10
"""From here on two slips are more likely than another name."""


def is_typo(one: str, other: str, is_given: bool = False) -> bool:
    """Whether two tokens are one name with a slip in it; symmetric. `is_given`: they stand where a given name does."""
    if one[:1] != other[:1] or not _is_alphabetic(one + other) or (is_given_name(one) and is_given_name(other)):
        return False
    shorter = min(len(one), len(other))
    distance = OSA.distance(one, other, score_cutoff=2)
    if distance == 2:
        return shorter >= LONG and one[-1:] == other[-1:] and not _has_vowel_swap(one, other)
    if distance != 1:
        return False
    slip = _slip(one, other)
    if slip in ("vowel", "other"):
        return slip == "vowel" and is_given and shorter >= 6 and is_given_name(one) != is_given_name(other)
    return shorter >= _MIN_LENGTH[slip]


def _is_alphabetic(text: str) -> bool:
    """Latin, Greek or Cyrillic: in Han, Hangul, Arabic or Hebrew one letter more is another word."""
    return all("a" <= char <= "z" or "\u0370" <= char <= "\u052f" for char in text)


def _slip(one: str, other: str) -> Slip:
    if len(one) != len(other):
        long, short = (one, other) if len(one) > len(other) else (other, one)
        return _dropped(long, short)
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 2:
        return "swap"
    (place,) = places
    if place == len(one) - 1:
        return "other"
    a, b = one[place], other[place]
    if a in _VOWELS and b in _VOWELS:
        return "vowel"
    return "near" if b in _neighbours(a) else "other"


def _dropped(long: str, short: str) -> Slip:
    place = next((i for i, (a, b) in enumerate(zip(long, short, strict=False)) if a != b), len(short))
    char = long[place]
    if long[place - 1] == char:
        return "double"
    return "other" if place == len(long) - 1 else "drop"


def _neighbours(char: str) -> frozenset[str]:
    """Keys beside one on a QWERTY keyboard."""
    for number, row in enumerate(_ROWS):
        if (place := row.find(char)) >= 0:
            near = {row[i] for i in (place - 1, place + 1) if 0 <= i < len(row)}
            above = _ROWS[number - 1][place : place + 2] if number else ""
            below = _ROWS[number + 1][max(0, place - 1) : place + 1] if number < 2 else ""
            return frozenset(near | set(above) | set(below))
    return frozenset()


def _has_vowel_swap(one: str, other: str) -> bool:
    return any(
        step.tag == "replace" and one[step.src_pos] in _VOWELS and other[step.dest_pos] in _VOWELS
        for step in Levenshtein.editops(one, other)
    )
