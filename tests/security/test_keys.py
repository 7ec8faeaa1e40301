"""Who may do what: keys, scopes, namespaces, revocation, rate limits, and where a secret may stand."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memory_service import wire
from memory_service.api import security
from memory_service.app import build_app
from memory_service.errors import ConfigurationError, Forbidden, NotFound, TooManyRequests, Unauthenticated
from memory_service.settings import Settings
from tests.support.bytes_on_disk import files_holding
from tests.support.keys import bearer, make_key
from tests.support.problems import problem_of, refused
from tests.support.process import command, serving
from tests.support.routes import Route, routes
from tests.support.running import Running, Start, running

OPEN = {
    ("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect")
}
"""Routes that need no key: they name no tenant."""

NEEDS: dict[Route, str] = {
    ("POST", "/v1/namespaces/{ns}/episodes"): "write",
    ("GET", "/v1/namespaces/{ns}/episodes"): "read",
    ("GET", "/v1/namespaces/{ns}/episodes/{id}"): "read",
    ("GET", "/v1/namespaces/{ns}/episodes/{id}/status"): "read",
    ("DELETE", "/v1/namespaces/{ns}/episodes/{id}"): "write",
    ("GET", "/v1/namespaces/{ns}/sessions"): "read",
    ("DELETE", "/v1/namespaces/{ns}/sessions/{id}"): "write",
    ("POST", "/v1/namespaces/{ns}/search"): "read",
    ("POST", "/v1/search"): "read",
    ("POST", "/v1/namespaces/{ns}/context"): "read",
    ("GET", "/v1/namespaces/{ns}/notes"): "read",
    ("GET", "/v1/namespaces/{ns}/notes/{id}"): "read",
    ("GET", "/v1/namespaces/{ns}/entities"): "read",
    ("GET", "/v1/namespaces/{ns}/entities/{id}"): "read",
    ("GET", "/v1/namespaces/{ns}/entities/{id}/timeline"): "read",
    ("GET", "/v1/namespaces/{ns}/entities/{id}/neighbourhood"): "read",
    ("POST", "/v1/namespaces/{ns}/entities/{id}/merge"): "write",
    ("POST", "/v1/namespaces/{ns}/entities/{id}/split"): "write",
    ("POST", "/v1/namespaces/{ns}/facts"): "write",
    ("GET", "/v1/namespaces/{ns}/facts"): "read",
    ("GET", "/v1/namespaces/{ns}/facts/{id}/history"): "read",
    ("POST", "/v1/namespaces/{ns}/facts/{id}/retract"): "write",
    ("GET", "/v1/namespaces/{ns}/paths"): "read",
    ("GET", "/v1/namespaces/{ns}/changes"): "read",
    ("GET", "/v1/namespaces/{ns}/communities"): "read",
    ("GET", "/v1/namespaces"): "read",
    ("DELETE", "/v1/namespaces/{ns}"): "admin",
    ("GET", "/v1/namespaces/{ns}/export"): "read",
    ("POST", "/v1/namespaces/{ns}/import"): "write",
    ("GET", "/v1/namespaces/{ns}/dead-letters"): "read",
    ("POST", "/v1/namespaces/{ns}/dead-letters/{id}/retry"): "write",
    ("POST", "/v1/keys"): "admin",
    ("GET", "/v1/keys"): "admin",
    ("DELETE", "/v1/keys/{id}"): "admin",
}
BODIES: dict[str, Any] = {
    "episodes": {"episodes": [{"content": "x"}]},
    "search": {"query": "x"},
    "context": {"query": "x", "token_budget": 99},
    "facts": {"facts": [{"subject": {"name": "x"}, "predicate": "likes", "value": "y"}]},
    "merge": {"entity_id": "x"},
    "split": {"entity_id": "x"},
    "retract": {},
    "keys": {"name": "k", "scopes": ["read"], "namespaces": ["ann"]},
}
PARAMETERS = {
    "/v1/namespaces/{ns}/paths": {"source": "x", "target": "y"},
    "/v1/namespaces/{ns}/changes": {"since": "2024-01-01T00:00:00Z"},
}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that needs keys. Each test makes its own, so that one service serves them all."""
    chosen = Settings(data_dir=tmp_path_factory.mktemp("locked"), embedding_model="test")  # type: ignore[call-arg]
    with running(chosen) as service:
        yield service


