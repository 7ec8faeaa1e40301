"""What is had, bought, used, given and got rid of; animals."""

from collections.abc import Iterator
from typing import Final

from graph.extraction.lexicon import ABSTRACT, BRANDS, CONCRETE, EVENTS, LASTING
from graph.extraction.phrases import Span, noun_phrase
from graph.extraction.relatives import PEOPLE, PETS
from graph.extraction.rules.base import AMOUNT, Aspect, Reading, Rule, Said, compiled, forms, head, singular
from graph.extraction.words import COMMON
from graph.model import Scalar
from graph.resolution.givennames import is_given_name
from graph.resolution.names import name_key

_FOR_SOMEONE: Final = compiled(
    rf" (?:myself|ourselves|him|her|them|us|me|(?:my|our|his) (?:\w+ "
    rf")?(?:{'|'.join(sorted(PEOPLE, key=len, reverse=True))})"
    r"(?: [A-Z]\w+)?) (?=(?:an?|some|this|the|two|these|new|another)\b)"
)
_OUT_OF: Final = compiled(r" up ")
_STORE: Final = compiled(r"[^.;!]{0,60}?\b(?:from|at) (?P<store>(?:the )?[^\Wa-z][\w'&-]*(?: [^\Wa-z][\w'&-]*){0,3})")
_GIFT: Final = compiled(
    r"[^.;!]{0,50}?\b(?:as an? (?:[\w-]+ ){0,2}(?:gift|present)|for (?:my|his|her) (?:\w+ )?birthday|for christmas)\b"
)
_FROM_PERSON: Final = compiled(
    rf"[^.;!]{{0,30}}?\bfrom (?:my|our|his|her) (?:\w+ ){{0,2}}(?:{'|'.join(sorted(PEOPLE, key=len, reverse=True))})\b"
)
_NEVER_BOUGHT: Final = ABSTRACT | forms(
    "time coffee lunch dinner breakfast drink drinks house-warming in out into online tickets idea groceries back"
) - forms("part")
_INTO: Final = compiled(r" (?:in|on|myself to|ourselves to) (?=(?:an?|some|this|the|these|new|my|two|another)\b)")
_GOT_WRONG: Final = compiled(
    r" (?:to|into|out|up|back|home|rid|in|on|off|over|through|around|along|away|down|there|here|it|"
    r"married|engaged|so|really)\b"
)


def _qualifiers(reading: Reading, end: int) -> dict[str, Scalar]:
    """Price and shop, where the clause tells them."""
    found: dict[str, Scalar] = {}
    amount = reading.search(AMOUNT, end) or AMOUNT.search(reading.text, reading.after)
    if amount:
        found["amount"] = amount[0].strip()
    store = reading.match(_STORE, end)
    if store and store["store"].split()[-1].lower() not in COMMON:
        found["place"] = store["store"]
    return found


def _nouns(reading: Reading, start: int) -> list[Span]:
    """Those listed; "flea and tick medication" is one."""
    nouns = reading.nouns(start)
    if len(nouns) == 2:
        one, other = nouns
        is_part = (
            " " not in one.text and one.text.islower() and singular(one.text) == one.text and one.text not in CONCRETE
        )
        if is_part and " " in other.text and reading.text[one.end : other.start] == " and ":
            return [Span(one.start, other.end, reading.text[one.start : other.end])]
    return nouns


def _bought_things(reading: Reading, start: int) -> Iterator[Span]:
    for noun in _nouns(reading, start):
        if (
            head(noun) in ABSTRACT
            or noun.text.lower() in ("lunch", "dinner", "coffee", "breakfast")
            or AMOUNT.fullmatch(noun.text)
        ):
            return
        yield noun


def _bought(reading: Reading) -> Iterator[Said]:
    start = reading.after
    if reading.verb.form in ("picked", "stocked"):
        up = reading.match(_OUT_OF)
        if up is None:
            return
        start = up.end() - 1
    elif reading.verb.form in ("invested", "splurged", "treated"):
        into = reading.match(_INTO)
        if into is None:
            return
        start = into.end() - 1
    someone = reading.match(_FOR_SOMEONE, start)
    for noun in _bought_things(reading, someone.end() if someone else start):
        is_loose = reading.verb.form in ("picked", "ordered", "grabbed", "invested")
        if (
            is_loose
            and not _is_thing(noun)
            and not _is_from_shop(reading, noun.end)
            and not reading.search(AMOUNT, noun.end)
        ):
            continue
        yield _pet_or(noun, "bought", reading)


