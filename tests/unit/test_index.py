"""The index and its score, against plain references."""

import math
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import scoring
from retrieval.analysis import terms
from retrieval.index import Document, MemoryIndex
from retrieval.query import Query, read_query
from retrieval.related import find
from retrieval.scoring import DEFAULT, Weights, lexical_scores, search

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["apple", "river", "stone", "music", "garden", "winter", "paper", "yellow", "travel", "market"]
TURN = st.tuples(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8),
    st.sampled_from(["s1", "s2", "s3"]),
    st.integers(0, 5),
    st.sampled_from(["Ana", "Ben", None]),
)


def document(seq: int, text: str, session: str = "s", at: int = 0, speaker: str | None = None) -> Document:
    return Document(seq, session, speaker, None, at, at, text)


def unit(seed: int, dimension: int = 16) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def filled(turns: list[tuple[list[str], str, int, str | None]], *, vectors: bool = True) -> MemoryIndex:
    index = MemoryIndex(16)
    for i, (words, session, at, speaker) in enumerate(turns, 1):
        index.add(document(i, " ".join(words), session, at, speaker))
    if vectors:
        index.set_many([(i, [(0, 5)], unit(i)[None].astype(np.float16), []) for i in range(1, len(turns) + 1)])
    return index


def ask(index: MemoryIndex, text: str, **kwargs: object) -> list[tuple[int, float]]:
    query = read_query(text, index.name_terms, NOW)
    hits = search(index, query, unit(999), kwargs.pop("allowed", None), limit=50, **kwargs)  # type: ignore[arg-type]
    return [(int(index.column("seq")[hit.doc]), round(hit.score, 4)) for hit in hits]


# --- the lexical score against a reference that reads texts --------------------------------------------------------


def reference_lexical(
    turns: list[tuple[list[str], str, int, str | None]], query: dict[str, float], w: Weights
) -> list[float]:
    texts = [Counter(terms(" ".join(words))) for words, *_ in turns]
    lengths = [sum(text.values()) for text in texts]
    mean = sum(lengths) / len(lengths)
    order = {}
    for session in {turn[1] for turn in turns}:
        members = sorted((i for i, t in enumerate(turns) if t[1] == session), key=lambda i: (turns[i][2], i))
        order.update({i: (members, position) for position, i in enumerate(members)})

    def at(i: int, step: int) -> int | None:
        members, position = order[i]
        return members[position + step] if 0 <= position + step < len(members) else None

    def near(i: int | None, term: str) -> float:
        if i is None:
            return 0.0
        assumed = min(w.neighbour_mean, mean)
        return texts[i][term] / (1 - w.neighbour_length + w.neighbour_length * lengths[i] / assumed)

    scores, total = [0.0] * len(turns), 0.0
    for term, weight in query.items():
        holders = sum(term in text for text in texts)
        idf = math.log(1 + (len(turns) - holders + 0.5) / (holders + 0.5))
        total += weight * idf
        for i, text in enumerate(texts):
            x = text[term] / (1 - w.length + w.length * lengths[i] / mean)
            x += w.neighbour * (near(at(i, -1), term) + near(at(i, 1), term))
            x += w.second_neighbour * (near(at(i, -2), term) + near(at(i, 2), term))
            scores[i] += weight * idf * x / (x + w.saturation)
    return [score / total for score in scores] if total else scores


@settings(deadline=None, max_examples=60)
@given(st.lists(TURN, min_size=1, max_size=25), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
def test_the_lexical_score_is_bm25f_over_a_turn_and_its_neighbours(
    turns: list[tuple[list[str], str, int, str | None]], asked: list[str]
) -> None:
    index = filled(turns, vectors=False)
    query = dict.fromkeys(terms(" ".join(asked)), 1.0)
    expected = reference_lexical(turns, query, DEFAULT)
    np.testing.assert_allclose(lexical_scores(index, query, DEFAULT), expected, atol=1e-5)
    assert max(expected) <= 1.0


# --- removal, snapshots, candidates -------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.lists(TURN, min_size=2, max_size=20), st.sets(st.integers(1, 20)), st.sampled_from(WORDS))
def test_after_a_removal_the_index_answers_as_if_the_document_had_never_come(
    turns: list[tuple[list[str], str, int, str | None]], removed: set[int], asked: str
) -> None:
    index = filled(turns)
    index.remove(removed)
    fresh = MemoryIndex(16)
    kept = [i for i in range(1, len(turns) + 1) if i not in removed]
    for i in kept:
        words, session, at, speaker = turns[i - 1]
        fresh.add(document(i, " ".join(words), session, at, speaker))
    fresh.set_many([(i, [(0, 5)], unit(i)[None].astype(np.float16), []) for i in kept])
    assert ask(index, asked) == ask(fresh, asked)
    assert len(index) == len(kept)


@settings(deadline=None, max_examples=25)
@given(st.lists(TURN, min_size=1, max_size=20), st.sampled_from(WORDS), st.integers(0, 20))
def test_a_snapshot_answers_alike_and_goes_on_growing(
    turns: list[tuple[list[str], str, int, str | None]], asked: str, at: int
) -> None:
    index = filled(turns)
    arrays, lists = index.frozen()
    thawed = MemoryIndex.thaw(16, {k: v.copy() for k, v in arrays.items()}, lists)
    for each in (index, thawed):
        each.add(document(1000, "stone market zebra", "s1", at, "Ana Silva"))
        each.set_passages(1000, [(0, 5)], unit(5)[None].astype(np.float16), [])
    assert ask(index, f"{asked} zebra Silva") == ask(thawed, f"{asked} zebra Silva")


def test_candidates_of_a_large_index_hold_the_best_of_a_full_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    turns = [(list(generator.choice(WORDS, 6)), f"s{i // 20}", i, None) for i in range(2000)]
    index = filled(turns)
    assert index.size > 2 * scoring.FIRST_STAGE
    in_stages = ask(index, "garden winter")[:20]
    monkeypatch.setattr(scoring, "FIRST_STAGE", 2000)
    assert in_stages == ask(index, "garden winter")[:20]


def test_a_filter_is_exact_however_many_better_documents_it_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "FIRST_STAGE", 5)
    turns = [(["garden"] * 3, "s", i, None) for i in range(200)]
    index = filled([*turns, (["garden", "paper", "river", "stone"], "s", 300, None)])
    allowed = np.zeros(index.size, np.bool_)
    allowed[-1] = True
    assert [seq for seq, _ in ask(index, "garden", allowed=allowed)] == [201]


