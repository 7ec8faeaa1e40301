"""What the rules read, and what looks like it and is left alone. All sentences are written for these tests."""

import pytest

from graph.extraction.rules import catalogue
from tests.support.graph_reading import extracted, read, source

RULES = [*catalogue.RULES, *catalogue.OF_OWNERS, *catalogue.OF_SENTENCES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_reads_its_example(rule):
    assert rule.name in {claim.rule for claim in extracted(rule.example).claims}


def test_rule_names_are_distinct():
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        # where one is
        ("I moved to Lisbon in May.", {"I lives_in Lisbon"}),
        ("My husband and I moved to Denver last spring.", {"I lives_in Denver"}),
        ("We recently moved from Chicago to Austin, Texas.", {"I lives_in Austin", "I no longer lives_in Chicago"}),
        ("I grew up in Leeds but I live in Manchester now.", {"I lives_in Manchester"}),
        ("I just moved into a new apartment in Seattle.", {"I lives_in Seattle"}),
        ("i live in lisbon", {"I lives_in lisbon"}),
        ("I no longer live in Paris.", {"I no longer lives_in Paris"}),
        ("I was born in Madrid on 3 May 1990.", {"I born_in Madrid", "I born_on 3 May 1990"}),
        ("We're from Chile.", {"I comes_from Chile"}),
        ("I have never been to Brazil.", {"I never visited Brazil"}),
        ("I visited Berlin, Prague and Vienna last summer.", {"I visited Berlin", "I visited Prague", "I visited Vienna"}),
        ("I just got back from a trip to Peru.", {"I visited Peru"}),
        # work and study
        ("I just got a new job at Spotify!", {"I works_at Spotify"}),
        ("I'm a software engineer at Google.", {"I occupation software engineer", "I works_at Google"}),
        ("Omar is the CFO of Acme.", {"Omar occupation CFO", "Omar works_at Acme"}),
        ("I used to work at Nokia.", {"I no longer works_at Nokia"}),
        ("I don't work at Amazon anymore.", {"I no longer works_at Amazon"}),
        ("I quit my job.", {"I no longer works_at whoever"}),
        ("I have never worked at Acme.", {"I never works_at Acme"}),
        ("I did my PhD at MIT.", {"I no longer studies_at MIT"}),
        ("I'm studying law at the University of Warsaw.", {"I studies law", "I studies_at University of Warsaw"}),
        ("I joined a book club last month.", {"I member_of Maria's book club"}),
        # people
        ("My best friend Tom works for the BBC.", {"I friend_of Tom", "Tom works_at BBC"}),
        ("My brother Marco lives in Milan.", {"I sibling_of Marco", "Marco lives_in Milan"}),
        ("My sister works at Intel.", {"I sibling_of Maria's sister", "Maria's sister works_at Intel"}),
        ("My sister, who lives in Madrid, is a doctor.",
         {"I sibling_of Maria's sister", "Maria's sister lives_in Madrid", "Maria's sister occupation doctor"}),
        ("My wife's sister lives in Boston.", {"Maria's wife's sister lives_in Boston"}),
        ("Ana is my sister.", {"I sibling_of Ana"}),
        ("Leo is my son.", {"I parent_of Leo"}),
        ("Rosa is my mother.", {"Rosa parent_of I"}),
        ("I have three kids: Ana, Rui and Tom.", {"I parent_of Ana", "I parent_of Rui", "I parent_of Tom"}),
        ("I have a daughter named Zoe and a son named Max.", {"I parent_of Zoe", "I parent_of Max"}),
        ("Ben and I are married.", {"I spouse Ben"}),
        ("We got divorced in 2020.", {"I no longer spouse whoever"}),
        # things
        ("I bought shoes and a hat for $50 at Zara.", {"I bought shoes", "I bought hat"}),
        ("I got a Fitbit for my birthday from my sister.", {"I owns Fitbit"}),
        ("I want to return the lamp I bought last week.", {"I bought lamp"}),
        ("I sold my motorcycle last year.", {"I no longer owns motorcycle"}),
        ("I have two cats, Miso and Tofu.", {"I has_pet Miso", "I has_pet Tofu"}),
        ("I adopted a puppy.", {"I has_pet Maria's puppy"}),
        ("Our cat Luna died last year.", {"I no longer has_pet Luna"}),
        ("I use Notion and Todoist.", {"I uses Notion", "I uses Todoist"}),
        ("I switched from Android to iPhone.", {"I no longer uses Android", "I uses iPhone"}),
        # tastes
        ("I love hiking and photography.", {"I likes hiking", "I likes photography"}),
        ("I don't like spicy food.", {"I dislikes spicy food"}),
        ("I used to love jazz.", {"I no longer likes jazz"}),
        ("I can't get enough of jazz.", {"I likes jazz"}),
        ("My favourite colour is green.", {"I favourite green"}),
        # one's own
        ("I'm 29 years old.", {"I age 29"}),
        ("I'm Brazilian but I live in Canada.", {"I nationality Brazilian", "I lives_in Canada"}),
        ("I've been vegan since 2018.", {"I diet vegan"}),
        ("My email's maria@example.com, and my cell is 0171 555 1234.", {"I email maria@example.com", "I phone 0171 555 1234"}),
    ],
)  # fmt: skip
def test_reads(text: str, claims: set[str]):
    assert read(text) == claims


