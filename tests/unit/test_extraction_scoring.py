"""The scorer of extracted facts, on cases worked by hand, and the form of the labels."""

from datetime import datetime

import pytest

from graph.predicates import CATALOGUE
from tests.graph_data.sample import split
from tests.graph_data.scoring import LABELS, Counts, Fact, Sentence, load, matches, report, same_name, score, wilson


def sentence(*facts: Fact, id: str = "s1", speaker: str = "Maria") -> Sentence:
    return Sentence(id, "text", speaker, "2024-03-15T09:00:00+00:00", "own", facts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("coffee maker", "a new Coffee Maker."),
        ("Fitbit Inspire HR", "my Fitbit Inspire HR"),
        ("Music Festival at the Outdoors Pavilion", "Music Festival"),
        ("My sister Ana's husband", "Ana’s husband"),
        ("14 February", "February 14th"),
        ("São Paulo", "Sa\u0303o Paulo"),
        ("健太", "健太"),
        ("this", "this"),
    ],
)
def test_names_agree(one: str, other: str):
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("coffee maker", "coffee"),
        ("University of Bergen", "Bergen"),
        ("University of Bergen", "University"),
        ("Music Festival at the Outdoors Pavilion", "Outdoors Pavilion"),
        ("red car", "blue car"),
        ("car", "the"),
    ],
)
def test_names_differ(one: str, other: str):
    assert not same_name(one, other)
    assert not same_name(other, one)


def test_the_speaker_is_matched_by_any_word_for_it_and_by_name():
    label = Fact("speaker", "lives_in", "Porto")
    assert all(matches(label, Fact(who, "lives_in", "Porto"), "Maria") for who in ("speaker", "I", "we", "Maria"))
    assert not matches(label, Fact("Ana", "lives_in", "Porto"), "Maria")
    assert not matches(Fact("Ana", "lives_in", "Porto"), Fact("speaker", "lives_in", "Porto"), "Maria")


def test_predicate_and_stance_must_agree():
    label = Fact("speaker", "works_at", "Acme", "ends")
    assert matches(label, Fact("speaker", "works_at", "Acme", "ends"))
    assert not matches(label, Fact("speaker", "works_at", "Acme"))
    assert not matches(label, Fact("speaker", "works_at", "Acme", "denies"))
    assert not matches(label, Fact("speaker", "studies_at", "Acme", "ends"))


def test_an_assertion_with_an_end_and_an_end_say_the_same():
    between = Fact("speaker", "lives_in", "Faro", valid_at="2012", invalid_at="2016")
    ended = Fact("speaker", "lives_in", "Faro", "ends")
    assert matches(between, ended)
    assert matches(ended, between)
    assert not matches(ended, Fact("speaker", "lives_in", "Faro", valid_at="2012"))


def test_an_inverse_is_turned_round_and_a_symmetric_predicate_reads_both_ways():
    assert matches(Fact("Rosa", "parent_of", "speaker"), Fact("speaker", "child_of", "Rosa"))
    assert not matches(Fact("Rosa", "parent_of", "speaker"), Fact("speaker", "parent_of", "Rosa"))
    assert matches(Fact("Diego", "engaged_to", "Lena"), Fact("Lena", "engaged_to", "Diego"))


def test_an_end_without_an_object_matches_only_its_like():
    label = Fact("speaker", "partner", None, "ends")
    assert matches(label, Fact("speaker", "partner", None, "ends"))
    assert not matches(label, Fact("speaker", "partner", "Salma", "ends"))


def test_alternative_objects_are_as_good():
    label = Fact("speaker", "degree", "linguistics", or_object=("PhD in linguistics",))
    assert matches(label, Fact("speaker", "degree", "PhD in linguistics"))
    assert not matches(label, Fact("speaker", "degree", "PhD in physics"))


def test_hits_errors_and_misses_are_counted_in_all_and_by_predicate():
    labels = [
        sentence(Fact("speaker", "likes", "tea"), Fact("speaker", "likes", "rain"), Fact("Ana", "plays", "cello")),
        sentence(id="s2"),
    ]
    found = {
        "s1": [Fact("speaker", "likes", "tea"), Fact("Ana", "plays", "the cello"), Fact("Ana", "plays", "chess")],
        "s2": [Fact("speaker", "owns", "dog")],
    }
    result = score(labels, found)
    assert result.total == Counts(true_positives=2, false_positives=2, false_negatives=1)
    assert (result.total.precision, result.total.recall) == (2 / 4, 2 / 3)
    assert result.total.f1 == pytest.approx(4 / 7)
    assert result.by_predicate == {"likes": Counts(1, 0, 1), "plays": Counts(1, 1, 0), "owns": Counts(0, 1, 0)}
    assert result.errors == [("s1", Fact("Ana", "plays", "chess")), ("s2", Fact("speaker", "owns", "dog"))]
    assert result.misses == [("s1", Fact("speaker", "likes", "rain"))]