# --- neighbours, vectors, speakers ---------------------------------------------------------------------------------


def test_neighbours_follow_time_within_a_session_however_they_arrive() -> None:
    index = MemoryIndex(16)
    for seq, at in ((1, 10), (2, 30), (3, 20), (4, 5)):
        index.add(document(seq, "word", "s", at))
    walk, doc = [], 3
    while doc != -1:
        walk.append(int(index.column("seq")[doc]))
        doc = int(index.column("next")[doc])
    assert walk == [4, 1, 3, 2]


def test_a_document_without_vectors_is_found_by_its_words() -> None:
    index = filled([(["apple", "river"], "s", 0, None)])
    index.add(document(2, "zebra", "another session", 1))
    assert ask(index, "zebra")[0][0] == 2


def test_the_best_passage_of_a_document_is_told() -> None:
    index = MemoryIndex(16)
    index.add(document(1, "anything", "s"))
    vectors = np.stack([unit(1), unit(2), unit(3)]).astype(np.float16)
    index.set_passages(1, [(0, 3), (3, 6), (6, 8)], vectors, [])
    (hit,) = search(index, read_query("nothing", set(), NOW), unit(2), None, limit=5)
    assert hit.row == 1
    assert hit.channels["dense"] == pytest.approx(DEFAULT.dense, abs=1e-3)


def test_turns_of_the_speaker_whom_the_query_names_are_preferred() -> None:
    index = filled([(["garden"], "s", 0, "Ana Silva"), (["garden"], "t", 0, "Ben")], vectors=False)
    assert [seq for seq, _ in ask(index, "What garden does Ana have?")] == [1, 2]
    assert [seq for seq, _ in ask(index, "What garden does Ben have?")] == [2, 1]


def test_a_query_is_embedded_without_speakers_names_unless_nothing_else_is_left() -> None:
    names = {"ana"}
    assert read_query("Where does Ana's dog live?", names, NOW).embed_text == "Where does dog live?"
    assert read_query("Ana", names, NOW).embed_text == "Ana"


def test_an_empty_index_answers_nothing() -> None:
    assert ask(MemoryIndex(16), "anything") == []


def test_the_channels_sum_to_the_score() -> None:
    index = filled([(WORDS[:4], "s", 0, "Ana")])
    (hit,) = search(index, read_query("apple Ana?", index.name_terms, NOW), unit(4), None, limit=1)
    assert sum(hit.channels.values()) == pytest.approx(hit.score, abs=1e-6)


# --- related documents ------------------------------------------------------------------------------------------------


def test_related_documents_are_earlier_ones_only() -> None:
    index = filled([(["apple"], "s", i, None) for i in range(6)])
    assert {seq for seq, _ in find(index, 4, [], 10)} == {1, 2, 3}
    assert find(index, 1, [], 10) == []


def test_the_latest_documents_that_share_a_name_are_related() -> None:
    index = MemoryIndex(16)
    for seq in range(1, 60):
        index.add(document(seq, "lisbon talk" if seq in (3, 7) else "porto talk", "s", seq))
    index.add(document(60, "Lisbon or Porto", "s", 60))
    assert find(index, 60, terms("Lisbon"), 10) == [(7, None), (3, None)]
    assert find(index, 60, terms("Porto"), 2) == [(59, None), (58, None)]


def test_query_objects_are_plain_values() -> None:
    assert read_query("stone river", set(), NOW) == read_query("stone river", set(), NOW)
    assert isinstance(read_query("x", set(), NOW), Query)
