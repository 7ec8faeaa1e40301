"""The REST contract of operation: namespaces, export and import, dead letters, back-pressure, health."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from sqlalchemy import select

from memory_service import limits
from memory_service.clock import FrozenClock
from memory_service.errors import (
    BackPressure,
    EpisodeConflict,
    Gone,
    Invalid,
    InvalidImport,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from memory_service.instants import to_micros
from memory_service.log.schema import outbox
from tests.support.embedders import CountingEmbedder, FailingEmbedder
from tests.support.polling import eventually
from tests.support.problems import refused
from tests.support.running import Running, Start

TALK: list[dict[str, Any]] = [
    {"id": "e1", "content": "I adopted a dog named Bruno in Ghent.", "speaker": "Ann", "role": "user"},
    {"id": "e2", "content": "Does Bruno bark?", "speaker": "Bob", "metadata": {"a": None, "b": [True, 1.5]}},
    {"id": "e3", "content": "我上个月搬到了上海工作。\u2028第二行", "occurred_at": "2026-03-01T09:30:00+05:30"},
    {"id": "e4", "kind": "json", "content": {"pet": {"name": "Bruno", "age": 3}}, "session_id": "s2"},
    {"id": "e5", "kind": "text", "content": "Bruno was born yesterday. " * 60, "session_id": "s2"},
    {"id": "e6", "content": "Forget this."},
]


def import_(
    service: Running, *lines: Any, ns: str = "ann", media_type: str = "application/x-ndjson"
) -> httpx2.Response:
    """Sends lines: objects, or bytes as they are."""
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return service.http.post(service.url("import", ns), content=body, headers={"Content-Type": media_type})


def export(service: Running, ns: str = "ann") -> list[dict[str, Any]]:
    response = service.get("export", ns)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.split("\n") if line]


# --- namespaces -----------------------------------------------------------------------------------------------------


def test_namespaces_are_listed_by_name_with_what_they_hold(service: Running) -> None:
    for ns, count in [("b", 2), ("a", 1), ("C", 3)]:
        service.append(*["x"] * count, ns=ns, wait="enriched")
    service.delete("sessions/default", "C")
    listed = list(service.pages("/v1/namespaces", limit=1))
    assert [(n["name"], n["episodes"]) for n in listed] == [("C", 0), ("a", 1), ("b", 2)]
    assert all(n["seq"] > 0 and n["created_at"] for n in listed)


# --- export and import ----------------------------------------------------------------------------------------------


@pytest.fixture
def exported(service: Running) -> bytes:
    """The export of a namespace that has seen an erasure."""
    service.append(*TALK, wait="enriched")
    service.delete("episodes/e6")
    service.settle()
    return service.get("export").content


def test_an_export_and_its_import_into_another_store_have_the_same_digest(
    service: Running, start: Start, tmp_path: Path, exported: bytes
) -> None:
    embedder = CountingEmbedder()
    other = start(embedder=embedder, data_dir=tmp_path / "other")
    answer = import_(other, exported)
    assert answer.json() == {"episodes": 5, "records": 15, "skipped": 0, "seq": answer.json()["seq"]}
    assert {e["status"] for e in other.pages("episodes")} == {"enriched"}
    assert embedder.texts == 0, "nothing is computed again"
    assert other.digest() == service.digest()
    for query in ("Bruno", "上海", "who moved"):
        assert other.search(query, explain=True) == service.search(query, explain=True)


def test_an_import_into_another_namespace_keeps_the_links(service: Running, exported: bytes) -> None:
    assert import_(service, exported, ns="copy").status_code == 200
    mine, theirs = ({tuple(n["episode_ids"]): n for n in service.pages("notes", ns=ns)} for ns in ("ann", "copy"))
    assert mine.keys() == theirs.keys()
    for key, note in mine.items():
        assert [k["kind"] for k in note["links"]] == [k["kind"] for k in theirs[key]["links"]]
        assert all(service.get(f"notes/{k['note_id']}", "copy").status_code == 200 for k in theirs[key]["links"])


def test_importing_again_skips_what_is_there(service: Running, exported: bytes) -> None:
    before = service.digest()
    answer = import_(service, exported).json()
    assert (answer["episodes"], answer["records"], answer["skipped"]) == (0, 0, 5)
    assert service.digest() == before


def test_vectors_of_another_model_are_computed_anew(start: Start, tmp_path: Path, exported: bytes) -> None:
    embedder = CountingEmbedder(dimension=32)
    other = start(embedder=embedder, data_dir=tmp_path / "other")
    assert import_(other, exported).status_code == 200
    other.settle()
    assert {e["status"] for e in other.pages("episodes")} == {"enriched"}
    assert embedder.texts >= 5


def test_plain_episodes_without_types_and_ids_are_an_import(service: Running) -> None:
    lines = [{"content": "one"}, {"content": "two", "id": "mine", "speaker": "Ann"}, {"kind": "json", "content": [1]}]
    assert import_(service, *lines).json()["episodes"] == 3
    service.settle()
    listed = list(service.pages("episodes"))
    assert [e["content"] for e in listed] == ["one", "two", [1]]
    assert {e["status"] for e in listed} == {"enriched"}


def test_empty_lines_and_other_line_ends_are_nothing_wrong(service: Running) -> None:
    assert import_(service, b'{"content":"one"}\r\n\r\n\n{"content":"two"}').json()["episodes"] == 2
    assert import_(service, b"").json()["episodes"] == 0


@pytest.mark.parametrize(
    "media_type", ["application/x-ndjson", "application/jsonl; charset=utf-8", "application/octet-stream"]
)
def test_an_import_may_say_its_type_in_several_ways(service: Running, media_type: str) -> None:
    assert import_(service, {"content": "x"}, media_type=media_type).status_code == 200


def test_an_import_of_another_type_is_refused(service: Running) -> None:
    refused(import_(service, {"content": "x"}, media_type="application/json"), UnsupportedMediaType)
    assert service.count() == 0


EPISODE = {"type": "episode", "id": "x", "content": "hello world"}
VECTOR = base64.b64encode(np.full(64, 0.125, np.float16).tobytes()).decode()
INDEX = {
    "type": "record",
    "episode_id": "x",
    "kind": "index",
    "extractor": "index/1",
    "payload": {"passages": [[0, 11]], "times": [], "model": "test-hash-64"},
    "vectors": VECTOR,
}
NOTE = {
    "type": "record",
    "episode_id": "x",
    "kind": "note",
    "extractor": "notes/1",
    "payload": {"context": "c", "keywords": ["k"], "tags": [], "importance": 0.5, "links": []},
}


def index(**payload: Any) -> dict[str, Any]:
    return {**INDEX, "payload": {**INDEX["payload"], **payload}}


def note(**payload: Any) -> dict[str, Any]:
    return {**NOTE, "payload": {**NOTE["payload"], **payload}}


LINK = {"episode_id": "x", "kind": "similar", "weight": 0.5}
BAD_LINES: dict[str, Any] = {
    "not JSON": b'{"content": "x"',
    "a list": [1],
    "a string": "x",
    "null": None,
    "latin-1": '{"content": "café"}'.encode("latin-1"),
    "UTF-16": '{"content": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"content": "x"}',
    "NUL": b'{"content": "a\\u0000b"}',
    "a lone surrogate": b'{"content": "\\ud800"}',
    "deep": b'{"kind": "json", "content": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a huge integer": b'{"kind": "json", "content": [' + b"9" * 5000 + b"]}",
    "NaN in content": b'{"kind": "json", "content": [NaN]}',
    "an unknown type": {"type": "fact"},
    "a type that is no string": {"type": ["episode"]},
    "an unknown field": {"content": "x", "colour": "red"},
    "no content": {"id": "x"},
    "empty content": {"content": " "},
    "a naive time": {"content": "x", "occurred_at": "2026-01-01T00:00:00"},
    "an impossible time": {"content": "x", "occurred_at": "2026-02-30T00:00:00Z"},
    "a bad id": {"content": "x", "id": "a/b"},
    "the id ..": {"content": "x", "id": ".."},
    "content over the limit": {"content": "x" * (limits.MAX_CONTENT_BYTES + 1)},
    "metadata over the limit": {"content": "x", "metadata": {"a": "x" * limits.MAX_METADATA_BYTES}},
    "a header of another format": {"type": "header", "format": 2, "namespace": "ann"},
    "a record of an unknown episode": {**NOTE, "episode_id": "unknown"},
    "a record with an unknown source": {**NOTE, "sources": ["unknown"]},
    "a record of an unknown kind": {**NOTE, "kind": "fact"},
    "vectors that are not base64": {**INDEX, "vectors": "###"},
    "vectors of another size": index(passages=[[0, 5], [6, 11]]),
    "no passages": {**index(passages=[]), "vectors": ""},
    "a note without a field": {**NOTE, "payload": {"context": "c"}},
}
WRONG = "an import's record is not checked against what the tables and the index can hold (log/transfer.py)"
UNCHECKED: dict[str, Any] = {
    "an importance that is no number": note(importance=float("nan")),
    "a weight that is no number": note(links=[{**LINK, "weight": float("inf")}]),
    "a link twice": note(links=[LINK, LINK]),
    "a passage beyond the text": index(passages=[[0, 10**12]]),
    "a passage that ends before it begins": index(passages=[[5, -3]]),
    "a time beyond the calendar": index(times=[[0, 10**30]]),
    "vectors that are no numbers": {**INDEX, "vectors": base64.b64encode(np.full(64, np.nan, np.float16).tobytes()).decode()},
    "a link to an episode that the file does not hold": note(links=[{**LINK, "episode_id": "unknown"}]),
}  # fmt: skip


@pytest.mark.parametrize("what", [*BAD_LINES, *UNCHECKED])
def test_a_bad_line_is_named_by_its_number_and_nothing_is_imported(service: Running, what: str) -> None:
    service.append({"id": "before", "content": "here before"}, wait="enriched")
    bad = {**BAD_LINES, **UNCHECKED}[what]
    response = import_(service, {"content": "good"}, b"", EPISODE, bad, {"content": "good too"})
    problem = refused(response, InvalidImport, "/4", says="ine 4")
    assert problem["errors"][0]["line"] == 4
    assert service.count() == 1
    assert service.found("hello") == ["before"], "the namespace can still be searched"


@pytest.mark.parametrize("record", [INDEX, NOTE], ids=["index", "note"])
def test_two_records_of_one_kind_for_one_episode_are_refused(service: Running, record: dict[str, Any]) -> None:
    refused(import_(service, EPISODE, record, record), InvalidImport, "/3")
    assert service.count() == 0


def test_an_import_that_contradicts_what_is_stored_is_a_conflict_with_its_line(service: Running) -> None:
    service.append({"id": "x", "content": "stored"})
    problem = refused(import_(service, {"content": "new"}, {"id": "x", "content": "other"}), EpisodeConflict)
    assert [e["line"] for e in problem["errors"]] == [2]
    assert service.count() == 1


def test_an_import_cannot_bring_an_erased_episode_back(service: Running, exported: bytes) -> None:
    service.delete("episodes/e1")
    refused(import_(service, exported), Gone)
    assert [e["id"] for e in service.pages("episodes")] == ["e2", "e3", "e4", "e5"]


def test_an_import_over_the_size_limit_is_refused(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_IMPORT_BYTES", 1000)
    refused(import_(service, {"content": "x" * 2000}), TooLarge)
    pieces = (b'{"content": "xxxxxxxxxxxxxxxxxxxxx"}\n' for _ in range(100))
    chunked = service.http.post(service.url("import"), content=pieces, headers={"Content-Type": "application/x-ndjson"})
    refused(chunked, TooLarge)
    assert service.count() == 0


def test_a_line_over_the_limit_is_refused_without_being_held(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_IMPORT_LINE_BYTES", 1000)
    refused(import_(service, {"content": "x"}, b"x" * 5000), InvalidImport, "/2", says="longer than 1000")


def test_an_export_shows_one_state_of_the_store(service: Running) -> None:
    service.append("one", "two", wait="enriched")
    lines = service.service.export("ann")
    begun = [next(lines), next(lines)]
    service.append("three", wait="enriched")
    types = [json.loads(line)["type"] for line in [*begun, *lines]]
    assert types == ["header", *["episode"] * 2, *["record"] * 6]


def test_the_export_of_an_unknown_namespace_is_a_header_alone(service: Running) -> None:
    assert [line["type"] for line in export(service, "unknown")] == ["header"]


# --- dead letters ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(limits, "BACKOFF_BASE_MS", 1)
    monkeypatch.setattr(limits, "BACKOFF_MAX_MS", 1)
    monkeypatch.setattr(limits, "WORKER_POLL_MS", 10)


@pytest.mark.usefixtures("hasty")
def test_one_bad_episode_of_a_batch_fails_alone_and_becomes_a_dead_letter(start: Start) -> None:
    embedder = FailingEmbedder("poison")
    service = start(embedder=embedder)
    batch = [{"id": f"e{n}", "content": f"good {n}"} for n in range(4)] + [{"id": "bad", "content": "poison ivy"}]
    service.append(*batch)
    service.await_status("bad", "dead")
    for n in range(4):
        service.await_status(f"e{n}", "enriched")
    status = service.status("bad")
    assert status["attempts"] == limits.MAX_ATTEMPTS
    assert "the model broke on this text" in status["reason"]
    assert embedder.failures >= limits.MAX_ATTEMPTS
    embedder.mended = True
    assert "bad" in service.found("ivy"), "it is kept, and found by its words"


@pytest.mark.usefixtures("hasty")
def test_dead_letters_are_listed_with_their_reasons_and_retried(start: Start) -> None:
    embedder = FailingEmbedder("poison")
    service = start(embedder=embedder)
    service.append(*[{"id": f"bad{n}", "content": f"poison {n}"} for n in range(3)])
    for n in range(3):
        service.await_status(f"bad{n}", "dead")
    letters = list(service.pages("dead-letters", limit=1))
    assert [letter["episode_id"] for letter in letters] == ["bad0", "bad1", "bad2"]
    for letter in letters:
        assert (letter["stage"], letter["attempts"]) == ("index", limits.MAX_ATTEMPTS)
        assert "the model broke" in letter["reason"]
        assert letter["dead_at"]
    refused(service.post(f"dead-letters/{letters[0]['id']}/retry", ns="bob"), NotFound)
    embedder.mended = True
    assert service.post(f"dead-letters/{letters[0]['id']}/retry").status_code == 204
    service.await_status("bad0", "enriched")
    assert service.status("bad0")["attempts"] == 0
    assert [letter["episode_id"] for letter in service.pages("dead-letters")] == ["bad1", "bad2"]
    refused(service.post(f"dead-letters/{letters[0]['id']}/retry"), NotFound)


@pytest.mark.usefixtures("hasty")
def test_waiting_ends_when_the_work_is_given_up(start: Start) -> None:
    service = start(embedder=FailingEmbedder("poison"))
    answer = service.append("poison", wait="indexed")
    assert answer["episodes"][0]["status"] == "dead"


@pytest.mark.usefixtures("hasty")
def test_erasing_an_episode_takes_its_dead_letter_along(start: Start) -> None:
    service = start(embedder=FailingEmbedder("poison"))
    service.append({"id": "bad", "content": "poison"}, wait="indexed")
    assert service.delete("episodes/bad").status_code == 204
    assert list(service.pages("dead-letters")) == []


def test_failed_work_waits_longer_after_each_attempt(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORKER_POLL_MS", 10)
    clock = FrozenClock(datetime(2026, 1, 1, tzinfo=UTC))
    service = start(clock, embedder=FailingEmbedder("poison"))
    service.append({"id": "bad", "content": "poison"})

    def failed(attempts: int) -> Any:
        with service.service.store.database.read() as connection:
            row = connection.execute(select(outbox)).one()
        return row if row.attempts == attempts and row.owner is None else None

    for attempts in range(1, limits.MAX_ATTEMPTS):
        row = eventually(lambda attempts=attempts: failed(attempts))
        pause_ms = (row.available_at - clock.now_micros()) / 1000
        longest = limits.BACKOFF_BASE_MS * 2 ** (attempts - 1)
        assert longest / 2 - 1 <= pause_ms <= longest + 1
        assert service.status("bad")["status"] == "stored"
        clock.advance(longest / 1000 + 0.001)
    service.await_status("bad", "dead")
    dead_at = service.get("dead-letters").json()["items"][0]["dead_at"]
    assert to_micros(datetime.fromisoformat(dead_at)) >= clock.now_micros()


@pytest.mark.parametrize("letter", ["1.index.1", "999999999999999999.index.1", "1.other.1"])
def test_an_unknown_dead_letter_is_not_found(service: Running, letter: str) -> None:
    service.append("x", wait="enriched")
    refused(service.post(f"dead-letters/{letter}/retry"), NotFound)


@pytest.mark.parametrize(
    "letter", ["x", "9999999999999999999.index.1", "1.index", "-1.index.1", "1.INDEX.1", "1.index.1.1"]
)
def test_what_cannot_be_a_dead_letters_id_is_refused(service: Running, letter: str) -> None:
    refused(service.post(f"dead-letters/{letter}/retry"), Invalid, "path:id")


# --- back-pressure --------------------------------------------------------------------------------------------------


def test_writers_are_held_back_while_the_queue_is_full(start: Start) -> None:
    service = start(worker="off", max_queue_episodes=3)
    service.append("one", "two", "three")

    def response() -> httpx2.Response | None:
        answer = service.post("episodes", {"episodes": [{"content": "four"}]})
        return answer if answer.status_code != 202 else None

    full = eventually(response)
    refused(full, BackPressure)
    assert int(full.headers["retry-after"]) >= 1
    count = service.count()
    refused(service.post("episodes", {"episodes": [{"content": "five"}]}), BackPressure)
    refused(import_(service, {"content": "six"}), BackPressure)
    assert service.count() == count, "nothing of it was stored"
    assert service.found("three")[0], "reading goes on"
    service.service.worker.start()
    service.settle()
    eventually(lambda: service.post("episodes", {"episodes": [{"content": "seven"}]}).status_code == 202)


# --- health ---------------------------------------------------------------------------------------------------------


def test_a_service_that_works_is_live_and_ready(service: Running) -> None:
    assert service.get("/healthz").json() == {"status": "ok", "checks": {}}
    assert service.get("/readyz").json() == {"status": "ok", "checks": {"writer": "ok", "worker": "ok", "store": "ok"}}


def test_a_service_whose_worker_has_ended_is_not_ready(service: Running) -> None:
    service.service.worker.close()
    response = service.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["worker"] == "stopped"
    assert service.get("/healthz").status_code == 200


def test_metrics_count_requests_by_their_routes_template(service: Running) -> None:
    service.append("x", ns="a-name-that-nobody-else-has")
    text = service.get("/metrics").text
    assert 'route="/v1/namespaces/{ns}/episodes",status="202"' in text
    assert "a-name-that-nobody-else-has" not in text


def test_made_up_methods_make_no_series_of_their_own(service: Running) -> None:
    for n in range(3):
        assert service.http.request(f"BREW{n}", "/healthz").status_code == 405
    text = service.get("/metrics").text
    assert "BREW" not in text
    assert 'method="other"' in text


def test_every_answer_has_a_request_id(service: Running) -> None:
    ids = {
        service.get(path).headers["x-request-id"] for path in ("/healthz", "/v1/namespaces", "/nowhere", "episodes/x")
    }
    assert len(ids) == 4
