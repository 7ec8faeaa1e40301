"""Employers, schools, what is studied, degrees and clubs."""

from collections.abc import Iterator
from typing import Final

from graph.extraction import places
from graph.extraction.lexicon import CLUBS, FIELDS, LANGUAGES, SCHOOLS
from graph.extraction.phrases import Span
from graph.extraction.rules.base import Reading, Rule, Said, compiled, forms, head, singular
from graph.model import Scalar
from graph.resolution.givennames import is_given_name
from graph.resolution.names import name_key

_AT: Final = compiled(
    r"(?: (?:full[- ]time|part[- ]time|remotely|freelance|nights|shifts|abroad|here|there|as (?:an? |"
    r"the )?[\w' -]{1,60}?|"
    r"in (?:the )?[\w&' -]{1,40}?|on [\w' -]{1,40}?))*? (?P<at>at|for) "
)
_WITH: Final = compiled(r" with (?=[^\Wa-z][\w& ]+ (?:as|Inc|Corp|Ltd|Group)\b)")
_EMPLOYED: Final = compiled(r" ?(?:hired|employed|recruited) (?:by|at) ")
_FIRED: Final = compiled(r" ?(?:fired|laid off|let go|made redundant) (?:from|by) (?:my job at )?")
_JOB_AT: Final = compiled(
    r" (?:an? |my |this |the )?(?:[\w'-]+ ){0,4}?(?:job|position|role|internship|work|working)(?: as "
    r"(?:an? |the )?[\w' -]{1,50}?)? (?:at|with|for) "
)
_LEFT: Final = compiled(r" (?:(?:my|his|her|the) (?:[\w'-]+ ){0,3}?(?:job|position|role|work) (?:at|with|for) )?")
_LEFT_JOB: Final = compiled(r" (?:my|his|her|the) (?:[\w'-]+ ){0,3}?(?:job|position|role) (?:at|with|for) ")
_FROM: Final = compiled(r" from (?:(?:my|his|her) (?:[\w'-]+ ){0,3}?(?:job|position|role) (?:at|with|as) )?")
_NO_EMPLOYER: Final = forms(
    "home office desk work night computer hour age pace moment gym time weekend living library café cafe school "
    "same minute start end week month year day company project firm place"
)
_BUILDINGS: Final = forms("library café cafe school gym office firm company")
_NO_MORE_JOB: Final = compiled(
    r" (?:my|his|her) (?:old |day |corporate )?job(?=$|[,.;!]| (?:last|yesterday|in|two|three|a|and|to|"
    r"this|recently|because|so)\b)"
)
_TEACH_AT: Final = compiled(r" [\w ]{1,30}? at ")
_AS_ROLE: Final = compiled(r" as (?:an?|the|their) ")

_STUDY: Final = compiled(r" (?!at |in |for |abroad|hard|to )")
_SUBJECT_STOP: Final = compiled(r"(?:at|in) ")
_STUDY_AT: Final = compiled(r"(?: [\w&' -]{1,60}?)? (?:at|in) (?:the )?(?=[^\Wa-z])")
_MAJOR: Final = compiled(r"(?: as an? \w+)? in ")
_MAJOR_BE: Final = compiled(r"(?:majoring|enrolled) in ")
_STUDENT: Final = compiled(
    r"(?:an? |the )?(?:[\w'-]+ ){0,4}?(?:student|undergraduate|undergrad|freshman|sophomore|postdoc|"
    r"professor emeritus) (?:[\w' -]{1,40}? )?at "
)
_ENROLLED: Final = compiled(r"(?:enrolled|studying|doing [\w' -]{1,40}) (?:at|in) ")
_TO_SCHOOL: Final = compiled(r" (?:to )?")
_GRADUATED: Final = compiled(
    r"(?: (?:in|last|this|back in|with honou?rs|summa cum laude|magna cum laude)(?: \w+){0,2})? (?:from|at) "
)
_LONG_GRADUATED: Final = compiled(r" [^,.;]{1,90}? from (?:the )?(?=[^\Wa-z])")
_TITLE: Final = (
    r"(?:ph\.?d|doctorate|mba|(?:bachelor|master|associate)(?:'?s)?(?: of (?:arts|science))?(?: "
    r"degree)?|b\.?s\.?c?|m\.?s\.?c?|b\.?a|m\.?a|bsc|msc|"
    r"(?:[\w-]+ )?degree|diploma|minor|major|undergrad(?:uate)?(?: degree)?)"
)
_DEGREE_IN: Final = compiled(
    rf"(?:[^,.;]{{0,60}}? with)? (?:an? |my |his |her |the |both a )?(?:[\w'-]+ ){{0,2}}?{_TITLE}\.? in "
)
_DEGREE_OF: Final = compiled(
    r"(?:[^,.;]{0,60}? with)? (?:an? |my |his |her )(?P<field>(?:[a-z]+ ){1,3})(?:degree|PhD|doctorate)\b"
)
_NO_FIELD: Final = forms(
    "bachelor bachelor's bachelors master master's masters associate's university college graduate "
    "honorary undergraduate first second four-year advanced doctoral my"
)