_PAID: Final = compiled(
    rf" (?:about |around |only |almost |over |nearly )?{AMOUNT.pattern} (?:for|on) (?=(?:an?|the|my|some|"
    rf"this|these|new|two) )"
)


def _paid(reading: Reading) -> Iterator[Said]:
    """Reads "I paid $20 for a lamp"."""
    match = reading.match(_PAID)
    noun = reading.noun(match.end()) if match else None
    if noun is not None and singular(head(noun)) in CONCRETE:
        yield _pet_or(noun, "bought", reading)


_CANCELLED: Final = compiled(
    r" (?:my|our) (?P<name>[^\Wa-z][\w+]*(?: [^\Wa-z][\w+]*){0,2})(?: (?:subscription|membership|account|app|plan))?\b"
)


def _cancelled(reading: Reading) -> Iterator[Said]:
    match = reading.match(_CANCELLED)
    if match:
        yield Said("uses", reading.span(match, "name"), aspect="end")


def _is_thing(noun: Span) -> bool:
    return singular(head(noun)) in CONCRETE or noun.text.lower().split()[0] in ("pair",) or _has_name(noun.text)


def _has_name(text: str) -> bool:
    return any(c.isupper() for c in text[1:])


def _pet_or(noun: Span, predicate: str, reading: Reading, aspect: Aspect = "event") -> Said:
    if singular(head(noun)) in PETS:
        return Said("has_pet", noun, "animal", aspect)
    return Said(predicate, noun, aspect=aspect, qualifiers=_qualifiers(reading, noun.end))


_FOR_AMOUNT: Final = compiled(rf"[^.;!]{{0,40}}?\b(?:for|at) (?:only |just |about |around )?{AMOUNT.pattern}")
_SHOP: Final = compiled(
    r"[^.;!,]{0,50}?\b(?:(?:from|at|on) (?:an?|the|this)? ?(?:[\w-]+ ){0,2}(?:store|shop|market|sale|"
    r"boutique|dealer|mall|outlet)|on sale|on (?:amazon|ebay|etsy))\b"
)


def _is_from_shop(reading: Reading, start: int) -> bool:
    store = reading.match(_STORE, start)
    is_named = store is not None and not is_given_name(name_key(store["store"]).split(" ")[0])
    return is_named or reading.match(_SHOP, start) is not None


def _got(reading: Reading) -> Iterator[Said]:
    """Had ("I've got a"), given ("got as a gift"), or bought; only what can be held, for one also gets colds and ideas."""
    if reading.match(_GOT_WRONG):
        return
    someone = reading.match(_FOR_SOMEONE)
    nouns = _nouns(reading, someone.end() if someone else reading.after)
    if not nouns or (reading.clause.must_be_past and reading.verb.tense == "present"):
        return
    last = nouns[-1].end
    is_gift = bool(reading.match(_GIFT, last) or reading.match(_FROM_PERSON, last))
    is_sold = bool(reading.match(_FOR_AMOUNT, last)) or (not is_gift and _is_from_shop(reading, last))
    for noun in nouns:
        word = singular(head(noun))
        if word in PETS or noun.text.lower().endswith(
            ("gift card", "voucher", "coupon", "discount", "refund", "deal", "free")
        ):
            continue
        if not (
            word in CONCRETE
            or _model(noun)
            or (is_sold and word not in ABSTRACT | EVENTS)
            or (is_gift and word not in ABSTRACT)
        ):
            continue
        if reading.verb.tense == "perfect" and _is_contracted(reading):
            yield Said("owns", noun)
        else:
            predicate = "owns" if is_gift else "bought"
            yield Said(predicate, noun, aspect="event", qualifiers=_qualifiers(reading, noun.end))


def _is_contracted(reading: Reading) -> bool:
    """Whether "got" stands for have: "I've got a piano", not "I've recently got a piano"."""
    return not reading.verb.adverbs