def call(service: Running, route: Route, headers: dict[str, str], ns: str = "ann") -> Any:
    method, template = route
    item = "1.index.1" if "dead-letters" in template else "0" * 16
    path = template.replace("{ns}", ns).replace("{id}", item)
    if path.endswith("/import"):
        return service.http.post(path, content=b"", headers={**headers, "Content-Type": "application/x-ndjson"})
    body = BODIES.get(path.rpartition("/")[2]) if method == "POST" else None
    if template == "/v1/search":
        body = {"namespaces": [ns], "query": "x"}
    return service.http.request(method, path, json=body, params=PARAMETERS.get(template), headers=headers)


def test_every_route_is_open_or_needs_a_scope(locked: Running) -> None:
    assert routes(locked.http.app) == OPEN | NEEDS.keys()  # type: ignore[arg-type]


# --- no key ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_a_route_refuses_a_request_without_a_good_key(locked: Running, route: Route) -> None:
    for headers in (
        {},
        bearer("msk_unknown"),
        {"Authorization": "Basic YTpi"},
        bearer(""),
        {"Authorization": "Bearer"},
    ):
        response = call(locked, route, headers)
        refused(response, Unauthenticated)
        assert response.headers["www-authenticate"] == "Bearer"


def test_nothing_is_read_for_one_without_a_key(locked: Running) -> None:
    json_type = {"Content-Type": "application/json"}
    for path in ("episodes", "search", "/v1/search", "/v1/keys"):
        refused(locked.http.post(locked.url(path), content=b"no JSON", headers=json_type), Unauthenticated)
        refused(locked.http.post(locked.url(path), params={"unknown": 1}, json={}), Unauthenticated)
    refused(locked.get("episodes", params={"limit": 0}), Unauthenticated)


@pytest.mark.parametrize("route", sorted(OPEN), ids=" ".join)
def test_an_open_route_needs_no_key(locked: Running, route: Route) -> None:
    assert locked.http.get(route[1]).status_code == 200


@pytest.mark.parametrize("value", ["bearer {}", "BEARER  {} ", "Bearer {}"])
def test_the_scheme_may_be_written_in_any_case(locked: Running, value: str) -> None:
    secret = make_key(locked, "read")["Authorization"].removeprefix("Bearer ")
    assert locked.get("episodes", headers={"Authorization": value.format(secret)}).status_code == 200


def test_a_key_counts_only_as_a_header(locked: Running) -> None:
    secret = make_key(locked, "admin")["Authorization"].removeprefix("Bearer ")
    for headers in ({"X-API-Key": secret}, {"Cookie": f"key={secret}"}, {"Authorization": f"Basic {secret}"}):
        refused(locked.get("episodes", headers=headers), Unauthenticated)
    refused(locked.get("episodes", params={"api_key": secret}), Unauthenticated)


@pytest.mark.parametrize("secret", ["x" * 50_000, "ключ", "msk_\x7f", "' OR 1=1 --", "*", "none"])
def test_a_strange_key_is_unknown(locked: Running, secret: str) -> None:
    refused(
        locked.http.get(locked.url("episodes"), headers=[("Authorization", b"Bearer " + secret.encode())]),
        Unauthenticated,
    )


def test_part_of_a_secret_and_a_keys_id_are_no_keys(locked: Running) -> None:
    made = wire.NewKey.model_validate_json(
        locked.post("/v1/keys", BODIES["keys"], headers=make_key(locked, "admin")).content
    )
    for secret in (made.secret[:-1], made.secret + "x", made.secret.upper(), made.id):
        refused(locked.get("episodes", headers=bearer(secret)), Unauthenticated)
    assert locked.get("episodes", headers=bearer(made.secret)).status_code == 200


# --- scopes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_a_route_takes_its_scope_and_admin_and_no_other(locked: Running, route: Route, scope: wire.Scope) -> None:
    response = call(locked, route, make_key(locked, scope))
    if scope in (NEEDS[route], "admin"):
        assert response.status_code in (200, 201, 202, 204, 404)
    else:
        refused(response, Forbidden)


def test_scopes_add_up(locked: Running) -> None:
    both = make_key(locked, "read", "write")
    assert call(locked, ("POST", "/v1/namespaces/{ns}/episodes"), both).status_code == 202
    assert call(locked, ("GET", "/v1/namespaces/{ns}/episodes"), both).status_code == 200
    refused(call(locked, ("DELETE", "/v1/namespaces/{ns}"), both), Forbidden)


