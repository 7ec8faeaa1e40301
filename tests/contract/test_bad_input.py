"""What bad input gets: a problem of a known type that points to the field, and nothing is stored."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from memory_service import limits
from memory_service.errors import (
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ProblemError,
    TooLarge,
    UnsupportedMediaType,
)
from memory_service.log.text import searchable_text
from memory_service.settings import Settings
from tests.support.problems import problem_of, refused
from tests.support.running import Running, running

GOOD = {"content": "a good turn"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all: nothing here changes it, which is what the tests are about."""
    chosen = Settings(data_dir=tmp_path_factory.mktemp("bad"), embedding_model="test", auth="off")  # type: ignore[call-arg]
    with running(chosen) as service:
        service.append({"id": "before", "content": "here before"}, wait="enriched")
        yield service


@pytest.fixture
def unchanged(shared: Running) -> Iterator[Running]:
    """The shared service, which must hold afterwards what it held before."""
    yield shared
    namespaces = shared.get("/v1/namespaces").json()["items"]
    assert [(n["name"], n["episodes"]) for n in namespaces] == [("ann", 1)]
    assert [e["id"] for e in shared.pages("episodes")] == ["before"]


def send(service: Running, body: Any, path: str = "episodes", ns: str = "ann", **headers: str) -> httpx2.Response:
    """Sends a body: bytes as they are, anything else as JSON that may hold what JSON has not."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    return service.http.post(
        service.url(path, ns), content=content, headers={"Content-Type": "application/json"} | headers
    )


# --- episodes -------------------------------------------------------------------------------------------------------

DEEP = "[" * 40 + "]" * 40
BAD_EPISODES: dict[str, tuple[dict[str, Any], str]] = {
    "no content": ({"id": "x"}, "content"),
    "empty content": ({"content": ""}, "content"),
    "white space": ({"content": " \t\n\u2003"}, "content"),
    "null content": ({"content": None}, "content"),
    "a number": ({"content": 7}, "content"),
    "an object as a message": ({"content": {"a": 1}}, "content"),
    "text as json": ({"kind": "json", "content": "text"}, "content"),
    "an empty object": ({"kind": "json", "content": {}}, "content"),
    "content over the limit": ({"content": "x" * (limits.MAX_CONTENT_BYTES + 1)}, "content"),
    "content over the limit in UTF-8": ({"content": "東" * (limits.MAX_CONTENT_BYTES // 3 + 1)}, "content"),
    "json over the limit": ({"kind": "json", "content": ["x" * limits.MAX_CONTENT_BYTES]}, "content"),
    "NUL in content": ({"content": "a\0b"}, "content"),
    "NUL in json": ({"kind": "json", "content": {"a": ["b\0"]}}, "content"),
    "NUL in a name of json": ({"kind": "json", "content": {"a\0": 1}}, "content"),
    "a surrogate in content": ({"content": "\ud800"}, "content"),
    "a surrogate in json": ({"kind": "json", "content": ["\udfff"]}, "content"),
    "a surrogate in a name of json": ({"kind": "json", "content": {"\ud800": 1}}, "content"),
    "json nested too deep": ({"kind": "json", "content": json.loads(DEEP)}, "content"),
    "metadata nested too deep": ({"content": "x", "metadata": {"a": json.loads(DEEP)}}, "metadata"),
    "metadata over the limit": ({"content": "x", "metadata": {"a": "x" * limits.MAX_METADATA_BYTES}}, "metadata"),
    "metadata that is a list": ({"content": "x", "metadata": [1]}, "metadata"),
    "NUL in metadata": ({"content": "x", "metadata": {"a": "\0"}}, "metadata"),
    "NUL in a name of metadata": ({"content": "x", "metadata": {"\0": "a"}}, "metadata"),
    "a surrogate in metadata": ({"content": "x", "metadata": {"a": ["\ud800"]}}, "metadata"),
    "an infinity by overflow": ({"content": "x", "metadata": {"a": 12345678}}, "metadata"),
    "an unknown kind": ({"content": "x", "kind": "image"}, "kind"),
    "a kind in capitals": ({"content": "x", "kind": "Message"}, "kind"),
    "an unknown field": ({"content": "x", "colour": "red"}, "colour"),
    "a field of the answer": ({"content": "x", "seq": 1}, "seq"),
    "an empty id": ({"content": "x", "id": ""}, "id"),
    "an id with a slash": ({"content": "x", "id": "a/b"}, "id"),
    "an id with a space": ({"content": "x", "id": "a b"}, "id"),
    "an id with a percent sign": ({"content": "x", "id": "a%2Fb"}, "id"),
    "an id with a line feed": ({"content": "x", "id": "ab\n"}, "id"),
    "an id in another script": ({"content": "x", "id": "é"}, "id"),
    "an id of other digits": ({"content": "x", "id": "٣"}, "id"),
    "an id that is too long": ({"content": "x", "id": "x" * 129}, "id"),
    "the id .": ({"content": "x", "id": "."}, "id"),
    "the id ..": ({"content": "x", "id": ".."}, "id"),
    "an id that is a number": ({"content": "x", "id": 7}, "id"),
    "an id with a surrogate": ({"content": "x", "id": "\ud800"}, "id"),
    "a bad session": ({"content": "x", "session_id": "a/b"}, "session_id"),
    "the session ..": ({"content": "x", "session_id": ".."}, "session_id"),
    "an empty speaker": ({"content": "x", "speaker": ""}, "speaker"),
    "a speaker that is too long": ({"content": "x", "speaker": "x" * 257}, "speaker"),
    "NUL in a speaker": ({"content": "x", "speaker": "a\0"}, "speaker"),
    "a role that is a list": ({"content": "x", "role": ["user"]}, "role"),
}
BAD_TIMES = {
    "naive": "2026-03-01T09:30:00",
    "a date alone": "2026-03-01",
    "30 February": "2026-02-30T00:00:00Z",
    "29 February of no leap year": "2026-02-29T00:00:00Z",
    "month 13": "2026-13-01T00:00:00Z",
    "hour 24": "2026-01-01T24:00:00Z",
    "a leap second": "2016-12-31T23:59:60Z",
    "year 0": "0000-01-01T00:00:00Z",
    "year 10000": "10000-01-01T00:00:00Z",
    "before year 1 in UTC": "0001-01-01T00:00:00+14:00",
    "after year 9999 in UTC": "9999-12-31T23:59:59-14:00",
    "an offset with seconds": "2026-01-01T00:00:00+01:00:30",
    "an offset of a day": "2026-01-01T00:00:00+24:00",
    "an offset without a colon": "2026-01-01T00:00:00+0100",
    "a zone's name": "2026-01-01T00:00:00 Europe/Berlin",
    "seven digits": "2026-01-01T00:00:00.1234567Z",
    "other digits": "٢٠٢٦-01-01T00:00:00Z",
    "a week date": "2026-W01-1T00:00:00Z",
    "words": "yesterday",
    "empty": "",
    "a number": 1767225600,
    "a number as text": "1767225600",
    "a list": ["2026-01-01T00:00:00Z"],
    "with a line feed": "2026-01-01T00:00:00Z\n",
    "with a surrogate": "2026-01-01T00:00:00\ud800",
}


@pytest.mark.parametrize("what", BAD_EPISODES)
def test_a_bad_episode_is_refused_with_a_pointer_to_the_field(unchanged: Running, what: str) -> None:
    bad, field = BAD_EPISODES[what]
    body = json.dumps({"episodes": [GOOD, bad, GOOD]}).encode()
    if what == "an infinity by overflow":
        body = body.replace(b"12345678", b"1e999")
    refused(send(unchanged, body), Invalid, f"/episodes/1/{field}")


@pytest.mark.parametrize("what", BAD_TIMES)
def test_a_time_that_names_no_instant_is_refused(unchanged: Running, what: str) -> None:
    value = BAD_TIMES[what]
    refused(send(unchanged, {"episodes": [{"content": "x", "occurred_at": value}]}), Invalid, "/episodes/0/occurred_at")
    for field in ("as_of", "known_at", "after", "before"):
        refused(send(unchanged, {"query": "x", field: value}, "search"), Invalid, f"/{field}")


def test_the_problem_says_what_is_wrong_with_a_time(unchanged: Running) -> None:
    for value, says in [("2026-03-01T09:30:00", "offset"), ("2026-02-30T00:00:00Z", "day"), ("yesterday", "RFC 3339")]:
        refused(send(unchanged, {"episodes": [{"content": "x", "occurred_at": value}]}), Invalid, says=says)


BAD_BATCHES: dict[str, tuple[Any, str]] = {
    "no episodes": ({}, "/episodes"),
    "an empty batch": ({"episodes": []}, "/episodes"),
    "a batch over the limit": ({"episodes": [GOOD] * (limits.MAX_BATCH_EPISODES + 1)}, "/episodes"),
    "episodes that are no list": ({"episodes": GOOD}, "/episodes"),
    "an episode that is text": ({"episodes": ["text"]}, "/episodes/0"),
    "an episode that is null": ({"episodes": [GOOD, None]}, "/episodes/1"),
    "an unknown field": ({"episodes": [GOOD], "namespace": "bob"}, "/namespace"),
    "a field with a slash": ({"episodes": [GOOD], "a/b~c": 1}, "/a~1b~0c"),
    "a bad session": ({"episodes": [GOOD], "session_id": "a b"}, "/session_id"),
    "a list": ([GOOD], ""),
    "text": ("text", ""),
    "null": (None, ""),
    "a number": (7, ""),
}


@pytest.mark.parametrize("what", BAD_BATCHES)
def test_a_bad_batch_is_refused(unchanged: Running, what: str) -> None:
    body, pointer = BAD_BATCHES[what]
    refused(send(unchanged, body), Invalid, pointer)


def test_every_bad_field_of_a_batch_is_pointed_to(unchanged: Running) -> None:
    batch = [{"content": ""}, GOOD, {"content": "x", "id": "a/b", "role": 7}]
    problem = refused(send(unchanged, {"episodes": batch}), Invalid)
    assert {e["pointer"] for e in problem["errors"]} == {"/episodes/0/content", "/episodes/2/id", "/episodes/2/role"}


def test_very_many_errors_are_told_in_a_short_answer(unchanged: Running) -> None:
    response = send(unchanged, {"episodes": [{"content": ""}] * limits.MAX_BATCH_EPISODES})
    assert len(refused(response, Invalid)["errors"]) == 20
    assert len(response.content) < 10_000


def test_a_json_episode_cannot_grow_beyond_its_size_when_it_is_read() -> None:
    content = json.dumps({"n" * 2000: [1] * 2000})
    assert len(searchable_text("json", content)) < 20 * len(content)


# --- what is not JSON -----------------------------------------------------------------------------------------------

BODY = json.dumps({"episodes": [GOOD]}, ensure_ascii=False)
BAD_JSON = {
    "cut off": BODY[:-3].encode(),
    "white space alone": b"  ",
    "two values": (BODY + BODY).encode(),
    "single quotes": b"{'episodes': []}",
    "a trailing comma": b'{"episodes": [{"content": "x"},]}',
    "a comment": b'{"episodes": [{"content": "x"}]} // no',
    "a control character": b'{"episodes": [{"content": "a\nb"}]}',
    "NUL": b'{"episodes": [{"content": "a\x00b"}]}',
    "latin-1": BODY.replace("good", "gööd").encode("latin-1"),
    "UTF-16": BODY.encode("utf-16"),
    "UTF-16 without a mark": BODY.encode("utf-16-le"),
    "UTF-32": BODY.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + BODY.encode(),
    "a surrogate in UTF-8": BODY.replace("good", "\ud800").encode("utf-8", "surrogatepass"),
    "an overlong encoding": BODY.encode().replace(b"good", b"\xc0\xaf"),
    "NaN": b'{"episodes": [{"content": "x", "metadata": {"a": NaN}}]}',
    "Infinity": b'{"episodes": [{"content": "x", "metadata": {"a": Infinity}}]}',
    "minus Infinity": b'{"episodes": [{"kind": "json", "content": [-Infinity]}]}',
    "a key twice": b'{"episodes": [{"content": "one", "content": "two"}]}',
    "a key twice in metadata": b'{"episodes": [{"content": "x", "metadata": {"a": 1, "b": 2, "a": 3}}]}',
    "nested 10,000 deep": b'{"episodes": [{"kind": "json", "content": ' + b"[" * 10_000 + b"]" * 10_000 + b"}]}",
    "nested 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an integer of 5,000 digits": b'{"episodes": [{"kind": "json", "content": [' + b"9" * 5000 + b"]}]}",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("what", BAD_JSON)
@pytest.mark.parametrize("path", ["episodes", "search"])
def test_what_is_not_json_is_refused(unchanged: Running, what: str, path: str) -> None:
    refused(send(unchanged, BAD_JSON[what], path), BadRequest, "", says="not JSON")


def test_an_empty_body_is_refused(unchanged: Running) -> None:
    refused(send(unchanged, b""), Invalid, "")


def test_nesting_within_the_recursion_limit_is_refused_by_its_own_limit(unchanged: Running) -> None:
    for depth in (33, 200, 300, 900):
        content = b"[" * depth + b"]" * depth
        body = b'{"episodes": [{"kind": "json", "content": ' + content + b"}]}"
        refused(send(unchanged, body), Invalid, "/episodes/0/content", says="deeper than 32")


# --- search and context ---------------------------------------------------------------------------------------------

BAD_SEARCHES: dict[str, tuple[dict[str, Any], str]] = {
    "no query": ({}, "/query"),
    "an empty query": ({"query": ""}, "/query"),
    "a query over the limit": ({"query": "x" * (limits.MAX_QUERY_CHARS + 1)}, "/query"),
    "NUL in a query": ({"query": "a\0b"}, "/query"),
    "a surrogate in a query": ({"query": "\ud800"}, "/query"),
    "a query that is a list": ({"query": ["x"]}, "/query"),
    "limit 0": ({"query": "x", "limit": 0}, "/limit"),
    "limit 201": ({"query": "x", "limit": 201}, "/limit"),
    "a huge limit": ({"query": "x", "limit": 10**40}, "/limit"),
    "half a limit": ({"query": "x", "limit": 1.5}, "/limit"),
    "no types": ({"query": "x", "types": []}, "/types"),
    "an unknown type": ({"query": "x", "types": ["episode", "memory"]}, "/types/1"),
    "a negative min_seq": ({"query": "x", "min_seq": -1}, "/min_seq"),
    "a huge min_seq": ({"query": "x", "min_seq": 2**63}, "/min_seq"),
    "no sessions": ({"query": "x", "session_id": []}, "/session_id"),
    "too many speakers": ({"query": "x", "speaker": ["a"] * 65}, "/speaker"),
    "an empty role": ({"query": "x", "role": [""]}, "/role/0"),
    "a session with NUL": ({"query": "x", "session_id": "a\0"}, "/session_id/0"),
    "metadata that is a list": ({"query": "x", "metadata": [1]}, "/metadata"),
    "a list in metadata": ({"query": "x", "metadata": {"a": [1]}}, "/metadata/a"),
    "an object in metadata": ({"query": "x", "metadata": {"a": {"b": 1}}}, "/metadata/a"),
    "too much metadata": ({"query": "x", "metadata": {str(n): n for n in range(17)}}, "/metadata"),
    "an integer beyond 64 bits": ({"query": "x", "metadata": {"a": 2**63}}, "/metadata/a"),
    "an integer far beyond 64 bits": ({"query": "x", "metadata": {"a": -(10**400)}}, "/metadata/a"),
    "a surrogate in metadata": ({"query": "x", "metadata": {"a": "\ud800"}}, "/metadata/a"),
    "a surrogate in a name of metadata": ({"query": "x", "metadata": {"\ud800": 1}}, "/metadata/\ufffd\ufffd\ufffd"),
    "NUL in metadata": ({"query": "x", "metadata": {"a": "\0"}}, "/metadata/a"),
    "NUL in a name of metadata": ({"query": "x", "metadata": {"a\0": 1}}, "/metadata/a\0"),
    "an unknown field": ({"query": "x", "top_k": 3}, "/top_k"),
    "explain that is text": ({"query": "x", "explain": "very"}, "/explain"),
}


@pytest.mark.parametrize("what", BAD_SEARCHES)
def test_a_bad_search_is_refused_with_a_pointer_to_the_field(unchanged: Running, what: str) -> None:
    body, pointer = BAD_SEARCHES[what]
    refused(send(unchanged, body, "search"), Invalid, pointer)
    refused(send(unchanged, {"namespaces": ["ann"], **body}, "/v1/search"), Invalid, pointer)
    if not body.keys() & {"explain"}:
        refused(send(unchanged, {"token_budget": 100, **body}, "context"), Invalid, pointer)


@pytest.mark.parametrize("budget", [None, "many", 15, 10**30])
def test_a_bad_budget_is_refused(unchanged: Running, budget: Any) -> None:
    refused(send(unchanged, {"query": "x", "token_budget": budget}, "context"), Invalid, "/token_budget")


BAD_KEYS: dict[str, tuple[dict[str, Any], str]] = {
    "an empty name": ({"name": "", "scopes": ["read"], "namespaces": ["a"]}, "/name"),
    "no scopes": ({"name": "k", "scopes": [], "namespaces": ["a"]}, "/scopes"),
    "an unknown scope": ({"name": "k", "scopes": ["root"], "namespaces": ["a"]}, "/scopes/0"),
    "no namespaces": ({"name": "k", "scopes": ["read"], "namespaces": []}, "/namespaces"),
    "two stars": ({"name": "k", "scopes": ["read"], "namespaces": ["a", "**"]}, "/namespaces/1"),
    "a star within": ({"name": "k", "scopes": ["read"], "namespaces": ["a*b"]}, "/namespaces/0"),
    "a secret of one's own": ({"name": "k", "scopes": ["read"], "namespaces": ["a"], "secret": "x"}, "/secret"),
}


@pytest.mark.parametrize("what", BAD_KEYS)
def test_a_bad_key_request_is_refused(unchanged: Running, what: str) -> None:
    body, pointer = BAD_KEYS[what]
    refused(send(unchanged, body, "/v1/keys"), Invalid, pointer)
    assert unchanged.get("/v1/keys").json() == {"items": []}


# --- paths and parameters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["%2E%2E", "%2E", "a%00b", "a%20b", "%C3%A9", "%FF", "a%0A", "x" * 129, "a%25", "a*"])
def test_a_name_that_cannot_stand_in_a_path_is_refused(unchanged: Running, bad: str) -> None:
    for path in (
        f"/v1/namespaces/{bad}/episodes",
        f"/v1/namespaces/ann/episodes/{bad}",
        f"/v1/namespaces/ann/notes/{bad}",
    ):
        refused(unchanged.http.get(path), Invalid)
    for path in (f"/v1/namespaces/{bad}", f"/v1/namespaces/ann/episodes/{bad}", f"/v1/namespaces/ann/sessions/{bad}"):
        refused(unchanged.http.delete(path), Invalid)
    refused(send(unchanged, {"episodes": [GOOD]}, f"/v1/namespaces/{bad}/episodes"), Invalid, "path:ns")


BAD_PARAMETERS = [
    ("GET", "episodes", {"limit": "0"}, "query:limit"),
    ("GET", "episodes", {"limit": "1.5"}, "query:limit"),
    ("GET", "episodes", {"limit": ""}, "query:limit"),
    ("GET", "episodes", {"session_id": "a/b"}, "query:session_id"),
    ("GET", "episodes", {"cursor": "x" * 1025}, "query:cursor"),
    ("GET", "episodes", {"sesion_id": "s1"}, "query:sesion_id"),
    ("POST", "episodes", {"waits": "indexed"}, "query:waits"),
    ("GET", "notes", {"limit": "201"}, "query:limit"),
    ("GET", "sessions", {"limit": "-1"}, "query:limit"),
    ("GET", "dead-letters", {"limit": "x"}, "query:limit"),
    ("GET", "/v1/namespaces", {"limit": "1000"}, "query:limit"),
    ("GET", "/v1/keys", {"limit": "nan"}, "query:limit"),
    ("POST", "episodes", {"wait": "forever"}, "query:wait"),
    ("POST", "episodes", {"wait": "indexed", "timeout_ms": "60001"}, "query:timeout_ms"),
    ("POST", "episodes", {"wait": "indexed", "timeout_ms": "-1"}, "query:timeout_ms"),
    ("DELETE", "/v1/keys/not-a-key", {}, "path:id"),
]


@pytest.mark.parametrize(("method", "path", "params", "pointer"), BAD_PARAMETERS)
def test_a_bad_parameter_is_refused(
    unchanged: Running, method: str, path: str, params: dict[str, str], pointer: str
) -> None:
    body = {"json": {"episodes": [GOOD]}} if method == "POST" else {}
    refused(unchanged.http.request(method, unchanged.url(path), params=params, **body), Invalid, pointer)


# --- the frame ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data", "application/x-ndjson", ""]
)
@pytest.mark.parametrize("path", ["episodes", "search", "context", "/v1/search", "/v1/keys"])
def test_a_body_of_another_type_is_refused(unchanged: Running, media_type: str, path: str) -> None:
    response = send(unchanged, {"episodes": [GOOD]}, path, **{"Content-Type": media_type})
    refused(response, UnsupportedMediaType, says="application/json")


def test_the_content_type_may_name_its_charset(shared: Running) -> None:
    response = send(shared, {"query": "x"}, "search", **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert response.status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(unchanged: Running, announced: bool) -> None:
    size = unchanged.settings.max_body_bytes + 1
    pieces = (b"x" * 65536 for _ in range(size // 65536 + 1))
    content = b"x" * size if announced else pieces
    response = unchanged.http.post(
        unchanged.url("episodes"), content=content, headers={"Content-Type": "application/json"}
    )
    refused(response, TooLarge, says=str(unchanged.settings.max_body_bytes))


def test_a_body_of_exactly_the_limit_is_read(unchanged: Running) -> None:
    body = b'{"query": "x"' + b" " * (unchanged.settings.max_body_bytes - 14) + b"}"
    assert send(unchanged, body, "search").status_code == 200


@pytest.mark.parametrize("announced", ["-1", "1e3", "many", "9" * 30])
def test_a_length_that_is_none_is_no_way_around_the_limit(unchanged: Running, announced: str) -> None:
    response = unchanged.http.post(
        unchanged.url("episodes"),
        content=b"x" * (unchanged.settings.max_body_bytes + 1),
        headers={"Content-Type": "application/json", "Content-Length": announced},
    )
    refused(response, TooLarge)


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
TAKEN = {
    "/v1/namespaces": "GET",
    "/v1/namespaces/ann": "DELETE",
    "/v1/namespaces/ann/episodes": "GET, POST",
    "/v1/namespaces/ann/episodes/x": "DELETE, GET",
    "/v1/namespaces/ann/search": "POST",
    "/v1/namespaces/ann/sessions/x": "DELETE",
    "/v1/keys": "GET, POST",
    "/healthz": "GET",
}


@pytest.mark.parametrize("path", TAKEN)
def test_another_method_is_refused_and_the_right_ones_are_named(unchanged: Running, path: str) -> None:
    for method in [m for m in METHODS if m not in TAKEN[path]]:
        response = unchanged.http.request(method, path)
        refused(response, MethodNotAllowed)
        assert response.headers["allow"] == TAKEN[path]


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v2/namespaces", "/v1/nope", "/v1/namespaces/ann/nope", "/v1/namespaces/ann/episodes/a/b", "//"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_path_is_not_found(unchanged: Running, method: str, path: str) -> None:
    refused(unchanged.http.request(method, f"http://localhost{path}"), NotFound)


@pytest.mark.parametrize(
    "path", ["/v1/namespaces/", "/v1/namespaces/ann/", "/v1/namespaces/ann/episodes/", "/healthz/"]
)
def test_a_trailing_slash_is_no_other_name(unchanged: Running, path: str) -> None:
    refused(unchanged.http.get(path, follow_redirects=False), NotFound)


def test_a_problem_quotes_what_was_sent_without_breaking(unchanged: Running) -> None:
    body = {"episodes": [{"content": "x", "kind": 'a"b\\c\u2028\ud800<script>'}]}
    assert problem_of(send(unchanged, body))["status"] == 422


def test_an_unexpected_failure_is_a_problem_too(
    shared: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("the secret of the matter")

    monkeypatch.setattr(shared.service, "search", broken)
    response = send(shared, {"query": "x"}, "search")
    problem = problem_of(response)
    assert problem["status"] == 500
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in capsys.readouterr().out, "the log line can be found by it"


def test_every_kind_of_problem_has_its_own_name() -> None:
    from memory_service.errors import problem_types

    known = problem_types()
    assert all(slug == cls.slug for slug, cls in known.items())
    leaves = [cls for cls in all_kinds(ProblemError) if not cls.__subclasses__()]
    assert len({cls.slug for cls in leaves}) == len(leaves)


def all_kinds(cls: type[ProblemError]) -> list[type[ProblemError]]:
    return [cls, *(kind for sub in cls.__subclasses__() for kind in all_kinds(sub))]
