"""Marriage and love, and who is what to whom, where a clause says it. Ties by a mere "my sister Ana" are in `ties.py`."""

from collections.abc import Iterator
from typing import Final

from graph.extraction.phrases import Span, listed, name
from graph.extraction.relatives import ADJECTIVES, TIES, Tie
from graph.extraction.rules.base import Reading, Rule, Said, compiled, forms
from graph.extraction.words import COMMON

_MARRIED: Final = compiled(r"(?:happily |legally |newly )?married(?: now)? to ")
_ENGAGED: Final = compiled(r"(?:now )?engaged to (?!work|participate|help)")
_TOGETHER: Final = compiled(r"(?:together|in a (?:[\w-]+ )?relationship|dating|going out|back together) with |dating ")
_DIVORCED: Final = compiled(r"(?:now )?(?:divorced|separated)(?P<from> from )?(?=$|[,.;!]| )")
_TIE: Final = (
    rf"(?:{ADJECTIVES}|new)? ?(?:{ADJECTIVES})? ?(?P<role>{'|'.join(sorted((w for w in TIES), key=len, reverse=True))})"
)
_IS_MY: Final = compiled(
    rf"(?:(?P<whose>my|our) |an? )(?:{ADJECTIVES} )?{_TIE}(?P<of> of (?:mine|ours))?(?=$|[,.;!)—-]| "
    rf"(?:and|but|from|who|since|in|at|of|for))"
)
_FRIENDS_WITH: Final = compiled(
    r"(?:best |good |close |old )?(?P<what>friends|neighbours|neighbors|colleagues|coworkers) with "
)
_TO_NAME: Final = compiled(r" (?:to )?")
_WITH: Final = compiled(r" up with ")
_PLURAL: Final = {
    "sisters": "sister", "brothers": "brother", "siblings": "sibling", "sons": "son", "daughters": "daughter", "kids": "kid",
    "children": "child", "cousins": "cousin", "nieces": "niece", "nephews": "nephew", "grandchildren": "grandchild",
    "grandsons": "grandson", "granddaughters": "granddaughter", "aunts": "aunt", "uncles": "uncle", "friends": "friend",
    "twins": "child", "roommates": "roommate",
}  # fmt: skip
_HAVE: Final = compiled(
    rf" (?:an?|one|two|three|four|five|another|twin)(?: (?:{ADJECTIVES}|adult|grown|young|twin|beautiful|"
    rf"year-old|\d+[- ]years?[- ]old))*(?: twin)? "
    rf"(?P<role>{'|'.join(sorted((*TIES, *_PLURAL), key=len, reverse=True))})\b"
)
_NAMED: Final = compiled(r"(?:,? (?:who(?:'s| is) )?(?:named|called)|,|:| -| —| \() ?")
_PERSON_STOP: Final = forms("the and or but")


def _person(reading: Reading, start: int) -> Span | None:
    name = reading.name(start)
    if name is None:
        return None
    return None if name.text.split()[0].lower().rstrip(".") in COMMON else name


def _is_with(reading: Reading) -> Iterator[Said]:
    for predicate, pattern in (("spouse", _MARRIED), ("engaged_to", _ENGAGED), ("partner", _TOGETHER)):
        match = reading.match(pattern)
        if match is None:
            continue
        person = _person(reading, match.end())
        if (
            person is None
            and predicate != "partner"
            and reading.text[match.end() : match.end() + 2].lower() in ("a ", "an")
        ):
            person = reading.noun(match.end())
        if person is not None:
            yield Said(predicate, person, "person")
    divorced = reading.match(_DIVORCED)
    if divorced:
        person = _person(reading, divorced.end("from")) if divorced["from"] else None
        if person is not None:
            yield Said("spouse", person, "person", is_over=True)


def _married(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TO_NAME)
    person = _person(reading, match.end()) if match and not reading.text.startswith(" off", reading.after) else None
    if person is not None:
        yield Said("spouse", person, "person", "event")


