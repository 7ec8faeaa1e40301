"""Where someone lives, was born, comes from and has been."""

from collections.abc import Iterable, Iterator
from typing import Final

from graph.extraction import places
from graph.extraction.phrases import Span
from graph.extraction.rules.base import DATE, Reading, Rule, Said, compiled, forms, head, singular

_IN: Final = compiled(
    r" (?:alone |together |here |abroad |full-time |permanently |happily |mostly )?(?:with [\w' "
    r"]{1,40}? )?(?:right |out |over |up |down )?in "
)
_DESCRIBED: Final = compiled(r"(?:a|an|the|my|our|this) [\w' -]{1,50}? (?:in|of) (?=[^\Wa-z])")
_TO: Final = compiled(
    r" (?:back |over |out |up |down |here |away |all the way |across the country )?(?:from (?P<from>[^,;.]{1,60}?) )?"
    r"(?:back |over |here )?(?:in)?to "
)
_AWAY_FROM: Final = compiled(r" (?:back |over |out |here |away |up |down )*(?:from|out of) ")
_PART_OF_PLACE: Final = compiled(
    r"(?:downtown|central|north|south|east|west|upstate|rural|northern|southern|eastern|western|"
    r"suburban|inner|greater) (?=[^\Wa-z])"
)
_BASED: Final = compiled(r"(?:based|living|residing|located|living out) (?:out of|in) ")
_BORN: Final = compiled(r"born (?:and (?:raised|bred|brought up) )?(?:in|at) ")
_BORN_ON: Final = compiled(rf"born (?:on|in) (?P<date>{DATE}|(?:\w+ )?\d{{4}}\b)")
_IN_PLACE: Final = compiled(r",? (?:in|at) ")
_YEAR: Final = compiled(r"\d{4}")
_ON_DATE: Final = compiled(rf" (?:on|in) (?P<date>{DATE}|\d{{4}}\b)")
_FROM: Final = compiled(r"(?:originally )?from ")
_FROM_AFTER: Final = compiled(r" (?:originally )?from ")
_SIGHTS: Final = forms(
    "museum zoo castle gallery aquarium temple cathedral palace winery brewery lighthouse vineyard "
    "monument memorial canyon waterfall"
)
_VISITED_PLACE: Final = _SIGHTS | forms("park beach island market garden bookstore library")
"""Seen by who says "visited"; one goes to the park at home."""
_NO_PLACE: Final = forms(
    "team company department role position job project office plan phase house apartment flat place"
)


def a_place(reading: Reading, start: int) -> Span | None:
    """The named place here, or the one that a description leads to: "a small flat in Lisbon"."""
    part = reading.match(_PART_OF_PLACE, start)
    name = reading.name(part.end() if part else start)
    if name is None:
        described = reading.match(_DESCRIBED, start)
        name = reading.name(described.end()) if described else _lower_case(reading, start)
    return None if name is None or name.text.isdigit() else name


def _lower_case(reading: Reading, start: int) -> Span | None:
    """A town that somebody did not care to write with a capital."""
    noun = reading.noun(start)
    return noun if noun is not None and len(noun.text) > 3 and places.is_place(noun.text) else None


def _lives(reading: Reading) -> Iterator[Said]:
    match = reading.match(_IN)
    place = a_place(reading, match.end()) if match else None
    if place is not None:
        yield Said("lives_in", place, "place")


def _moved(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TO)
    if match is None:
        away = reading.match(_AWAY_FROM)
        left = reading.name(away.end()) if away else None
        if left is not None and places.is_place(left.text):
            yield Said("lives_in", left, "place", "end")
        return
    place = a_place(reading, match.end())
    if place is None or head(place) in _NO_PLACE:
        return
    yield Said("lives_in", place, "place", "event")
    left = reading.name(match.start("from")) if match["from"] else None
    if left is not None:
        yield Said("lives_in", left, "place", "end")


def _is_based(reading: Reading) -> Iterator[Said]:
    based = reading.match(_BASED)
    if based:
        place = a_place(reading, based.end())
        if place is not None:
            yield Said("lives_in", place, "place")


def _is_from(reading: Reading) -> Iterator[Said]:
    match = reading.match(_FROM)
    if match:
        place = a_place(reading, match.end())
        if place is not None:
            yield Said("comes_from", place, "place", "always")


def _born(reading: Reading) -> Iterator[Said]:
    dated = reading.match(_BORN_ON)
    if dated:
        predicate = "born_on" if _YEAR.search(dated["date"]) else "birthday"
        yield Said(predicate, reading.span(dated, "date"), aspect="always")
    match = reading.match(_BORN) if dated is None else reading.match(_IN_PLACE, dated.end())
    place = reading.name(match.end()) if match else None
    if place is not None and not place.text.isdigit():
        yield Said("born_in", place, "place", "always")
        after = reading.match(_ON_DATE, place.end) if dated is None else None
        if after:
            yield Said(
                "born_on" if _YEAR.search(after["date"]) else "birthday", reading.span(after, "date"), aspect="always"
            )


def _comes_from(reading: Reading) -> Iterator[Said]:
    match = reading.match(_FROM_AFTER)
    place = reading.name(match.end()) if match else None
    if place is not None:
        yield Said("comes_from", place, "place", "always")


