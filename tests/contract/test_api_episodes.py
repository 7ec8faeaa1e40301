"""The REST contract of episodes and sessions, sentence by sentence: append, read, list, erase."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from memory_service import limits, wire
from memory_service.app import build_service
from memory_service.clock import FrozenClock
from memory_service.errors import EpisodeConflict, Gone, IdempotencyMismatch, Invalid, InvalidCursor, NotFound
from memory_service.settings import Settings
from tests.support.commits import be_impatient, one_commit, queued, reading
from tests.support.polling import eventually
from tests.support.problems import refused
from tests.support.running import Running, Start

EPISODE = {
    "id": "e1",
    "kind": "message",
    "role": "user",
    "speaker": "Ann",
    "content": "I moved to Ghent.",
    "occurred_at": "2026-03-01T09:30:00+01:00",
    "session_id": "s1",
    "metadata": {"source": "chat", "turn": 3},
}
KEY = {"Idempotency-Key": "k-1"}


def append_once(service: Running, body: dict[str, Any], key: str = "k-1", ns: str = "ann") -> Any:
    return service.post("episodes", body, ns, headers={"Idempotency-Key": key})


# --- append ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "episode",
    [
        {"kind": "message", "content": "I moved to Ghent.", "role": "user", "speaker": "Zoë"},
        {"kind": "text", "content": "A document.\n\nOf two paragraphs, with 東京 and 🎲."},
        {"kind": "json", "content": {"name": "Ann", "tags": ["a", None, True, 1.5, -3], "nested": {"deep": [[]]}}},
        {"kind": "json", "content": ["a", {"b": None}]},
        {"content": "  white space at both ends stays  "},
    ],
    ids=lambda episode: str(episode["content"])[:20],
)
def test_what_is_stored_comes_back_as_it_was(service: Running, episode: dict[str, Any]) -> None:
    metadata = {"null": None, "yes": True, "number": 1.5, "list": [1, {"a": None}], "ключ": "значение"}
    service.append({**episode, "id": "e1", "metadata": metadata})
    stored = service.get("episodes/e1").json()
    assert {name: stored[name] for name in episode} == episode
    assert stored["metadata"] == metadata


def test_what_is_left_out_has_defaults(service: Running) -> None:
    receipt = service.append("hello")["episodes"][0]
    stored = service.get(f"episodes/{receipt['id']}").json()
    assert stored["kind"] == "message"
    assert stored["session_id"] == "default"
    assert stored["metadata"] == {}
    assert stored["occurred_at"] == stored["recorded_at"], "without a time it happened now"
    assert "role" not in stored
    assert "speaker" not in stored


def test_an_instant_keeps_the_offset_that_it_was_given_in(service: Running) -> None:
    service.append({"id": "e1", "content": "hi", "occurred_at": "2026-03-01T09:30:00.25+05:30"})
    assert service.get("episodes/e1").json()["occurred_at"] == "2026-03-01T09:30:00.250000+05:30"


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00-14:00", "2024-02-29T23:59Z"]
)
def test_the_first_and_the_last_instants_are_taken(service: Running, text: str) -> None:
    service.append({"id": "e1", "content": "a date at the edge", "occurred_at": text}, wait="enriched")
    stored = service.get("episodes/e1").json()
    assert datetime.fromisoformat(stored["occurred_at"]) == datetime.fromisoformat(text)
    assert stored["status"] == "enriched"
    assert service.found("date edge") == ["e1"]


def test_receipts_come_in_order_with_ascending_seqs(service: Running) -> None:
    answer = service.append(*[{"id": f"e{n}", "content": str(n)} for n in range(5)])
    assert [r["id"] for r in answer["episodes"]] == [f"e{n}" for n in range(5)]
    seqs = [r["seq"] for r in answer["episodes"]]
    assert seqs == sorted(set(seqs))
    assert answer["seq"] == seqs[-1]


def test_the_service_makes_ids_where_none_are_given(service: Running) -> None:
    ids = [r["id"] for r in service.append("one", "two", "two")["episodes"]]
    assert len(set(ids)) == 3
    assert all(service.get(f"episodes/{i}").status_code == 200 for i in ids)


def test_an_episodes_own_session_goes_before_the_batchs(service: Running) -> None:
    service.append({"id": "a", "content": "x"}, {"id": "b", "content": "y", "session_id": "own"}, session_id="batch")
    assert [e["session_id"] for e in service.pages("episodes")] == ["batch", "own"]


def test_a_batch_of_the_largest_size_is_stored_whole(service: Running) -> None:
    service.append(*[f"turn {n}" for n in range(limits.MAX_BATCH_EPISODES)])
    assert service.count() == limits.MAX_BATCH_EPISODES


def test_content_of_the_largest_size_is_stored_and_found(service: Running) -> None:
    text = ("word " * (limits.MAX_CONTENT_BYTES // 5))[:-6] + "zygote"
    assert len(text) <= limits.MAX_CONTENT_BYTES
    service.append({"id": "e1", "content": text}, wait="indexed")
    assert service.get("episodes/e1").json()["content"] == text
    assert service.found("zygote") == ["e1"]


def test_ids_may_hold_every_character_of_the_contract(service: Running) -> None:
    episode_id = "Az09._:~#@-"
    service.append({"id": episode_id, "content": "x", "session_id": episode_id}, ns=episode_id)
    quoted = "Az09._:~%23@-"
    assert service.http.get(f"/v1/namespaces/{quoted}/episodes/{quoted}").json()["id"] == episode_id


# --- the same id again ----------------------------------------------------------------------------------------------


def test_the_same_id_with_the_same_fields_gets_the_first_answer_again(service: Running) -> None:
    first = service.append(EPISODE)
    assert service.append(EPISODE) == first
    assert service.count() == 1


def test_a_retry_without_a_time_fits_the_time_that_was_given_to_the_first(service: Running) -> None:
    first = service.append({"id": "e1", "content": "hi"})
    assert service.append({"id": "e1", "content": "hi"}) == first


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("content", "I moved to Bruges."),
        ("kind", "text"),
        ("role", "assistant"),
        ("speaker", "Bob"),
        ("session_id", "s2"),
        ("metadata", {"source": "chat", "turn": 4}),
        ("metadata", {"source": "chat", "turn": 3, "more": None}),
        ("occurred_at", "2026-03-01T09:30:01+01:00"),
        ("occurred_at", "2026-03-01T08:30:00Z"),
        ("role", None),
    ],
)
def test_the_same_id_with_other_fields_is_a_conflict_that_points_to_them(
    service: Running, field: str, other: Any
) -> None:
    service.append(EPISODE)
    response = service.post("episodes", {"episodes": [{**EPISODE, field: other}]})
    problem = refused(response, EpisodeConflict, f"/episodes/0/{field}")
    assert len(problem["errors"]) == 1
    assert service.get("episodes/e1").json()["content"] == EPISODE["content"]


def test_a_conflict_in_a_batch_points_to_its_episode_and_stores_nothing(service: Running) -> None:
    service.append(EPISODE)
    batch = [{"content": "new"}, {**EPISODE, "content": "other", "role": "system"}, {"content": "new too"}]
    problem = refused(service.post("episodes", {"episodes": batch}), EpisodeConflict, "/episodes/1/content")
    assert {e["pointer"] for e in problem["errors"]} == {"/episodes/1/content", "/episodes/1/role"}
    assert service.count() == 1


def test_an_id_twice_in_a_batch_is_one_episode_or_a_conflict(service: Running) -> None:
    answer = service.append(EPISODE, EPISODE)
    assert answer["episodes"][0] == answer["episodes"][1]
    batch = [{"id": "x", "content": "one"}, {"id": "x", "content": "two"}]
    refused(service.post("episodes", {"episodes": batch}), EpisodeConflict, "/episodes/1/content")
    assert service.count() == 1


def test_the_same_id_in_another_namespace_is_another_episode(service: Running) -> None:
    service.append(EPISODE)
    service.append({**EPISODE, "content": "Something else."}, ns="bob")
    assert service.get("episodes/e1").json()["content"] == EPISODE["content"]
    assert service.get("episodes/e1", "bob").json()["content"] == "Something else."


# --- Idempotency-Key ------------------------------------------------------------------------------------------------


def test_a_repeated_key_gets_the_first_answer_and_stores_nothing_more(service: Running) -> None:
    body = {"episodes": [{"content": "one"}, {"content": "two"}]}
    first = append_once(service, body)
    assert append_once(service, body).json() == first.json()
    assert service.count() == 2


def test_a_key_with_another_body_is_refused(service: Running) -> None:
    append_once(service, {"episodes": [{"content": "one"}]})
    refused(append_once(service, {"episodes": [{"content": "two"}]}), IdempotencyMismatch)
    assert service.count() == 1


def test_a_key_holds_for_24_hours_and_no_longer(start: Start) -> None:
    clock = FrozenClock()
    service = start(clock)
    body = {"episodes": [{"content": "one"}]}
    first = append_once(service, body).json()
    clock.advance(timedelta(hours=24).total_seconds() - 1)
    assert append_once(service, body).json() == first
    clock.advance(2)
    assert append_once(service, body).json() != first
    assert service.count() == 2


def test_a_key_belongs_to_one_namespace(service: Running) -> None:
    body = {"episodes": [{"content": "one"}]}
    assert append_once(service, body).json() != append_once(service, body, ns="bob").json()
    assert (service.count(), service.count("bob")) == (1, 1)


def test_a_request_that_was_refused_leaves_its_key_free(service: Running) -> None:
    service.append(EPISODE)
    refused(append_once(service, {"episodes": [{**EPISODE, "content": "other"}]}), EpisodeConflict)
    assert append_once(service, {"episodes": [{"content": "mended"}]}).status_code == 202


def test_concurrent_requests_of_one_key_store_once(service: Running) -> None:
    body = {"episodes": [{"content": "one"}]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: append_once(service, body).json(), range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert service.count() == 1


@pytest.mark.parametrize("key", ["", "with space", "x" * 257, "ключ"])
def test_a_key_that_no_header_should_hold_is_refused(service: Running, key: str) -> None:
    response = service.http.post(
        service.url("episodes"), json={"episodes": [{"content": "x"}]}, headers=[("Idempotency-Key", key.encode())]
    )
    refused(response, Invalid, "header:idempotency-key")
    assert service.count() == 0


# --- many writers ---------------------------------------------------------------------------------------------------


def test_concurrent_writers_get_their_own_seqs_in_the_order_of_recording(service: Running) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: service.append(f"turn {n}", f"again {n}", ns=f"ns{n % 3}"), range(48)))
    seqs = [receipt["seq"] for answer in answers for receipt in answer["episodes"]]
    assert len(set(seqs)) == 96
    for ns in ("ns0", "ns1", "ns2"):
        listed = list(service.pages("episodes", ns=ns))
        assert [e["seq"] for e in listed] == sorted(e["seq"] for e in listed)
        assert [e["recorded_at"] for e in listed] == sorted(e["recorded_at"] for e in listed)


def test_a_bad_request_among_those_that_share_a_commit_fails_alone(service: Running) -> None:
    service.append(EPISODE, wait="enriched")
    with ThreadPoolExecutor(3) as pool:
        with one_commit(service.service, 3):
            good = [pool.submit(service.append, text) for text in ("one", "two")]
            bad = pool.submit(
                service.post, "episodes", {"episodes": [{"content": "three"}, {**EPISODE, "content": "other"}]}
            )
        assert all(future.result()["episodes"] for future in good)
        refused(bad.result(), EpisodeConflict, "/episodes/1/content")
    assert service.count() == 3


def test_a_caller_that_gives_up_leaves_the_writer_working(settings: Settings) -> None:
    service = build_service(settings)
    free = threading.Event()

    async def give_up() -> None:
        service.store.writer.submit(lambda _tx: free.wait(60))
        request = wire.AppendRequest(episodes=[wire.EpisodeIn(content="x")])
        waiting = asyncio.create_task(service.append("ann", request))
        while service.store.writer._queue.empty():
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])

    asyncio.run(give_up())
    free.set()
    try:
        later = service.store.writer.submit(lambda _tx: "done")
        eventually(lambda: later.done() or not service.store.writer._thread.is_alive())
        assert later.done()
    finally:
        service.store.close()


# --- waiting and status ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wait", "reached"), [("indexed", {"indexed", "enriched"}), ("enriched", {"enriched"})])
def test_waiting_answers_once_the_status_is_reached(service: Running, wait: str, reached: set[str]) -> None:
    answer = service.append("one", "two", wait=wait)
    assert {r["status"] for r in answer["episodes"]} <= reached
    assert service.status(answer["episodes"][0]["id"])["status"] in reached


@pytest.mark.parametrize("timeout_ms", [0, 30])
def test_waiting_answers_202_with_the_status_reached_when_the_time_is_up(start: Start, timeout_ms: int) -> None:
    service = start(worker="off")
    params = {"wait": "indexed", "timeout_ms": timeout_ms}
    response = service.post("episodes", {"episodes": [{"content": "x"}]}, params=params)
    assert response.status_code == 202
    assert response.json()["episodes"][0]["status"] == "stored"
    assert service.count() == 1


def test_an_episode_is_stored_then_enriched(start: Start) -> None:
    service = start(worker="off")
    service.append({"id": "e1", "content": "x"})
    assert service.status("e1") == {"id": "e1", "seq": 1, "status": "stored", "attempts": 0}
    service.service.worker.start()
    service.await_status("e1", "enriched")
    assert service.get("episodes/e1").json()["status"] == "enriched"


@pytest.mark.parametrize("path", ["episodes/nobody", "episodes/nobody/status"])
def test_an_unknown_episode_is_not_found(service: Running, path: str) -> None:
    service.append("x")
    refused(service.get(path), NotFound)
    refused(service.get(path, "unknown"), NotFound)


# --- lists ----------------------------------------------------------------------------------------------------------


def test_episodes_are_listed_in_the_order_of_storing(service: Running) -> None:
    for n in range(7):
        service.append({"id": f"e{n}", "content": str(n), "occurred_at": f"20{29 - n}-01-01T00:00:00Z"})
    assert [e["id"] for e in service.pages("episodes", limit=3)] == [f"e{n}" for n in range(7)]


def test_a_page_holds_50_by_default_and_200_at_most(service: Running) -> None:
    service.append(*[f"turn {n}" for n in range(210)])
    assert len(service.get("episodes").json()["items"]) == 50
    assert len(service.get("episodes", params={"limit": 200}).json()["items"]) == 200
    for limit in (0, -1, 201, 10**30, "many"):
        refused(service.get("episodes", params={"limit": limit}), Invalid, "query:limit")


def test_the_last_page_has_no_cursor_even_when_it_is_full(service: Running) -> None:
    service.append("a", "b", "c", "d")
    first = service.get("episodes", params={"limit": 2}).json()
    last = service.get("episodes", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert len(last["items"]) == 2
    assert "next_cursor" not in last


def test_a_cursor_neither_skips_nor_repeats_while_episodes_come(service: Running) -> None:
    service.append(*[{"id": f"e{n}", "content": str(n)} for n in range(4)])
    seen = []
    for item in service.pages("episodes", limit=2):
        seen.append(item["id"])
        if len(seen) in (2, 4):
            service.append({"id": f"late{len(seen)}", "content": "late"})
    assert seen == ["e0", "e1", "e2", "e3", "late2", "late4"]


def test_one_sessions_episodes_are_listed_alone(service: Running) -> None:
    service.append(*[{"id": f"e{n}", "content": str(n), "session_id": f"s{n % 2}"} for n in range(6)])
    assert [e["id"] for e in service.pages("episodes", limit=2, session_id="s1")] == ["e1", "e3", "e5"]
    assert list(service.pages("episodes", session_id="unknown")) == []


def test_an_unknown_namespace_is_empty(service: Running) -> None:
    for path in ("episodes", "sessions", "notes", "dead-letters"):
        assert service.get(path, "unknown").json() == {"items": []}


LISTS = ("episodes", "sessions", "notes", "dead-letters", "/v1/namespaces", "/v1/keys")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor", ["!", "e30", "bnVsbA", "WzFd", "x" * 40, "%00", "é", "W10", "WyJhIl0", "////", "A" * 1024, "IlwidWQ4MDAi"]
)
def test_a_damaged_cursor_is_refused(service: Running, path: str, cursor: str) -> None:
    refused(service.get(path, params={"cursor": cursor}), InvalidCursor)


def test_a_cursor_of_another_list_is_refused(service: Running) -> None:
    for ns in ("ann", "bob"):
        batch = [{"content": str(n), "session_id": f"s{n}"} for n in range(3)]
        service.append(*batch, ns=ns, wait="enriched")
    cursors = {path: service.get(path, params={"limit": 1}).json()["next_cursor"] for path in LISTS[:3]}
    for path in LISTS[:3]:
        for source, cursor in cursors.items():
            if source != path:
                refused(service.get(path, params={"cursor": cursor}), InvalidCursor)
        refused(service.get(path, "bob", params={"cursor": cursors[path]}), InvalidCursor)
    refused(service.get("episodes", params={"cursor": cursors["episodes"], "session_id": "s1"}), InvalidCursor)


def test_a_cursor_tells_nothing_of_what_it_points_to(service: Running) -> None:
    service.append("a", "b", ns="the-namespace")
    cursor = service.get("episodes", "the-namespace", params={"limit": 1}).json()["next_cursor"]
    assert "namespace" not in cursor


# --- sessions -------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_by_id_with_their_extent(service: Running) -> None:
    for n, (session, day) in enumerate([("b", 3), ("a", 5), ("b", 1), ("b", 2)]):
        service.append({"content": str(n), "session_id": session, "occurred_at": f"2026-01-0{day}T00:00:00Z"})
    assert list(service.pages("sessions", limit=1)) == [
        {"id": "a", "episodes": 1, "first_occurred_at": "2026-01-05T00:00:00Z", "last_occurred_at": "2026-01-05T00:00:00Z"},
        {"id": "b", "episodes": 3, "first_occurred_at": "2026-01-01T00:00:00Z", "last_occurred_at": "2026-01-03T00:00:00Z"},
    ]  # fmt: skip


# --- erasing one episode --------------------------------------------------------------------------------------------


def test_an_erased_episode_can_be_read_nowhere(service: Running) -> None:
    service.append({"id": "gone", "content": "the zygote"}, {"id": "kept", "content": "the rest"}, wait="enriched")
    assert service.found("zygote")[0] == "gone"
    assert service.delete("episodes/gone").status_code == 204
    refused(service.get("episodes/gone"), Gone)
    refused(service.get("episodes/gone/status"), Gone)
    assert [e["id"] for e in service.pages("episodes")] == ["kept"]
    assert service.found("zygote") == ["kept"]
    assert "zygote" not in service.post("context", {"query": "zygote", "token_budget": 99}).json()["context"]
    assert "zygote" not in service.get("export").text
    assert service.get("/v1/namespaces").json()["items"][0]["episodes"] == 1


def test_an_erased_id_cannot_be_used_again(service: Running) -> None:
    service.append({"id": "gone", "content": "x"})
    service.delete("episodes/gone")
    refused(service.post("episodes", {"episodes": [{"content": "new"}, {"id": "gone", "content": "x"}]}), Gone)
    assert service.count() == 0


def test_erasing_twice_is_erasing_once(service: Running) -> None:
    service.append({"id": "gone", "content": "x"})
    assert [service.delete("episodes/gone").status_code for _ in range(2)] == [204, 204]
    refused(service.delete("episodes/never"), NotFound)


def test_an_erasure_under_a_running_read_is_accepted_and_complete_once_the_read_has_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    service = start()
    service.append({"id": "gone", "content": "the zygote"}, wait="enriched")
    with reading(service.service):
        accepted = service.delete("episodes/gone")
        assert accepted.status_code == 202
        assert accepted.json()["pending"]
        assert service.found("zygote") == [], "it is already no answer"
    assert service.delete("episodes/gone").status_code == 204


@pytest.mark.parametrize("path", ["sessions/s1", ""])
def test_an_accepted_erasure_of_more_is_complete_once_the_read_has_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    be_impatient(monkeypatch)
    service = start()
    service.append(EPISODE, wait="enriched")
    with reading(service.service):
        assert service.delete(path).status_code == 202
    assert service.delete(path).status_code == 204


def test_an_erasure_that_waits_for_a_reader_does_not_hold_up_writers(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch, busy_ms=1500)
    service = start()
    service.append({"id": "gone", "content": "the zygote"}, wait="enriched")
    service.settle()
    with ThreadPoolExecutor(1) as pool, reading(service.service):
        commits = service.service.store.writer.commits
        erasure = pool.submit(service.delete, "episodes/gone")
        eventually(lambda: service.service.store.writer.commits > commits)
        locked = 0
        while not erasure.done():
            locked += not can_lock(service.settings.database_path)
        assert erasure.result().status_code == 202
    assert locked == 0


def can_lock(path: Path) -> bool:
    """Whether a writer that waits half a second gets the write lock."""
    connection = pysqlite3.connect(str(path), timeout=0.5, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except pysqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


# --- erasing sessions and namespaces --------------------------------------------------------------------------------


def test_erasing_a_session_takes_all_its_episodes_and_no_other(service: Running) -> None:
    service.append(
        *[{"id": f"e{n}", "content": f"turn {n}", "session_id": f"s{n % 2}"} for n in range(6)], wait="enriched"
    )
    assert service.delete("sessions/s1").status_code == 204
    assert [e["id"] for e in service.pages("episodes")] == ["e0", "e2", "e4"]
    assert [s["id"] for s in service.pages("sessions")] == ["s0"]
    refused(service.get("episodes/e1"), Gone)
    refused(service.delete("sessions/unknown"), NotFound)


def test_erasing_a_namespace_takes_everything_and_lets_it_start_afresh(service: Running) -> None:
    append_once(service, {"episodes": [EPISODE]})
    service.append({"id": "other", "content": "stays"}, ns="bob")
    service.settle()
    assert service.delete("").status_code == 204
    assert [n["name"] for n in service.pages("/v1/namespaces")] == ["bob"]
    for path in ("episodes", "sessions", "notes"):
        assert list(service.pages(path)) == []
    assert service.found("Ghent") == []
    assert (
        append_once(
            service, {"episodes": [{**EPISODE, "content": "Anew, under the same id and the same key."}]}
        ).status_code
        == 202
    )
    assert service.found("anew") == ["e1"]
    assert service.count("bob") == 1


def test_erasing_an_unknown_namespace_is_not_found(service: Running) -> None:
    refused(service.delete("", "unknown"), NotFound)


def test_an_append_before_the_erasure_in_the_same_commit_is_erased_too(service: Running) -> None:
    service.append(EPISODE, wait="enriched")
    with ThreadPoolExecutor(2) as pool, one_commit(service.service, 2):
        pool.submit(service.append, "new")
        queued(service.service, 1)
        pool.submit(service.delete, "")
    assert service.get("/v1/namespaces").json()["items"] == []