def _got_with(reading: Reading) -> Iterator[Said]:
    for predicate, pattern in (
        ("spouse", compiled(r" married to ")),
        ("engaged_to", compiled(r" engaged to ")),
        ("partner", compiled(r" (?:back )?together with ")),
    ):
        match = reading.match(pattern)
        person = _person(reading, match.end()) if match else None
        if person is not None:
            yield Said(predicate, person, "person", "event")
    if reading.match(compiled(r" (?:a divorce|divorced)\b")) and reading.verb.tense in ("past", "perfect"):
        yield Said("spouse", None, aspect="end")


def _dates(reading: Reading) -> Iterator[Said]:
    person = _person(reading, reading.after)
    if person is not None and reading.verb.is_progressive:
        yield Said("partner", person, "person")


def _broke_up(reading: Reading) -> Iterator[Said]:
    match = reading.match(_WITH)
    person = _person(reading, match.end()) if match else None
    if person is not None:
        yield Said("partner", person, "person", "end")
    elif reading.match(compiled(r" up\b(?! with)")) and _is_we(reading):
        yield Said("partner", None, aspect="end")


def _is_we(reading: Reading) -> bool:
    return reading.subject.kind == "self" and reading.subject.span.text.lower().endswith(("we", "and i"))


def _divorced(reading: Reading) -> Iterator[Said]:
    person = _person(reading, reading.after)
    if person is not None:
        yield Said("spouse", person, "person", "end")
    elif _is_we(reading) and reading.match(compiled(r"\s*(?:$|[,.;!]| (?:in|last|two|three|a|after|\d))")):
        yield Said("spouse", None, aspect="end")


def _is_tied(reading: Reading) -> Iterator[Said]:
    """Reads "Ana is my sister": the object is the one who speaks, so the tie is said of them."""
    if reading.subject.kind == "name" and reading.subject.name is not None:
        match = reading.match(_IS_MY)
        tie = TIES.get(match["role"].lower()) if match else None
        if match and tie is not None and (match["whose"] or match["of"]):
            yield Said(
                tie.predicate, None, "speaker", "state", is_from_other=not tie.is_from_other, is_over=tie.is_over
            )
    if reading.subject.kind in ("name", "relative"):
        yield from _of_other(reading)
    parent = reading.match(_PARENT_OF)
    for child in reading.names(parent.end()) if parent else ():
        yield Said("parent_of", child, "person", "always")
    friends = reading.match(_FRIENDS_WITH)
    if friends:
        person = _person(reading, friends.end())
        predicate = {"f": "friend_of", "n": "neighbour_of", "c": "colleague_of"}[friends["what"][0].lower()]
        if person is not None:
            yield Said(predicate, person, "person")


_PARENT_OF: Final = compiled(
    r"(?:the |a )?(?:proud |happy |single )?(?:mother|father|parent|mom|mum|dad)s? (?:of|to) (?=[^\Wa-z])"
)
_ONES: Final = compiled(rf"(?P<who>[\w-]+(?: [\w-]+)?)'s? {_TIE}(?=$|[,.;!])")


def _of_other(reading: Reading) -> Iterator[Said]:
    """Reads "Ana is Rui's wife"."""
    match = reading.match(_ONES)
    tie = TIES.get(match["role"].lower()) if match else None
    other = name(reading.text, match.start("who"), match.end("who")) if match else None
    if tie is not None and other is not None and other.text.split()[0].lower() not in COMMON:
        yield Said(tie.predicate, other, "person", "state", is_from_other=not tie.is_from_other, is_over=tie.is_over)


_NEXT_DOOR: Final = compiled(
    r" (?:next door|across the (?:hall|street|road)|upstairs|downstairs)(?: (?:from|to) (?:me|us))?(?=$|[,.;!]| and)"
)


def _lives_near(reading: Reading) -> Iterator[Said]:
    if reading.subject.kind == "name" and reading.match(_NEXT_DOOR):
        yield Said("neighbour_of", None, "speaker")


