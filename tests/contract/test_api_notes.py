"""The REST contract of notes and of erasure: what is derived, and that nothing derived outlives its source."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from memory_service import limits
from memory_service.errors import Gone, NotFound
from memory_service.log.records import ERASURE
from memory_service.log.schema import records
from memory_service.pipeline.notes import DeterministicNoteMaker, Turn
from retrieval.embedders.base import Vectors
from retrieval.embedders.testing import HashEmbedder
from tests.support.bytes_on_disk import files_holding
from tests.support.problems import refused
from tests.support.running import Running, Start

AT = "2026-05-01T12:00:00Z"
TALK = [
    {"id": "e1", "speaker": "Ann", "content": "I adopted a dog named Bruno from the shelter."},
    {"id": "e2", "speaker": "Bob", "content": "What does Bruno eat?"},
    {"id": "e3", "speaker": "Ann", "content": "Bruno eats fish and rice, and a dog biscuit from the shelter."},
    {"id": "e4", "speaker": "Bob", "content": "My sister Clara plans to move to Oslo next week."},
    {"id": "e5", "speaker": "Ann", "content": "Clara told me that she adopted a dog from the shelter, too."},
]


def at(minute: int) -> str:
    return f"2026-05-01T12:{minute:02d}:00Z"


def tell(service: Running, *episodes: dict[str, Any]) -> None:
    """One after the other, each enriched before the next, so that notes see the same past in every store."""
    for number, item in enumerate(episodes):
        service.append({"occurred_at": at(number), **item}, wait="enriched")


def note_of(service: Running, episode_id: str) -> dict[str, Any]:
    return next(n for n in service.pages("notes") if n["episode_ids"] == [episode_id])


# --- notes ----------------------------------------------------------------------------------------------------------


def test_every_episode_gets_a_note_that_names_its_source_and_its_maker(service: Running) -> None:
    tell(service, *TALK)
    notes = list(service.pages("notes", limit=2))
    assert [n["episode_ids"] for n in notes] == [[e["id"]] for e in TALK]
    for note, item in zip(notes, TALK, strict=True):
        assert note["content"] == item["content"]
        assert note["context"]
        assert note["keywords"]
        assert 0 <= note["importance"] <= 1
        assert note["revision"] == 1
        assert note["extractor"]
        assert service.get(f"notes/{note['id']}").json() == note


def test_a_notes_context_tells_who_when_and_after_what(service: Running) -> None:
    tell(service, *TALK[:3])
    context = note_of(service, "e3")["context"]
    assert "Ann" in context
    assert "1 May 2026" in context
    assert "What does Bruno eat?" in context


def test_links_are_typed_weighted_and_lead_to_earlier_notes(service: Running) -> None:
    tell(service, *TALK)
    order = {n["id"]: place for place, n in enumerate(service.pages("notes"))}
    links = [link for note in service.pages("notes") for link in note["links"]]
    assert {link["kind"] for link in links} == {"similar", "shared_name"}
    for note in service.pages("notes"):
        for link in note["links"]:
            assert 0 < link["weight"] <= 1.001
            assert order[link["note_id"]] < order[note["id"]]
            assert service.get(f"notes/{link['note_id']}").status_code == 200


def test_the_same_episodes_have_the_same_notes_in_every_store(service: Running, start: Start, tmp_path: Path) -> None:
    other = start(data_dir=tmp_path / "other")
    tell(service, *TALK)
    tell(other, *TALK)
    moments = {"created_at"}
    mine, theirs = (
        [{k: v for k, v in n.items() if k not in moments} for n in s.pages("notes")] for s in (service, other)
    )
    assert mine == theirs


def test_an_unknown_note_is_not_found(service: Running) -> None:
    tell(service, TALK[0])
    note = note_of(service, "e1")["id"]
    refused(service.get("notes/nobody"), NotFound)
    refused(service.get(f"notes/{note}", "bob"), NotFound)


# --- what remains after an erasure ----------------------------------------------------------------------------------


def test_the_note_of_an_erased_episode_is_gone_and_its_neighbours_are_made_anew(service: Running) -> None:
    tell(service, *TALK[:3])
    gone, neighbour = note_of(service, "e2")["id"], note_of(service, "e3")
    assert "What does Bruno eat?" in neighbour["context"]
    assert service.delete("episodes/e2").status_code == 204
    assert "What does Bruno" not in json.dumps(list(service.pages("notes"))), "already before it is made anew"
    service.settle()
    refused(service.get(f"notes/{gone}"), NotFound)
    remade = note_of(service, "e3")
    assert remade["id"] == neighbour["id"]
    assert "I adopted a dog" in remade["context"], "it follows another turn now"
    assert gone not in [link["note_id"] for link in remade["links"]]
    assert remade["created_at"] == neighbour["created_at"], "what was known when does not change"


def test_while_a_neighbour_is_made_anew_its_episode_stays_searchable(start: Start) -> None:
    service = start()
    tell(service, *TALK[:3])
    service.delete("episodes/e2")
    assert service.get("episodes/e3").json()["status"] in ("indexed", "enriched")
    assert service.found("fish rice", limit=1) == ["e3"]


CANARIES = {
    "content": "zyxwvaa",
    "speaker": "zyxwvbb",
    "role": "zyxwvcc",
    "session_id": "zyxwvdd",
    "metadata": "zyxwvee",
    "id": "zyxwvff",
}


def canary_episode(name: str, kind: str) -> dict[str, Any]:
    text = f"My password is {CANARIES['content']}, said {CANARIES['content']} to Bruno."
    return {
        "id": CANARIES["id"] + name,
        "kind": kind,
        "content": {"secret": text, f"{CANARIES['content']}-key": [1]} if kind == "json" else text,
        "speaker": CANARIES["speaker"],
        "role": CANARIES["role"],
        "session_id": CANARIES["session_id"],
        "metadata": {CANARIES["metadata"]: CANARIES["metadata"]},
    }


@pytest.mark.parametrize("kind", ["message", "json"])
@pytest.mark.parametrize("what", ["episode", "session", "namespace"])
def test_after_an_erasure_no_file_of_the_store_holds_a_byte_of_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, what: str, kind: str
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_MIN_ROWS", 1)
    service = start()
    service.append(canary_episode("1", kind), wait="enriched")
    neighbours = [{"id": f"n{n}", "content": f"Bruno and I spoke of it {n}.", "session_id": "other"} for n in range(3)]
    if what == "episode":
        neighbours = [{**n, "session_id": CANARIES["session_id"]} for n in neighbours]
    service.append(*neighbours, wait="enriched")
    assert service.found(CANARIES["content"], limit=1) == [CANARIES["id"] + "1"]
    folder = service.settings.data_dir
    before = files_holding(folder, *CANARIES.values())
    assert any("manifest" in name for name in before), "the index snapshot is there, and holds it"
    needles = [v for k, v in CANARIES.items() if what != "episode" or k != "session_id"]
    path = {"episode": f"episodes/{CANARIES['id']}1", "session": f"sessions/{CANARIES['session_id']}", "namespace": ""}
    assert service.delete(path[what]).status_code == 204
    assert files_holding(folder, *needles) == {}
    service.settle()
    service.found("Bruno")
    assert files_holding(folder, *needles) == {}, "nor does what was made anew"


def test_an_erased_id_leaves_the_remembered_answers_too(service: Running) -> None:
    body = {"episodes": [{"id": "zyxwv-alice@example.com", "content": "hi"}]}
    service.post("episodes", body, headers={"Idempotency-Key": "k"})
    service.settle()
    assert service.delete("episodes/zyxwv-alice@example.com").status_code == 204
    assert files_holding(service.settings.data_dir, "zyxwv") == {}


class SlowEmbedder(HashEmbedder):
    """Stops at a text until it is let go."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if any(self._at in text for text in texts):
            self.reached.set()
            assert self.go_on.wait(60)
        return super().embed(texts)


