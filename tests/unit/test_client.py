"""The SDK over a transport that answers from a script. Every test runs against both clients; none takes real time."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, assert_type

import httpx2
import pytest
from pydantic import BaseModel

import memory_service
from memory_service import AsyncMemoryClient, MemoryClient, client, errors, wire
from memory_service.client import limits
from memory_service.client.graph import GraphOperations

URL = "http://memory.test:8090"
AT = "2026-03-01T09:30:00+01:00"
NOW = datetime.fromisoformat(AT)

Handler = Callable[[httpx2.Request], httpx2.Response]


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Sdk:
    """One of the two clients behind one way to call it, and the record of what it sent."""

    def __init__(self, *, awaited: bool) -> None:
        self.awaited = awaited
        self.time = FakeTime()
        self.requests: list[httpx2.Request] = []
        self.runner = asyncio.Runner()
        self.client: Any = None

    def connect(self, handler: Handler, **options: Any) -> "Sdk":
        """Makes the client; `handler` answers its requests."""

        def recorded(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return handler(request)

        options = {"transport": httpx2.MockTransport(recorded), "clock": self.time.clock, **options}
        if self.awaited:
            self.client = AsyncMemoryClient(options.pop("url", URL), sleep=self.time.sleep_async, **options)
        else:
            self.client = MemoryClient(options.pop("url", URL), sleep=self.time.sleep, **options)
        return self

    def script(self, *answers: httpx2.Response | Exception, **options: Any) -> "Sdk":
        """Makes the client; the answers are given in turn."""
        queue = list(answers)

        def next_answer(_: httpx2.Request) -> httpx2.Response:
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return self.connect(next_answer, **options)

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.client, operation)(*args, **kwargs)
        return self.runner.run(result) if self.awaited else result

    def iterate(self, operation: str, *args: Any, first: int | None = None) -> list[Any]:
        """The items, all or the first few; the iterator is closed afterwards."""
        items = getattr(self.client, operation)(*args)
        return self.runner.run(_taken(items, first)) if self.awaited else _taken_now(items, first)

    def close(self) -> None:
        if self.awaited:
            self.runner.run(self.client.aclose())
        else:
            self.client.close()


def _taken_now(items: Any, first: int | None) -> list[Any]:
    taken: list[Any] = []
    for item in items:
        taken.append(item)
        if len(taken) == first:
            break
    items.close()
    return taken


async def _taken(items: Any, first: int | None) -> list[Any]:
    taken: list[Any] = []
    async for item in items:
        taken.append(item)
        if len(taken) == first:
            break
    await items.aclose()
    return taken


@pytest.fixture(params=["sync", "async"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    made = Sdk(awaited=request.param == "async")
    yield made
    made.runner.close()


class Chunks(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that comes in these pieces; an exception among them breaks it off."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.given = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            self.given += 1
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=body, headers=named) if body is not None else httpx2.Response(status)


def problem(slug: str, status: int, detail: str = "because", **headers: str) -> httpx2.Response:
    kind = errors.PROBLEM_PREFIX + slug
    body = {"type": kind, "title": "A title", "status": status, "detail": detail}
    return answer(body, status, content_type="application/problem+json", **headers)


def status_of(episode_id: str, status: str, **fields: Any) -> httpx2.Response:
    return answer({"id": episode_id, "seq": 1, "status": status, **fields})


def page(*items: Any, next_cursor: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": next_cursor}


RECEIPTS = {"episodes": [{"id": "e1", "seq": 7, "status": "stored"}], "seq": 7}
EPISODE = {
    "id": "e1",
    "namespace": "ann",
    "session_id": "s",
    "kind": "message",
    "content": "I moved to Ghent.",
    "occurred_at": AT,
    "recorded_at": AT,
    "seq": 7,
    "status": "indexed",
}
STATUS = {"id": "e1", "seq": 7, "status": "indexed"}
NOTE = {
    "id": "n1",
    "episode_ids": ["e1"],
    "content": "Ann moved.",
    "context": "",
    "keywords": [],
    "tags": [],
    "links": [],
    "importance": 0.5,
    "revision": 1,
    "created_at": AT,
    "extractor": "rules/1",
}
FOUND = {"results": [], "seq": 7, "usage": {}}
CONTEXT = {
    "context": "",
    "tokens": 0,
    "tokenizer": "minilm",
    "citations": [],
    "decision": {"action": "skip", "reasons": []},
    "usage": {},
    "seq": 7,
}
KEY = {"id": "k1", "name": "ann", "scopes": ["read"], "namespaces": ["*"], "created_at": AT}
HEALTH = {"status": "ok", "checks": {"database": "ok"}}


@dataclass(frozen=True)
class Case:
    """An operation, the request that it must send, and what it returns for an answer."""

    operation: str
    args: tuple[Any, ...]
    sent: str
    answer: Any
    returns: type[BaseModel] | None
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    body: Any = None
    status: int = 200
    repeatable: bool = True


CASES = [
    Case("append", ("ann", [{"content": "hi"}]), "POST /v1/namespaces/ann/episodes", RECEIPTS, wire.AppendResponse,
         body={"episodes": [{"content": "hi"}]}, status=202),
    Case("append", ("ann", [wire.EpisodeIn(content="hi", id="e1", occurred_at=NOW)]),
         "POST /v1/namespaces/ann/episodes?wait=indexed", RECEIPTS, wire.AppendResponse,
         kwargs={"session_id": "s", "wait": "indexed"},
         body={"episodes": [{"content": "hi", "id": "e1", "occurred_at": AT}], "session_id": "s"}, status=202),
    Case("remember", ("ann", {"a": None}), "POST /v1/namespaces/ann/episodes", RECEIPTS, wire.EpisodeReceipt,
         kwargs={"kind": "json", "metadata": {"n": None}, "occurred_at": AT, "speaker": None},
         body={"episodes": [{"content": {"a": None}, "kind": "json", "metadata": {"n": None}, "occurred_at": AT}]},
         status=202),
    Case("episode", ("ann", "e1"), "GET /v1/namespaces/ann/episodes/e1", EPISODE, wire.Episode),
    Case("episodes", ("ann",), "GET /v1/namespaces/ann/episodes?session_id=s%231&limit=5&cursor=c%3D",
         page(EPISODE), wire.EpisodePage, kwargs={"session_id": "s#1", "limit": 5, "cursor": "c="}),
    Case("episode_status", ("ann", "e1"), "GET /v1/namespaces/ann/episodes/e1/status", STATUS, wire.StatusResponse),
    Case("delete_episode", ("ann", "e1"), "DELETE /v1/namespaces/ann/episodes/e1", None, None, status=204),
    Case("delete_session", ("ann", "s"), "DELETE /v1/namespaces/ann/sessions/s", None, None, status=204),
    Case("delete_namespace", ("ann",), "DELETE /v1/namespaces/ann", None, None, status=204),
    Case("search", ("ann", "where?"), "POST /v1/namespaces/ann/search", FOUND, wire.SearchResponse,
         body={"query": "where?", "limit": 10, "explain": False}),
    Case("search", ("ann", "where?"), "POST /v1/namespaces/ann/search", FOUND, wire.SearchResponse,
         kwargs={"limit": 3, "explain": True, "types": ("note",), "as_of": NOW, "before": AT, "role": "user",
                 "metadata": {"draft": None}, "min_seq": 7, "session_id": None},
         body={"query": "where?", "limit": 3, "explain": True, "types": ["note"], "as_of": AT, "before": AT,
               "role": ["user"], "metadata": {"draft": None}, "min_seq": 7}),
    Case("search_many", (["ann", "team"], "where?"), "POST /v1/search", FOUND, wire.SearchResponse,
         body={"namespaces": ["ann", "team"], "query": "where?", "limit": 10, "explain": False}),
    Case("context", ("ann", "where?"), "POST /v1/namespaces/ann/context", CONTEXT, wire.ContextResponse,
         kwargs={"token_budget": 400}, body={"query": "where?", "token_budget": 400, "limit": 50}),
    Case("note", ("ann", "n1"), "GET /v1/namespaces/ann/notes/n1", NOTE, wire.Note),
    Case("notes", ("ann",), "GET /v1/namespaces/ann/notes?limit=2", page(NOTE), wire.NotePage, kwargs={"limit": 2}),
    Case("sessions", ("ann",), "GET /v1/namespaces/ann/sessions", page(), wire.SessionPage),
    Case("namespaces", (), "GET /v1/namespaces?cursor=c", page(), wire.NamespacePage, kwargs={"cursor": "c"}),
    Case("dead_letters", ("ann",), "GET /v1/namespaces/ann/dead-letters", page(), wire.DeadLetterPage),
    Case("retry_dead_letter", ("ann", "d1"), "POST /v1/namespaces/ann/dead-letters/d1/retry", None, None,
         status=204, repeatable=False),
    Case("create_key", ("ann", ["read"], ["*"]), "POST /v1/keys", KEY | {"secret": "x"}, wire.NewKey, status=201,
         body={"name": "ann", "scopes": ["read"], "namespaces": ["*"]}, repeatable=False),
    Case("keys", (), "GET /v1/keys", page(KEY), wire.KeyPage),
    Case("revoke_key", ("k1",), "DELETE /v1/keys/k1", None, None, status=204),
    Case("health", (), "GET /healthz", HEALTH, wire.Health, repeatable=False),
    Case("ready", (), "GET /readyz", HEALTH, wire.Health, repeatable=False),
]  # fmt: skip
COVERED_ELSEWHERE = {"wait", "iter_episodes", "export", "iter_export", "import_"} | {
    name for name in dir(GraphOperations) if not name.startswith("_")
}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation)
each_repeatable = pytest.mark.parametrize("case", [c for c in CASES if c.repeatable], ids=lambda case: case.operation)
each_unrepeatable = pytest.mark.parametrize(
    "case", [c for c in CASES if not c.repeatable], ids=lambda case: case.operation
)

PASSING_TROUBLE = {
    "refused": lambda: httpx2.ConnectError("connection refused"),
    "silent": lambda: httpx2.ReadTimeout("no answer"),
    "broken": lambda: httpx2.RemoteProtocolError("server disconnected"),
    "429": lambda: problem("back-pressure", 429),
    "502": lambda: httpx2.Response(502, text="<html>bad gateway</html>"),
    "503": lambda: problem("storage-unavailable", 503),
    "504": lambda: httpx2.Response(504),
}
each_trouble = pytest.mark.parametrize("trouble", PASSING_TROUBLE.values(), ids=PASSING_TROUBLE)


# --- requests and results -----------------------------------------------------------------------------------------


@each_case
def test_an_operation_sends_its_request_and_returns_its_type(sdk: Sdk, case: Case) -> None:
    sdk.script(answer(case.answer, case.status))
    result = sdk.call(case.operation, *case.args, **case.kwargs)
    [request] = sdk.requests
    assert f"{request.method} {request.url.raw_path.decode()}" == case.sent
    assert json.loads(request.content or b"null") == case.body
    assert result is None if case.returns is None else type(result) is case.returns


def test_every_public_operation_has_a_case() -> None:
    names = {name for name in dir(MemoryClient) if not name.startswith("_")}
    assert names - COVERED_ELSEWHERE - {"close"} == {case.operation for case in CASES}


def test_both_clients_have_the_same_operations() -> None:
    names = [{n for n in dir(c) if not n.startswith("_")} for c in (MemoryClient, AsyncMemoryClient)]
    assert names[0] ^ names[1] == {"close", "aclose"}


def test_the_public_names_are_pinned() -> None:
    assert client.__all__ == [
        "AsyncMemoryClient", "EntityFilters", "EpisodeFields", "FactFilters", "MemoryClient", "SearchFilters",
    ]  # fmt: skip
    assert all(hasattr(client, name) for name in client.__all__)


def test_operations_keep_their_signature_and_docstring(sdk: Sdk) -> None:
    sdk.script()
    assert list(inspect.signature(sdk.client.search).parameters)[:3] == ["namespace", "query", "limit"]
    assert sdk.client.search.__name__ == "search"
    assert "nearest to the query" in sdk.client.search.__doc__
    assert "nearest to the query" in (inspect.getdoc(MemoryClient.search) or "")


def test_a_wrong_argument_name_is_a_type_error(sdk: Sdk) -> None:
    with pytest.raises(TypeError, match="sesion"):
        sdk.script().call("episodes", "ann", sesion="s")


async def the_async_types_are_exact(c: AsyncMemoryClient) -> None:
    """Never run: pyright checks it."""
    assert_type(await c.search("ann", "q", role="user"), wire.SearchResponse)
    assert_type(await c.wait("ann", ["e1"]), list[wire.StatusResponse])
    assert_type([e async for e in c.iter_episodes("ann")], list[wire.Episode])


def the_sync_types_are_exact(c: MemoryClient) -> None:
    """Never run: pyright checks it."""
    assert_type(c.search("ann", "q", role="user"), wire.SearchResponse)
    assert_type(c.remember("ann", "hi", speaker="Ann"), wire.EpisodeReceipt)
    assert_type(list(c.iter_episodes("ann")), list[wire.Episode])


def test_ids_are_percent_encoded(sdk: Sdk) -> None:
    sdk.script(answer(EPISODE))
    sdk.call("episode", "team:a@b", "e#1~2:3")
    assert sdk.requests[0].url.raw_path == b"/v1/namespaces/team%3Aa%40b/episodes/e%231~2%3A3"


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a b", "a%2Fb", "é", "x" * 129, "a\n"])
def test_an_id_that_would_name_another_resource_is_refused_before_it_is_sent(sdk: Sdk, bad: str) -> None:
    sdk.script()
    for operation, args in [("delete_episode", ("ann", bad)), ("delete_namespace", (bad,)), ("note", (bad, "n"))]:
        with pytest.raises(ValueError, match="is no id"):
            sdk.call(operation, *args)
    assert not sdk.requests


@pytest.mark.parametrize("naive", [datetime(2026, 3, 1), "2026-03-01T00:00:00", "yesterday"])
def test_an_instant_without_offset_is_refused_before_it_is_sent(sdk: Sdk, naive: object) -> None:
    sdk.script()
    with pytest.raises(ValueError, match="offset"):
        sdk.call("search", "ann", "q", as_of=naive)
    with pytest.raises(ValueError, match="offset"):
        sdk.call("context", "ann", "q", token_budget=99, after=naive)
    with pytest.raises(ValueError, match="offset"):
        sdk.call("remember", "ann", "hi", occurred_at=naive)
    with pytest.raises(ValueError, match="offset"):
        sdk.call("append", "ann", [{"content": "hi", "occurred_at": naive}])
    assert not sdk.requests


def test_numbers_that_json_cannot_hold_are_refused_instead_of_changed(sdk: Sdk) -> None:
    with pytest.raises(ValueError, match="NaN"):
        sdk.script().call("remember", "ann", "hi", metadata={"score": float("nan")})


def test_an_unknown_field_is_refused_before_it_is_sent(sdk: Sdk) -> None:
    with pytest.raises(ValueError, match="contents"):
        sdk.script().call("append", "ann", [{"contents": "hi"}])


def test_unknown_fields_of_a_newer_service_are_ignored(sdk: Sdk) -> None:
    sdk.script(answer(FOUND | {"novelty": 1}))
    assert sdk.call("search", "ann", "q").seq == 7


# --- connection settings ------------------------------------------------------------------------------------------


def test_the_key_and_the_version_are_sent(sdk: Sdk) -> None:
    sdk.script(answer(HEALTH), api_key="mk_1\n").call("health")
    assert sdk.requests[0].headers["Authorization"] == "Bearer mk_1"
    assert sdk.requests[0].headers["User-Agent"] == f"agent-memory-service/{memory_service.__version__}"


def test_address_and_key_come_from_the_environment(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_URL", "https://env.test/memory/")
    monkeypatch.setenv("MEMORY_API_KEY", "from-env")
    sdk.script(answer(page()), url=None).call("namespaces")
    assert str(sdk.requests[0].url) == "https://env.test/memory/v1/namespaces"
    assert sdk.requests[0].headers["Authorization"] == "Bearer from-env"


def test_without_settings_it_is_the_local_service_and_no_key(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMORY_URL", raising=False)
    monkeypatch.delenv("MEMORY_API_KEY", raising=False)
    sdk.script(answer(HEALTH), url=None).call("health")
    assert str(sdk.requests[0].url) == "http://127.0.0.1:8090/healthz"
    assert "Authorization" not in sdk.requests[0].headers


@pytest.mark.parametrize("url", ["localhost:8090", "ftp://h", "http://", "http://u:secret@h", "http://h?x=1", "h"])
def test_an_address_that_cannot_work_is_refused_and_shows_no_secret(sdk: Sdk, url: str) -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        sdk.script(url=url)
    assert "secret" not in str(caught.value)


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(sdk: Sdk) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        sdk.script(api_key="secret\r\nX: 1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("bounds", [{"retries": -1}, {"timeout_s": 0}, {"timeout_s": float("nan")}])
def test_bounds_that_are_none_are_refused(sdk: Sdk, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bounds))):
        sdk.script(**bounds)


# --- retries ------------------------------------------------------------------------------------------------------


@each_trouble
@each_repeatable
def test_passing_trouble_is_retried_where_that_is_safe(sdk: Sdk, case: Case, trouble: Callable[[], Any]) -> None:
    sdk.script(trouble(), trouble(), answer(case.answer, case.status))
    sdk.call(case.operation, *case.args, **case.kwargs)
    assert len(sdk.requests) == 3
    assert len({(r.method, str(r.url), r.content) for r in sdk.requests}) == 1


@each_trouble
@each_unrepeatable
def test_what_is_not_safe_to_repeat_is_sent_once(sdk: Sdk, case: Case, trouble: Callable[[], Any]) -> None:
    sdk.script(trouble())
    with pytest.raises(errors.MemoryServiceError):
        sdk.call(case.operation, *case.args, **case.kwargs)
    assert len(sdk.requests) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 500, 507])
@pytest.mark.parametrize("case", [CASES[0], CASES[3]], ids=["append", "episode"])
def test_lasting_trouble_is_not_retried(sdk: Sdk, case: Case, status: int) -> None:
    sdk.script(answer({}, status))
    with pytest.raises(errors.ProblemError):
        sdk.call(case.operation, *case.args, **case.kwargs)
    assert len(sdk.requests) == 1


def test_pauses_grow_with_jitter_and_end_with_the_retries(sdk: Sdk) -> None:
    sdk.connect(lambda _: problem("unavailable", 503), retries=7, timeout_s=1000)
    with pytest.raises(errors.Unavailable):
        sdk.call("namespaces")
    assert len(sdk.requests) == 8
    for attempt, pause in enumerate(sdk.time.pauses):
        backoff = min(limits.BACKOFF_BASE_S * 2**attempt, limits.BACKOFF_MAX_S)
        assert backoff / 2 <= pause <= backoff


def test_retrying_stops_within_the_time_given(sdk: Sdk) -> None:
    sdk.connect(lambda _: problem("unavailable", 503), retries=10**6, timeout_s=20)
    with pytest.raises(errors.Unavailable):
        sdk.call("namespaces")
    assert 10 < sdk.time.now <= 20


@pytest.mark.parametrize("slug", ["back-pressure", "storage-unavailable"])
def test_retry_after_is_honoured(sdk: Sdk, slug: str) -> None:
    status = errors.problem_types()[slug].status
    sdk.script(problem(slug, status, retry_after="3"), answer(RECEIPTS, 202)).call("remember", "ann", "hi")
    [pause] = sdk.time.pauses
    assert 3 <= pause <= 3 + limits.BACKOFF_BASE_S


def test_retry_after_may_be_a_date(sdk: Sdk) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=12), usegmt=True)
    sdk.script(problem("rate-limited", 429, retry_after=date), answer(page())).call("keys")
    assert 9 < sdk.time.pauses[0] <= 12 + limits.BACKOFF_BASE_S


@pytest.mark.parametrize("nonsense", ["soon", "-5", "nan", "inf", "Mon, 99 Foo 2026 00:00:00 GMT", ""])
def test_a_retry_after_that_says_nothing_is_ignored(sdk: Sdk, nonsense: str) -> None:
    sdk.script(problem("rate-limited", 429, retry_after=nonsense), answer(page())).call("keys")
    assert sdk.time.pauses[0] <= limits.BACKOFF_BASE_S


def test_a_retry_after_beyond_the_time_given_fails_at_once(sdk: Sdk) -> None:
    sdk.script(problem("back-pressure", 429, retry_after="60"), timeout_s=30)
    with pytest.raises(errors.BackPressure) as caught:
        sdk.call("remember", "ann", "hi")
    assert caught.value.retry_after_s == 60
    assert sdk.time.pauses == []


def test_a_retried_append_keeps_its_idempotency_key(sdk: Sdk) -> None:
    trouble = (httpx2.ReadTimeout(""), problem("back-pressure", 429))
    sdk.script(*trouble, answer(RECEIPTS, 202), answer(RECEIPTS, 202))
    sdk.call("remember", "ann", "hi")
    sdk.call("remember", "ann", "hi")
    *retried, other = [request.headers["Idempotency-Key"] for request in sdk.requests]
    assert len(set(retried)) == 1
    assert other != retried[0]


def test_the_callers_idempotency_key_is_used(sdk: Sdk) -> None:
    longest = "".join(map(chr, range(0x21, 0x7F))).ljust(256, "x")
    sdk.script(answer(RECEIPTS, 202), answer(RECEIPTS, 202))
    sdk.call("append", "ann", [{"content": "hi"}], idempotency_key="turn-17")
    sdk.call("remember", "ann", "hi", idempotency_key=longest)
    assert [request.headers["Idempotency-Key"] for request in sdk.requests] == ["turn-17", longest]


@pytest.mark.parametrize("key", ["", "a\r\nX: 1", "é", "x" * 257, "two words", " a", "a ", "a\tb", "a\n"])
def test_an_idempotency_key_that_the_service_would_refuse_is_not_sent(sdk: Sdk, key: str) -> None:
    with pytest.raises(ValueError, match=r"idempotency_key .* without spaces"):
        sdk.script().call("remember", "ann", "hi", idempotency_key=key)


def test_an_append_that_waits_is_given_a_minute_more(sdk: Sdk) -> None:
    sdk.script(answer(RECEIPTS, 202), answer(RECEIPTS, 202), timeout_s=30)
    sdk.call("remember", "ann", "hi")
    sdk.call("remember", "ann", "hi", wait="enriched")
    assert [request.extensions["timeout"]["read"] for request in sdk.requests] == [30, 90]
    assert sdk.requests[1].extensions["timeout"]["connect"] == limits.CONNECT_TIMEOUT_S


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "kind"), errors.problem_types().items(), ids=errors.problem_types())
def test_every_problem_becomes_its_error(sdk: Sdk, slug: str, kind: type[errors.ProblemError]) -> None:
    sdk.script(problem(slug, kind.status, "the detail", retry_after="7"), retries=0)
    with pytest.raises(errors.ProblemError) as caught:
        sdk.call("remember", "ann", "hi")
    assert type(caught.value) is kind
    assert caught.value.detail == str(caught.value) == "the detail"
    assert caught.value.retry_after_s == 7


def test_an_error_tells_where_the_input_is_wrong(sdk: Sdk) -> None:
    where = [{"pointer": "/episodes/0/content", "detail": "too long"}]
    body = {"type": errors.Invalid("").type, "detail": "no", "errors": where}
    sdk.script(answer(body, 422))
    with pytest.raises(errors.Invalid) as caught:
        sdk.call("remember", "ann", "hi")
    assert caught.value.errors == where


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"\xff\xfe", b"[]", b'"x"', b'{"error": "x"}'])
def test_a_proxys_error_page_becomes_its_statuses_error(sdk: Sdk, body: bytes) -> None:
    sdk.script(httpx2.Response(413, content=body))
    with pytest.raises(errors.TooLarge, match="answered HTTP 413"):
        sdk.call("remember", "ann", "hi")


def test_a_problem_with_malformed_errors_is_still_that_problem(sdk: Sdk) -> None:
    sdk.script(answer({"type": errors.Conflict("").type, "detail": "no", "errors": 3}, 409))
    with pytest.raises(errors.Conflict, match="no"):
        sdk.call("remember", "ann", "hi")


def test_an_answer_of_another_service_is_no_result(sdk: Sdk) -> None:
    sdk.script(httpx2.Response(200, text="<html>hello</html>"))
    with pytest.raises(errors.UnexpectedAnswer, match=r"hello.*Is base_url"):
        sdk.call("search", "ann", "q")


def test_an_unreachable_service_is_named_with_what_to_do(sdk: Sdk) -> None:
    sdk.connect(_refuse, retries=2)
    with pytest.raises(errors.ConnectionFailed) as caught:
        sdk.call("search", "ann", "q")
    message = str(caught.value)
    assert f"POST {URL}/v1/namespaces/ann/search failed" in message
    assert "connection refused, tried 3 times" in message
    assert "memory-service serve" in message


def _refuse(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("connection refused")


def test_a_lost_answer_of_a_key_creation_is_admitted(sdk: Sdk) -> None:
    sdk.script(httpx2.ReadTimeout(""))
    with pytest.raises(errors.ConnectionFailed, match=r"ReadTimeout.*may have been carried out"):
        sdk.call("create_key", "ann", ["read"], ["*"])


def test_being_not_ready_is_an_answer(sdk: Sdk) -> None:
    sdk.script(answer({"status": "starting", "checks": {"model": "loading"}}, 503), problem("unavailable", 503))
    assert sdk.call("ready").checks == {"model": "loading"}
    with pytest.raises(errors.Unavailable):
        sdk.call("ready")


# --- waiting ------------------------------------------------------------------------------------------------------


def test_wait_polls_with_growing_pauses_until_each_has_the_status(sdk: Sdk) -> None:
    stored = [status_of("e1", "stored") for _ in range(4)]
    sdk.script(*stored, status_of("e1", "enriched"), status_of("e2", "indexed"))
    reached = sdk.call("wait", "ann", ["e1", "e2"])
    assert [(status.id, status.status) for status in reached] == [("e1", "enriched"), ("e2", "indexed")]
    assert sdk.requests[0].url.path == "/v1/namespaces/ann/episodes/e1/status"
    assert sdk.time.pauses == sorted(set(sdk.time.pauses))
    assert len(sdk.time.pauses) == 4


@pytest.mark.parametrize("status", ["stored", "indexed", "enriched"])
def test_wait_knows_the_order_of_the_statuses(sdk: Sdk, status: str) -> None:
    sdk.script(*[status_of("e1", s) for s in ("stored", "indexed", "enriched")])
    assert sdk.call("wait", "ann", "e1", status=status)[0].status == status


def test_wait_for_one_id_given_as_text(sdk: Sdk) -> None:
    sdk.script(status_of("abc", "indexed")).call("wait", "ann", "abc")
    assert len(sdk.requests) == 1


def test_wait_for_nothing_is_done_at_once(sdk: Sdk) -> None:
    assert sdk.script().call("wait", "ann", []) == []


def test_wait_ends_when_time_is_up_and_says_how_far_it_came(sdk: Sdk) -> None:
    sdk.connect(lambda _: status_of("e1", "stored", attempts=2, reason="model is loading"))
    with pytest.raises(errors.WaitTimeout, match=r"'e1' is 'stored' .*model is loading.* 'indexed', after 12 s"):
        sdk.call("wait", "ann", ["e1"], timeout_s=12)
    assert sdk.time.now == pytest.approx(12)
    assert max(sdk.time.pauses) <= limits.POLL_MAX_S


def test_wait_without_time_asks_once(sdk: Sdk) -> None:
    sdk.script(status_of("e1", "stored"))
    with pytest.raises(errors.WaitTimeout):
        sdk.call("wait", "ann", "e1", timeout_s=0)


def test_wait_retries_no_longer_than_its_own_time(sdk: Sdk) -> None:
    sdk.connect(lambda _: problem("unavailable", 503), retries=10**6, timeout_s=1000)
    with pytest.raises(errors.Unavailable):
        sdk.call("wait", "ann", "e1", timeout_s=10)
    assert sdk.time.now <= 10


def test_wait_reports_a_dead_episode_with_its_reason(sdk: Sdk) -> None:
    sdk.script(status_of("e1", "dead", attempts=5, reason="not UTF-8"))
    with pytest.raises(errors.MemoryServiceError, match=r"'e1'.*dead after 5 attempts: not UTF-8.*dead_letters"):
        sdk.call("wait", "ann", ["e1"], status="enriched")


def test_wait_for_an_unknown_episode_fails(sdk: Sdk) -> None:
    sdk.script(problem("not-found", 404))
    with pytest.raises(errors.NotFound):
        sdk.call("wait", "ann", ["e1"])


# --- erasing ------------------------------------------------------------------------------------------------------

each_erasure = pytest.mark.parametrize(
    ("operation", "args"),
    [("delete_episode", ("ann", "e1")), ("delete_session", ("ann", "s")), ("delete_namespace", ("ann",))],
)
ERASING = {"pending": "pages"}


@each_erasure
@pytest.mark.parametrize("gone", [204, 404, 410])
def test_deleting_returns_once_the_erasure_is_complete(sdk: Sdk, operation: str, args: Any, gone: int) -> None:
    sdk.script(answer(ERASING, 202), answer(ERASING, 202), answer(None, gone))
    assert sdk.call(operation, *args) is None
    assert len(sdk.requests) == 3
    assert len(sdk.time.pauses) == 2


@each_erasure
def test_an_erasure_that_takes_too_long_is_a_wait_timeout(sdk: Sdk, operation: str, args: Any) -> None:
    sdk.connect(lambda _: answer(ERASING, 202))
    with pytest.raises(errors.WaitTimeout, match="accepted and is not yet complete after 5 s"):
        sdk.call(operation, *args, timeout_s=5)


@each_erasure
def test_deleting_what_was_never_there_is_not_found(sdk: Sdk, operation: str, args: Any) -> None:
    sdk.script(problem("rate-limited", 429), problem("not-found", 404))
    with pytest.raises(errors.NotFound):
        sdk.call(operation, *args)


@each_erasure
@pytest.mark.parametrize("trouble", ["silent", "broken", "504"])
def test_an_erasure_whose_first_answer_was_lost_is_a_success(sdk: Sdk, operation: str, args: Any, trouble: str) -> None:
    sdk.script(PASSING_TROUBLE[trouble](), problem("not-found", 404)).call(operation, *args)


# --- paging -------------------------------------------------------------------------------------------------------


def _episode(number: int) -> dict[str, Any]:
    return EPISODE | {"id": f"e{number}"}


def test_iterating_fetches_page_after_page(sdk: Sdk) -> None:
    sdk.script(
        answer(page(_episode(1), _episode(2), next_cursor="two")),
        problem("unavailable", 503),
        answer(page(next_cursor="three")),
        answer(page(_episode(3))),
    )
    assert [episode.id for episode in sdk.iterate("iter_episodes", "ann")] == ["e1", "e2", "e3"]
    assert [request.url.params.get("cursor") for request in sdk.requests] == [None, "two", "two", "three"]
    assert {request.url.params["limit"] for request in sdk.requests} == {"200"}


def test_iterating_fetches_no_page_before_it_is_needed(sdk: Sdk) -> None:
    sdk.script(answer(page(_episode(1), _episode(2), next_cursor="two")))
    assert [episode.id for episode in sdk.iterate("iter_episodes", "ann", first=2)] == ["e1", "e2"]
    assert len(sdk.requests) == 1


# --- export and import --------------------------------------------------------------------------------------------

LINES = [json.dumps({"n": number, "text": "a\u2028b\x85c"}, ensure_ascii=False) for number in range(3)]
EXPORT = "".join(line + "\n" for line in LINES).encode()


def _cut(size: int) -> Chunks:
    """The export in pieces of `size` bytes, which cut through lines and characters."""
    return Chunks(*[EXPORT[at : at + size] for at in range(0, len(EXPORT), size)], b"")


@pytest.mark.parametrize("size", [1, 7, len(EXPORT)])
def test_an_export_is_iterated_line_by_line(sdk: Sdk, size: int) -> None:
    sdk.script(httpx2.Response(200, stream=_cut(size)))
    assert sdk.iterate("iter_export", "ann") == LINES
    assert sdk.requests[0].url.path == "/v1/namespaces/ann/export"


def test_a_last_line_without_end_is_a_line(sdk: Sdk) -> None:
    assert sdk.script(httpx2.Response(200, stream=Chunks(b"{}\n{}"))).iterate("iter_export", "ann") == ["{}", "{}"]


def test_an_export_left_early_reads_no_further_and_closes_its_connection(sdk: Sdk) -> None:
    stream = Chunks(*[b"{}\n" * limits.CHUNK_BYTES] * 100)
    sdk.script(httpx2.Response(200, stream=stream))
    assert sdk.iterate("iter_export", "ann", first=2) == ["{}", "{}"]
    assert stream.closed
    assert stream.given == 1


def test_an_export_is_written_to_a_file(sdk: Sdk, tmp_path: Path) -> None:
    stream = _cut(5)
    sdk.script(problem("unavailable", 503), httpx2.Response(200, stream=stream))
    assert sdk.call("export", "ann", tmp_path / "ann.jsonl") == len(EXPORT)
    assert (tmp_path / "ann.jsonl").read_bytes() == EXPORT
    assert [path.name for path in tmp_path.iterdir()] == ["ann.jsonl"]
    assert stream.closed


def test_an_export_that_breaks_off_leaves_the_older_file(sdk: Sdk, tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_text("older")
    sdk.script(httpx2.Response(200, stream=Chunks(b"{}\n", httpx2.ReadError("reset"))))
    with pytest.raises(errors.ConnectionFailed, match=r"ReadError: reset"):
        sdk.call("export", "ann", str(tmp_path / "ann.jsonl"))
    assert (tmp_path / "ann.jsonl").read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_iterated_export_that_breaks_off_is_an_error(sdk: Sdk) -> None:
    sdk.script(httpx2.Response(200, stream=Chunks(b"{}\n", httpx2.RemoteProtocolError("incomplete"))))
    with pytest.raises(errors.ConnectionFailed, match="incomplete"):
        sdk.iterate("iter_export", "ann")


def test_a_refused_export_writes_nothing(sdk: Sdk, tmp_path: Path) -> None:
    sdk.script(problem("forbidden", 403))
    with pytest.raises(errors.Forbidden):
        sdk.call("export", "ann", tmp_path / "ann.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_an_export_goes_through_a_link_and_over_nothing_but_a_file(sdk: Sdk, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    sdk.connect(lambda _: httpx2.Response(200, stream=_cut(9)))
    sdk.call("export", "ann", tmp_path / "link")
    assert (tmp_path / "real").read_bytes() == EXPORT
    with pytest.raises(OSError, match="no regular file"):
        sdk.call("export", "ann", tmp_path)


def test_an_import_streams_the_file_with_its_length(sdk: Sdk, tmp_path: Path) -> None:
    content = EXPORT * 10_000  # several chunks
    (tmp_path / "ann.jsonl").write_bytes(content)
    sdk.script(answer({"episodes": 3, "records": 0, "skipped": 0, "seq": 9}))
    result = sdk.call("import_", "ann", tmp_path / "ann.jsonl")
    [request] = sdk.requests
    assert type(result) is wire.ImportResponse
    assert (request.method, request.url.path) == ("POST", "/v1/namespaces/ann/import")
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.headers["Content-Length"] == str(len(content))
    assert "Transfer-Encoding" not in request.headers
    assert request.content == content


def test_an_import_is_sent_once(sdk: Sdk, tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_bytes(EXPORT)
    sdk.script(problem("unavailable", 503), problem("invalid-import", 400))
    with pytest.raises(errors.Unavailable):
        sdk.call("import_", "ann", tmp_path / "ann.jsonl")
    with pytest.raises(errors.InvalidImport):
        sdk.call("import_", "ann", tmp_path / "ann.jsonl")
    assert len(sdk.requests) == 2


def test_an_import_of_a_missing_file_sends_nothing(sdk: Sdk, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sdk.script().call("import_", "ann", tmp_path / "none.jsonl")
    assert not sdk.requests


# --- closing ------------------------------------------------------------------------------------------------------


def test_a_closed_client_sends_nothing(sdk: Sdk) -> None:
    sdk.script(answer(HEALTH)).close()
    with pytest.raises(RuntimeError, match="closed"):
        sdk.call("health")
    assert not sdk.requests


def test_leaving_the_context_closes_the_client(sdk: Sdk) -> None:
    sdk.script(answer(HEALTH))
    assert sdk.runner.run(_health_within_the_context(sdk)).status == "ok"
    with pytest.raises(RuntimeError, match="closed"):
        sdk.call("health")


async def _health_within_the_context(sdk: Sdk) -> Any:
    if sdk.awaited:
        async with sdk.client as entered:
            return await entered.health()
    with sdk.client as entered:
        return entered.health()


def test_closing_twice_is_no_error(sdk: Sdk) -> None:
    sdk.script().close()
    sdk.close()


def test_an_async_client_runs_its_operations_side_by_side() -> None:
    sdk = Sdk(awaited=True)
    sdk.connect(lambda request: status_of(request.url.path.split("/")[-2], "indexed"))

    async def both() -> list[Any]:
        return await asyncio.gather(*[sdk.client.episode_status("ann", f"e{n}") for n in range(20)])

    assert [status.id for status in sdk.runner.run(both())] == [f"e{n}" for n in range(20)]
    sdk.runner.close()