# --- namespaces -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "reached", "not_reached"),
    [
        ("ann", ["ann"], ["ann2", "an", "Ann", "bob"]),
        ("team-*", ["team-", "team-a", "team-a-b"], ["team", "Team-a", "my-team-a"]),
        ("a.b*", ["a.b", "a.bc"], ["axb", "a"]),
        ("*", ["ann", "bob"], []),
    ],
)
@pytest.mark.parametrize("route", [r for r in NEEDS if "{ns}" in r[1]], ids=" ".join)
def test_a_key_reaches_its_namespaces_and_no_other(
    locked: Running, route: Route, pattern: str, reached: list[str], not_reached: list[str]
) -> None:
    key = make_key(locked, "admin", namespaces=[pattern])
    for ns in reached:
        assert call(locked, route, key, ns).status_code in (200, 202, 204, 404)
    for ns in not_reached:
        refused(call(locked, route, key, ns), Forbidden)


def test_a_key_may_name_several_namespaces(locked: Running) -> None:
    key = make_key(locked, "read", namespaces=["ann", "team-*"])
    assert [locked.get("episodes", ns, headers=key).status_code for ns in ("ann", "team-a", "bob")] == [200, 200, 403]


def test_a_search_over_several_namespaces_needs_them_all(locked: Running) -> None:
    key = make_key(locked, "read", namespaces=["ann", "team"])
    body = {"query": "x", "namespaces": ["ann", "team"]}
    assert locked.post("/v1/search", body, headers=key).status_code == 200
    problem = refused(locked.post("/v1/search", {**body, "namespaces": ["ann", "bob"]}, headers=key), Forbidden)
    assert "bob" in problem["detail"]
    refused(locked.post("/v1/search", body, headers=make_key(locked, "write", namespaces=["ann", "team"])), Forbidden)


def test_the_list_of_namespaces_shows_only_those_that_the_key_reaches(locked: Running) -> None:
    everything = make_key(locked, "read", "write")
    for ns in ("list-ann", "list-bob", "list.team-a", "list.team-b", "list-zoe"):
        locked.post("episodes", BODIES["episodes"], ns, headers=everything)
    key = make_key(locked, "read", namespaces=["list.team-*", "list-zoe"])
    seen = [n["name"] for n in locked.pages("/v1/namespaces", limit=1, headers=key)]
    assert seen == ["list-zoe", "list.team-a", "list.team-b"]


@pytest.mark.parametrize("route", [r for r in NEEDS if r[1].startswith("/v1/keys")], ids=" ".join)
@pytest.mark.parametrize("namespaces", [["ann"], ["team-*"], ["ann", "a*"]])
def test_an_admin_of_some_namespaces_is_no_admin_of_the_service(
    locked: Running, route: Route, namespaces: list[str]
) -> None:
    refused(call(locked, route, make_key(locked, "admin", namespaces=namespaces)), Forbidden)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_new_keys_secret_is_shown_once(locked: Running) -> None:
    admin = make_key(locked, "admin")
    made = locked.post("/v1/keys", BODIES["keys"], headers=admin)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret.startswith("msk_")
    assert len(secret) >= 40
    listed = {k["id"]: k for k in locked.pages("/v1/keys", headers=admin)}
    assert listed[made.json()["id"]].keys() == {"id", "name", "scopes", "namespaces", "created_at"}
    assert secret not in str(listed)
    assert secret != locked.post("/v1/keys", BODIES["keys"], headers=admin).json()["secret"]


def test_a_secret_stands_in_no_file_of_the_store(locked: Running) -> None:
    admin = make_key(locked, "admin")
    secret = locked.post("/v1/keys", BODIES["keys"], headers=admin).json()["secret"]
    locked.get("episodes", headers=bearer(secret))
    own = admin["Authorization"].removeprefix("Bearer ")
    assert files_holding(locked.settings.data_dir, secret, secret.removeprefix("msk_"), own) == {}


def test_a_revoked_key_is_refused_at_once(locked: Running) -> None:
    admin = make_key(locked, "admin")
    made = locked.post("/v1/keys", BODIES["keys"], headers=admin).json()
    key = bearer(made["secret"])
    assert locked.get("episodes", headers=key).status_code == 200
    assert locked.delete(f"/v1/keys/{made['id']}", headers=admin).status_code == 204
    refused(locked.get("episodes", headers=key), Unauthenticated)
    listed = {k["id"]: k for k in locked.pages("/v1/keys", headers=admin)}
    first = listed[made["id"]]["revoked_at"]
    assert locked.delete(f"/v1/keys/{made['id']}", headers=admin).status_code == 204
    listed = {k["id"]: k for k in locked.pages("/v1/keys", headers=admin)}
    assert listed[made["id"]]["revoked_at"] == first
    refused(locked.delete("/v1/keys/" + "0" * 16, headers=admin), NotFound)