def test_a_worker_that_has_read_an_episode_cannot_write_it_back_after_its_erasure(start: Start) -> None:
    embedder = SlowEmbedder(CANARIES["content"])
    service = start(embedder=embedder)
    service.append(canary_episode("1", "message"), {"id": "kept", "content": "kept"})
    assert embedder.reached.wait(60)
    assert service.delete(f"episodes/{CANARIES['id']}1").status_code == 204
    embedder.go_on.set()
    service.settle()
    assert files_holding(service.settings.data_dir, *CANARIES.values()) == {}
    assert [n["episode_ids"] for n in service.pages("notes")] == [["kept"]]
    assert extracts_of(service, 1) == []


def extracts_of(service: Running, seq: int) -> list[str]:
    """Kinds of the records that the store holds of an episode, its erasure aside."""
    query = select(records.c.kind).where(records.c.episode_seq == seq, records.c.kind != ERASURE)
    with service.service.store.database.read() as connection:
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize("erased", ["the episode", "the turn before it"])
def test_a_note_that_is_being_made_of_what_is_erased_meanwhile_is_not_written(
    service: Running, monkeypatch: pytest.MonkeyPatch, erased: str
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    make = DeterministicNoteMaker.make

    def slowly(self: DeterministicNoteMaker, turn: Turn, *rest: Any) -> Any:
        if turn.id == "second" and not reached.is_set():
            reached.set()
            assert go_on.wait(60)
        return make(self, turn, *rest)

    monkeypatch.setattr(DeterministicNoteMaker, "make", slowly)
    gone, kept = ("second", "first") if erased == "the episode" else ("first", "second")
    texts = {gone: f"My password is {CANARIES['content']}.", kept: "What a fine day!"}
    service.append({"id": "first", "content": texts["first"]}, wait="enriched")
    service.append({"id": "second", "content": texts["second"]})
    assert reached.wait(60)
    assert service.delete(f"episodes/{gone}").status_code == 204
    go_on.set()
    service.settle()
    assert files_holding(service.settings.data_dir, CANARIES["content"]) == {}
    assert [n["episode_ids"] for n in service.pages("notes")] == [[kept]]


# --- as if it had never come ----------------------------------------------------------------------------------------


def answers(service: Running, *queries: str) -> list[Any]:
    """All that a user can ask, less what tells one store's history from another's: seqs and moments of recording."""
    episodes = [{k: v for k, v in e.items() if k not in ("seq", "recorded_at")} for e in service.pages("episodes")]
    notes = [{k: v for k, v in n.items() if k != "created_at"} for n in service.pages("notes")]
    notes.sort(key=lambda note: note["id"])  # their order has a test of its own
    found = [service.search(query, explain=True, limit=50) for query in queries]
    return [episodes, notes, list(service.pages("sessions")), found]


@pytest.mark.parametrize("erased", range(5))
def test_every_answer_equals_that_of_a_store_which_never_received_the_erased(
    service: Running, start: Start, tmp_path: Path, erased: int
) -> None:
    never = start(data_dir=tmp_path / "never")
    talk = [{"occurred_at": at(n), **item} for n, item in enumerate(TALK)]
    tell(service, *talk)
    service.found("warm up the index")
    assert service.delete(f"episodes/{TALK[erased]['id']}").status_code == 204
    service.settle()
    tell(never, *talk[:erased], *talk[erased + 1 :])
    queries = ("Bruno", "dog shelter", "Who is Clara?", "Ann", "what does Bob say")
    assert answers(service, *queries) == answers(never, *queries)
    assert service.digest() == never.digest()


def test_an_erasure_leaves_the_notes_that_remain_in_their_order(service: Running) -> None:
    tell(service, *TALK)
    service.delete("episodes/e1")
    service.settle()
    assert [n["episode_ids"] for n in service.pages("notes")] == [["e2"], ["e3"], ["e4"], ["e5"]]


def test_a_speaker_who_was_erased_is_no_name_any_more(service: Running, start: Start, tmp_path: Path) -> None:
    never = start(data_dir=tmp_path / "never")
    texts = ["the tea was cold", "zelda is a game", "rocket science", "zelda tea party", "nothing at all"]
    talk = [{"id": f"e{n}", "content": text, "occurred_at": at(n)} for n, text in enumerate(texts)]
    tell(service, *talk, {"id": "gone", "speaker": "Zelda", "content": "good morning", "session_id": "other"})
    service.found("warm up the index")
    assert service.delete("episodes/gone").status_code == 204
    service.settle()
    tell(never, *talk)
    assert answers(service, "zelda tea rocket") == answers(never, "zelda tea rocket")


def test_a_name_that_an_erasure_makes_rare_links_as_if_it_had_always_been(
    service: Running, start: Start, tmp_path: Path
) -> None:
    never = start(data_dir=tmp_path / "never")
    holders = [{"id": f"m{n:02d}", "content": f"Yesterday Marguerite saw w{n}a w{n}b w{n}c"} for n in range(21)]
    others = [{"id": f"t{n:02d}", "content": f"green tea leaves in hot water x{n}"} for n in range(12)]
    talk = [*holders, *others, {"id": "last", "content": "green tea leaves in hot water for Marguerite"}]
    talk = [{**item, "session_id": item["id"], "occurred_at": at(n)} for n, item in enumerate(talk)]
    tell(service, *talk)
    assert service.delete("episodes/m00").status_code == 204
    service.settle()
    tell(never, *talk[1:])
    assert answers(service) == answers(never)


def test_an_erased_session_is_as_if_it_had_never_come(service: Running, start: Start, tmp_path: Path) -> None:
    never = start(data_dir=tmp_path / "never")
    talk = [{**item, "session_id": f"s{n % 2}", "occurred_at": at(n)} for n, item in enumerate(TALK)]
    tell(service, *talk)
    assert service.delete("sessions/s0").status_code == 204
    service.settle()
    tell(never, *[item for item in talk if item["session_id"] == "s1"])
    assert answers(service, "Bruno", "dog") == answers(never, "Bruno", "dog")
    refused(service.get("episodes/e1"), Gone)


def test_an_erasure_is_seen_at_every_known_at(service: Running) -> None:
    service.append({"id": "gone", "content": "the zygote"}, wait="enriched")
    recorded_at = service.get("episodes/gone").json()["recorded_at"]
    assert service.found("zygote", known_at=recorded_at) == ["gone"]
    service.delete("episodes/gone")
    assert service.found("zygote", known_at=recorded_at) == []
    assert service.found("zygote", known_at="2999-01-01T00:00:00Z") == []