_MEMBER: Final = compiled(r"(?:an? |the )?(?:[\w'-]+ ){0,3}?(?:members?|part) of (?:an?|the|our|my|this|that)? ?")
_IN_CLUB: Final = compiled(r"(?:in|on) (?:an?|the|my|our) ")
_JOIN: Final = compiled(r" (?:an?|the|my|our|this|up with (?:an?|the))? ?")


def employer(reading: Reading, start: int) -> Span | None:
    """A named one, or a definite one: "the city hospital"."""
    name = reading.name(start)
    if name is not None:
        return name if not (places.is_place(name.text) and places.country(name.text)) else None
    noun = reading.noun(start) if reading.text[start : start + 4].lower() == "the " else None
    if noun is None or noun.text[0].isdigit():
        return None
    is_anywhere = singular(head(noun)) in _NO_EMPLOYER and (" " not in noun.text or head(noun) not in _BUILDINGS)
    return None if is_anywhere else noun


def _works_at(reading: Reading) -> Iterator[Said]:
    match = reading.match(_AT) or reading.match(_WITH)
    if match is None and reading.verb.form.startswith(("teach", "taught")):
        match = reading.match(_TEACH_AT)
    org = employer(reading, match.end()) if match else None
    if org is not None and not org.text.lower().startswith(
        ("living", "free", "decade", "year", "month", "few", "couple")
    ):
        yield Said("works_at", org, "organization", qualifiers=_role(reading, org.end))


def _role(reading: Reading, start: int) -> dict[str, Scalar]:
    """Reads "as a welder"."""
    match = reading.match(_AS_ROLE, start)
    role = reading.noun(match.end()) if match else None
    return {"role": role.text} if role is not None else {}


def _hired(reading: Reading) -> Iterator[Said]:
    match = reading.match(_EMPLOYED)
    org = reading.name(match.end()) if match else None
    if org is not None:
        yield Said("works_at", org, "organization", "event" if reading.verb.tense != "present" else "state")
    fired = reading.match(_FIRED)
    org = reading.name(fired.end()) if fired else None
    if org is not None:
        yield Said("works_at", org, "organization", "end")


def _job_at(reading: Reading) -> Iterator[Said]:
    match = reading.match(_JOB_AT)
    org = reading.name(match.end()) if match else None
    if org is None:
        return
    is_now = reading.verb.form in ("have", "has") and reading.verb.tense == "present"
    yield Said("works_at", org, "organization", "state" if is_now else "event")


def _started_at(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" (?:working )?(?:at|with|for) "))
    org = reading.name(match.end()) if match else None
    if org is not None and not org.text[0].isdigit():
        is_school = any(word in SCHOOLS for word in org.text.lower().split()) and "working" not in (
            match[0] if match else ""
        )
        yield Said("studies_at" if is_school else "works_at", org, "organization", "event")


def _left(reading: Reading) -> Iterator[Said]:
    """A job, a party or a club; other things are left too, and other names."""
    match = reading.match(_LEFT_JOB)
    org = employer(reading, match.end()) if match else None
    if org is not None:
        yield Said("works_at", org, "organization", "end")
        return
    if reading.match(_NO_MORE_JOB):
        yield Said("works_at", None, aspect="end")
        return
    employer_left = reading.name(reading.after) if reading.verb.form == "left" else None
    if employer_left is not None and _is_firm(reading, employer_left):
        yield Said("works_at", employer_left, "organization", "end")
        return
    noun = reading.name(reading.after) or reading.noun(reading.after)
    if noun is not None and reading.verb.form != "lost" and singular(head(noun)) in CLUBS:
        yield Said("member_of", noun, "organization", "end")


_SERVICES: Final = forms(
    "facebook twitter instagram whatsapp reddit linkedin tiktok snapchat spotify netflix x discord"
)
_AFTER_LEFT: Final = compiled(
    r"\s*(?:$|[,.;!]| (?:in|last|after|to|two|three|this|because|a (?:few|year|month)|and)\b)"
)


def _is_firm(reading: Reading, name: Span) -> bool:
    """What is left that is no place, person, club or site; a firm is what remains."""
    key = name_key(name.text)
    if (
        places.is_place(name.text)
        or is_given_name(key.split(" ")[0])
        or key in _SERVICES
        or singular(head(name)) in CLUBS
    ):
        return False
    return reading.match(_AFTER_LEFT, name.end) is not None and not any(word in SCHOOLS for word in key.split())


