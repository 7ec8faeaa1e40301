"""What is liked, disliked, played and attended."""

from collections.abc import Iterator
from typing import Final

from graph.extraction.lexicon import (
    ABSTRACT,
    ACTIVITIES,
    CONCRETE,
    ENJOYED,
    EVENTS,
    PASTIMES,
    PRACTISED,
    SCHOOLS,
    SURELY_EVENTS,
    VAGUE,
)
from graph.extraction.phrases import Span
from graph.extraction.rules.base import Reading, Rule, Said, compiled, forms, head, singular

_NOT_LIKED: Final = compiled(
    r" (?:to|how|that|this|it|when|what|where|the (?:idea|way|fact|sound|look|thought|concept|"
    r"suggestion|first|second|last|third|one|part)s?\b|your|you|these|those|them|"
    r"him|her|me|us|if|all|for|being|having|seeing|hearing|getting|knowing|both|some|any|a|an)\b"
)
_A_GOOD: Final = compiled(r" an? (?:good|nice|great|well|bit of)\b")
_FAN: Final = compiled(
    r"(?:an? |such an? |the )?(?:[\w-]+ ){0,3}?(?:(?:fan|lover|admirer|enthusiast|devotee) of|sucker for) "
)
_NO_FAN: Final = compiled(r"(?:an? |such an? |the |really |much of an? )?(?:[\w-]+ ){0,2}?fan of ")
_INTO: Final = compiled(
    r"(?:big |heavily |deeply |super |getting |really |quite |very |totally )*(?:into|hooked on|"
    r"obsessed with|crazy about|fond of|keen on|addicted to|passionate about|mad about|in love with) "
)
_INTO_WRONG: Final = compiled(
    r"(?:it|this|that|the (?:idea|process|second|habit|details|market)|helping|making sure|learning more|trying)\b"
)
_DISLIKES: Final = forms("hate hates dislike dislikes despise despises detest detests loathe loathes hated")
_STAND: Final = forms("stand bear")


def liked_things(reading: Reading, start: int) -> Iterator[Span]:
    if reading.match(_NOT_LIKED, start) and not reading.match(_GENERIC, start):
        return
    for place, noun in enumerate(reading.nouns(start)):
        first = noun.text.lower().split()[0]
        if singular(head(noun)) in ABSTRACT or (place == 0 and _is_of_the_talk(reading, start, noun)):
            return
        if place and _WHOSE.search(reading.text, start, noun.start):
            return
        if first in PASTIMES and first == noun.text.lower() and _OBJECT.match(reading.text, noun.end, reading.end):
            return
        if first in VAGUE or (
            first == noun.text.lower() and first.endswith("ing") and first not in PASTIMES | _NOUNS_IN_ING
        ):
            return
        yield noun


_OBJECT: Final = compiled(r" (?:an?|the|my|our|his|her|their|this|that|these|those|it|them)\b")
_WHOSE: Final = compiled(r"\b(?:his|her|their|its|your)\s*(?:\w+\s)?$")
_NOUNS_IN_ING: Final = forms(
    "spring string evening morning wedding building ceiling pudding clothing lightning ring king wing thing streaming"
)
_ARTICLE: Final = compiled(r" ?(?P<word>the|my|our|his|her|their|its|your|this|that|these|those) ")


def _is_of_the_talk(reading: Reading, start: int, noun: Span) -> bool:
    """Whether it may be something that was just spoken of: "I love the colours", "I love their work"."""
    article = _ARTICLE.match(reading.text, start, noun.start)
    word = article["word"].lower() if article else ""
    if word == "the":
        is_known = _has_capital(noun.text) or head(noun) in ENJOYED or bool(reading.verb.adverbs & {"always", "long"})
        return not is_known
    if word in ("my", "our"):
        return not (_has_capital(noun.text) or singular(head(noun)) in CONCRETE)
    return bool(word)


def _has_capital(text: str) -> bool:
    return any(c.isupper() for c in text)


_GENERIC: Final = compiled(r" (?:all|some) (?:kinds|sorts|types) of ")


def _likes(reading: Reading) -> Iterator[Said]:
    verb = reading.verb
    if verb.can or (verb.tense == "past" and verb.negation == ""):
        return
    if verb.tense == "perfect" and not (verb.is_progressive or verb.adverbs & {"always", "long", "really"}):
        return
    things = list(liked_things(reading, reading.after))
    if verb.negation == "not":
        things = things if verb.tense == "present" else []
        for thing in things:
            yield Said("dislikes", thing, aspect="always", is_positive=True)
        return
    for thing in things:
        yield Said("likes", thing)


