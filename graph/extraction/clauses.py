"""Where a clause begins that its speaker vouches for, and the verb phrases that it has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from graph.extraction.subjects import Subject, subjects
from graph.extraction.text import Sentence
from graph.extraction.verbs import Verb, read_verb, unfolded
from graph.limits import MAX_CLAUSES_PER_SENTENCE

_BOUNDARY: Final = re.compile(r"[,;:!?()—–…]|\.\s|\s?-{1,2}\s")
_STRONG: Final = re.compile(r"[;:!?()—–…]|\.\s|\s?-{1,2}\s")
_LEAD: Final = re.compile(
    r"(?:and|but|so|because|now that|'?cause|cuz|as|since|plus|also|well|oh|ah|hi|hey|hello|yes|yeah|"
    r"yep|no|nope|ok|okay|anyway|anyways|btw|"
    r"fyi|actually|honestly|basically|currently|recently|lately|originally|today|now|nowadays|these days|then|however|"
    r"additionally|besides|personally|specifically|finally|luckily|fortunately|unfortunately|sadly|happily|apparently|"
    r"by the way|for example|for instance|in fact|in addition|as for me|as you know|as i (?:said|"
    r"mentioned)(?: (?:earlier|before))?|"
    r"for context|for reference|for the record|for work|at (?:the moment|work|home|present)|right now|"
    r"at this point|you know|"
    r"guess what|fun fact|good news|great news|big news|update|the thing is|the truth is|to be honest|"
    r"even|though|although|while|speaking of which|on weekends|every (?:day|week|weekend|morning|year|summer)|"
    r"i(?:'m| am) (?:so |very |really |just |pretty )?(?:happy|glad|excited|proud|sad|sorry|thrilled|"
    r"pleased|lucky|positive|sure)"
    r"(?: to (?:say|share|report|announce|tell you))?(?: that)?|"
    r"(?:i )?(?:just |also |should |must |have to |forgot to |wanted to )?"
    r"(?:remember|realized|realised|noticed|mention|mentioned|add|say|confess|admit|tell you|let you know|share)"
    r"(?: (?:earlier|before|that|you))*|(?:this|that|it)(?:'s| is| was) (?:where|when|why|because)|"
    r"it(?:'s| has) been [\w ]{1,30} since|"
    r"dear [\w ]{1,30}|thanks|thank you)\b",
    re.IGNORECASE,
)
_ADVERBIAL: Final = re.compile(
    r"(?:back )?(?:in|on|at|since|between|from|during|over|until|after|before|around|about|by|last|this|"
    r"the|a|an|one|two|three|four|"
    r"five|six|seven|eight|nine|ten|yesterday|earlier|early|late|growing|ever since|\d[\d/.-]*|every|each|a few|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|christmas|easter|as a (?:kid|child|"
    r"student|teenager)|some)\b"
    r"(?:[ /]+[\w'-]+){0,6}",
    re.IGNORECASE,
)
_MOMENTS: Final = frozenset(
    ["the other day", "this morning", "this afternoon", "this evening", "one day", "the day before", "this time"]
)
_BEFORE_TIME: Final = frozenset(
    ["ago", "year", "month", "week", "weekend", "summer", "winter", "spring", "autumn", "fall"]
)
_JOINED: Final = re.compile(
    r"\b(?P<word>and|but|so|now that|because|cause|cuz|as|since|though|although|plus|when|while|after|"
    r"before|until|once|where)\s+$",
    re.IGNORECASE,
)
_TIMELY: Final = frozenset(["when", "while", "after", "before", "until", "since", "once", "where", "as"])
"""What they lead into is a fact only where it is past."""

_HYPOTHETICAL: Final = re.compile(
    r"\b(?:if|unless|wish|hope|hoping|imagine|suppose|supposing|pretend|whether|would|could|might|'d|"
    r"told|says?|said|claims?|claimed|"
    r"thinks?|believes?|heard|dreamt|dreamed|dream|maybe|perhaps|write|story|pretending|asked?|"
    r"wonder(?:ing)?|let's|character)\b",
    re.IGNORECASE,
)
_NEXT_PHRASE: Final = re.compile(r"(?:,\s*|\s+)(?:(?:and|but|then|yet)\s+(?:then\s+|also\s+|now\s+)?)?", re.IGNORECASE)
_AND_VERB: Final = re.compile(
    r"(?:,\s*(?:and|but|then)?|\b(?:and|but|then))\s+(?!raised\b|bred\b|brought up)(?=[a-z'])", re.IGNORECASE
)
_FINITE_AFTER_AND: Final = re.compile(
    r"(?:(?:have|has|am|is|are|was|were|also|now|then|just|recently|still|currently|never|don't|doesn't|"
    r"can't|cannot|can|used|got|"
    r"bought|went|made|took|met|left|sold|quit|became|grew|began|speaks?|plays?|hates?|loves?|likes?|"
    r"works?|lives?|studies|study|"
    r"uses?|owns?|runs?|teach|teaches|eats?|enjoys?|dislikes?|collects?|spent|flew|saw|won|gave)\b|[a-z]{3,}ed\b)",
    re.IGNORECASE,
)
_GERUND_AFTER_AND: Final = re.compile(r"(?:(?:also|now|just)\s+)?(?P<word>[a-z]{2,}ing)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject and one of its verb phrases, or its noun where the subject is an owner."""

    subject: Subject
    verb: Verb | None
    """None after an owner: "my car" is read by the rules of things owned."""
    start: int
    """Where the clause begins, with its adverbials."""
    end: int
    """Where the verb phrase ends, or might."""
    must_be_past: bool = False


