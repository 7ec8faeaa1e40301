"""A query, read once: its weighted terms, the text to embed, the speakers and the times it names."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from retrieval.analysis import terms
from retrieval.timex import TimeExpression, find_times

FRAME: Final = frozenset(
    terms(
        "many much long often total number count kind type sort happen pass day week month year time date first last ago take "
        "took get got event order different current recent name"
    )
)
"""Words that say what kind of answer is wanted, not what it is about: evidence seldom repeats them."""

_FRAME_WEIGHT: Final = 0.3


@dataclass(frozen=True, slots=True)
class Query:
    """What a search needs to know of its text."""

    text: str
    term_weights: dict[str, float]
    """Speakers' names are left out: they are matched with who speaks, not with what is said."""
    embed_text: str
    """The query without the speakers' names, which no passage holds; the query itself when nothing else is left."""
    names: frozenset[str]
    """Terms of speakers' names that the query holds."""
    times: tuple[TimeExpression, ...]


def read_query(text: str, name_terms: Set[str], now: datetime) -> Query:
    """Reads a query. `name_terms` are the terms of the speakers' names; `now` is what relative times are read from."""
    own = terms(text)
    weights = {t: _FRAME_WEIGHT if t in FRAME else 1.0 for t in own if t not in name_terms}
    names = frozenset(own) & name_terms
    embed_text = (_without(names, text) or text) if names else text
    return Query(text, weights, embed_text, names, tuple(find_times(text, now)))


def _without(name_terms: Set[str], text: str) -> str:
    """The text less the words that are speakers' names."""
    return " ".join(word for word in text.split() if not (own := terms(word)) or not name_terms >= set(own))