def test_reads_each_of_what_is_joined():
    assert read("I work as a barista at Starbucks and study biology at UCLA.") == {
        "I occupation barista",
        "I works_at Starbucks",
        "I studies biology",
        "I studies_at UCLA",
    }


@pytest.mark.parametrize(
    "text",
    [
        # asked, supposed, possible, wished, planned
        "Do I live in Rome?",
        "What if my sister Ana moved to Rome?",
        "If I moved to Rome I would be happy.",
        "Imagine I live in Rome.",
        "Let's say I work at Google.",
        "I might move to Rome.",
        "I wish I lived in Rome.",
        "I hope my son goes to Harvard.",
        "I want to live in Rome and work at Google.",
        "I'm planning to move to Rome.",
        "I'd love to visit Japan.",
        "I almost moved to Rome.",
        "I'm considering buying a lamp.",
        # said by others, or of others
        "My sister says she lives in Rome.",
        "Anna told me she moved to Berlin.",
        'Anna said: "I live in Berlin."',
        "I heard that Tom works at Shell.",
        "In my novel, Anna lives in Paris.",
        "Write an email: I work at Google and I need a day off.",
        "Act as a doctor.",
        "You live in Rome.",
        "Nobody lives in Leeds.",
        "Apple is based in Cupertino.",
        # plainly negated: neither that it ended nor that it never was
        "I don't live in Rome.",
        "I haven't been to Spain.",
        "I didn't buy the lamp.",
        # words that also mean something else
        "I got a cold.",
        "I got an email from Tom.",
        "I have a question about Rome.",
        "I have an idea.",
        "I work hard.",
        "I work from home.",
        "I'm from the marketing department.",
        "I'm a morning person.",
        "I'm 30 minutes away.",
        "I'm married to my job.",
        "I'm engaged in a project.",
        "I moved to the marketing team.",
        "I picked up my kids from school.",
        "I play the role of Hamlet.",
        "I speak from experience.",
        "I use this to cook.",
        "I love it.",
        "I love your answer!",
        "I love the energy of this.",
        "I like the second option.",
        "I enjoyed the movie.",
        "I went to bed late.",
    ],
)
def test_reads_no_fact(text: str):
    assert read(text) == set()


def test_she_is_the_one_person_named_before():
    assert "Ana works_at Siemens" in read("My sister Ana moved to Lisbon. She works at Siemens.")
    assert "Ana works_at Siemens" in read("My sister Ana moved to Lisbon and she works at Siemens.")


@pytest.mark.parametrize(
    "text",
    [
        "She works at Siemens.",
        "My brother Tom came. She works at Siemens.",
        "Ana has met Eva and Eva has met Ana. She works at Siemens.",
    ],
)  # fmt: skip
def test_she_is_nobody_where_it_is_not_known_who(text: str):
    assert not any("works_at" in claim for claim in read(text))


def test_an_assistant_says_no_facts():
    assert extracted("I live in Lisbon.", role="assistant").claims == ()
    assert extracted("I live in Lisbon.", role="Assistant").mentions == ()


@pytest.mark.parametrize(
    ("speaker", "role", "name"), [("Maria", "user", "Maria"), (None, "user", "user"), (None, None, "user")]
)
def test_the_one_who_speaks_is_a_mention(speaker: str | None, role: str | None, name: str):
    found = extracted("I live in Lisbon.", speaker, role)
    me = found.mentions[found.claims[0].subject]
    assert (me.name, me.is_self, me.start, me.end) == (name, True, 0, 0)


def test_a_town_lies_in_its_country():
    found = extracted("I live in Lisbon.")
    (town,) = [each for each in found.mentions if each.name == "Lisbon"]
    assert [found.mentions[index].name for index in town.within] == ["Portugal"]


def test_a_town_of_many_countries_lies_in_none():
    found = extracted("I live in Cambridge.")
    assert [each.within for each in found.mentions if each.name == "Cambridge"] == [()]


def test_names_are_mentions_without_a_fact():
    found = extracted("Yesterday Ana Silva called from Lisbon. What a day!")
    assert {(each.name, each.type) for each in found.mentions} >= {("Ana Silva", "Person"), ("Lisbon", "Place")}
    assert "Yesterday" not in {each.name for each in found.mentions}


def test_price_and_shop_are_qualifiers():
    (claim,) = extracted("I bought a Canon EOS R6 for $2,000 from Best Buy.").claims
    assert claim.qualifiers == {"amount": "$2,000", "place": "Best Buy"}


WELDERS = [
    "I'm a welder at Siemens.",
    "I work as a welder at Siemens.",
    "I work at Siemens as a welder.",
    "I joined Siemens as a welder.",
]


@pytest.mark.parametrize("text", WELDERS)
def test_a_role_is_a_qualifier_of_the_job(text: str):
    (claim,) = [each for each in extracted(text).claims if each.predicate == "works_at"]
    assert claim.qualifiers == {"role": "welder"}


def test_claims_say_where_they_stand():
    text = "Hello there! I live in Lisbon. Bye."
    (claim,) = extracted(text).claims
    assert text[claim.start : claim.end] == "I live in Lisbon."
    places = {text[each.start : each.end] for each in extracted(text).mentions if each.end > each.start}
    assert "Lisbon" in places


def test_the_same_text_gives_the_same_extraction():
    text = "My sister Ana moved to Lisbon in May and she works at Siemens. I love jazz."
    assert extracted(text) == extracted(text)
    assert source(text) == source(text)
