"""An entity in words: only what facts say, what tells most first, within bounds."""

import random

from graph.queries.summary import summary
from graph.queries.words import ended, fitting, listed
from graph.rows import FactVersion
from tests.support.graph_rows import entity, fact

ANA = entity("ana", name="Ana")


def of_ana(predicate: str, value: str, n: int = 0) -> FactVersion:
    return fact(
        f"{predicate}{n}", "ana", None, literal=value, predicate=predicate, subject_name="Ana", valid_at=100 - n
    )


def test_without_facts_there_is_nothing_to_say() -> None:
    assert summary(ANA, []) == ""


def test_what_one_has_one_of_comes_before_what_one_has_many_of() -> None:
    facts = [
        of_ana("likes", "tea", 1),
        of_ana("likes", "jazz", 2),
        of_ana("occupation", "a nurse"),
        fact("home", "ana", "lisbon", object_text="Lisbon"),
        of_ana("dislikes", "rain"),
    ]
    expected = "Ana lives in Lisbon. Ana works as a nurse. Ana likes tea and jazz. Ana dislikes rain."
    assert summary(ANA, facts) == expected
    for seed in range(5):
        assert summary(ANA, random.Random(seed).sample(facts, len(facts))) == expected


def test_what_others_say_of_it_comes_last() -> None:
    lisbon = entity("lisbon", name="Lisbon")
    facts = [fact(f"f{n}", name.casefold(), "lisbon", subject_name=name) for n, name in enumerate(("Ana", "Bob"))]
    assert summary(lisbon, facts) == "Lives in Lisbon: Ana and Bob."


def test_a_symmetric_fact_speaks_of_both_ends() -> None:
    married = fact("f", "bob", "ana", subject_name="Bob", object_text="Ana", predicate="spouse")
    assert summary(ANA, [married]) == "Ana is married to Bob."


def test_a_predicate_of_no_catalogue_is_told_after_those_of_it() -> None:
    assert summary(ANA, [of_ana("collects", "stamps"), of_ana("likes", "tea")]) == "Ana likes tea. Ana collects stamps."


def test_long_lists_and_long_lives_are_cut_at_whole_sentences() -> None:
    facts = [of_ana("likes", f"thing {n}", n) for n in range(9)]
    assert summary(ANA, facts) == "Ana likes thing 0, thing 1, thing 2, thing 3, thing 4 and 4 more."
    assert summary(ANA, [*facts, of_ana("speaks", "Dutch")], most_chars=30) == "Ana speaks Dutch."
    assert summary(ANA, facts, most_chars=10) == ""


def test_the_same_object_is_told_once() -> None:
    assert summary(ANA, [of_ana("likes", "tea", 1), of_ana("likes", "tea", 2)]) == "Ana likes tea."


def test_lists_in_words() -> None:
    assert listed(["a"], 3) == "a"
    assert listed(["a", "b", "c"], 3) == "a, b and c"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_sentences_keep_their_own_end() -> None:
    assert [ended("Yes"), ended("Yes!"), ended("Yes.")] == ["Yes.", "Yes!", "Yes."]


def test_what_fits_is_counted_with_the_spaces_between() -> None:
    assert fitting(["12345", "12345", "1234"], 10) == ["12345", "1234"]
    assert fitting(["12345", "12345"], 11) == ["12345", "12345"]
