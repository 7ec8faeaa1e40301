"""What a sentence says beside its clauses: "my sister Ana", "in my previous role as", "the lamp I bought"."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from graph.extraction import places
from graph.extraction.clauses import Clause
from graph.extraction.kin import tie_of
from graph.extraction.lexicon import ABSTRACT, CONCRETE, DIETS, EVENTS, LANGUAGES, LASTING, NEVER_WORK, OCCUPATIONS
from graph.extraction.phrases import Span, listed, name, noun_phrase, tokens
from graph.extraction.relatives import ADJECTIVES, PETS, TIES
from graph.extraction.rules.base import AMOUNT, Said, compiled, forms, head, singular
from graph.extraction.rules.people import of_tie
from graph.extraction.subjects import NAME as _NAME
from graph.extraction.subjects import RELATIVE, Subject, first_word, relative
from graph.extraction.text import Sentence
from graph.extraction.verbs import Verb
from graph.extraction.words import COMMON, STOPS
from graph.model import Scalar

Told = tuple[Subject, Clause | None, Said]


@dataclass(frozen=True, slots=True)
class SentenceRule:
    """Reads all of a sentence."""

    name: str
    triggers: frozenset[str]
    read: Callable[[Sentence], Iterator[Told]]
    example: str


def _speaker(start: int) -> Subject:
    return Subject("self", Span(start, start, ""), start)


_IF: Final = compiled(r"\b(?:if|imagine|suppose|pretend|called me|named me)\b[^,;.]*$")


def _ties(sentence: Sentence) -> Iterator[Told]:
    """A named relative, wherever in the sentence; who is asked about in a question is no fact, and a question is not read."""
    for match in RELATIVE.finditer(sentence.text):
        found = relative(sentence.text, match)
        tie = tie_of(found)
        if tie is None or found.name is None or _IF.search(sentence.text, 0, match.start()):
            continue
        said = of_tie(tie, found.name)
        yield _speaker(match.start()), None, said


_CALLED: Final = compiled(
    rf"\b(?:my|our) (?:(?:{ADJECTIVES}) "
    rf"){{0,2}}(?P<role>{'|'.join(sorted(TIES, key=len, reverse=True))})(?:'s name is|'s called| is "
    rf"(?:named|called)) (?=[^\Wa-z])"
)


def _called(sentence: Sentence) -> Iterator[Told]:
    """Reads "my sister's name is Ana"."""
    for match in _CALLED.finditer(sentence.text):
        person = name(sentence.text, match.end(), len(sentence.text))
        if person is not None and not _IF.search(sentence.text, 0, match.start()):
            yield _speaker(match.start()), None, of_tie(TIES[match["role"].lower()], person)


_SEVERAL: Final = {
    "kids": "kid", "children": "child", "sons": "son", "daughters": "daughter", "brothers": "brother", "sisters": "sister",
    "siblings": "sibling", "parents": "parent", "cousins": "cousin", "nephews": "nephew", "nieces": "niece", "friends": "friend",
    "colleagues": "colleague", "coworkers": "coworker", "neighbours": "neighbour", "neighbors": "neighbor", "twins": "child",
    "grandkids": "grandchild", "grandchildren": "grandchild",
}  # fmt: skip
_PLURAL: Final = compiled(
    rf"\b(?:my|our) (?:(?:{ADJECTIVES}|two|three|four) ){{0,2}}(?P<role>{'|'.join(_SEVERAL)})(?P<comma>,)? (?=[^\Wa-z])"
)


def _several(sentence: Sentence) -> Iterator[Told]:
    """Reads "my kids, Anna and Theo,"."""
    for match in _PLURAL.finditer(sentence.text):
        people = listed(sentence.text, match.end(), len(sentence.text), named_only=True)
        if (
            len(people) < 2
            or any(each.text.split()[0].lower() in COMMON for each in people)
            or _IF.search(sentence.text, 0, match.start())
        ):
            continue
        for person in people:
            yield _speaker(match.start()), None, of_tie(TIES[_SEVERAL[match["role"].lower()]], person)


_FAVOURITE: Final = compiled(
    r"(?:^|[,.;!:] |\b(?:and|but|so|because) )(?P<value>[^,.;:!?]{1,60}?)(?:'s| is| are)(?: still| "
    r"definitely| probably| by far| actually| also)? (?:my|our) "
    r"(?:all[- ]time |absolute |current |personal |new )?favou?rite (?P<kind>[a-z]+(?: [a-z]+)?)"
)


def _favourites(sentence: Sentence) -> Iterator[Told]:
    """Reads "Inception is my favourite film"."""
    for match in _FAVOURITE.finditer(sentence.text):
        value = noun_phrase(sentence.text, match.start("value"), match.end("value"))
        if (
            value is None
            or value.end != match.end("value")
            or value.text.lower() in ("part", "one")
            or match["kind"].split()[0] in ("part", "thing", "one", "so", "because")
        ):
            continue
        kind = match["kind"].split(" of ")[0]
        yield _speaker(match.start()), None, Said("favourite", value, qualifiers={"kind": kind})


_ROLE: Final = compiled(
    r"\bmy (?:(?P<past>previous|former|old|last|past|first) |(?:current|new|present|day) )?(?:role|job|"
    r"position|work|career) as "
    r"(?:(?:an?|the) |(?=[^\Wa-z]))"
)


_NAMED_PET: Final = compiled(
    rf"\b(?:my|our) (?:[\w'-]+ ){{0,2}}?(?P<pet>{'|'.join(sorted(PETS, key=len, reverse=True))})(?P<comma>,)? "
    rf"(?:named |called )?(?=[^\Wa-z])"
)


def _pets(sentence: Sentence) -> Iterator[Told]:
    for match in _NAMED_PET.finditer(sentence.text):
        found = name(sentence.text, match.end(), len(sentence.text))
        if found is None or found.text.split()[0].lower() in COMMON or _IF.search(sentence.text, 0, match.start()):
            continue
        if match["comma"] and sentence.text[found.end : found.end + 1] not in (",", ".", "!", ""):
            continue
        is_over = bool(_GONE.match(sentence.text, found.end))
        kind: dict[str, Scalar] = {"kind": match["pet"].lower()}
        yield _speaker(match.start()), None, Said("has_pet", found, "pet", qualifiers=kind, is_over=is_over)


_AS_A: Final = compiled(r"^(?:[a-z]+,? )?as an? (?=[^,.]{3,60}, (?:i|my|we)\b)")


def _as_a(sentence: Sentence) -> Iterator[Told]:
    """Reads "As a nurse, I work nights"."""
    match = _AS_A.match(sentence.text)
    job = noun_phrase(sentence.text, match.end(), len(sentence.text)) if match else None
    if job is not None and head(job) in DIETS and len(job.text.split()) == 1:
        yield _speaker(0), None, Said("diet", job)
    if (
        job is not None
        and singular(head(job)) in OCCUPATIONS - NEVER_WORK
        and not job.text.lower().startswith(("former", "future", "aspiring", "retired"))
    ):
        yield _speaker(0), None, Said("occupation", job)


_EMAIL: Final = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
_REACH: Final = compiled(
    rf"\b(?:reach|email|e-mail|contact|mail|write(?: to)?|message|call|text|phone|ring) (?:me|us) (?:at|"
    rf"on|under|via)(?: my (?:cell|mobile|work)(?: at| on)?)? "
    rf"(?:(?P<email>{_EMAIL})|(?P<phone>\+?\(?\d[\d ().-]{{5,20}}\d))"
)


def _contacts(sentence: Sentence) -> Iterator[Told]:
    """Reads "you can reach me at ana@example.org"."""
    for match in _REACH.finditer(sentence.text):
        kind = "email" if match["email"] else "phone"
        yield _speaker(match.start()), None, Said(kind, Span(match.start(kind), match.end(kind), match[kind]))


_THEN_I: Final = re.compile(r"(?:, [^,]{1,40})?, (?:I|we)\b")
_ORIGIN: Final = compiled(r"^(?:[a-z]+,? )?originally from (?=[^\Wa-z])")


def _origins(sentence: Sentence) -> Iterator[Told]:
    """Reads "Originally from Recife, I now live in Porto"."""
    match = _ORIGIN.match(sentence.text)
    place = name(sentence.text, match.end(), len(sentence.text)) if match else None
    if place is not None and _THEN_I.match(sentence.text, place.end):
        yield _speaker(0), None, Said("comes_from", place, "place", "always")


_OTHERS: Final = re.compile(
    rf"\b(?P<one>{_NAME})'s? (?:(?:{ADJECTIVES}) "
    rf")?(?P<role>{'|'.join(sorted(TIES, key=len, reverse=True))}),? (?P<other>{_NAME})"
)


def _others_ties(sentence: Sentence) -> Iterator[Told]:
    """Reads "Ana's husband Rui"."""
    for match in _OTHERS.finditer(sentence.text):
        if {first_word(match["one"]), first_word(match["other"])} & COMMON or _IF.search(
            sentence.text, 0, match.start()
        ):
            continue
        one = Span(match.start("one"), match.end("one"), match["one"])
        other = Span(match.start("other"), match.end("other"), match["other"])
        yield Subject("name", one, one.end, name=one), None, of_tie(TIES[match["role"]], other)


_ARE_MY: Final = re.compile(
    rf"(?P<people>{_NAME}(?:, {_NAME})*,? and {_NAME}) are (?:my|our) (?:(?:{ADJECTIVES}) "
    rf")?(?P<role>{'|'.join(_SEVERAL)})\b"
)
_OF_MINE: Final = compiled(
    rf"\b(?:an?|this|one) (?:(?:{ADJECTIVES}) ){{0,2}}(?P<role>friend|colleague|coworker|co-worker|"
    rf"neighbou?r|cousin) (?:of mine|of ours|from \w+)?"
    r"(?:,? (?:named|called) |, )(?=[^\Wa-z])"
)


def _groups(sentence: Sentence) -> Iterator[Told]:
    """Reads "Sam and Idris are my brothers", "a friend of mine, Tom,"."""
    for match in _ARE_MY.finditer(sentence.text):
        for person in listed(sentence.text, match.start("people"), match.end("people"), named_only=True):
            if first_word(person.text) not in COMMON:
                yield _speaker(match.start()), None, of_tie(TIES[_SEVERAL[match["role"]]], person)
    for match in _OF_MINE.finditer(sentence.text):
        person = name(sentence.text, match.end(), len(sentence.text))
        if (
            person is not None
            and first_word(person.text) not in COMMON
            and ("mine" in match[0] or "named" in match[0] or "called" in match[0])
        ):
            yield _speaker(match.start()), None, of_tie(TIES[match["role"].lower()], person)


_IS_PET: Final = re.compile(
    rf"\b(?P<name>{_NAME}) is (?:my|our) (?:[\w'-]+ ){{0,4}}?(?P<pet>{'|'.join(sorted(PETS, key=len, reverse=True))})\b"
)


def _is_pet(sentence: Sentence) -> Iterator[Told]:
    for match in _IS_PET.finditer(sentence.text):
        found = Span(match.start("name"), match.end("name"), match["name"])
        if first_word(found.text) not in COMMON:
            yield _speaker(match.start()), None, Said("has_pet", found, "pet", qualifiers={"kind": match["pet"]})


_TONGUE: Final = re.compile(r"\b(?P<language>[A-Z][a-z]+) is (?:my|our) (?:first|native|mother) (?:language|tongue)\b")


def _tongues(sentence: Sentence) -> Iterator[Told]:
    for match in _TONGUE.finditer(sentence.text):
        if match["language"].lower() in LANGUAGES:
            yield (
                _speaker(match.start()),
                None,
                Said("speaks", Span(match.start(1), match.end(1), match[1]), aspect="always"),
            )


_GONE: Final = compiled(r",? (?:died|passed away|was put down|had to be put down|ran away|passed)\b")


_LOST: Final = compiled(r"\b(?:lost|quit|left|resigned from|retired from)\s+$")


def _roles(sentence: Sentence) -> Iterator[Told]:
    for match in _ROLE.finditer(sentence.text):
        job = noun_phrase(sentence.text, match.end(), len(sentence.text))
        if job is not None:
            is_over = bool(match["past"] or _LOST.search(sentence.text, 0, match.start()))
            yield _speaker(match.start()), None, Said("occupation", job, is_over=is_over)


_RELATIVE_CLAUSE: Final = compiled(
    r"(?:,? (?:that|which))? I(?:'ve| have)? (?:(?:just|recently|already|also|actually|finally) )*"
    r"(?P<verb>bought|purchased|ordered|picked up|got|received|attended|volunteered at|went to|spoke at|"
    r"participated in|adopted|inherited)"
    r"(?= (?:recently|lately|last|a (?:few|couple|week|month|year|day|while|long)|an hour|two|three|"
    r"four|five|six|few|this|yesterday|earlier|the other|on|in|from|at|for|when|over|"
    r"back|about|online|myself|during|\d+|with|and|to|is|was|as|after)\b|[,.;:!)—]|$| -)"
)
_OPENS: Final = forms("a an the my our some this these those two three four five new")


def _relative_clauses(sentence: Sentence) -> Iterator[Told]:
    """Reads "the layer feed I recently purchased": whatever is asked, thought or wished of the feed."""
    text = sentence.text
    for match in _RELATIVE_CLAUSE.finditer(text):
        thing = _phrase_before(text, match.start())
        if thing is None:
            continue
        verb = match["verb"].lower()
        predicate = _predicate(verb, thing)
        if predicate is None:
            continue
        after = match.end("verb")
        amount = AMOUNT.search(text, after)
        end = _clause_end(text, after)
        clause = Clause(_speaker(match.start()), Verb(verb, "past", "", False, after, after), after, end)
        yield (
            _speaker(match.start()),
            clause,
            Said(
                predicate,
                thing,
                "animal" if predicate == "has_pet" else "literal",
                "event",
                {"amount": amount[0]} if amount else {},
            ),
        )


def _clause_end(text: str, start: int) -> int:
    match = compiled(r"[,;:!?—]").search(text, start)
    return match.start() if match else len(text)


def _predicate(verb: str, thing: Span) -> str | None:
    word = singular(head(thing))
    if verb in ("attended", "volunteered at", "went to", "spoke at", "participated in"):
        return "attended" if word in EVENTS and word not in ("class", "session") else None
    if verb == "went to" or word in ABSTRACT | forms(
        "feedback email message call job news impression result score grade"
    ):
        return None
    if word in PETS:
        return "has_pet"
    if verb in ("got", "received", "picked up") and word not in CONCRETE:
        return None
    return "owns" if verb in ("received", "inherited") else "bought" if verb != "adopted" else None


def _phrase_before(text: str, end: int) -> Span | None:
    """The noun phrase that ends here and begins with a determiner."""
    nearest = list(tokens(text, max(0, end - 80), end))[-8:]
    for place in range(len(nearest) - 1, -1, -1):
        word = nearest[place].text.lower()
        if word in _OPENS:
            found = noun_phrase(text, nearest[place].start, end)
            return found if found is not None and found.end == nearest[-1].end else None
        if not (word[0].isalnum() or word[0] == "$") or (word in STOPS and word != "of"):
            return None
    return None


_TRIP: Final = compiled(
    r"\bmy (?:most )?(?:recent|last|previous) (?:\w+ )?(?:trip|vacation|visit|holiday|travels) (?:to|in) (?=[^\Wa-z])"
)


def _trips(sentence: Sentence) -> Iterator[Told]:
    """Reads "on my last trip to Japan": it is over."""
    for match in _TRIP.finditer(sentence.text):
        for place in listed(sentence.text, match.end(), len(sentence.text), named_only=True):
            if places.is_place(place.text):
                yield _speaker(match.start()), None, Said("visited", place, "place", "event")


_GAVE: Final = compiled(
    r"\b(?:gave|gifted|bought|got|sent|handed down to|left) (?:me|us) (?=(?:an?|this|these|some|the|her|"
    r"his|their|two) )"
)
_UNREAL: Final = compiled(r"\b(?:if|would|could|might|should|wish|almost|nearly|never|not|hope|didn't)\b[^,;]*$")


def _gifts(sentence: Sentence) -> Iterator[Told]:
    """Reads "my sister gave me a watch"."""
    for match in _GAVE.finditer(sentence.text):
        thing = noun_phrase(sentence.text, match.end(), len(sentence.text))
        if thing is None or _UNREAL.search(sentence.text, 0, match.start()) or singular(head(thing)) not in LASTING:
            continue
        clause = Clause(
            _speaker(0),
            Verb("gave", "past", "", False, match.end(), match.end()),
            match.start(),
            _clause_end(sentence.text, match.end()),
        )
        yield _speaker(match.start()), clause, Said("owns", thing, aspect="event")


RULES: Final = (
    SentenceRule("gifts", forms("gave gifted bought got sent handed left"), _gifts, "My sister gave me a watch."),
    SentenceRule(
        "ties",
        frozenset(word for role in TIES for word in role.split("-")) | frozenset(TIES),
        _ties,
        "My sister Ana laughed.",
    ),
    SentenceRule("pets", PETS, _pets, "I took my dog Rex to the park."),
    SentenceRule("as_a", forms("as"), _as_a, "As a nurse, I work nights."),
    SentenceRule(
        "contacts",
        forms("reach email e-mail contact mail write message call text phone ring"),
        _contacts,
        "You can reach me at a@b.org.",
    ),
    SentenceRule("origins", forms("originally"), _origins, "Originally from Recife, I now live in Porto."),
    SentenceRule("others_ties", frozenset(TIES), _others_ties, "Ana's husband Rui laughed."),
    SentenceRule(
        "groups",
        frozenset(_SEVERAL) | forms("friend colleague coworker neighbour neighbor cousin"),
        _groups,
        "A friend of mine, Tom, called.",
    ),
    SentenceRule("is_pet", PETS, _is_pet, "Luna is my cat."),
    SentenceRule("tongues", forms("language tongue"), _tongues, "Wolof is my mother tongue."),
    SentenceRule("tie_named", frozenset(TIES), _called, "My sister's name is Ana."),
    SentenceRule("trips", forms("trip vacation visit holiday travels"), _trips, "On my last trip to Japan I got lost."),
    SentenceRule("several", frozenset(_SEVERAL), _several, "My kids, Anna and Theo, love swimming."),
    SentenceRule("favourites", forms("favourite favorite"), _favourites, "Inception is my favourite film."),
    SentenceRule("roles", forms("role job position work career"), _roles, "I used it in my previous role as a chef."),
    SentenceRule(
        "relative_clauses",
        forms(
            "bought purchased ordered picked got received attended volunteered went spoke participated adopted "
            "inherited"
        ),
        _relative_clauses,
        "I want to return the lamp I bought last week.",
    ),
)