def _dropped_out(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" out of (?:the )?"))
    school = reading.name(match.end()) if match else None
    if school is not None:
        yield Said("studies_at", school, "organization", "end")


def _is_with(reading: Reading) -> Iterator[Said]:
    """Reads "has been with Siemens since 2010"."""
    match = reading.match(compiled(r"with (?=[^\Wa-z])")) if reading.verb.tense == "perfect" else None
    org = reading.name(match.end()) if match else None
    if org is not None and not is_given_name(name_key(org.text).split(" ")[0]):
        yield Said("works_at", org, "organization")


_IN_GROUP: Final = compiled(r"[\w' ]{0,40}? in (?:an?|the|my|our) ")


def _performs_in(reading: Reading) -> Iterator[Said]:
    match = reading.match(_IN_GROUP)
    group = reading.noun(match.end()) if match else None
    if (
        group is not None
        and singular(head(group)) in forms("band choir orchestra quartet trio ensemble team league club")
        and reading.verb.tense != "past"
    ):
        yield Said("member_of", group, "organization")


def _belongs(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(r" to (?:an?|the|our)? ?"))
    group = reading.noun(match.end()) if match else None
    if group is not None and singular(head(group)) in CLUBS:
        yield Said("member_of", group, "organization")


def _left_employer(reading: Reading) -> Iterator[Said]:
    match = reading.match(_FROM)
    org = reading.name(match.end()) if match else None
    if org is not None:
        yield Said("works_at", org, "organization", "end")


def _studies(reading: Reading) -> Iterator[Said]:
    match = reading.match(_STUDY)
    fields = (
        reading.nouns(match.end()) if match and "for" not in reading.text[reading.after : reading.after + 5] else []
    )
    for field in fields:
        if _is_field(field):
            yield Said("studies", field)
    at = reading.match(_STUDY_AT, fields[-1].end) if fields else reading.match(_STUDY_AT)
    school = reading.name(at.end()) if at else None
    if school is not None and _may_be_school(school, " at " in at[0] if at else False):
        yield Said("studies_at", school, "organization")


def _is_field(field: Span) -> bool:
    """Whether it is a subject of study, by its last word."""
    word = head(field)
    return word in FIELDS or word.endswith(
        ("ology", "onomy", "nomics", "istry", "ography", "osophy", "physics", "matics", "istics", "nursing")
    )


def _may_be_school(school: Span, is_at: bool) -> bool:
    is_school = any(word in SCHOOLS for word in school.text.lower().split()) or school.text.lower().startswith(
        "universi"
    )
    return is_school or (is_at and not places.is_place(school.text) and not school.text.isdigit())


def _majors(reading: Reading) -> Iterator[Said]:
    match = reading.match(_MAJOR if reading.verb.form.startswith("major") else _MAJOR_BE)
    for field in reading.nouns(match.end()) if match else ():
        if not any(word in SCHOOLS for word in field.text.lower().split()):
            yield Said("studies", field)


def _learns(reading: Reading) -> Iterator[Said]:
    for noun in reading.nouns(reading.after):
        if noun.text.split()[0].lower() in LANGUAGES and reading.verb.is_progressive:
            yield Said("studies", noun)


def _student(reading: Reading) -> Iterator[Said]:
    match = reading.match(_STUDENT) or reading.match(_ENROLLED)
    school = reading.name(match.end()) if match else None
    if school is not None:
        yield Said("studies_at", school, "organization")


def _goes_to_school(reading: Reading) -> Iterator[Said]:
    match = reading.match(_TO_SCHOOL)
    school = reading.name(match.end()) if match else None
    if school is not None and _may_be_school(school, False):
        yield Said("studies_at", school, "organization")


def _graduated(reading: Reading) -> Iterator[Said]:
    match = reading.match(_GRADUATED) or reading.match(_LONG_GRADUATED)
    school = reading.name(match.end()) if match else None
    if school is not None:
        yield Said("studies_at", school, "organization", "end")
    yield from _degree(reading)


def _degree(reading: Reading) -> Iterator[Said]:
    match = reading.match(_DEGREE_IN)
    aspect = "state" if reading.verb.form in ("have", "has", "hold", "holds") else "event"
    if match:
        if " minor" in match[0] or _UNDER_WAY.search(match[0]):
            return
        for field in reading.nouns(match.end()):
            if not field.text[0].isdigit():
                yield Said("degree", field, aspect=aspect)
                break
        return
    named = reading.match(_DEGREE_OF)
    words = named["field"].lower().split() if named else []
    while words and words[0] in _NO_FIELD:
        words = words[1:]
    if named and words and not _NO_FIELD.intersection(words):
        start = named.end("field") - 1 - len(" ".join(words))
        yield Said(
            "degree", Span(start, named.end("field") - 1, reading.text[start : named.end("field") - 1]), aspect=aspect
        )


