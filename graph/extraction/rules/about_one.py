"""Age, occupation, nationality, diet, allergies and languages."""

from collections.abc import Iterator
from typing import Final

from graph.extraction.lexicon import ALLERGENS_NOT, DIETS, LANGUAGES, NATIONALITIES, NEVER_WORK, OCCUPATIONS
from graph.extraction.phrases import Span, noun_phrase
from graph.extraction.rules.base import DATE, Reading, Rule, Said, compiled, forms, head, singular
from graph.extraction.words import STOPS

_NUMBER: Final = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|"
    r"five|six|seven|eight|nine))?|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen)"
)
_AGE: Final = compiled(
    rf"(?:turning )?(?P<age>{_NUMBER})(?: (?:years? old|yrs? old|y/?o)\b| ?(?=$|[,.;!)]| (?:and|but|now|"
    rf"this year|so)\b))"
)
_SMALL: Final = compiled(r"\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve")
_AGED: Final = compiled(r"an? (?P<age>\d{1,3})[- ]years?[- ]old\b")
_TURNED: Final = compiled(rf" (?P<age>{_NUMBER})\b(?! (?:degrees|percent|times|pages|of))")

_ARTICLE: Final = compiled(r"(?:currently |now )?(?:an?|the|one of the) ")
_ROLE_BEFORE: Final = compiled(
    r"(?:former|retired|ex|aspiring|wannabe|would-be|future|beginner|amateur|hobby|budding|part-time student)\b"
)
_PAST_ROLE: Final = compiled(r"(?:former|retired|ex)\b")
_PASSPORT: Final = compiled(r" (?:an? |my |his |her |dual )?(?P<nation>[a-z]+) (?:citizenship|nationality)\b")
_LIVING: Final = compiled(r" (?:a|my|his|her) living as (?:an?|the) ")
_OF_ORG: Final = compiled(r"(?P<job>[\w' -]{2,40}?) (?:of|at) (?=[^\Wa-z])")
_AS: Final = compiled(r"(?: [\w'-]+){0,2}? as (?:an?|the|our|one of the) ")
_JOB_AS: Final = compiled(
    r" (?:an? |my |the )?(?:[\w'-]+ ){0,3}?(?:job|position|role|gig|work|internship) as (?:an?|the) "
)
_TO_ROLE: Final = compiled(r" ?(?:recently |just )?(?:promoted|appointed|made) (?:to )?(?:an? |the )?")
_AT_ORG: Final = compiled(r" (?:at|for|with|of) ")
_OCCUPATION_STOPS: Final = STOPS | forms("working specializing specialising focusing focused living")

_CITIZEN: Final = compiled(
    r"(?:an? |both )?(?P<nation>[a-z]+)(?: (?:citizen|national))?(?=$|[,.;!)]| (?:and|but|by|so|with|"
    r"originally|now|living|who|citizen|national)\b)"
)
_DIET: Final = compiled(
    r"(?:an? |on an? )?(?:strict |strictly |mostly |lifelong |now |fully |completely |committed "
    r")?(?P<diet>[a-z\d-]+)\b(?P<diets> diet)?(?! (?:recipe|food|restaurant|dish|option|meal|cook))"
)
_DIET_TO: Final = compiled(
    r" (?:an? |the )?(?:strict |mostly |fully |completely )?(?P<diet>[a-z\d-]+)(?P<diets> diet| "
    r"lifestyle)?(?=$|[,.;!)]| \w+)"
)
_ALLERGIC: Final = compiled(r"(?:severely |very |highly |deathly |slightly |mildly )?allergic to ")
_ALLERGY: Final = compiled(
    r" (?:an? )?(?:\w+ly |severe |bad |mild |serious )?(?P<what>[a-z-]+(?: [a-z-]+)?) allerg(?:y|ies)\b"
)
_ALLERGY_TO: Final = compiled(
    r" (?:an? )?(?:\w+ly |severe |bad |mild |serious )?(?:allergy|allergies|allergic reaction) to "
)
_LANGUAGE: Final = compiled(rf"\b(?:{'|'.join(sorted(LANGUAGES))})\b")
_NATIVE: Final = compiled(r"(?:fluent|conversational|proficient|bilingual) in |an? (?:native|fluent) ")


def _age(reading: Reading) -> Iterator[Said]:
    match = reading.match(_AGE)
    if (
        match
        and (
            "old" in match[0]
            or "y" in match[0][len(match["age"]) :]
            or reading.subject.kind != "self"
            or not _SMALL.fullmatch(match["age"])
        )
        and _is_person(reading)
    ):
        yield Said("age", reading.span(match, "age"))
    aged = reading.match(_AGED)
    if aged:
        yield Said("age", reading.span(aged, "age"))


