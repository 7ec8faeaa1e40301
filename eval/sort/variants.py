"""Segments as they are asked for: word by word, shortened, and paraphrased, without a language model.

The paraphrase is mechanical: common words become synonyms of another stem, short forms are written out, and the last clause comes
first. It is milder than what a person or a language model would write, and the same for every system.
"""

import json
import random
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from retrieval.analysis import STOP_WORDS

_KEPT: Final = 0.5
_WORD: Final = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_CLAUSE: Final = re.compile(r"[,;:.!?—]+\s+")
_SHORT_FORMS: Final = {
    "n't": " not",
    "'ll": " will",
    "'re": " are",
    "'ve": " have",
    "'m": " am",
}
_SYNONYMS: Final[dict[str, str]] = json.loads(files("eval.sort").joinpath("synonyms.json").read_text(encoding="utf-8"))


def verbatim(segment: str, rng: random.Random) -> str:
    return segment


def shortened(segment: str, rng: random.Random) -> str:
    """Half of its words that say something, in their order; the whole when it has but one."""
    words = [word for word in segment.split() if word.strip(".,;:!?\"'“”‘’()[]—").lower() not in STOP_WORDS]
    if len(words) < 2:
        return segment
    kept = sorted(rng.sample(range(len(words)), max(1, round(len(words) * _KEPT))))
    return " ".join(words[index] for index in kept)


def paraphrased(segment: str, rng: random.Random) -> str:
    """Other words for the common ones, and its last clause first."""
    clauses = [clause for clause in _CLAUSE.split(segment) if clause.strip()]
    told = ", ".join([clauses[-1], *clauses[:-1]]) if len(clauses) > 1 else segment
    return _WORD.sub(_other_word, told)


def _other_word(match: re.Match[str]) -> str:
    word = match.group().replace("’", "'")
    for short, written in _SHORT_FORMS.items():
        if word.endswith(short):
            return word.removesuffix(short) + written
    return _SYNONYMS.get(word.lower(), match.group())


VARIANTS: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "verbatim": verbatim,
    "shortened": shortened,
    "paraphrased": paraphrased,
}
