"""What is said of something of somebody's: "my birthday is", "Kofi's phone number is", "my favourite colour is"."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from graph.extraction.clauses import Clause
from graph.extraction.lexicon import LANGUAGES, VALUED
from graph.extraction.phrases import Span, is_name_word, listed, name, noun_phrase
from graph.extraction.relatives import PETS
from graph.extraction.rules.base import DATE, Said, compiled, forms
from graph.extraction.words import COMMON

_IS: Final = r"(?:'s| is| are)"
_BIRTHDAY: Final = compiled(
    rf" ?(?:birthday|bday|b-day|date of birth){_IS} (?:on |coming up on |always on )?(?P<date>{DATE})"
)
_BIRTHDAY_DATE: Final = compiled(r"\d{4}")
_EMAIL: Final = compiled(
    rf" ?(?:[\w-]+ )?e-?mail(?: address)?(?: id)?(?:{_IS}|:) "
    rf"(?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}})"
)
_PHONE: Final = compiled(
    rf" ?(?:new |old )?(?:phone|cell|mobile|telephone|work|home|whatsapp)?(?: phone)? ?(?:number|phone|"
    rf"cell|mobile)(?:{_IS}|:)(?: now)? (?P<phone>\+?\(?\d[\d ().-]{{5,20}}\d)"
)
_AGE: Final = compiled(rf" ?age{_IS} (?P<age>\d{{1,3}})\b")
_FAVOURITE: Final = compiled(
    rf" ?(?:all[- ]time |absolute |current |personal )?favou?rite (?P<kind>[\w' -]{{1,40}}?)(?:{_IS}| "
    rf"(?:has|have) (?:always |to )?be(?:en)?)(?: probably| definitely| still| now| actually| always)? "
)
_VALUED: Final = compiled(
    rf" ?(?:new |old |current |main )?(?P<thing>{'|'.join(sorted(VALUED))})(?:{_IS})(?: actually| just| "
    rf"currently| now)? (?:an?|the) "
)
_NATIVE: Final = compiled(rf" ?(?:native|first|mother) (?:language|tongue){_IS} ")
_PET_NAMED: Final = compiled(
    rf" ?(?:[\w'-]+ ){{0,2}}?(?P<pet>{'|'.join(sorted(PETS, key=len, reverse=True))})(?:'s name is|'s "
    rf"called| is (?:named|called)|,? (?:named|called)|,)? ?(?=[^\Wa-z])"
)


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """Reads what follows the owner."""

    name: str
    words: frozenset[str]
    """One of them must be in the sentence."""
    read: Callable[[str, Clause], Iterator[Said]]
    example: str


def _at(clause: Clause) -> int:
    return clause.subject.after


def _span(text: str, start: int, end: int) -> Span:
    return Span(start, end, text[start:end])


def _birthday(text: str, clause: Clause) -> Iterator[Said]:
    match = _BIRTHDAY.match(text, _at(clause), clause.end)
    if match:
        predicate = "born_on" if _BIRTHDAY_DATE.search(match["date"]) else "birthday"
        yield Said(predicate, _span(text, *match.span("date")), aspect="always")


def _contact(text: str, clause: Clause) -> Iterator[Said]:
    # A dot or a colon in an address ends no clause.
    for predicate, pattern in (("email", _EMAIL), ("phone", _PHONE)):
        match = pattern.match(text, _at(clause))
        if match:
            yield Said(predicate, _span(text, *match.span(predicate)))


def _age(text: str, clause: Clause) -> Iterator[Said]:
    match = _AGE.match(text, _at(clause), clause.end)
    if match:
        yield Said("age", _span(text, *match.span("age")))


def _favourite(text: str, clause: Clause) -> Iterator[Said]:
    match = _FAVOURITE.match(text, _at(clause), clause.end)
    if match is None or match["kind"].lower().split()[0] in (
        "part",
        "thing",
        "way",
        "one",
        "time",
        "memory",
        "moment",
        "aspect",
    ):
        return
    values = listed(text, match.end(), clause.end)
    if values and values[0].text.lower().split()[0] not in ("when", "how", "that", "because", "definitely"):
        for value in values if " are" in match[0] else values[:1]:
            yield Said("favourite", value, qualifiers={"kind": match["kind"].strip()})


def _valued(text: str, clause: Clause) -> Iterator[Said]:
    match = _VALUED.match(text, _at(clause), clause.end)
    thing = noun_phrase(text, match.end(), clause.end) if match else None
    if match and thing is not None and (thing.text[0].isdigit() or is_name_word(thing.text.split()[0])):
        yield Said("owns", thing, qualifiers={"kind": match["thing"].lower()})


def _native(text: str, clause: Clause) -> Iterator[Said]:
    match = _NATIVE.match(text, _at(clause), clause.end)
    for value in listed(text, match.end(), clause.end) if match else ():
        if value.text.lower() in LANGUAGES:
            yield Said("speaks", value)


def _pet(text: str, clause: Clause) -> Iterator[Said]:
    """Reads "my cat Luna", "my dog, Max," and "my dog's name is Max"."""
    match = _PET_NAMED.match(text, _at(clause), clause.end)
    found = name(text, match.end(), clause.end) if match else None
    if match is None or found is None or found.text.split()[0].lower() in COMMON:
        return
    is_sure = any(word in match[0] for word in ("name", "called"))
    if not is_sure and not match[0].endswith(", "):
        return
    if not is_sure and text[found.end : found.end + 1] not in (",", ".", ""):
        return
    yield Said("has_pet", found, "pet", qualifiers={"kind": match["pet"].lower()})


_HOME: Final = compiled(r" ?home is in (?=[^\Wa-z])")
_JOB_AT: Final = compiled(
    r" ?(?:(?P<past>first|last|previous|old|former) |current |new )?(?:job|internship) (?:is|was) (?:as "
    r"[\w' -]{1,40} )?(?:at|with|for) (?=[^\Wa-z])"
)
_HOBBY: Final = compiled(r" ?(?:main |favou?rite )?(?:hobby|hobbies|passion|passions)(?: is| are| include| includes) ")


def _home(text: str, clause: Clause) -> Iterator[Said]:
    match = _HOME.match(text, _at(clause), clause.end)
    place = name(text, match.end(), clause.end) if match else None
    if place is not None:
        yield Said("lives_in", place, "place")


def _job(text: str, clause: Clause) -> Iterator[Said]:
    match = _JOB_AT.match(text, _at(clause), clause.end)
    org = name(text, match.end(), clause.end) if match else None
    if match and org is not None:
        yield Said("works_at", org, "organization", is_over=bool(match["past"]) or " was " in match[0])


def _hobby(text: str, clause: Clause) -> Iterator[Said]:
    match = _HOBBY.match(text, _at(clause), clause.end)
    for thing in listed(text, match.end(), clause.end) if match else ():
        yield Said("likes", thing)


RULES: Final = (
    OwnerRule("home", forms("home"), _home, "My home is in Lisbon."),
    OwnerRule("job_is_at", forms("job internship"), _job, "My first job was at Siemens."),
    OwnerRule("hobby", forms("hobby hobbies passion passions"), _hobby, "My hobbies are chess and sailing."),
    OwnerRule("birthday", forms("birthday bday b-day birth"), _birthday, "My birthday is on the 14th of February."),
    OwnerRule(
        "contact", forms("email e-mail phone number cell mobile"), _contact, "Kofi's phone number is +233 20 555 0143."
    ),
    OwnerRule("own_age", forms("age"), _age, "My age is 34."),
    OwnerRule("favourite", forms("favourite favorite"), _favourite, "My favourite colour is green."),
    OwnerRule("valued", VALUED, _valued, "My car is a 2018 Honda Civic."),
    OwnerRule("native", forms("language tongue"), _native, "My mother tongue is Wolof."),
    OwnerRule("pet", PETS, _pet, "My cat, Luna, is asleep."),
)
