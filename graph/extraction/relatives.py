"""Words for people by what they are to someone: "my sister", "our neighbour"."""

from dataclasses import dataclass
from typing import Final

from graph.extraction.words import word_set


@dataclass(frozen=True, slots=True)
class Tie:
    """What such a word says: `predicate` holds between the one it is said of and the one who says it."""

    predicate: str
    is_from_other: bool = False
    """Whether the other is the subject: my mother is a parent of me."""
    is_over: bool = False


def _ties(words: str, predicate: str, is_from_other: bool = False, is_over: bool = False) -> dict[str, Tie]:
    return {word: Tie(predicate, is_from_other, is_over) for word in words.split()}


TIES: Final[dict[str, Tie]] = {
    **_ties(
        "mother father mom mum mommy mummy dad daddy mama papa stepmother stepfather stepmom stepdad parent",
        "parent_of",
        True,
    ),
    **_ties("son daughter child kid stepson stepdaughter toddler newborn baby", "parent_of"),
    **_ties("sister brother sibling twin half-sister half-brother stepsister stepbrother sis bro", "sibling_of"),
    **_ties("husband wife spouse hubby", "spouse"),
    **_ties("boyfriend girlfriend partner bf gf", "partner"),
    **_ties("fiancé fiancée fiance fiancee", "engaged_to"),
    **_ties("ex-wife ex-husband", "spouse", is_over=True),
    **_ties("ex-boyfriend ex-girlfriend ex-partner ex", "partner", is_over=True),
    **_ties(
        "cousin aunt auntie uncle niece nephew grandmother grandfather grandma grandpa granny nana grandad "
        "granddad grandson "
        "granddaughter grandparent grandchild mother-in-law father-in-law sister-in-law brother-in-law son-in-law "
        "daughter-in-law godmother godfather godson goddaughter great-aunt great-uncle great-grandmother "
        "great-grandfather",
        "relative_of",
    ),
    **_ties("friend bestie buddy pal", "friend_of"),
    **_ties("colleague coworker co-worker workmate teammate boss manager", "colleague_of"),
    **_ties("neighbour neighbor", "neighbour_of"),
}

OTHERS: Final = word_set(
    "roommate flatmate housemate mentor coach trainer therapist landlord tutor teacher doctor parents "
    "grandparents in-laws"
)
"""People by what they are to someone, for which there is no predicate."""

PEOPLE: Final = TIES.keys() | OTHERS
PETS: Final = word_set(
    "dog cat puppy kitten hamster parrot rabbit bunny turtle tortoise snake lizard gecko goldfish ferret parakeet "
    "budgie canary cockatiel iguana chinchilla hedgehog tarantula guinea-pig pet pup kitty retriever labrador "
    "beagle poodle bulldog dachshund corgi husky terrier tabby"
)

ADJECTIVES: Final = (
    r"\d{1,2}-year-old|older|younger|elder|eldest|oldest|youngest|big|little|best|close|closest|good|"
    r"old|dear|new|twin|late|former|"
    "only|middle|beloved|lovely|wonderful|amazing|sweet|upstairs|downstairs|next-door|childhood|"
    "college|work|school|first|second|"
    "maternal|paternal|step|half|great|adopted|baby|teenage"
)