def _dislikes(reading: Reading) -> Iterator[Said]:
    if reading.verb.tense == "past" or reading.match(
        compiled(r" (?:to (?:say|admit|bother|ask|be|see)|it|that|when|how|this|the (?:way|fact|idea|feeling))\b")
    ):
        return
    for thing in liked_things(reading, reading.after):
        yield Said("dislikes", thing)


def _cannot_stand(reading: Reading) -> Iterator[Said]:
    if not (reading.verb.can and reading.verb.negation == "not"):
        return
    for thing in liked_things(reading, reading.after):
        yield Said("dislikes", thing, aspect="always", is_positive=True)


_OF_FANS: Final = compiled(
    r"an? (?:(?:huge|big|massive|total|real|true|lifelong|long-time|die-hard|keen|avid|great|"
    r"self-proclaimed|major) )*(?P<what>[\w' -]{2,40}?) "
    r"(?:fan|lover|enthusiast|buff|nut|addict|fanatic|aficionado)(?=$|[,.;!)]| (?:and|but|so|since|who|myself|as))"
)
_PLAYER: Final = compiled(r"an? (?:[\w-]+ ){0,2}?(?P<what>[\w-]+) player(?=$|[,.;!)]| (?:and|but|who))")


_HOW: Final = forms(
    "huge big massive total real true lifelong long-time die-hard keen avid great self-proclaimed "
    "major good biggest number-one"
)


def _is_lover(reading: Reading) -> Iterator[Said]:
    """Reads "I'm a huge Arsenal fan", "I'm a keen chess player"."""
    verb = reading.verb
    fan, player = reading.match(_OF_FANS), reading.match(_PLAYER)
    if verb.negation == "not" or (verb.tense == "past" and verb.negation == ""):
        return
    if (
        fan
        and fan["what"].split()[-1].lower() not in _HOW
        and singular(fan["what"].split()[-1].lower()) not in ABSTRACT
    ):
        yield Said("likes", reading.span(fan, "what"))
    if player and player["what"].lower() in ACTIVITIES:
        yield Said("plays", reading.span(player, "what"))


_NOT_ENOUGH: Final = compiled(r" enough of ")


def _cannot_get(reading: Reading) -> Iterator[Said]:
    match = reading.match(_NOT_ENOUGH) if reading.verb.can and reading.verb.negation == "not" else None
    for thing in liked_things(reading, match.end() - 1) if match else ():
        yield Said("likes", thing, aspect="always", is_positive=True)


_GOT_INTO: Final = compiled(
    r" (?:really |super |heavily |quite |very )?into (?!an? |the |my |it|trouble|that|this|[^\Wa-z])"
)


def _got_into(reading: Reading) -> Iterator[Said]:
    match = reading.match(_GOT_INTO)
    for thing in liked_things(reading, match.end() - 1) if match else ():
        if not thing.text.startswith(("college", "school", "university", "bed", "debt", "shape", "grad")):
            yield Said("likes", thing, aspect="event")


_PASSION: Final = compiled(
    r" (?:an? |this |such a |always had a )?(?:[\w-]+ ){0,2}?(?:passion|soft spot|love|weakness) for "
)


def _has_passion(reading: Reading) -> Iterator[Said]:
    match = reading.match(_PASSION)
    for thing in liked_things(reading, match.end() - 1) if match else ():
        yield Said("likes", thing)


def _took_up(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" up (?:the )?"))
    for noun in reading.nouns(match.end()) if match else ():
        if head(noun) in ACTIVITIES | PRACTISED:
            yield Said("plays", noun, aspect="event")


def _is_fan(reading: Reading) -> Iterator[Said]:
    verb = reading.verb
    fan = reading.match(_FAN)
    match = fan or reading.match(_INTO)
    if match is None or reading.match(_INTO_WRONG, match.end()):
        return
    if verb.tense == "past" and not verb.is_progressive and verb.negation == "":
        return
    for thing in liked_things(reading, match.end() - 1):
        if verb.negation == "not":
            if fan:
                yield Said("dislikes", thing, aspect="always", is_positive=True)
        else:
            yield Said("likes", thing, aspect="state" if verb.negation else "always")


def _plays(reading: Reading) -> Iterator[Said]:
    verb = reading.verb
    if verb.negation != "never" and (verb.tense == "past" or (verb.tense == "perfect" and not verb.is_progressive)):
        return
    for noun in reading.nouns(reading.after):
        is_game = verb.is_progressive and verb.tense == "perfect" and _is_named(noun)
        if singular(head(noun)) in ACTIVITIES or head(noun) in ACTIVITIES or is_game:
            yield Said("plays", noun)