def test_a_key_that_another_process_revoked_is_looked_up_again(
    locked: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memory_service.log.keys import revoke_key

    admin = make_key(locked, "admin")
    made = locked.post("/v1/keys", BODIES["keys"], headers=admin).json()
    assert locked.get("episodes", headers=bearer(made["secret"])).status_code == 200
    locked.service.store.writer.write(lambda tx: revoke_key(tx, made["id"]))
    monkeypatch.setattr(security, "_CACHE_S", 0.0)
    refused(locked.get("episodes", headers=bearer(made["secret"])), Unauthenticated)


def test_keys_are_listed_by_pages(locked: Running) -> None:
    admin = make_key(locked, "admin")
    ids = {locked.post("/v1/keys", BODIES["keys"], headers=admin).json()["id"] for _ in range(4)}
    seen = [k["id"] for k in locked.pages("/v1/keys", limit=20, headers=admin)]
    assert seen == sorted(set(seen))
    assert ids < set(seen)


# --- rate limits ----------------------------------------------------------------------------------------------------


def test_a_key_may_send_so_many_requests_and_others_are_not_counted(start: Start) -> None:
    service = start(auth="keys", rate_limit="3/hour")
    busy, other = make_key(service, "read"), make_key(service, "read")
    assert [service.get("episodes", headers=busy).status_code for _ in range(3)] == [200] * 3
    response = service.get("episodes", headers=busy)
    refused(response, TooManyRequests, says="3 per 1 hour")
    assert 1 <= int(response.headers["retry-after"]) <= 3601
    assert service.get("episodes", headers=other).status_code == 200
    assert service.get("/healthz").status_code == 200
    refused(service.get("episodes"), Unauthenticated)


@pytest.mark.parametrize("rate", ["many", "10", "10/fortnight", "-1/second"])
def test_a_rate_that_is_none_is_told_at_the_start(start: Start, settings: Settings, rate: str) -> None:
    service = start()
    with pytest.raises(ConfigurationError, match="MEMORY_RATE_LIMIT"):
        build_app(settings.model_copy(update={"rate_limit": rate}), service.service)


# --- auth off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "example.com", "", "169.254.1.1", "fe80::1"]
)
def test_keys_cannot_be_off_where_others_reach_the_service(settings: Settings, host: str) -> None:
    with pytest.raises(ConfigurationError, match="MEMORY_AUTH=off is refused"):
        settings.model_copy(update={"host": host}).check()
    assert settings.model_copy(update={"host": host, "auth": "keys"}).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_keys_can_be_off_on_the_loopback(settings: Settings, host: str) -> None:
    assert settings.model_copy(update={"host": host}).check().is_loopback


@pytest.mark.process
def test_a_server_without_keys_does_not_start_beyond_the_loopback(tmp_path: Path) -> None:
    done = command("serve", auth="off", host="0.0.0.0", data_dir=str(tmp_path), embedding_model="test", port="0")
    assert done.returncode == 1
    assert "MEMORY_AUTH=off is refused on 0.0.0.0" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- the first key --------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_the_first_key_is_in_a_file_for_its_user_alone_and_nowhere_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(tmp_path / "one", data, auth="keys", log_level="debug") as server:
        file = data / "first-admin-key"
        secret = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with server.client(secret) as http:
            made = http.post("/v1/keys", json=BODIES["keys"])
            assert made.status_code == 201
            assert http.delete("/v1/namespaces/ann").status_code == 404, "it may do everything"
        with server.client() as http:
            refused(http.get("/v1/namespaces"), Unauthenticated)
        server.stop()
    assert str(file) in re.sub(r"\s", "", server.said()), "the path is told"
    assert secret not in server.said()
    assert made.json()["secret"] not in server.said()
    file.unlink()
    assert files_holding(data, secret, made.json()["secret"]) == {}
    with serving(tmp_path / "two", data, auth="keys") as server:
        assert not file.exists(), "there is a key: no other is made"
        with server.client(secret) as http:
            assert http.get("/v1/namespaces").status_code == 200


@pytest.mark.process
def test_a_key_made_on_the_command_line_works_and_is_printed_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(tmp_path / "server", data, auth="keys") as server:
        done = command("keys", "create", "reader", "--scope", "read", "--namespace", "ann", data_dir=str(data))
        assert done.returncode == 0
        secret = done.stdout.strip()
        assert re.fullmatch(r"msk_[\w-]{40,}", secret)
        assert secret not in done.stderr
        with server.client(secret) as http:
            assert http.get("/v1/namespaces/ann/episodes").status_code == 200
            assert problem_of(http.get("/v1/namespaces/bob/episodes"))["status"] == 403
