"""Which stored names are worth comparing with a new one, found by equality so that an index can.

A name has a bounded set of blocking keys; whoever shares one is a candidate; the most alike are compared (blocking: Papadakis
et al. 2020, section 3; MinHash and its bands: Broder 1997, Leskovec et al., Mining of Massive Datasets, section 3.4).

MinHash is our own 20 lines: `datasketch` brings scipy and costs half a second at start, for 16 hashes of a name.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import Final
from zlib import crc32

from rapidfuzz import fuzz

from graph.limits import MAX_CANDIDATES
from graph.resolution.givennames import family
from graph.resolution.names import compact
from graph.resolution.rules import NameForm, acronyms, compare, spelling, without_legal_form
from graph.resolution.words import FILLERS, LEGAL_FORMS

MAX_BLOCKING_KEYS: Final = 24
BLOCKING_VERSION: Final = 1
"""To be raised whenever a name's blocking keys change, so that a store knows to index anew."""

_MAX_WORDS: Final = 6
_BANDS: Final = 8
_ROWS: Final = 2
"""Names of Jaccard .5 share a band with probability .9, of .2 with .28."""

_GUESSES: Final = ("Person", "Organization", "Place")
_SHORTLIST: Final = 3
"""How many times more names are tried by the rules than are returned."""

_PRIME: Final = (1 << 61) - 1
_GRAM: Final = 3


def _coefficients() -> tuple[tuple[int, int], ...]:
    """The same on every machine and in every version: made by a hash, not by a generator."""
    raw = [int.from_bytes(blake2b(b"minhash %d" % i, digest_size=8).digest(), "big") % _PRIME for i in range(32)]
    return tuple((raw[2 * i] or 1, raw[2 * i + 1]) for i in range(_BANDS * _ROWS))


_COEFFICIENTS: Final = _coefficients()


def blocking_keys(key: str) -> frozenset[str]:
    """At least one and at most `MAX_BLOCKING_KEYS` short strings; two names that any rule links share one."""
    return frozenset(islice(dict.fromkeys(_keys(key)), MAX_BLOCKING_KEYS))


def _keys(key: str) -> Iterator[str]:
    words = spelling(key)
    core = without_legal_form(key)[0]
    told = [word for word in words if word not in FILLERS and word not in LEGAL_FORMS and len(word) > 1]
    yield f"c:{compact(' '.join(words))[:64]}"
    yield from (f"w:{word[:64]}" for word in _spread(told) or words[:1])
    yield from (f"n:{name}" for word in (words[0], words[-1]) if (name := family(word)))
    yield f"s:{words[0][:1]}|{words[-1][:3]}"
    yield from (f"a:{letters[:8]}" for letters in sorted(acronyms(core) | acronyms(words)))
    if len(words) == 1 and 3 <= len(key) <= 8:
        yield f"a:{key}"
    yield from _bands(compact(key))


def _spread(words: list[str]) -> list[str]:
    """The first and the last, which weigh most in a name of many words."""
    half = _MAX_WORDS // 2
    return words if len(words) <= _MAX_WORDS else words[:half] + words[-half:]


def _bands(text: str) -> Iterator[str]:
    hashes = [crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams(text)]
    signature = [min((a * h + b) % _PRIME for h in hashes) for a, b in _COEFFICIENTS]
    for band in range(_BANDS):
        rows = signature[band * _ROWS : (band + 1) * _ROWS]
        yield f"m:{band}:{crc32(repr(rows).encode()):08x}"


def grams(text: str) -> set[str]:
    """Sets of three characters; the text itself where it is shorter."""
    return {text[i : i + _GRAM] for i in range(max(1, len(text) - _GRAM + 1))}


def rank(key: str, others: Iterable[str], limit: int = MAX_CANDIDATES) -> list[str]:
    """The `limit` names most worth comparing: those that a rule links first, then the most alike. Never `key` itself."""
    alike = _alike(key, others)
    forms = [NameForm(key, kind) for kind in _GUESSES]
    return sorted(alike[: _SHORTLIST * limit], key=lambda other: -_trust(forms, other))[:limit]


def linked(key: str, others: Iterable[str], limit: int = MAX_CANDIDATES) -> list[str]:
    """Of the `limit` names most worth comparing, those that a rule links, whatever type their bearers turn out to have."""
    forms, things = [NameForm(key, kind) for kind in _GUESSES], NameForm(key)
    trusted = [(other, _trust(forms, other)) for other in _alike(key, others)[: _SHORTLIST * limit]]
    trusted.sort(key=lambda pair: -pair[1])
    return [other for other, trust in trusted[:limit] if trust or compare(things, NameForm(other)) is not None]


def _alike(key: str, others: Iterable[str]) -> list[str]:
    return sorted({other for other in others if other != key}, key=lambda other: (-_likeness(key, other), other))


def _likeness(key: str, other: str) -> float:
    named = 100.0 if family(key.partition(" ")[0]) == family(other.partition(" ")[0]) is not None else 0.0
    return max(fuzz.token_set_ratio(key, other), 0.9 * named) + fuzz.ratio(key, other) / 100


def _trust(forms: Iterable[NameForm], other: str) -> float:
    """Of whatever type both may be: a wrong guess only costs a comparison."""
    links = (compare(form, NameForm(other, form.type)) for form in forms)
    return next((link.score for link in links if link is not None), 0.0)
