"""POST /search for facts, entities and communities, and the graph as a channel of episode search."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from memory_service.app import build_app, build_service
from memory_service.settings import Settings

TALK = (
    ("m1", "s1", "I moved to Lisbon in May 2023. I work at Acme as an engineer.", "2023-06-01T10:00:00Z"),
    ("m2", "s1", "My sister Ana lives in Porto and works at Intel.", "2023-07-01T10:00:00Z"),
    ("m3", "s2", "I quit my job at Acme last week. I just moved to Berlin.", "2024-02-01T10:00:00Z"),
    ("m4", "s3", "I love sushi.", "2024-03-01T10:00:00Z"),
)


def started(folder: Path, **settings: Any) -> TestClient:
    own = Settings(data_dir=folder, embedding_model="test", auth="off", **settings)
    return TestClient(build_app(own, build_service(own)), base_url="http://127.0.0.1")


def remember(client: TestClient) -> None:
    episodes = [
        {"id": id, "session_id": session, "content": text, "role": "user", "speaker": "Maria", "occurred_at": at}
        for id, session, text, at in TALK
    ]
    answer = client.post("/v1/namespaces/ns/episodes?wait=enriched&timeout_ms=30000", json={"episodes": episodes})
    assert {each["status"] for each in answer.json()["episodes"]} == {"enriched"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with started(tmp_path) as client:
        remember(client)
        yield client


def found(client: TestClient, query: str, *types: str, **more: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/namespaces/ns/search", json={"query": query, "types": types, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_a_search_for_facts_finds_what_is_true_now_with_its_sources(client: TestClient) -> None:
    first = found(client, "Where does Maria live?", "fact")[0]
    assert (first["type"], first["text"], first["episode_ids"]) == ("fact", "Maria lives in Berlin", ["m3"])
    assert first["valid_at"] == "2024-02-01T10:00:00Z"
    assert "invalid_at" not in first


def test_as_of_finds_what_was_true_then(client: TestClient) -> None:
    first = found(client, "Where did Maria live?", "fact", as_of="2023-12-01T00:00:00Z")[0]
    assert first["text"] == "Maria lived in Lisbon"
    assert (first["valid_at"], first["invalid_at"]) == ("2023-05-01T00:00:00Z", "2024-02-01T10:00:00Z")


def test_known_at_hides_what_was_learnt_later(client: TestClient) -> None:
    assert found(client, "Where does Maria live?", "fact", known_at="2020-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("filters", "seen"),
    [
        ({"session_id": "s1"}, {"m1", "m2"}),
        ({"after": "2024-01-01T00:00:00Z"}, {"m3", "m4"}),
        ({"before": "2023-06-15T00:00:00Z"}, {"m1"}),
        ({"speaker": "Nobody"}, set()),
        ({"metadata": {"a": 1}}, set()),
    ],
)
def test_filters_are_of_a_facts_episodes(client: TestClient, filters: dict[str, Any], seen: set[str]) -> None:
    results = found(client, "What does Maria do, and where does Ana live?", "fact", limit=50, **filters)
    assert {episode for result in results for episode in result["episode_ids"]} <= seen
    assert bool(results) == bool(seen)


def test_a_search_for_entities_finds_those_that_the_query_names_first(client: TestClient) -> None:
    first = found(client, "Who is Ana?", "entity")[0]
    assert first["type"] == "entity"
    assert first["text"].startswith("Ana. ")
    assert "Ana works at Intel" in first["text"]
    assert first["episode_ids"] == ["m2"]


def test_a_search_for_communities_finds_those_of_what_the_query_names(client: TestClient) -> None:
    first = found(client, "Ana", "community")[0]
    assert first["type"] == "community"
    assert "Ana" in first["text"]
    assert "m2" in first["episode_ids"]


def test_types_are_mixed_by_their_scores_and_cut_together(client: TestClient) -> None:
    results = found(client, "Where does Ana work?", "fact", "episode", limit=5)
    assert len(results) == 5
    assert {result["type"] for result in results} == {"fact", "episode"}
    assert [r["score"] for r in results] == sorted((r["score"] for r in results), reverse=True)


def test_episodes_alone_are_the_default_and_the_graph_has_no_part_in_their_scores(client: TestClient) -> None:
    answer = client.post("/v1/namespaces/ns/search", json={"query": "Where does Ana work?", "explain": True}).json()
    assert {result["type"] for result in answer["results"]} == {"episode"}
    assert all("graph" not in result["explain"] for result in answer["results"])


def test_an_erased_episode_takes_its_facts_out_of_the_search(client: TestClient) -> None:
    assert client.delete("/v1/namespaces/ns/episodes/m3").status_code == 204
    assert found(client, "Where does Maria live?", "fact")[0]["text"] == "Maria lives in Lisbon"


def test_with_the_channel_on_episodes_gain_by_the_facts_that_they_say(tmp_path: Path) -> None:
    with started(tmp_path, graph_channel="on") as client:
        remember(client)
        body = {"query": "Where does Maria live now?", "explain": True}
        results = client.post("/v1/namespaces/ns/search", json=body).json()["results"]
        gains = {result["episode_ids"][0]: result["explain"].get("graph", 0.0) for result in results}
        assert gains["m3"] > gains["m1"], "she lives in Berlin, and in Lisbon no more"
        for result in results:
            assert result["score"] == pytest.approx(sum(result["explain"].values()), abs=1e-4)