_UNDER_WAY: Final = compiled(r"\b(?:working|started|pursuing|applying|interested)\b")


def _did_degree(reading: Reading) -> Iterator[Said]:
    yield from _degree(reading)
    match = reading.match(
        compiled(
            rf" (?:an? |my |his |her )?(?:[\w'-]+ ){{0,2}}?{_TITLE}\.?(?: in [\w' -]{{1,40}}?)? (?:at|from) "
            rf"(?:the )?(?=[^\Wa-z])"
        )
    )
    school = reading.name(match.end()) if match else None
    if school is not None:
        yield Said("studies_at", school, "organization", is_over=True)


def _doing_degree(reading: Reading) -> Iterator[Said]:
    match = reading.match(compiled(rf" (?:an? |my |his |her )?(?:[\w'-]+ ){{0,2}}?{_TITLE}\.? in "))
    if match and reading.verb.is_progressive:
        field = reading.noun(match.end())
        if field is not None:
            yield Said("studies", field)
    at = reading.match(
        compiled(
            rf" (?:an? |my |his |her )?(?:[\w'-]+ ){{0,2}}?{_TITLE}\.?(?: in [\w' -]{{1,40}}?)? at (?:the "
            rf")?(?=[^\Wa-z])"
        )
    )
    school = reading.name(at.end()) if at and reading.verb.is_progressive else None
    if school is not None:
        yield Said("studies_at", school, "organization")


def _member(reading: Reading) -> Iterator[Said]:
    match = reading.match(_MEMBER)
    group = (reading.name(match.end()) or reading.noun(match.end())) if match else None
    if match and group is not None and ("member" in match[0] or singular(head(group)) in CLUBS):
        yield Said("member_of", group, "organization")
        return
    inside = reading.match(_IN_CLUB)
    group = reading.noun(inside.end()) if inside else None
    if group is not None and singular(head(group)) in CLUBS - forms("group community network party gym circle church"):
        yield Said("member_of", group, "organization")


def _joined(reading: Reading) -> Iterator[Said]:
    match = reading.match(_JOIN)
    if match is None:
        return
    noun = reading.noun(match.end())
    named = reading.name(match.end())
    if (
        noun is not None
        and singular(head(noun)) in CLUBS - forms("network circle")
        and "team at" not in reading.text[noun.start : noun.end + 3]
    ):
        yield Said("member_of", named if named and singular(head(named)) in CLUBS else noun, "organization", "event")
    elif named is not None and reading.match(_AS_ROLE, named.end):
        yield Said("works_at", named, "organization", "event", _role(reading, named.end))


RULES: Final = (
    Rule(
        "works_at",
        forms("work works working worked teach teaches teaching taught interning interned"),
        _works_at,
        "My sister Ana works at Siemens.",
    ),
    Rule("hired", forms("be got"), _hired, "I was hired by Siemens."),
    Rule(
        "job_at", forms("got have has landed accepted started took found began"), _job_at, "I got a new job at Siemens."
    ),
    Rule("started_at", forms("started began"), _started_at, "I started at Siemens in May."),
    Rule("left", forms("left quit lost"), _left, "I quit my job at Siemens."),
    Rule("dropped_out", forms("dropped"), _dropped_out, "My brother dropped out of MIT."),
    Rule("employed_since", forms("be"), _is_with, "Ingrid has been with Siemens since 2010."),
    Rule("performs_in", forms("sing sings play plays singing playing"), _performs_in, "I sing in a choir."),
    Rule("belongs", forms("belong belongs"), _belongs, "I belong to a chess club."),
    Rule("left_employer", forms("resigned retired"), _left_employer, "My father retired from Siemens in 2010."),
    Rule(
        "studies",
        forms("study studies studying studied"),
        _studies,
        "I'm studying marine biology at the University of Bergen.",
    ),
    Rule("majors", forms("major majors majoring majored be"), _majors, "I majored in economics."),
    Rule("learns", forms("learning"), _learns, "I'm learning Japanese."),
    Rule("student", forms("be"), _student, "I'm a student at Leiden University."),
    Rule(
        "goes_to_school",
        forms("attend attends attending attended go goes went"),
        _goes_to_school,
        "I go to Leiden University.",
    ),
    Rule("graduated", forms("graduated"), _graduated, "I graduated from Leiden University in 2012."),
    Rule(
        "degree",
        forms("have has hold holds got earned received completed finished did obtained"),
        _did_degree,
        "I have a PhD in linguistics.",
    ),
    Rule("doing_degree", forms("doing pursuing"), _doing_degree, "I'm doing a PhD in physics at Oxford University."),
    Rule("member", forms("be"), _member, "We're members of a food co-op."),
    Rule("joined", forms("joined"), _joined, "I joined the local choir."),
)
