"""Nothing of one namespace appears to the holder of another's key: by no route, in no error, log line, metric or file name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from graph.ids import assertion_id, node_id
from graph.resolution.names import name_key
from memory_service import limits
from memory_service.errors import Forbidden, NotFound
from memory_service.log.schema import notes
from tests.support.bytes_on_disk import files_holding
from tests.support.keys import bearer, make_key
from tests.support.polling import eventually
from tests.support.problems import refused
from tests.support.process import Server, serving
from tests.support.routes import Route, routes
from tests.support.running import Running, Start

ALICE, BOB = "alice-qqzz", "bob-qqzz"
CANARY = "zyxw"
"""Every secret of Alice's begins with it."""

SECRETS = {
    name: f"{CANARY}{name}"
    for name in (
        "content",
        "speaker",
        "role",
        "session",
        "key",
        "value",
        "id",
        "json",
        "idempotency",
        "query",
        "import",
        "entity",
        "fact",
    )
}
EPISODES = [
    {
        "id": SECRETS["id"],
        "content": f"My password is {SECRETS['content']}. Tell nobody, Bruno!",
        "speaker": SECRETS["speaker"],
        "role": SECRETS["role"],
        "session_id": SECRETS["session"],
        "metadata": {SECRETS["key"]: SECRETS["value"]},
    },
    {"id": f"{SECRETS['id']}2", "kind": "json", "content": {SECRETS["json"]: [SECRETS["content"], "Bruno"]}},
    {"id": "shared-id", "content": f"Alice's own: {SECRETS['content']} and Bruno", "session_id": "shared-session"},
]
FACTS = [
    {"id": "shared-fact", "subject": {"name": SECRETS["entity"], "attributes": {SECRETS["key"]: SECRETS["value"]}},
     "predicate": "friend_of", "object": {"name": "Bruno"}, "qualifiers": {SECRETS["key"]: SECRETS["value"]},
     "sentence": f"{SECRETS['fact']} of Bruno"},
    {"subject": {"name": SECRETS["entity"]}, "predicate": "likes", "value": SECRETS["fact"]},
]  # fmt: skip
BOBS_FACTS = [{"id": "shared-fact", "subject": {"name": "Bruno"}, "predicate": "likes", "value": "fish"}]
BOBS = [
    {"id": "shared-id", "content": "Bob and Bruno went fishing.", "session_id": "shared-session"},
    {"id": "bob-2", "content": "Did Bruno catch a fish?", "speaker": "Bob"},
]


@dataclass
class House:
    """A service in which Alice's namespace is full of canaries and Bob tries everything with his own key."""

    send: Any
    alice: dict[str, str]
    bob: dict[str, str]
    asked: list[httpx2.Response] = field(default_factory=list)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> httpx2.Response:
        """As Bob, unless other headers are given."""
        sent = {**(self.bob if headers is None else headers), **options.pop("more", {})}
        response = self.send(method, path, headers=sent, **options)
        self.asked.append(response)
        return response


def move_in(house: House) -> None:
    """Stores what both have to say, and waits until all of it is enriched."""
    for ns, key, episodes, facts in ((ALICE, house.alice, EPISODES, FACTS), (BOB, house.bob, BOBS, BOBS_FACTS)):
        said = house.send("POST", f"/v1/namespaces/{ns}/facts", headers=key, json={"facts": facts})
        assert said.status_code == 202, said.text
        path = f"/v1/namespaces/{ns}/episodes"
        more = {"Idempotency-Key": SECRETS["idempotency"]} if ns == ALICE else {}
        stored = house.send("POST", path, headers={**key, **more}, json={"episodes": episodes})
        assert stored.status_code == 202, stored.text
        for episode in episodes:
            status = f"{path}/{episode['id']}/status"
            eventually(
                lambda status=status, key=key: house.send("GET", status, headers=key).json()["status"] == "enriched"
            )


