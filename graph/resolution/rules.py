"""When two names are one: rules in the order of how seldom they err.

A rule may link for sure, or only while the fuller name is the only one that fits ("Katherine" is Katherine Jones until another
Katherine appears); then its link names the partial side. Where in doubt there is no link: two entities that ought to be one
cost a question an answer, one entity that ought to be two gives a wrong one.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from graph.resolution.evidence import ANY_TYPE, are_types_apart
from graph.resolution.givennames import are_variants, is_given_name, is_short_for
from graph.resolution.names import compact
from graph.resolution.typos import is_typo
from graph.resolution.words import FILLERS, GENDERED, GENERATIONS, LEGAL_FAMILIES, LEGAL_FORMS, REGIONS

NO_PEOPLE: Final = frozenset(
    {"Place", "Organization", "Product", "Event", "Animal", "Work", "Group", "Topic", "Date", "Object"}
)
"""Types whose names are not made of given and family names. A type of a user's own may be a kind of person."""


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name as the rules see it."""

    key: str
    """From `name_key`."""
    type: str = ANY_TYPE
    aliases: frozenset[str] = field(default_factory=frozenset[str])
    """Keys of other names that some text gives it."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two names that may be one."""

    rule: str
    score: float
    """In (0, 1]: an order of trust, not a probability."""
    partial: str | None = None
    """The key that says less, where the link holds only if one fuller name fits."""

    @property
    def is_ambiguous_without_unique(self) -> bool:
        return self.partial is not None


Rule: TypeAlias = Callable[[NameForm, NameForm], Link | None]


def compare(a: NameForm, b: NameForm) -> Link | None:
    """The first rule that links the two, or None. Symmetric."""
    if a.key > b.key:
        a, b = b, a
    if are_types_apart(a.type, b.type):
        return None
    if a.key == b.key:
        return Link("same", 1.0)
    if b.key in a.aliases or a.key in b.aliases:
        return Link("alias", 1.0)
    if _numbers(a.key) != _numbers(b.key) or _generation(a.key) != _generation(b.key):
        return None  # Route 66 is not Route 67, nor a father his son
    return next((link for rule in RULES if (link := rule(a, b)) is not None), None)