def _works_together(reading: Reading) -> Iterator[Said]:
    subject = reading.subject.span
    if subject.text.endswith(" and I") and reading.match(compiled(r" together\b")):
        person = name(reading.text, subject.start, subject.end - len(" and I"))
        if person is not None and person.text.split()[0].lower() not in COMMON:
            yield Said("colleague_of", person, "person")


def of_tie(tie: Tie, person: Span | None) -> Said:
    """What "my sister Ana" says, of the one who speaks; without a person the clause's subject is the one."""
    return Said(tie.predicate, person, "person", "state", is_from_other=tie.is_from_other, is_over=tie.is_over)


_AND_A: Final = compiled(r",? and(?= an? )")


def _has_relatives_too(reading: Reading, start: int) -> Iterator[Said]:
    """Reads on: "and a son named Max"."""
    more = reading.match(_AND_A, start)
    match = reading.match(_HAVE, more.end()) if more else None
    tie = TIES.get(match["role"].lower()) if match else None
    named = reading.match(_NAMED, match.end()) if match else None
    person = reading.name(named.end()) if named else None
    if tie is not None and person is not None:
        yield of_tie(tie, person)


_WE_ARE: Final = {
    "married": "spouse", "engaged": "engaged_to", "dating": "partner", "together": "partner", "siblings": "sibling_of",
    "friends": "friend_of", "colleagues": "colleague_of", "coworkers": "colleague_of", "neighbours": "neighbour_of",
    "neighbors": "neighbour_of", "cousins": "relative_of",
}  # fmt: skip
_WE: Final = compiled(
    r"(?:now |still |best |good |close |happily |getting )*(?P<what>[a-z]+)(?=$|[,.;!]| (?:and|since|for|now|in))"
)


def _are(reading: Reading) -> Iterator[Said]:
    """Reads "Ben and I are married"."""
    match = reading.match(_WE)
    predicate = _WE_ARE.get(match["what"].lower()) if match else None
    subject = reading.subject.span
    if predicate is None or not subject.text.endswith(" and I") or "getting" in (match[0] if match else ""):
        return
    person = name(reading.text, subject.start, subject.end - len(" and I"))
    if person is not None and person.text.split()[0].lower() not in COMMON:
        yield Said(predicate, person, "person")


def _has_relatives(reading: Reading) -> Iterator[Said]:
    match = reading.match(_HAVE)
    if match is None:
        return
    word = match["role"].lower()
    role = _PLURAL.get(word, word)
    tie = TIES.get(role)
    if tie is None:
        return
    named = _NAMED.match(reading.text, match.end())
    people = listed(reading.text, named.end(), len(reading.text), named_only=True) if named else []
    if people and people[0].text.split()[0].lower() not in COMMON:
        for person in people:
            yield of_tie(tie, person)
        yield from _has_relatives_too(reading, people[-1].end)
    elif (
        word in TIES
        and tie.predicate not in ("friend_of", "colleague_of", "neighbour_of")
        and match[0].strip().lower().startswith("a")
    ):
        said = of_tie(tie, reading.span(match, "role"))
        yield Said(said.predicate, said.object, "role", is_from_other=said.is_from_other, is_over=said.is_over)


RULES: Final = (
    Rule("is_with", forms("be"), _is_with, "I've been married to Rui since 2015."),
    Rule("married", forms("married wed"), _married, "My sister Ana married Rui in 2015."),
    Rule("got_with", forms("got"), _got_with, "I got engaged to Rui last summer."),
    Rule("dates", forms("dating"), _dates, "I'm dating Rui."),
    Rule("broke_up", forms("broke split"), _broke_up, "I broke up with Rui."),
    Rule("divorced", forms("divorced"), _divorced, "We divorced in 2019."),
    Rule("is_tied", forms("be"), _is_tied, "Ana is my sister."),
    Rule("lives_near", forms("live lives lived"), _lives_near, "Samir lives next door."),
    Rule("works_together", forms("work worked"), _works_together, "Agnieszka and I work together."),
    Rule("are", forms("be"), _are, "Ben and I are married."),
    Rule("has_relatives", forms("have has got"), _has_relatives, "I have two brothers, Sam and Idris."),
)