def _practises(reading: Reading) -> Iterator[Said]:
    if reading.verb.tense in ("past", "perfect") and not reading.verb.is_progressive:
        return
    for noun in reading.nouns(reading.after):
        if head(noun) in PRACTISED and len(noun.text.split()) <= 2:
            yield Said("plays", noun)


_NOT_EVENTS: Final = forms("class classes lesson lessons meeting meetings therapy church mass services practice")
_TO_EVENT: Final = compiled(r" (?:to|in|at|on|for) ")
_BACK_FROM: Final = compiled(r" back from ")


def _event(reading: Reading, start: int, is_sure: bool = False) -> Iterator[Said]:
    for noun in reading.nouns(start):
        words = {singular(each) for each in noun.text.lower().split()}
        if noun.text.lower() == "event" or (words & SCHOOLS and not words & SURELY_EVENTS) or words & _NOT_EVENTS:
            return
        word = singular(head(noun))
        if word in (EVENTS if is_sure else SURELY_EVENTS) or (
            word not in EVENTS and words & SURELY_EVENTS and _is_named(noun)
        ):
            yield Said("attended", noun, aspect="event")


def _is_named(noun: Span) -> bool:
    return noun.text[0].isupper()


def _attended(reading: Reading) -> Iterator[Said]:
    yield from _event(reading, reading.after, is_sure=True)


def _took_part(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r"(?: part)? (?:in|at|as [\w' -]{1,40} at) "))
    if match:
        yield from _event(reading, match.end() - 1, is_sure=True)


def _went_to(reading: Reading) -> Iterator[Said]:
    match = reading.match(_BACK_FROM) or reading.match(_TO_EVENT)
    if match:
        yield from _event(reading, match.end() - 1, is_sure=reading.verb.form in ("went", "been"))


def _been_to(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r"(?:an? [\w' -]{1,30}? )?(?:back from|to|at) "))
    if match and reading.verb.tense in ("perfect", "past"):
        yield from _event(reading, match.end() - 1)


_AT_EVENT: Final = compiled(r"[^.;!?]{0,120}? (?:at|in) (?=(?:my|our|the|an?|this|last)\b)")


def _did_at(reading: Reading) -> Iterator[Said]:
    """Spoke, presented, volunteered at something: the last "at" that leads to an event."""
    start = reading.after
    for _ in range(4):
        match = reading.match(_AT_EVENT, start)
        if match is None:
            return
        found = list(_event(reading, match.end() - 1, is_sure=True))
        if found:
            yield from found
            return
        start = match.end()


_RAN: Final = compiled(r" (?:(?:in|at) )?")


def _ran(reading: Reading) -> Iterator[Said]:
    match = reading.match(_RAN)
    if match:
        yield from _event(reading, match.end() - 1)


RULES: Final = (
    Rule(
        "likes",
        forms("love loves like likes enjoy enjoys enjoying adore adores loving loved liked enjoyed"),
        _likes,
        "I love jazz.",
    ),
    Rule("dislikes", _DISLIKES, _dislikes, "Rui hates olives."),
    Rule("cannot_stand", _STAND, _cannot_stand, "I can't stand coriander."),
    Rule("is_fan", forms("be"), _is_fan, "I'm a huge fan of Arsenal."),
    Rule("is_lover", forms("be"), _is_lover, "I'm a huge Arsenal fan."),
    Rule("cannot_get", forms("get"), _cannot_get, "I can't get enough of jazz."),
    Rule("got_into", forms("got gotten"), _got_into, "I've recently gotten into pottery."),
    Rule("has_passion", forms("have has"), _has_passion, "I have a passion for cooking."),
    Rule("took_up", forms("took taken picked"), _took_up, "I took up tennis last year."),
    Rule("plays", forms("play plays playing played"), _plays, "My son plays the oud."),
    Rule(
        "practises",
        forms("practice practices practise practises practicing practising do does doing train trains training"),
        _practises,
        "I practise judo.",
    ),
    Rule("attended", forms("attended"), _attended, "I attended a workshop last week."),
    Rule("took_part", forms("participated took competed"), _took_part, "I took part in the Lisbon Marathon."),
    Rule("went_to", forms("went got came flew drove returned been"), _went_to, "We went to a concert yesterday."),
    Rule("was_at", forms("be"), _been_to, "I was at a wedding on Saturday."),
    Rule(
        "did_at",
        forms("presented spoke volunteered performed exhibited sang danced helped gave"),
        _did_at,
        "I spoke at a conference.",
    ),
    Rule("ran", forms("ran finished completed"), _ran, "I ran the Boston Marathon in 2018."),
)
