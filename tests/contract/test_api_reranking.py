"""The REST contract with a reranker: which results it orders, what is shown of it, what happens when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory_service import app
from memory_service.doctor import examine
from memory_service.errors import ModelMissing, ModelUnavailable
from memory_service.recall.reranking import Reranking
from memory_service.settings import Settings
from retrieval.rerankers import Reranker
from tests.support.problems import refused
from tests.support.rerankers import FailingReranker, RememberingReranker, make_cross_encoder
from tests.support.running import Running, Start, running

TALK = [{"id": f"e{n}", "content": "tea " * (6 - n) + f"number{n}", "speaker": "Ann"} for n in range(6)]
"""Found by "tea" in the order of their numbers."""


@pytest.fixture
def with_reranker(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """A service whose results a reranker of the test's own orders."""

    @contextmanager
    def started(reranker: Reranker, depth: int = 50) -> Iterator[Running]:
        monkeypatch.setattr(app, "build_reranking", lambda _: Reranking(reranker, depth))
        with running(settings) as service:
            service.append(*TALK, wait="enriched")
            yield service

    return started


def test_by_default_there_is_none(start: Start) -> None:
    service = start()
    service.append(*TALK, wait="enriched")
    assert "reranker" not in service.search("tea", explain=True)[0]["explain"]


def test_the_first_results_come_in_its_order_and_the_rest_follow_in_theirs(start: Start, with_reranker) -> None:
    plain = start(data_dir=start().settings.data_dir / "plain")
    plain.append(*TALK, wait="enriched")
    before = plain.found("tea")
    with with_reranker(RememberingReranker(), 4) as service:
        assert service.found("tea") == before[:4][::-1] + before[4:]


def test_it_chooses_among_more_than_are_asked_for(with_reranker) -> None:
    with with_reranker(RememberingReranker(), 4) as service:
        all_of_them = service.found("tea")
        assert service.found("tea", limit=1) == all_of_them[:1]
        assert service.found("tea", limit=2) == all_of_them[:2]


def test_equals_keep_their_order(start: Start) -> None:
    service = start(reranker_model="test")
    service.append(*TALK, wait="enriched")
    found = service.search("tea", explain=True)
    assert [result["score"] for result in found] == sorted((result["score"] for result in found), reverse=True)
    assert {result["explain"]["reranker"] for result in found} == {1.0}


def test_it_reads_the_whole_query_and_what_is_shown_with_who_said_it(with_reranker) -> None:
    reranker = RememberingReranker()
    with with_reranker(reranker) as service:
        service.append({"id": "bare", "content": "Nobody said: tea."}, wait="indexed")
        shown = {r["text"] for r in service.search("What does Ann say of tea?")}
    query, texts = reranker.asked[-1]
    assert query == "What does Ann say of tea?"
    assert {text.removeprefix("Ann: ") for text in texts} == shown
    assert [text for text in texts if not text.startswith("Ann: ")] == ["Nobody said: tea."]


def test_explain_shows_its_score_beside_the_parts_of_the_score(with_reranker) -> None:
    with with_reranker(RememberingReranker(), 4) as service:
        explained = [(r["score"], r["explain"]) for r in service.search("tea", explain=True)]
    assert [parts.pop("reranker", None) for _, parts in explained] == [3.0, 2.0, 1.0, 0.0, None, None]
    for score, parts in explained:
        assert sum(parts.values()) == pytest.approx(score, abs=1e-5)


def test_several_namespaces_are_ordered_together(with_reranker) -> None:
    reranker = RememberingReranker()
    with with_reranker(reranker) as service:
        service.append({"id": "other", "content": "tea"}, ns="team", wait="indexed")
        body = {"namespaces": ["ann", "team"], "query": "tea"}
        found = [(r["namespace"], r["id"]) for r in service.post("/v1/search", body).json()["results"]]
    assert len(reranker.asked) == 1
    assert len(reranker.asked[0][1]) == len(found) == 7


def test_a_context_takes_what_it_puts_first(with_reranker) -> None:
    with with_reranker(RememberingReranker()) as service:
        best = service.found("tea")[0]
        context = service.post("context", {"query": "tea", "token_budget": 16}).json()
    assert [citation["episode_id"] for citation in context["citations"]] == [best]


def test_it_is_not_asked_when_nothing_is_found(with_reranker) -> None:
    reranker = RememberingReranker()
    with with_reranker(reranker) as service:
        assert service.found("tea", session_id="unknown") == []
    assert reranker.asked == []


@pytest.mark.parametrize("path", ["search", "context"])
def test_a_failure_is_a_problem_that_says_so(with_reranker, path: str) -> None:
    with with_reranker(FailingReranker()) as service:
        answer = service.post(path, {"query": "tea", **({"token_budget": 50} if path == "context" else {})})
        refused(answer, ModelUnavailable)
        assert "cannot be reranked: the model broke on this query" in answer.json()["detail"]
        assert service.get("/readyz").status_code == 200


def test_a_model_that_is_no_cross_encoder_is_told_by_the_search_and_by_the_doctor(start: Start, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    service = start(reranker_model=str(tmp_path / "empty"))
    service.append(*TALK, wait="indexed")
    refused(service.post("search", {"query": "tea"}), ModelUnavailable)
    (bad,) = [finding for finding in examine(service.settings) if not finding.good]
    assert bad.subject == "reranker"
    assert "no readable cross-encoder" in bad.text


def test_a_name_of_no_model_is_refused_at_the_start(start: Start) -> None:
    with pytest.raises(ModelMissing, match=r"MEMORY_RERANKER_MODEL: There is no model folder '/no/such/folder'"):
        start(reranker_model="/no/such/folder")


@pytest.mark.model
def test_a_real_cross_encoder_orders_the_results(start: Start, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = make_cross_encoder(tmp_path / "small")
    service = start(reranker_model=str(folder))
    service.append(
        *[{"id": t.replace(" ", "-"), "content": t} for t in ("tea", "cat on the tea", "tea a dog", "hello tea")],
        wait="indexed",
    )
    found = [result["text"] for result in service.search("who likes tea ?")]
    scores = CrossEncoder(str(folder), local_files_only=True).predict([("who likes tea ?", text) for text in found])
    assert len(found) == 4
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
