"""Packing texts into a token budget: the most relevant that fit, shown in the order in which they happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

CountTokens = Callable[[str], int]

_SHORTEST: Final = 24
"""Tokens below which a cut piece says too little to be worth its label."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One text to pack. `order` sorts what is shown; the sequence given to `pack` is by relevance."""

    label: str
    text: str
    order: Any


@dataclass(frozen=True, slots=True)
class Packed:
    """What fitted. `order` holds the indices of the pieces, as they are numbered in the text from 1."""

    text: str
    tokens: int
    order: list[int]


def pack(header: str, pieces: Sequence[Piece], budget: int, count_tokens: CountTokens) -> Packed:
    """At most `budget` tokens by `count_tokens` of the whole text. Takes pieces by relevance; cuts the first one if need be.

    Tokens of parts do not add up to tokens of the whole in every tokenizer, so what is returned has been counted whole.
    """
    chosen: list[tuple[int, str]] = []
    used = count_tokens(header)
    for index, piece in enumerate(pieces):
        line = _line(len(pieces), piece.label, piece.text)
        cost = count_tokens(line) + 1
        if used + cost <= budget:
            chosen.append((index, piece.text))
            used += cost
        elif not chosen:
            text = _cut(piece, budget - used - 1, len(pieces), count_tokens)
            if text:
                chosen.append((index, text))
            break
    return _settled(header, pieces, chosen, budget, count_tokens)


def _settled(
    header: str, pieces: Sequence[Piece], chosen: list[tuple[int, str]], budget: int, count_tokens: CountTokens
) -> Packed:
    """Renders, counts the whole, and drops the least relevant while that is over the budget."""
    while chosen:
        shown = sorted(chosen, key=lambda item: pieces[item[0]].order)
        lines = [_line(number, pieces[index].label, text) for number, (index, text) in enumerate(shown, 1)]
        text = "\n".join([header, *lines])
        tokens = count_tokens(text)
        if tokens <= budget:
            return Packed(text, tokens, [index for index, _ in shown])
        chosen = chosen[:-1]
    return Packed("", 0, [])


def _line(number: int, label: str, text: str) -> str:
    return f"[{number}] ({label}) {text}"


def _cut(piece: Piece, budget: int, number: int, count_tokens: CountTokens) -> str:
    """The longest beginning of the piece, in whole words, whose line fits; empty when that is too short to help."""
    if budget < _SHORTEST:
        return ""
    words = piece.text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = count_tokens(_line(number, piece.label, " ".join(words[:middle]) + " …")) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return " ".join(words[:low]) + " …" if low else ""