def _is_person(reading: Reading) -> bool:
    return reading.subject.kind in ("self", "relative", "name")


def _turned(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TURNED)
    if match and not reading.clause.must_be_past:
        yield Said("age", reading.span(match, "age"), aspect="event")


def an_occupation(reading: Reading, start: int, is_sure: bool = False) -> Span | None:
    """The job here: a known one, or after "work as" any."""
    noun = noun_phrase(reading.text, start, reading.end, _OCCUPATION_STOPS)
    if noun is None:
        return None
    titled = _OF_ORG.match(noun.text)
    if titled:
        noun = Span(noun.start, noun.start + titled.end("job"), titled["job"])
    word = singular(head(noun))
    if word in NEVER_WORK and not is_sure and reading.match(_AT_ORG, noun.end) is None:
        return None
    return noun if is_sure or word in OCCUPATIONS else None


def _is_a(reading: Reading) -> Iterator[Said]:
    match = reading.match(_ARTICLE)
    if match is None:
        return
    ahead = reading.match(_ROLE_BEFORE, match.end())
    past = reading.match(_PAST_ROLE, match.end())
    if ahead and past is None:
        return
    job = an_occupation(reading, past.end() + 1 if past else match.end())
    if job is None:
        return
    yield Said("occupation", job, is_over=past is not None)
    yield from _at_org(reading, job, past is not None)


def _at_org(reading: Reading, job: Span, is_over: bool = False, aspect: str = "state") -> Iterator[Said]:
    match = reading.match(_AT_ORG, job.end)
    org = reading.name(match.end()) if match else None
    if org is not None:
        role = {"role": job.text}
        yield Said("works_at", org, "organization", "event" if aspect == "event" else "state", role, is_over=is_over)


def _works_as(reading: Reading) -> Iterator[Said]:
    match = reading.match(_AS)
    job = an_occupation(reading, match.end(), is_sure=True) if match else None
    if job is not None:
        yield Said("occupation", job)
        yield from _at_org(reading, job)


def _got_job(reading: Reading) -> Iterator[Said]:
    match = reading.match(_JOB_AS)
    job = an_occupation(reading, match.end(), is_sure=True) if match else None
    if job is not None:
        yield Said("occupation", job, aspect="event")
        yield from _at_org(reading, job, aspect="event")


_STARTED_AS: Final = compiled(r" (?:out |off )?as (?:an?|the) ")


def _started_as(reading: Reading) -> Iterator[Said]:
    match = reading.match(_STARTED_AS)
    job = an_occupation(reading, match.end()) if match else None
    if job is not None:
        yield Said("occupation", job, aspect="event")
        yield from _at_org(reading, job, aspect="event")


def _became(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" (?:an?|the) "))
    job = an_occupation(reading, match.end()) if match else None
    if job is not None:
        yield Said("occupation", job, aspect="event")
        yield from _at_org(reading, job, aspect="event")


def _promoted(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TO_ROLE)
    job = an_occupation(reading, match.end()) if match else None
    if job is not None:
        yield Said("occupation", job, aspect="event")


def _nationality(reading: Reading) -> Iterator[Said]:
    match = reading.match(_CITIZEN)
    if match and match["nation"].lower() in NATIONALITIES and match["nation"][0].isupper() and _is_person(reading):
        yield Said("nationality", reading.span(match, "nation"))


def _diet(reading: Reading) -> Iterator[Said]:
    match = reading.match(_DIET)
    if match and match["diet"].lower() in DIETS and _is_person(reading):
        yield Said("diet", reading.span(match, "diet"))


def _went_diet(reading: Reading) -> Iterator[Said]:
    match = reading.match(_DIET_TO)
    if match and match["diet"].lower() in DIETS:
        yield Said("diet", reading.span(match, "diet"), aspect="event")


def _eats_diet(reading: Reading) -> Iterator[Said]:
    match = reading.match(_DIET_TO)
    if (
        match
        and match["diet"].lower() in DIETS
        and (match["diets"] or match["diet"].lower() in ("halal", "kosher", "vegan"))
    ):
        yield Said("diet", reading.span(match, "diet"))


def _allergic(reading: Reading) -> Iterator[Said]:
    match = reading.match(_ALLERGIC)
    for each in reading.nouns(match.end()) if match else ():
        if each.text.lower() not in ALLERGENS_NOT:
            yield Said("allergic_to", each)