def clauses(sentence: Sentence) -> Iterator[Clause]:
    """The verb phrases of all clauses in the sentence that are asserted, in order."""
    text = sentence.text
    found = [(each, _start(text, each)) for each in _limited(text)]
    begun = [(each, start) for each, start in found if start is not None]
    for place, (subject, (start, is_timely)) in enumerate(begun):
        end = begun[place + 1][0].span.start if place + 1 < len(begun) else len(text)
        end = _cut(text, subject.after, end)
        if subject.is_owner:
            yield Clause(subject, None, start, end, is_timely)
        else:
            yield from _verb_phrases(text, subject, start, end, is_timely)


def _limited(text: str) -> list[Subject]:
    return [each for each, _ in zip(subjects(text), range(2 * MAX_CLAUSES_PER_SENTENCE), strict=False)]


def _cut(text: str, start: int, end: int) -> int:
    match = _STRONG.search(text, start, end)
    return match.start() if match else end


_IN_FICTION: Final = re.compile(
    r"\b(?:in|from) (?:the|my|a|an|this|our) (?:\w+ )?(?:story|novel|book|movie|film|game|dream|"
    r"scenario|example|episode|play|poem|song|text|passage|scene|script)\b",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r'"[^"]{3,}"')
"""Somebody else's words, or a title."""

_VERB_LIKE: Final = re.compile(
    r"(?:'s|\s+(?:(?:just|also|actually|really|recently|currently|now|always|still|already|even|never|"
    r"finally|only|and I|both)\s+)*"
    r"(?:is|are|was|were|has|have|had|does|doesn't|did|didn't|isn't|wasn't|hasn't|can|can't|cannot|used|"
    r"no longer|[a-z]+(?:s|ed)|"
    r"got|went|bought|left|sold|quit|became|grew|ran|met|made|took|gave|spoke|won|lost|came|broke|wed|"
    r"spent|flew|saw|taught)\b)"
)


def _start(text: str, subject: Subject) -> tuple[int, bool] | None:
    """Where the clause of this subject begins, and whether what leads into it wants a past; None where none begins."""
    at = subject.span.start
    if any(match.start() < at < match.end() for match in _QUOTED.finditer(text)):
        return None
    if _IN_FICTION.search(text, 0, at):
        return None
    if subject.kind == "name" and not subject.is_owner and _VERB_LIKE.match(text, subject.after) is None:
        return None
    boundary = max((match.end() for match in _BOUNDARY.finditer(text, 0, at)), default=0)
    if _is_lead(text, boundary, at):
        joined = _JOINED.search(text, boundary, at)
        is_timely = joined is not None and joined["word"].lower() in _TIMELY
        conditional = joined is not None and joined["word"].lower() in ("and", "as") and _begins_conditional(text)
        return None if conditional else (_with_adverbial(text, boundary), is_timely and "," not in text[:at][-2:])
    joined = _JOINED.search(text, boundary, at)
    if joined is None or _HYPOTHETICAL.search(text, boundary, at):
        return None
    if _begins_conditional(text) and boundary == 0:
        return None
    return joined.start(), joined["word"].lower() in _TIMELY


_CONDITION: Final = re.compile(r"\W*(?:if|imagine|suppose|supposing|pretend|unless|whether|let's|say)\b", re.IGNORECASE)
_FRONTED: Final = re.compile(r"(?:^|[;:.!?]\s{1,3}|\s-\s|,\s{0,3})([^,;:.!?]{1,60}),\s{0,3}$")
_MAX_FRONTED: Final = 70