def probes(ns: str) -> dict[Route, list[dict[str, Any]]]:
    """For each route, requests that look for Alice's secrets: `path` fills the template, the rest goes with the request."""
    ids = [SECRETS["id"], "shared-id", SECRETS["content"]]
    base = {"ns": ns}
    query = f"{SECRETS['content']} {SECRETS['speaker']} Bruno password"
    filters: list[dict[str, Any]] = [
        {},
        {"speaker": SECRETS["speaker"]},
        {"session_id": [SECRETS["session"], "shared-session"]},
        {"metadata": {SECRETS["key"]: SECRETS["value"]}},
        {"types": ["note"]},
        {"types": ["fact", "entity", "community"]},
        {"known_at": "2999-01-01T00:00:00Z"},
    ]
    by_id = [{"path": {**base, "id": i}} for i in ids]
    listed = [{"path": base, "params": p} for p in ({}, {"limit": 1}, {"cursor": "e30"})]
    of_alice = [node_id(ALICE, name_key(SECRETS["entity"])), assertion_id(ALICE, "shared-fact", 0), SECRETS["id"]]
    by_graph_id = [
        {"path": {**base, "id": i}} for i in [*of_alice, node_id(ns, "bruno"), assertion_id(ns, "shared-fact", 0)]
    ]
    words: list[dict[str, Any]] = [
        {"text": SECRETS["fact"]},
        {"known_at": "2999-01-01T00:00:00Z"},
        {"limit": 1},
        {"cursor": "e30"},
    ]
    searches = [{"path": base, "json": {"query": query, "explain": True, **f}} for f in filters]
    return {
        ("POST", "/v1/namespaces/{ns}/episodes"): [
            {"path": base, "json": {"episodes": [BOBS[0]]}},
            {"path": base, "json": {"episodes": [{"id": "shared-id", "content": "other"}]}},
            {"path": base, "json": {"episodes": [{"content": ""}]}},
        ],
        ("GET", "/v1/namespaces/{ns}/episodes"): [*listed, {"path": base, "params": {"session_id": SECRETS["session"]}}],
        ("GET", "/v1/namespaces/{ns}/episodes/{id}"): by_id,
        ("GET", "/v1/namespaces/{ns}/episodes/{id}/status"): by_id,
        ("DELETE", "/v1/namespaces/{ns}/episodes/{id}"): [{"path": {**base, "id": SECRETS["id"]}}],
        ("GET", "/v1/namespaces/{ns}/sessions"): listed,
        ("DELETE", "/v1/namespaces/{ns}/sessions/{id}"): [{"path": {**base, "id": SECRETS["session"]}}],
        ("POST", "/v1/namespaces/{ns}/search"): searches,
        ("POST", "/v1/search"): [
            {"path": {}, "json": {"namespaces": [ns], "query": query}},
            {"path": {}, "json": {"namespaces": [BOB, ns], "query": query}},
        ],
        ("POST", "/v1/namespaces/{ns}/context"): [
            {"path": base, "json": {"query": query, "token_budget": 400, **f}} for f in filters
        ],
        ("GET", "/v1/namespaces/{ns}/notes"): listed,
        ("GET", "/v1/namespaces/{ns}/notes/{id}"): by_id,
        ("GET", "/v1/namespaces/{ns}/entities"): [
            {"path": base, "params": p}
            for p in ({}, *words, {"name": SECRETS["entity"]}, {"attributes": json.dumps({SECRETS["key"]: SECRETS["value"]})})
        ],
        ("GET", "/v1/namespaces/{ns}/entities/{id}"): by_graph_id,
        ("GET", "/v1/namespaces/{ns}/entities/{id}/timeline"): by_graph_id,
        ("GET", "/v1/namespaces/{ns}/entities/{id}/neighbourhood"): [{**p, "params": {"hops": 4}} for p in by_graph_id],
        ("POST", "/v1/namespaces/{ns}/entities/{id}/merge"): [
            {"path": {**base, "id": of_alice[0]}, "json": {"entity_id": node_id(ns, "bruno")}},
            {"path": {**base, "id": node_id(ns, "bruno")}, "json": {"entity_id": of_alice[0]}},
        ],
        ("POST", "/v1/namespaces/{ns}/entities/{id}/split"): [
            {"path": {**base, "id": node_id(ns, "bruno")}, "json": {"entity_id": of_alice[0]}}
        ],
        ("POST", "/v1/namespaces/{ns}/facts"): [
            {"path": base, "json": {"facts": [{**BOBS_FACTS[0], "value": "bones"}]}},
            {"path": base, "json": {"facts": [{**BOBS_FACTS[0], "id": "new", "subject": {"id": of_alice[0]}}]}},
            {"path": base, "json": {"facts": [{}]}},
        ],
        ("GET", "/v1/namespaces/{ns}/facts"): [
            {"path": base, "params": p}
            for p in ({}, *words, {"all_times": True}, {"entity": of_alice[0]}, {"object": of_alice[0]},
                      {"qualifiers": json.dumps({SECRETS["key"]: SECRETS["value"]})})
        ],
        ("GET", "/v1/namespaces/{ns}/facts/{id}/history"): by_graph_id,
        ("POST", "/v1/namespaces/{ns}/facts/{id}/retract"): [{"path": {**base, "id": of_alice[1]}, "json": {}}],
        ("GET", "/v1/namespaces/{ns}/paths"): [
            {"path": base, "params": {"source": node_id(ns, "bruno"), "target": of_alice[0]}},
            {"path": base, "params": {"source": of_alice[0], "target": of_alice[0]}},
        ],
        ("GET", "/v1/namespaces/{ns}/changes"): [
            {"path": base, "params": {"since": "0001-01-01T00:00:00Z", **p}} for p in ({}, {"limit": 1})
        ],
        ("GET", "/v1/namespaces/{ns}/communities"): [{"path": base, "params": p} for p in ({}, {"limit": 1})],
        ("GET", "/v1/namespaces"): [{"path": {}, "params": p} for p in ({}, {"limit": 1})],
        ("GET", "/v1/namespaces/{ns}/export"): [{"path": base}],
        ("POST", "/v1/namespaces/{ns}/import"): [{"path": base, "content": b'{"content": 1}', "more": NDJSON}],
        ("GET", "/v1/namespaces/{ns}/dead-letters"): listed,
        ("POST", "/v1/namespaces/{ns}/dead-letters/{id}/retry"): [{"path": {**base, "id": "1.index.1"}}],
        ("POST", "/v1/keys"): [{"path": {}, "json": {"name": "k", "scopes": ["admin"], "namespaces": ["*"]}}],
        ("GET", "/v1/keys"): [{"path": {}}],
        ("DELETE", "/v1/keys/{id}"): [{"path": {"id": "0" * 16}}],
        ("GET", "/healthz"): [{"path": {}}],
        ("GET", "/readyz"): [{"path": {}}],
        ("GET", "/metrics"): [{"path": {}}],
        ("GET", "/openapi.json"): [{"path": {}}],
        ("GET", "/docs"): [{"path": {}}],
        ("GET", "/docs/oauth2-redirect"): [{"path": {}}],
        ("DELETE", "/v1/namespaces/{ns}"): [{"path": base}],
    }  # fmt: skip