def _given(reading: Reading) -> Iterator[Said]:
    start = reading.after
    if reading.verb.form == "be":
        match = reading.match(compiled(r"(?:recently |just )?(?:given|gifted) "))
        if match is None:
            return
        start = match.end()
    for noun in reading.nouns(start):
        if singular(head(noun)) in LASTING or (reading.verb.form == "inherited" and head(noun) not in ABSTRACT):
            yield Said("owns", noun, aspect="event")


_ADDED: Final = compiled(r" [^.;!]{1,80}? to (?:my|our) (?:[\w'-]+ ){0,3}collection\b")


def _added(reading: Reading) -> Iterator[Said]:
    if reading.match(_ADDED):
        for noun in reading.nouns(reading.after):
            yield Said("owns", noun, aspect="event")


def _has(reading: Reading) -> Iterator[Said]:
    is_kept = reading.verb.tense == ("perfect" if reading.verb.form == "had" else "present")
    if not is_kept or reading.match(compiled(r" (?:to|no|never|been|got|it|always)\b")):
        return
    if not reading.match(
        compiled(
            r" (?:an?|two|three|four|five|six|several|some|my|our|one|both|the|this|\d+|this|another|quite a|multiple) "
        )
    ):
        return
    for noun in reading.nouns(reading.after):
        word = singular(head(noun))
        if (word in LASTING or _model(noun)) and not reading.match(
            compiled(r" (?:appointment|problem|issue|question|idea)"), noun.end
        ):
            yield Said("owns", noun)


def _model(noun: Span) -> bool:
    """A product by its name: "Fitbit Charge 3", "Nikon D750", but no "PhD" and no "French exam"."""
    last = noun.text.split()[-1]
    if not BRANDS.isdisjoint(noun.text.lower().split()):
        return True
    return any(c.isdigit() for c in last[-2:]) and any(c.isupper() for c in noun.text)


_OWN_STOP: Final = forms("business company up it")


def _owns(reading: Reading) -> Iterator[Said]:
    for noun in reading.nouns(reading.after):
        if head(noun) not in ABSTRACT | _OWN_STOP:
            yield _pet_or(noun, "owns", reading, "state")


_HAS_PET: Final = compiled(
    rf" (?:an?|two|three|four|five|another|our|my|this|\d)(?: [\w'-]+){{0,4}}? (?P<pet>(?:guinea pig|"
    rf"{'|'.join(sorted(PETS, key=len, reverse=True))})(?:e?s)?)\b(?! (?:bed|food|toy|house|collar|"
    rf"person|lover|sitter|park|owner|grooming|show|walker))"
)
_PET_NAME: Final = compiled(r",? ?(?:who(?:'s| is) )?(?:named|called|,|:|-|—) ?")


def _has_pet(reading: Reading) -> Iterator[Said]:
    match = reading.match(_HAS_PET)
    if match is None:
        return
    aspect: Aspect = (
        "state"
        if reading.verb.form in ("have", "has", "had") or (reading.verb.form == "got" and _is_have(reading))
        else "event"
    )
    named = reading.match(_PET_NAME, match.end())
    pets = reading.names(named.end()) if named else []
    if pets and pets[0].text.split()[0].lower() not in COMMON:
        for pet in pets:
            yield Said("has_pet", pet, "pet", aspect, {"kind": singular(match["pet"].lower())})
        return
    for noun in reading.nouns(reading.after):
        if singular(head(noun)) in PETS | {"pig"}:
            yield Said("has_pet", noun, "animal", aspect)


def _is_have(reading: Reading) -> bool:
    return reading.verb.tense == "perfect"


_RID: Final = compiled(r" (?:my|our|his|her|the)(?: old)? ")
_AWAY: Final = compiled(r" away (?:my|our|his|her|the)(?: old)? ")
_RID_OF: Final = compiled(r" rid of (?:my|our|his|her|the)(?: old)? ")


def _rid(reading: Reading) -> Iterator[Said]:
    match = (
        reading.match(_AWAY)
        or reading.match(_RID_OF)
        or (reading.match(_RID) if reading.verb.form in ("sold", "donated") else None)
    )
    noun = reading.noun(match.end() - 1) if match else None
    if noun is not None and (singular(head(noun)) in CONCRETE | LASTING or _model(noun)):
        yield Said("owns", noun, aspect="end")