def _begins_conditional(text: str) -> bool:
    return _CONDITION.match(text) is not None


def _with_adverbial(text: str, boundary: int) -> int:
    """With "Last May, " before it."""
    match = _FRONTED.search(text, max(0, boundary - _MAX_FRONTED), boundary)
    if match and _is_lead(text, match.start(1), match.end(1)):
        return match.start(1)
    return boundary


def _is_lead(text: str, start: int, end: int) -> bool:
    """Whether there is nothing but what may lead into a clause."""
    position = start
    for _ in range(6):
        while position < end and not text[position].isalnum():
            position += 1
        if position >= end:
            return True
        match = (
            _LEAD.match(text, position, end)
            or _JOINED.match(text, position, end)
            or _ADVERBIAL.match(text, position, end)
        )
        if match is None:
            return False
        if match.re is _ADVERBIAL and not _is_adverbial(match[0]):
            return False
        position = match.end()
    return False


_FICTION: Final = re.compile(
    r"\b(?:story|novel|book|movie|film|game|show|dreams?|scenario|example|series|episode|play|poem|song|"
    r"text|article|passage|scene|script)\b",
    re.IGNORECASE,
)


_CLAUSAL: Final = re.compile(
    r"\b(?:i|you|he|she|they|we|it|that|who|which|is|are|was|were|if|said|told)\b", re.IGNORECASE
)


def _is_adverbial(words: str) -> bool:
    """No clause: "in May last year" but not "the man who"."""
    last = words.lower().split()[-1]
    first = words.lower().split()[0]
    if _FICTION.search(words):
        return False
    if (
        first in ("the", "a", "an", "one", "two", "three", "four", "five", "six", "some", "this")
        and last not in _BEFORE_TIME
    ):
        return words.lower() in _MOMENTS
    return _CLAUSAL.search(words) is None


_WHO: Final = re.compile(r",? who(?='s|\s)", re.IGNORECASE)


def _verb_phrases(text: str, subject: Subject, start: int, end: int, is_timely: bool) -> Iterator[Clause]:
    """The first, and what is joined to it: "plays the oud and hates olives"."""
    aside = _WHO.match(text, subject.after, end)
    if aside:
        close = aside.end() + text[aside.end() : end].find(",") if "," in text[aside.end() : end] else end
        yield from _verb_phrases(text, replace(subject, after=aside.end()), start, close, is_timely)
        start, subject = close, replace(subject, after=min(close + 1, end))
    first = read_verb(text, subject.after, end)
    if first is None:
        return
    joints = list(_joints(text, first, end))
    stops = [joint.start() for joint, _ in joints] + [end]
    found = [(first, start), *((verb, verb.start) for _, verb in joints)]
    for place, (verb, begin) in enumerate(found):
        for each in unfolded(text, verb, stops[place]):
            yield Clause(subject, each, begin, stops[place], is_timely)


def _joints(text: str, first: Verb, end: int) -> Iterator[tuple[re.Match[str], Verb]]:
    for joint, _ in zip(_AND_VERB.finditer(text, first.end, end), range(MAX_CLAUSES_PER_SENTENCE), strict=False):
        gerund = _GERUND_AFTER_AND.match(text, joint.end(), end) if first.is_progressive else None
        if gerund:
            yield joint, replace(first, form=gerund["word"].lower(), start=gerund.start("word"), end=gerund.end("word"))
            continue
        if _FINITE_AFTER_AND.match(text, joint.end(), end) is None:
            continue
        verb = read_verb(text, joint.end(), end)
        if verb is None or not _goes_on(text[first.end : joint.start()], first, verb):
            continue
        if first.tense == "perfect" and verb.tense == "past":
            verb = replace(verb, tense="perfect" if verb.form.endswith("ed") else "past")
        yield joint, verb


_OTHER_CLAUSE: Final = re.compile(
    r"\b(?:will|would|could|might|should|that|who|which|if|you|he|she|they|it|we|people|how|why|when|what)\b",
    re.IGNORECASE,
)
_TO_VERB: Final = re.compile(r"\bto [a-z]+(?!ed\b)\b", re.IGNORECASE)


def _goes_on(between: str, first: Verb, verb: Verb) -> bool:
    """Whether the verb is of the same subject, and as certain: not "I want to live in Rome and work at"."""
    if _OTHER_CLAUSE.search(between):
        return False
    if verb.tense != "present" or verb.form == "be" or verb.form.endswith("s"):
        return True
    return first.tense == "present" and _TO_VERB.search(between) is None