NDJSON = {"Content-Type": "application/x-ndjson"}


def shown(response: httpx2.Response, probe: dict[str, Any]) -> set[str]:
    """Alice's secrets in an answer, less those that the request itself had brought."""
    told = json.dumps([str(response.url), probe.get("json"), probe.get("path"), probe.get("params")])
    said = response.text + json.dumps(dict(response.headers))
    return {s for s in [*SECRETS.values(), ALICE] if s in said and s not in told}


def fill(template: str, values: dict[str, str]) -> str:
    return template.format(**values) if values else template


# --- a service in this process --------------------------------------------------------------------------------------


@pytest.fixture
def inside(start: Start) -> tuple[House, Running]:
    service = start(auth="keys")
    alice = make_key(service, "read", "write", "admin", namespaces=[ALICE])
    bob = make_key(service, "read", "write", "admin", namespaces=[BOB])
    house = House(service.http.request, alice, bob)
    move_in(house)
    return house, service


def test_every_route_is_tried(inside: tuple[House, Running]) -> None:
    _, service = inside
    assert routes(service.http.app) == probes(BOB).keys()  # type: ignore[arg-type]


def test_no_route_shows_anothers_secrets_in_ones_own_namespace(inside: tuple[House, Running]) -> None:
    house, _ = inside
    for (method, template), asked in probes(BOB).items():
        for probe in asked:
            options = {k: v for k, v in probe.items() if k != "path"}
            response = house.ask(method, fill(template, probe["path"]), **options)
            assert response.status_code < 500
            assert shown(response, probe) == set(), f"{method} {template}: {response.text[:500]}"


def test_no_route_opens_anothers_namespace(inside: tuple[House, Running]) -> None:
    house, service = inside
    before = service.digest(ALICE)
    for (method, template), asked in probes(ALICE).items():
        for probe in asked:
            if "{ns}" not in template and template != "/v1/search":
                continue
            options = {k: v for k, v in probe.items() if k != "path"}
            response = house.ask(method, fill(template, probe["path"]), **options)
            refused(response, Forbidden)
            assert shown(response, probe) == set()
    assert service.digest(ALICE) == before