def _allergy(reading: Reading) -> Iterator[Said]:
    match = reading.match(_ALLERGY_TO)
    for each in reading.nouns(match.end()) if match else ():
        yield Said("allergic_to", each)
    named = reading.match(_ALLERGY) if match is None else None
    if named and named["what"].lower().split()[0] not in ALLERGENS_NOT:
        yield Said("allergic_to", reading.span(named, "what"))


def _speaks(reading: Reading) -> Iterator[Said]:
    text = reading.text[reading.after : reading.end].lower()
    if " no " in text[:8] or "speaking" in text[:12] or (reading.verb.tense == "past" and not reading.verb.can):
        return
    for match in _LANGUAGE.finditer(reading.text, reading.after, reading.end):
        between = reading.text[reading.after : match.start()].strip().lower()
        if len(between) <= 60 and not _BROKEN.search(between):
            yield Said("speaks", Span(match.start(), match.end(), match[0]))


_BROKEN: Final = compiled(r"[.;]|\b(?:about|to|because|with|in|at|when|but not|learn\w*|not)\b")


def _fluent(reading: Reading) -> Iterator[Said]:
    match = reading.match(_NATIVE)
    if match is None:
        return
    for each in reading.nouns(match.end()):
        word = each.text.split()[0]
        if word.lower() in LANGUAGES and (match[0].endswith("in ") or "speaker" in each.text):
            yield Said("speaks", Span(each.start, each.start + len(word), word))


_HAS_BIRTHDAY: Final = compiled(rf" (?:his|her|my|their|a) birthday (?:is )?(?:on |coming up on )?(?P<date>{DATE})")


def _has_birthday(reading: Reading) -> Iterator[Said]:
    match = reading.match(_HAS_BIRTHDAY)
    if match:
        yield Said("birthday", reading.span(match, "date"), aspect="always")


def _living(reading: Reading) -> Iterator[Said]:
    match = reading.match(_LIVING)
    job = an_occupation(reading, match.end(), is_sure=True) if match else None
    if job is not None:
        yield Said("occupation", job)


def _citizenship(reading: Reading) -> Iterator[Said]:
    match = reading.match(_PASSPORT)
    if match and match["nation"].lower() in NATIONALITIES:
        yield Said(
            "nationality", reading.span(match, "nation"), aspect="state" if reading.verb.tense == "present" else "event"
        )


def _keeps(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" (?:strictly |strict )?(?P<diet>kosher|halal)\b"))
    if match:
        yield Said("diet", reading.span(match, "diet"))


def _grew_up_speaking(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" up speaking (?:both )?"))
    for each in reading.nouns(match.end()) if match else ():
        if each.text.lower() in LANGUAGES:
            yield Said("speaks", each, aspect="always")


RULES: Final = (
    Rule("started_as", forms("started began"), _started_as, "I started as a chef at Noma."),
    Rule("living", forms("make makes earn earns"), _living, "I make a living as a translator."),
    Rule("citizenship", forms("have has got hold holds received"), _citizenship, "I have Portuguese citizenship."),
    Rule("keeps", forms("keep keeps"), _keeps, "We keep kosher."),
    Rule("grew_up_speaking", forms("grew"), _grew_up_speaking, "I grew up speaking Wolof."),
    Rule("has_birthday", forms("have has celebrate celebrates"), _has_birthday, "Farid has his birthday on 21 July."),
    Rule("age", forms("be"), _age, "I'm 34 years old."),
    Rule("turned", forms("turned"), _turned, "My son Leo turned six in March."),
    Rule("is_a", forms("be"), _is_a, "I'm a nurse at St Mary's."),
    Rule("works_as", forms("work works working worked"), _works_as, "Ana works as a translator."),
    Rule(
        "got_job",
        forms("got started landed accepted took found have has began"),
        _got_job,
        "I got a job as a chef at Noma.",
    ),
    Rule("became", forms("became"), _became, "My brother became a pilot in 2015."),
    Rule("promoted", forms("be got"), _promoted, "I was promoted to team manager."),
    Rule("nationality", forms("be"), _nationality, "Wei is Canadian."),
    Rule("diet", forms("be"), _diet, "I'm vegan."),
    Rule("went_diet", forms("went gone became turned going"), _went_diet, "I went vegan in January."),
    Rule("eats_diet", forms("eat eats follow follows following eating started"), _eats_diet, "I follow a keto diet."),
    Rule("allergic", forms("be"), _allergic, "I'm allergic to peanuts and penicillin."),
    Rule("allergy", forms("have has developed got"), _allergy, "My son has a peanut allergy."),
    Rule("speaks", forms("speak speaks"), _speaks, "I speak Portuguese and English."),
    Rule("fluent", forms("be"), _fluent, "I'm fluent in Polish."),
)
