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
    about: str = ""
    """Words by which people ask for it, beside those that it is told in."""
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
        _entity(
            "lives_in", "functional", "lives in", "lived in", about="live living home reside town city country address"
        ),
        _entity("born_in", "constant", "was born in", identifies=True, about="born birthplace"),
        _entity("comes_from", "accumulating", "comes from", about="from origin"),
        _literal("born_on", "constant", "was born on", identifies=True, about="born birthday birth date"),
        _literal("birthday", "constant", "has their birthday on", identifies=True, about="born birth date"),
        _literal("age", "functional", "is aged", "was aged", about="old age"),
        _literal("occupation", "functional", "works as", "worked as", about="work job profession occupation"),
        _literal("email", "accumulating", "has the email address", about="email mail"),
        _literal("phone", "accumulating", "has the phone number", about="phone number telephone"),
        _literal("nationality", "accumulating", "is", about="nationality citizen"),
        # work and study
        _entity("works_at", "functional", "works at", "worked at", about="work job employer company"),
        _entity("studies_at", "functional", "studies at", "studied at", about="study school university college"),
        _literal("studies", "accumulating", "studies", "studied", about="study subject major"),
        _literal("degree", "accumulating", "has a degree in", about="degree graduate study"),
        _entity("member_of", "accumulating", "is a member of", "was a member of", about="member club group"),
        # people
        _entity(
            "spouse",
            "functional",
            "is married to",
            "was married to",
            is_symmetric=True,
            about="married marry husband wife spouse",
        ),
        _entity(
            "partner",
            "functional",
            "is together with",
            "was together with",
            is_symmetric=True,
            about="partner boyfriend girlfriend dating",
        ),
        _entity(
            "engaged_to",
            "functional",
            "is engaged to",
            "was engaged to",
            is_symmetric=True,
            about="engaged fiance fiancee",
        ),
        _entity(
            "parent_of",
            "accumulating",
            "is a parent of",
            inverse="child_of",
            about="parent mother father mom dad child children son daughter kids",
        ),
        _entity("sibling_of", "accumulating", "is a sibling of", is_symmetric=True, about="sibling brother sister"),
        _entity("relative_of", "accumulating", "is a relative of", is_symmetric=True, about="relative family"),
        _entity("friend_of", "accumulating", "is a friend of", "was a friend of", is_symmetric=True, about="friend"),
        _entity(
            "colleague_of", "accumulating", "works with", "worked with", is_symmetric=True, about="colleague coworker"
        ),
        _entity(
            "neighbour_of",
            "accumulating",
            "is a neighbour of",
            "was a neighbour of",
            is_symmetric=True,
            about="neighbour neighbor",
        ),
        # things and animals
        _entity("has_pet", "accumulating", "has the pet", "had the pet", about="pet dog cat animal"),
        _literal("owns", "accumulating", "owns", "owned", about="own have possess"),
        _literal("bought", "accumulating", "bought", about="buy purchase"),
        # places and happenings
        _entity("visited", "accumulating", "visited", about="visit travel trip been"),
        _literal("attended", "accumulating", "attended", about="attend event go"),
        # tastes, habits and state
        _literal("likes", "accumulating", "likes", "liked", about="like love enjoy favourite favorite hobby"),
        _literal("dislikes", "accumulating", "dislikes", "disliked", about="dislike hate"),
        _literal("favourite", "accumulating", "has the favourite", "had the favourite", about="favourite favorite"),
        _literal("plays", "accumulating", "plays", "played", about="play instrument sport game"),
        _literal("speaks", "accumulating", "speaks", about="speak language"),
        _literal("allergic_to", "accumulating", "is allergic to", about="allergy allergic"),
        _literal("diet", "functional", "eats", "ate", about="diet eat vegetarian vegan"),
        _literal("uses", "accumulating", "uses", "used", about="use"),
    )
}

INVERSES: Final[dict[str, str]] = {p.inverse: p.name for p in CATALOGUE.values() if p.inverse is not None}


def register(own: Predicate) -> None:
    """Adds a predicate of a user's own, for this process. Raises ValueError where another has its name."""
    if CATALOGUE.setdefault(own.name, own) != own or own.name in INVERSES:
        raise ValueError(f"the predicate {own.name!r} is in the catalogue already, and is another")
    if own.inverse is not None:
        INVERSES[own.inverse] = own.name


def predicate(name: str) -> Predicate:
    """The catalogue's entry, or an accumulating one made from the name."""
    known = CATALOGUE.get(name)
    return known or Predicate(name, "accumulating", "entity", name.replace("_", " "))