_VISITED: Final = compiled(r" (?:the )?")
_WENT_TO: Final = compiled(
    r" (?:back |over |out |up |down |home )?(?:on (?:a|an|our|my) [\w -]{0,40}?(?:trip|vacation|holiday|"
    r"cruise|honeymoon|tour|getaway|retreat) )?"
    r"(?:to|in) "
)
_BEEN_TO: Final = compiled(r"(?:back )?to ")
_SPENT: Final = compiled(r" [\w' -]{1,40}? in ")
_TRIP: Final = compiled(
    r" (?:a|an|our|my|another|this)(?: [\w'-]+){0,4} (?:trip|vacation|holiday|flight|drive|train|cruise|"
    r"tour) (?:to|in|of|around|through) "
)
_BACK_FROM: Final = compiled(
    r" back(?: home)? from (?:(?:a|an|my|our|the)(?: [\w'-]+){0,5} (?:trip|vacation|holiday|tour|"
    r"getaway|honeymoon|visit|time) (?:to|in|around|of) )?"
)


def _places(reading: Reading, start: int) -> Iterator[Span]:
    """Named places, each of an enumeration, or something one visits."""
    named = reading.names(start)
    if named:
        yield from named
        return
    noun = reading.noun(start)
    if noun is not None and head(noun) in _VISITED_PLACE:
        yield noun


def _known(spans: Iterable[Span]) -> Iterator[Said]:
    for span in spans:
        if places.is_place(span.text) or singular(head(span)) in _SIGHTS | forms("falls valley mountains coast lake"):
            yield Said("visited", span, "place", "event")


def _visited(reading: Reading) -> Iterator[Said]:
    match = reading.match(_VISITED)
    for span in _places(reading, match.end()) if match else ():
        yield Said("visited", span, "place", "event")
    someone = reading.match(_SOMEONE_IN)
    if someone:
        yield from _known(reading.names(someone.end()))


_SOMEONE_IN: Final = compiled(r" (?:my|our|some|a|his|her) [\w' -]{2,40}? (?:in|at) (?=[^\Wa-z])")


def _went(reading: Reading) -> Iterator[Said]:
    for pattern in (_BACK_FROM, _WENT_TO):
        match = reading.match(pattern)
        if match:
            yield from _known(_places(reading, match.end()))
            return


def _spent(reading: Reading) -> Iterator[Said]:
    match = reading.match(_SPENT)
    for span in reading.names(match.end()) if match else ():
        yield Said("visited", span, "place", "event")


_WITH_TIME: Final = compiled(
    r"[^,;.]{0,40}?\b(?:last|ago|yesterday|for (?:a|the|work|business|vacation|holiday|two|three)|over|"
    r"on (?:business|holiday|vacation)|in \w+ \d{4})\b"
)
_IN_NAME: Final = compiled(r"(?:back )?in ")
_BACK: Final = compiled(r"(?:just )?back from ")
_TOOK_TO: Final = compiled(r" (?:my|our|the|his|her) [\w' -]{1,30}? to ")
_HOME: Final = compiled(r" home\b")


def _settled(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" (?:down )?in "))
    place = reading.name(match.end()) if match else None
    if place is not None:
        yield Said("lives_in", place, "place", "event")


def _calls_home(reading: Reading) -> Iterator[Said]:
    place = reading.name(reading.after)
    if place is not None and reading.match(_HOME, place.end):
        yield Said("lives_in", place, "place")


def _was_in(reading: Reading) -> Iterator[Said]:
    back = reading.match(_BACK)
    if back:
        yield from _known(reading.names(back.end()))
        return
    match = reading.match(_IN_NAME) if reading.verb.tense == "past" else None
    spans = reading.names(match.end()) if match else []
    if spans and reading.match(_WITH_TIME, spans[-1].end):
        yield from _known(spans)


def _took_to(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TOOK_TO)
    if match:
        yield from _known(_places(reading, match.end()))


def _took_trip(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TRIP)
    if match:
        yield from _known(reading.names(match.end()))


def _been_to(reading: Reading) -> Iterator[Said]:
    match = reading.match(_BEEN_TO)
    if match and reading.verb.tense == "perfect":
        yield from _known(_places(reading, match.end()))


RULES: Final = (
    Rule("lives", forms("live lives living lived reside resides residing resided"), _lives, "I live in Porto."),
    Rule("moved", forms("moved relocated emigrated immigrated"), _moved, "I moved to Lisbon in May."),
    Rule("settled", forms("settled"), _settled, "We settled in Ghent in 2010."),
    Rule("calls_home", forms("call calls"), _calls_home, "I call Lisbon home."),
    Rule("is_based", forms("be"), _is_based, "I'm based in Lisbon."),
    Rule("is_from", forms("be"), _is_from, "I'm originally from Recife."),
    Rule("born", forms("be"), _born, "I was born in Recife on 3 May 1990."),
    Rule("was_in", forms("be"), _was_in, "I was in Tokyo last month."),
    Rule("took_to", forms("took"), _took_to, "We took the kids to the zoo."),
    Rule("comes_from", forms("come comes hail hails"), _comes_from, "I come from Ghana."),
    Rule("visited", forms("visited explored toured"), _visited, "I visited Kyoto and Nara in April 2019."),
    Rule(
        "went",
        forms("went traveled travelled flew got returned came drove vacationed hiked"),
        _went,
        "We went to Paris last year.",
    ),
    Rule("spent", forms("spent"), _spent, "We spent ten days in Cape Town."),
    Rule("took_trip", forms("took had"), _took_trip, "I took a trip to Japan."),
    Rule("been_to", forms("be"), _been_to, "I've been to Iceland."),
)