_NOT_USED: Final = ABSTRACT | forms(
    "to public transportation transport ingredient ingredients butter flour sugar salt oil vinegar "
    "water milk cream cheese "
    "onion garlic herb spice stairs language english data model data library formula code function loop variable "
    "template prompt keyword hashtag photo picture image story humor time money credit knowledge skill"
)
_SWITCHED: Final = compiled(
    r" (?:back |over )?(?:from (?P<from>[^,.;]{1,50}?) )?(?:back |over )?to (?=(?:using |an? |the |my )?\S)"
)
_USING: Final = compiled(r"(?:using )?")


def _used_things(reading: Reading, start: int) -> Iterator[Span]:
    for noun in reading.nouns(start):
        last = noun.text.split()[-1]
        if last.islower() and (singular(last) in _NOT_USED or last in _NOT_USED):
            return
        if noun.text.lower().startswith(("same ", "different ", "combination", "mix ")):
            return
        yield noun


def _uses(reading: Reading) -> Iterator[Said]:
    verb = reading.verb
    if reading.match(compiled(r" (?:to|it|that|this|them)\b")) or verb.tense == "past":
        return
    if verb.tense == "perfect" and not verb.is_progressive and verb.negation == "" and not verb.adverbs & {"always"}:
        return
    for noun in _used_things(reading, reading.after):
        if _is_product(noun) or verb.negation == "no_longer":
            yield Said("uses", noun)


def _is_product(noun: Span) -> bool:
    return (
        _has_name(noun.text)
        or noun.text[0].isupper()
        or singular(head(noun)) in CONCRETE | forms("app software tool service planner tracker")
    )


def _switched(reading: Reading) -> Iterator[Said]:
    match = reading.match(_SWITCHED)
    if match is None:
        return
    using = reading.match(_USING, match.end())
    start = using.end() if using else match.end()
    new = reading.name(start)
    noun = new or reading.noun(start)
    if noun is None or not (new or _is_product(noun)):
        return
    old = noun_phrase(reading.text, match.start("from"), match.end("from")) if match["from"] else None
    if old is not None:
        yield Said("uses", old, aspect="end")
    yield Said("uses", noun, aspect="event")


def _subscribed(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" (?:up )?(?:to|for) (?:an? )?"))
    service = reading.name(match.end()) if match else None
    if service is not None and reading.match(
        compiled(r"\s*(?:$|[,.;!]| (?:premium|plus|subscription|membership|and|last|in|a|to|so|because))"), service.end
    ):
        yield Said("uses", service, aspect="event")


def _is_subscribed(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r"subscribed to "))
    service = reading.name(match.end()) if match else None
    if service is not None:
        yield Said("uses", service)


RULES: Final = (
    Rule(
        "bought",
        forms("bought purchased ordered picked grabbed invested splurged treated snagged"),
        _bought,
        "I bought a coffee maker for 59 euros last Saturday.",
    ),
    Rule("paid", forms("paid spent"), _paid, "I paid $20 for a lamp."),
    Rule("cancelled", forms("cancelled canceled deleted"), _cancelled, "I cancelled my Netflix subscription."),
    Rule("got", forms("got"), _got, "I got a new lamp from Ikea."),
    Rule("given", forms("received inherited be"), _given, "I inherited my grandmother's ring."),
    Rule("added", forms("added"), _added, "I added 20 baseballs to my collection."),
    Rule("has", forms("have has had"), _has, "I have an upright piano."),
    Rule("owns", forms("own owns owned"), _owns, "We own a boat."),
    Rule(
        "has_pet", forms("have has had got adopted own owns bought rescued"), _has_pet, "We adopted a cat named Luna."
    ),
    Rule("rid", forms("sold gave got donated threw"), _rid, "I sold my car last month."),
    Rule("uses", forms("use uses using used"), _uses, "I use Notion."),
    Rule("switched", forms("switched"), _switched, "I switched from Spotify to Tidal."),
    Rule("is_subscribed", forms("be"), _is_subscribed, "I'm subscribed to Netflix."),
    Rule("subscribed", forms("subscribed subscribe signed"), _subscribed, "I subscribed to Netflix."),
)