@lru_cache(maxsize=16_384)
def _numbers(key: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", key))


def _generation(key: str) -> str | None:
    last = key.rpartition(" ")[2]
    return {"junior": "jr", "senior": "sr"}.get(last, last) if last in GENERATIONS else None


# --- any kind of name -----------------------------------------------------------------------------------------------


def _spelling(a: NameForm, b: NameForm) -> Link | None:
    """ "You Tube" and "YouTube", "Mueller" and "Müller", "Семён" and "Семен", with and without points or accents."""
    ours, theirs = (compact(" ".join(spelling(form.key))) for form in (a, b))
    return Link("spelling", 0.96) if ours == theirs and len(ours) >= (4 if ours.isascii() else 2) else None


_OPTIONAL_MARKS: Final = re.compile("[\u0300\u0301\u0308\u0342\u064b-\u065f\u0670\u0640\u05b0-\u05c7]")
"""Greek accents, Arabic and Hebrew vowel points: people leave them out."""

_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")


@lru_cache(maxsize=16_384)
def spelling(key: str) -> tuple[str, ...]:
    """The words of a key with ways of writing one letter made alike, and without a leading article."""
    bare = _OPTIONAL_MARKS.sub("", unicodedata.normalize("NFD", key) if _GREEK.search(key) else key).replace("ё", "е")
    words = tuple(bare.split()) or tuple(key.split())
    words = words[1:] if len(words) > 1 and words[0] == "the" else words
    return tuple(word if is_given_name(word) else re.sub("(?<=[aou])e(?=[^aeiou])", "", word) for word in words)


def _reordered(a: NameForm, b: NameForm) -> Link | None:
    """ "Jones Katherine"; "University of Porto" and "Porto University". But "James Taylor" is no "Taylor James"."""
    dropped = frozenset[str]() if _is_person(a, b) else FILLERS
    ours, theirs = (sorted(word for word in spelling(form.key) if word not in dropped) for form in (a, b))
    if ours != theirs or len(ours) < 2:
        return None
    are_names = all(is_given_name(word) for word in ours)
    return None if are_names and _may_be_person(a, b) else Link("reordered", 0.95)


def _typo(a: NameForm, b: NameForm) -> Link | None:
    """One slip in one word, all others alike. In a lone name of a person it does not settle who is meant."""
    ours, theirs = spelling(a.key), spelling(b.key)
    places = [place for place, (x, y) in enumerate(zip(ours, theirs, strict=False)) if x != y]
    if len(ours) != len(theirs) or len(places) != 1:
        return None
    one, other = ours[places[0]], theirs[places[0]]
    if not is_typo(one, other, is_given=places[0] == 0):
        return None
    if len(ours) > 1:
        return Link("typo", 0.88)
    if min(len(one), len(other)) < (8 if ANY_TYPE in (a.type, b.type) else 7):
        return None
    return Link("typo", 0.8, _less_known(a.key, b.key) if _may_be_person(a, b) else None)


def _less_known(one: str, other: str) -> str:
    return min((is_given_name(one), one), (is_given_name(other), other))[1]


# --- people ---------------------------------------------------------------------------------------------------------


def _may_be_person(a: NameForm, b: NameForm) -> bool:
    return not {a.type, b.type} & NO_PEOPLE


def _is_person(a: NameForm, b: NameForm) -> bool:
    return "Person" in (a.type, b.type) and _may_be_person(a, b)


def _full_names(a: NameForm, b: NameForm) -> Link | None:
    """Names of two words and more: one family name, and given names that are one, short or an initial of another."""
    ours, theirs = spelling(a.key), spelling(b.key)
    if min(len(ours), len(theirs)) < 2 or not _may_be_person(a, b) or {ours[0], theirs[0]} & GENDERED:
        return None
    first, last = _given(ours[0], theirs[0]), _family(ours[-1], theirs[-1])
    if first is None or last is None or not _is_middle_alike(ours[1:-1], theirs[1:-1]):
        return _added_family_name(a, b, ours, theirs)
    if not _is_one_the_briefer(ours, theirs):
        return None
    if not _is_person(a, b) and not any(is_given_name(words[0]) for words in (ours, theirs)):
        return None
    rule, score = min((first, last), key=lambda how: how[1])
    side = _briefer(ours, theirs)
    return Link(rule, score, None if side is None else (a.key, b.key)[side])


_Match: TypeAlias = tuple[str, float]


def _given(x: str, y: str) -> _Match | None:
    if x == y:
        return "middle name", 0.93
    if are_variants(x, y):
        return "variant", 0.92
    if is_short_for(x, y) or is_short_for(y, x):
        return "nickname", 0.9
    return ("initial", 0.8) if _is_initial(x, y) else None


def _family(x: str, y: str) -> _Match | None:
    if x == y:
        return ("family name", 0.99) if len(x) > 1 else None
    return ("initial", 0.78) if _is_initial(x, y) else None


def _is_initial(x: str, y: str) -> bool:
    return min(len(x), len(y)) == 1 and max(len(x), len(y)) > 1 and x[0] == y[0] and (x + y).isalpha()


def _is_middle_alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """One side has none, or both have the same, perhaps as initials."""
    if not ours or not theirs:
        return True
    pairs = list(zip(ours, theirs, strict=False))
    return len(ours) == len(theirs) and all(x == y or _is_initial(x, y) for x, y in pairs)


def _briefer(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """Which of the two says less: has initials, no middle name, or a short form; None where both say as much."""
    for one, other in zip(_fulness(ours), _fulness(theirs), strict=True):
        if one != other:
            return 0 if one < other else 1
    if is_short_for(ours[0], theirs[0]):
        return 0
    return 1 if is_short_for(theirs[0], ours[0]) else None


def _is_one_the_briefer(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Not "A. J. Reed" and "Andrew Reed", each of which says something that the other does not."""
    short, long = sorted((ours, theirs), key=len)
    return len(short) == len(long) or not any(_is_initial(x, y) and len(y) == 1 for x, y in _ends(short, long))


def _ends(ours: Sequence[str], theirs: Sequence[str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return (ours[0], theirs[0]), (ours[-1], theirs[-1])


def _fulness(words: Sequence[str]) -> tuple[int, int, int]:
    ends = (words[0], words[-1])
    return sum(len(word) > 1 for word in ends), len(words), sum(len(word) > 1 for word in words)


def _added_family_name(a: NameForm, b: NameForm, ours: Sequence[str], theirs: Sequence[str]) -> Link | None:
    """ "Carlos García" and "Carlos García López"."""
    short, long, key = (ours, theirs, a.key) if len(ours) < len(theirs) else (theirs, ours, b.key)
    is_added = len(short) == 2 and len(long) == 3 and tuple(long[:2]) == tuple(short)
    is_fit = is_added and _is_person(a, b) and len(short[0]) > 1 and len(short[1]) > 1
    return Link("added family name", 0.85, key) if is_fit else None


def _lone_name(a: NameForm, b: NameForm) -> Link | None:
    """ "Katherine", "Kate" or "Jones" and "Katherine Jones"; "Kate" and "Katherine"."""
    ours, theirs = a.key.split(), b.key.split()
    if min(len(ours), len(theirs)) != 1 or not _is_person(a, b):
        return None
    if len(ours) == len(theirs):
        return _lone_names(a.key, b.key)
    lone, full = (ours[0], theirs) if len(ours) == 1 else (theirs[0], ours)
    if len(lone) < 2 or full[0] in GENDERED:
        return None
    if lone == full[0]:
        return Link("first name", 0.7, lone)
    if is_short_for(lone, full[0]):
        return Link("short first name", 0.65, lone)
    is_family = lone == full[-1] and not is_given_name(lone)
    return Link("family name", 0.6, lone) if is_family else None


def _lone_names(one: str, other: str) -> Link | None:
    if is_short_for(one, other):
        return Link("short first name", 0.65, one)
    if is_short_for(other, one):
        return Link("short first name", 0.65, other)
    return Link("variant", 0.65, _less_known(one, other)) if are_variants(one, other) else None


# --- organizations, places and things -------------------------------------------------------------------------------


def _legal_form(a: NameForm, b: NameForm) -> Link | None:
    """ "Acme", "Acme Inc." and "Acme Corporation". But "Acme GmbH" is another firm than "Acme Inc."."""
    (ours, forms), (theirs, others) = without_legal_form(a.key), without_legal_form(b.key)
    if not (forms or others) or ours != theirs or {a.type, b.type} & {"Person", "Place"}:
        return None
    if forms and others:
        return Link("legal form", 0.94) if forms == others else None
    return Link("legal form", 0.92, b.key if forms else a.key)


@lru_cache(maxsize=16_384)
def without_legal_form(key: str) -> tuple[tuple[str, ...], str]:
    """The words before "Inc." and the like, and the kind of law that the last of those follows; "" if there is none."""
    words = spelling(key)
    form = ""
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        form = LEGAL_FAMILIES.get(words[-1], words[-1])
        words = words[:-1]
    return words, form


def _acronym(a: NameForm, b: NameForm) -> Link | None:
    """ "IBM" and "International Business Machines": three letters and more, for two fit too much."""
    if "Person" in (a.type, b.type):
        return None
    for short, long in ((a, b), (b, a)):
        if any(is_acronym(short.key, words) for words in (spelling(long.key), without_legal_form(long.key)[0])):
            return Link("acronym", 0.82, short.key)
    return None


def is_acronym(short: str, words: Sequence[str]) -> bool:
    return 3 <= len(short) <= 8 and " " not in short and short in acronyms(words)


def acronyms(words: Sequence[str]) -> set[str]:
    """Of a name of three words or more, with and without its "of" and "the"."""
    told = [word for word in words if word not in FILLERS]
    return {"".join(word[0] for word in some) for some in (words, told) if len(some) >= 3}


def _within_region(a: NameForm, b: NameForm) -> Link | None:
    """ "Paris" and "Paris, Texas"."""
    if "Place" not in (a.type, b.type) or {a.type, b.type} & {"Person", "Organization"}:
        return None
    short, long = sorted((a.key, b.key), key=len)
    is_within = long.startswith(f"{short} ") and long[len(short) + 1 :] in REGIONS
    return Link("region", 0.75, short) if is_within else None


RULES: Final[tuple[Rule, ...]] = (
    _spelling,
    _reordered,
    _legal_form,
    _full_names,
    _typo,
    _acronym,
    _within_region,
    _lone_name,
)
"""By precision; the first that speaks is heard."""