def test_anothers_namespace_and_one_that_is_not_there_are_refused_alike(inside: tuple[House, Running]) -> None:
    house, _ = inside
    for (method, template), asked in probes(ALICE).items():
        if "{ns}" not in template:
            continue
        options = {k: v for k, v in asked[0].items() if k != "path"}
        answers = []
        for ns in (ALICE, "nobody-qqzz"):
            path = fill(template, {**asked[0]["path"], "ns": ns})
            response = house.ask(method, path, **options)
            answers.append((response.status_code, response.text.replace(ns, "NS")))
        assert answers[0] == answers[1], f"{method} {template}"


def test_destroying_ones_own_leaves_anothers_as_it_was(inside: tuple[House, Running]) -> None:
    house, service = inside
    before = service.digest(ALICE)
    for path in ("episodes/shared-id", "sessions/default", ""):
        assert house.ask("DELETE", f"/v1/namespaces/{BOB}/{path}".rstrip("/")).status_code == 204
    assert service.digest(ALICE) == before
    body = {"query": SECRETS["content"]}
    results = service.post("search", body, ALICE, headers=house.alice).json()["results"]
    assert {r["id"] for r in results} >= {e["id"] for e in EPISODES}


def test_what_another_stores_does_not_move_ones_scores(inside: tuple[House, Running]) -> None:
    house, service = inside
    ask = {"query": "Bruno fish", "explain": True}
    before = service.post("search", ask, BOB, headers=house.bob).json()["results"]
    more = [{"content": f"Bruno the fish {n}", "speaker": "Bruno"} for n in range(50)]
    stored = service.post("episodes", {"episodes": more}, ALICE, headers=house.alice, params={"wait": "enriched"})
    assert stored.status_code == 202
    assert service.post("search", ask, BOB, headers=house.bob).json()["results"] == before


def test_a_cursor_of_anothers_list_is_worth_nothing(inside: tuple[House, Running]) -> None:
    house, service = inside
    since = {"since": "0001-01-01T00:00:00Z"}
    for path in ("episodes", "sessions", "notes", "facts", "entities", "changes"):
        params = since if path == "changes" else {}
        page = service.get(path, ALICE, headers=house.alice, params={"limit": 1, **params}).json()
        answer = service.get(path, BOB, headers=house.bob, params={"cursor": page["next_cursor"], **params})
        assert answer.status_code == 400


def test_a_search_for_both_by_one_who_may_read_both_keeps_them_apart(inside: tuple[House, Running]) -> None:
    house, service = inside
    both = make_key(service, "read", namespaces=[ALICE, BOB])
    results = service.post("/v1/search", {"namespaces": [ALICE, BOB], "query": "Bruno"}, headers=both).json()["results"]
    assert {(r["namespace"], r["id"]) for r in results if r["id"] == "shared-id"} == {
        (ALICE, "shared-id"),
        (BOB, "shared-id"),
    }
    for result in results:
        assert (CANARY in json.dumps(result)) == (result["namespace"] == ALICE)
    assert house.ask("GET", f"/v1/namespaces/{BOB}/episodes/{SECRETS['id']}").status_code == 404


