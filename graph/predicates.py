"""The catalogue of predicates: how many of one may hold at once, what their objects are, and which is another's inverse.

Functional ones close their predecessor; all others accumulate. A predicate that is not in the catalogue accumulates: nothing is
closed that no rule names.
"""

from dataclasses import dataclass
from typing import Final, Literal

Cardinality = Literal["functional", "accumulating", "constant"]
"""functional: one at a time; accumulating: any number; constant: one for ever, so that another value is a correction."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A kind of fact."""

    name: str
    cardinality: Cardinality
    object: Literal["entity", "literal"]
    says: str
    """How it reads between subject and object."""
    past: str = ""
    """The same once it has ended; `says` where empty."""
    inverse: str | None = None
    """Claims of the inverse are turned round and kept under this predicate."""
    is_symmetric: bool = False
    identifies: bool = False
    """Its value cannot change in a life, so two who differ in it are two."""


def _entity(name: str, cardinality: Cardinality, says: str, past: str = "", **more: object) -> Predicate:
    return Predicate(name, cardinality, "entity", says, past, **more)  # type: ignore[arg-type]


def _literal(name: str, cardinality: Cardinality, says: str, past: str = "", **more: object) -> Predicate:
    return Predicate(name, cardinality, "literal", says, past, **more)  # type: ignore[arg-type]


CATALOGUE: Final[dict[str, Predicate]] = {
    predicate.name: predicate
    for predicate in (
        # where and what one is
        _entity("lives_in", "functional", "lives in", "lived in"),
        _entity("born_in", "constant", "was born in", identifies=True),
        _entity("comes_from", "accumulating", "comes from"),
        _literal("born_on", "constant", "was born on", identifies=True),
        _literal("birthday", "constant", "has their birthday on", identifies=True),
        _literal("age", "functional", "is aged", "was aged"),
        _literal("occupation", "functional", "works as", "worked as"),
        _literal("email", "accumulating", "has the email address"),
        _literal("phone", "accumulating", "has the phone number"),
        _literal("nationality", "accumulating", "is"),
        # work and study
        _entity("works_at", "functional", "works at", "worked at"),
        _entity("studies_at", "functional", "studies at", "studied at"),
        _literal("studies", "accumulating", "studies", "studied"),
        _literal("degree", "accumulating", "has a degree in"),
        _entity("member_of", "accumulating", "is a member of", "was a member of"),
        # people
        _entity("spouse", "functional", "is married to", "was married to", is_symmetric=True),
        _entity("partner", "functional", "is together with", "was together with", is_symmetric=True),
        _entity("engaged_to", "functional", "is engaged to", "was engaged to", is_symmetric=True),
        _entity("parent_of", "accumulating", "is a parent of", inverse="child_of"),
        _entity("sibling_of", "accumulating", "is a sibling of", is_symmetric=True),
        _entity("relative_of", "accumulating", "is a relative of", is_symmetric=True),
        _entity("friend_of", "accumulating", "is a friend of", "was a friend of", is_symmetric=True),
        _entity("colleague_of", "accumulating", "works with", "worked with", is_symmetric=True),
        _entity("neighbour_of", "accumulating", "is a neighbour of", "was a neighbour of", is_symmetric=True),
        # things and animals
        _entity("has_pet", "accumulating", "has the pet", "had the pet"),
        _literal("owns", "accumulating", "owns", "owned"),
        _literal("bought", "accumulating", "bought"),
        # places and happenings
        _entity("visited", "accumulating", "visited"),
        _literal("attended", "accumulating", "attended"),
        # tastes, habits and state
        _literal("likes", "accumulating", "likes", "liked"),
        _literal("dislikes", "accumulating", "dislikes", "disliked"),
        _literal("favourite", "accumulating", "has the favourite", "had the favourite"),
        _literal("plays", "accumulating", "plays", "played"),
        _literal("speaks", "accumulating", "speaks"),
        _literal("allergic_to", "accumulating", "is allergic to"),
        _literal("diet", "functional", "eats", "ate"),
        _literal("uses", "accumulating", "uses", "used"),
    )
}

INVERSES: Final = {p.inverse: p.name for p in CATALOGUE.values() if p.inverse is not None}


def predicate(name: str) -> Predicate:
    """The catalogue's entry, or an accumulating one made from the name."""
    known = CATALOGUE.get(name)
    return known or Predicate(name, "accumulating", "entity", name.replace("_", " "))