def test_an_optional_fact_is_neither_missed_nor_an_error():
    labels = [sentence(Fact("speaker", "owns", "car", optional=True))]
    assert score(labels, {}).total == Counts()
    assert score(labels, {"s1": [Fact("speaker", "owns", "car")]}).total == Counts()
    assert score(labels, {"s1": [Fact("speaker", "owns", "bus")]}).total == Counts(false_positives=1)


def test_a_label_is_matched_once_by_the_closest_words():
    labels = [sentence(Fact("speaker", "bought", "desk"), Fact("speaker", "bought", "walnut desk"))]
    found = [Fact("speaker", "bought", "oak desk"), Fact("speaker", "bought", "walnut desk")]
    assert score(labels, {"s1": found}).total == Counts(true_positives=2)
    doubled = [Fact("speaker", "bought", "old desk"), Fact("speaker", "bought", "desk")]
    assert score([sentence(Fact("speaker", "bought", "desk"))], {"s1": doubled}).total == Counts(1, 1, 0)
    repeated = [Fact("speaker", "bought", "desk"), Fact("speaker", "bought", "the desk")]
    assert score([sentence(Fact("speaker", "bought", "desk"))], {"s1": repeated}).total == Counts(1, 0, 0)


def test_dates_are_scored_among_matched_facts_at_the_precision_labelled():
    labels = [
        sentence(
            Fact("speaker", "visited", "Kyoto", valid_at="2019-04"),
            Fact("speaker", "visited", "Nara", valid_at="2019-04-02"),
            Fact("speaker", "lives_in", "Faro", valid_at="2012", invalid_at="2016"),
            Fact("speaker", "likes", "tea", valid_at="2020"),
            Fact("speaker", "likes", "rain"),
        )
    ]
    found = [
        Fact("speaker", "visited", "Kyoto", valid_at="2019-04-30"),
        Fact("speaker", "visited", "Nara", valid_at="2019-04"),
        Fact("speaker", "lives_in", "Faro", "ends", invalid_at="2016-01-01"),
        Fact("speaker", "likes", "rain", valid_at="2001"),
    ]
    result = score(labels, {"s1": found})
    assert (result.dates.labelled, result.dates.right) == (4, 2)
    assert result.dates.accuracy == 0.5


def test_predictions_for_an_unknown_sentence_are_refused():
    with pytest.raises(ValueError, match="nowhere"):
        score([sentence()], {"nowhere": []})


def test_wilson_intervals():
    half = wilson(5, 10)
    assert (half.low, half.high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    full = wilson(10, 10)
    assert (full.low, full.high) == (pytest.approx(0.7225, abs=1e-4), pytest.approx(1.0))
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_the_report_has_a_row_per_predicate_and_one_for_all():
    text = report(score([sentence(Fact("speaker", "likes", "tea"))], {"s1": [Fact("speaker", "likes", "tea")]}))
    assert "| likes | 1 | 1 | 1 | 1.000 [0.207, 1.000] |" in text
    assert "| all | 1 | 1 | 1 |" in text


def halves() -> list[Sentence]:
    return load(LABELS / "dev.jsonl") + load(LABELS / "held_out.jsonl")


def test_the_halves_are_the_ones_that_the_seed_cuts():
    dev, held_out = (load(LABELS / f"{name}.jsonl") for name in ("dev", "held_out"))
    assert (len(dev), len(held_out)) == (170, 170)
    rows = [{"id": each.id, "source": each.source} for each in dev + held_out]
    assert [[row["id"] for row in half] for half in split(rows)] == [
        [each.id for each in half] for half in (dev, held_out)
    ]


def test_labels_keep_to_the_catalogue_and_to_the_words_of_their_sentence():
    for each in halves():
        assert datetime.fromisoformat(each.occurred_at).tzinfo is not None
        for fact in each.facts:
            assert fact.predicate in CATALOGUE
            assert fact.stance in ("asserts", "ends", "denies")
            assert fact.subject == "speaker" or fact.subject in each.text
            assert fact.optional or fact.object in (None, "speaker") or fact.object in each.text


def test_labels_matched_with_themselves_are_perfect():
    labels = halves()
    result = score(labels, {each.id: each.facts for each in labels})
    assert result.errors == []
    assert result.misses == []
    assert result.dates.accuracy == 1.0
    assert result.by_predicate.keys() == CATALOGUE.keys()