def test_snapshots_are_named_by_hashes_and_hold_one_namespace(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_MIN_ROWS", 1)
    service = start()
    for ns, episodes in ((ALICE, EPISODES), (BOB, BOBS)):
        service.append(*episodes, ns=ns, wait="enriched")
        service.search("Bruno", ns)
    folders = list((service.settings.data_dir / "index").rglob("manifest.json"))
    assert len(folders) == 2
    holding = files_holding(service.settings.data_dir / "index", CANARY, "fish", ALICE, BOB)
    assert sorted(holding.values()) == [["fish"], [CANARY]]
    names = [str(p.relative_to(service.settings.data_dir)) for p in service.settings.data_dir.rglob("*")]
    assert not any(secret in name for name in names for secret in [ALICE, BOB, CANARY])


def test_letters_of_another_cannot_be_retried(inside: tuple[House, Running]) -> None:
    house, _ = inside
    refused(house.ask("POST", f"/v1/namespaces/{BOB}/dead-letters/1.note.1/retry"), NotFound)


def test_the_text_of_a_databases_error_holds_no_values(inside: tuple[House, Running]) -> None:
    _, service = inside
    with pytest.raises(IntegrityError) as raised, service.service.store.database.write() as connection:
        connection.execute(insert(notes), {"record_seq": 1, "namespace": CANARY, "context": CANARY})
    assert CANARY not in str(raised.value), "an unexpected error is logged with its text"


# --- a real process -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that logs all it ever logs."""
    folder = tmp_path_factory.mktemp("loud")
    with serving(folder, folder / "data", auth="keys", log_level="debug") as server:
        yield server


@pytest.mark.process
def test_no_log_line_or_metric_holds_a_name_a_secret_or_a_word_of_a_tenant(loud: Server) -> None:
    admin = bearer((loud.data_dir / "first-admin-key").read_text().strip())
    with loud.client() as http:
        house = House(http.request, admin, admin)
        move_in(house)
        asked = probes(ALICE)
        last = asked.pop(("DELETE", "/v1/namespaces/{ns}"))
        for (method, template), tried in [*asked.items(), (("DELETE", "/v1/namespaces/{ns}"), last)]:
            for probe in tried:
                options = {k: v for k, v in probe.items() if k != "path"}
                assert house.ask(method, fill(template, probe["path"]), **options).status_code < 500
        for provoked in provocations():
            assert 400 <= house.ask(**provoked).status_code < 500
        metrics = http.get("/metrics").text
        keys = [k["id"] for k in http.get("/v1/keys", headers=admin).json()["items"]]
    lines = eventually(lambda: [line for line in loud.said().splitlines() if '"event": "request"' in line])
    assert len(lines) > len(house.asked), "the log is as loud as it gets"
    for needle in [CANARY, ALICE, BOB, "Bruno", "shared-id", admin["Authorization"][7:], *keys]:
        assert needle not in loud.said()
        assert needle not in metrics


def provocations() -> Iterator[dict[str, Any]]:
    """Requests that go wrong with a secret in every place."""
    ns = f"/v1/namespaces/{ALICE}"
    yield {
        "method": "POST",
        "path": f"{ns}/episodes",
        "json": {"episodes": [{"content": SECRETS["content"], "kind": SECRETS["key"]}]},
    }
    yield {
        "method": "POST",
        "path": f"{ns}/episodes",
        "content": f'{{"{SECRETS["content"]}'.encode(),
        "more": {"Content-Type": "application/json"},
    }
    yield {
        "method": "POST",
        "path": f"{ns}/episodes",
        "json": {"episodes": [EPISODES[0]], SECRETS["key"]: SECRETS["value"]},
    }
    yield {
        "method": "POST",
        "path": f"{ns}/import",
        "content": f'{{"{SECRETS["import"]}": 1}}'.encode(),
        "more": NDJSON,
    }
    yield {
        "method": "POST",
        "path": f"{ns}/search",
        "json": {"query": SECRETS["query"], "metadata": {SECRETS["key"]: [SECRETS["value"]]}},
    }
    yield {"method": "GET", "path": f"{ns}/episodes/{SECRETS['id']}"}
    yield {"method": "GET", "path": f"{ns}/{SECRETS['content']}", "params": {SECRETS["key"]: SECRETS["value"]}}
    yield {"method": "GET", "path": f"{ns}/episodes", "params": {"cursor": SECRETS["value"]}}
    yield {"method": "GET", "path": f"{ns}/episodes", "headers": bearer(SECRETS["key"])}
    yield {"method": "PUT", "path": f"{ns}/episodes/{SECRETS['id']}"}
    for path in ("entities", "facts"):
        yield {"method": "GET", "path": f"{ns}/{path}/{SECRETS['id']}"}
        yield {"method": "GET", "path": f"{ns}/{path}", "params": {"cursor": SECRETS["value"]}}
        yield {"method": "GET", "path": f"{ns}/{path}", "params": {"known_at": SECRETS["value"]}}
    stated = {"subject": {"name": SECRETS["entity"], SECRETS["key"]: 1}, "predicate": SECRETS["fact"].upper()}
    yield {"method": "POST", "path": f"{ns}/facts", "json": {"facts": [stated]}}
    yield {"method": "POST", "path": f"{ns}/facts/{SECRETS['id']}/retract", "json": {"reason": SECRETS["fact"]}}
