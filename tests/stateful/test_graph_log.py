"""The graph in the log: records become the graph again in a rebuild, in another store, and under another name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from graph.ledger.schema import feed
from graph.stores.sql.schema import entities, facts
from memory_service.doctor import Finding, examine
from memory_service.errors import InvalidImport
from memory_service.log import graph
from memory_service.log.graph import ClaimName, NodeName
from memory_service.log.schema import records
from memory_service.pipeline.rebuild import replay_log
from memory_service.service import MemoryService
from memory_service.settings import Settings
from tests.stateful.services import append, digest, new_folder, open_service, work

Lines = list[dict[str, Any]]

TALK = (
    ("Ana", "I moved to Lisbon in May."),
    ("Ana", "I work at Acme."),
    ("Bob", "My sister Katherine lives in Oslo."),
    ("Bob", "Kate Jones works at Globex."),
    ("Ana", "I no longer work at Acme."),
    ("Bob", "Robert Jones lives in Berlin."),
    ("Bob", "I live in Paris."),
    ("Ana", "I live in Porto."),
    ("Ana", "Katherine was born on 4 May 1990."),
    ("Ana", "My friend Bob likes tea."),
)


def told(who: str, what: str, number: int, name: str = "e") -> dict[str, Any]:
    month = 1 + number % 6
    return {
        "id": f"{name}{number}",
        "content": what,
        "speaker": who,
        "session_id": f"session-{number % 4}",
        "occurred_at": f"2026-0{month}-03T10:00:00+01:00",
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MemoryService]:
    service = open_service(new_folder(tmp_path))
    for number, (who, what) in enumerate(TALK):
        append(service, "ns", [told(who, what, number)])
        if number % 3 == 2:
            work(service)
    work(service)
    yield service
    service.close()


@pytest.fixture
def spoken_of(service: MemoryService) -> MemoryService:
    """A graph of which people said something, and from which something was erased."""
    merge(service, "Katherine", "Kate Jones")
    merge(service, "Bob", "Robert Jones", is_same=False)
    retract(service, "Bob likes tea")
    service.erase_episode("ns", "e1")
    merge(service, "Lisbon", "Oslo")
    merge(service, "Lisbon", "Oslo", is_same=False)
    work(service)
    return service


@pytest.fixture
def other(tmp_path: Path) -> Iterator[MemoryService]:
    other = open_service(new_folder(tmp_path))
    yield other
    other.close()


def merge(service: MemoryService, a: str, b: str, *, is_same: bool = True) -> None:
    one, two = (NodeName(name.lower()).id("ns") for name in (a, b))
    made = graph.Merge(one, two, is_same, "somebody said so")
    service.store.writer.write(lambda tx: graph.merge(tx, "ns", made))


def retract(service: MemoryService, text: str) -> None:
    (fact,) = (row for row in believed(service, "ns") if row.text == text)
    made = graph.Retraction(fact.id, [fact.id], "it is not so")
    service.store.writer.write(lambda tx: graph.retract(tx, "ns", made))


def believed(service: MemoryService, namespace: str) -> list[Any]:
    query = select(facts).where(facts.c.namespace == namespace, facts.c.expired_at.is_(None))
    with service.store.database.read() as connection:
        return list(connection.execute(query))


def texts(service: MemoryService, namespace: str = "ns") -> list[tuple[str, int, int]]:
    """What is believed, without ids: those differ from namespace to namespace."""
    return sorted((row.text, row.start, row.stop) for row in believed(service, namespace))


def people(service: MemoryService, namespace: str = "ns") -> list[tuple[str, str, str]]:
    query = select(entities).where(entities.c.namespace == namespace, entities.c.expired_at.is_(None))
    with service.store.database.read() as connection:
        return sorted((row.name, row.type, row.aliases) for row in connection.execute(query))


def lines_of(service: MemoryService) -> list[bytes]:
    return [line.encode() for line in service.export("ns")]


def count(service: MemoryService, *kinds: str) -> int:
    with service.store.database.read() as connection:
        return len(connection.execute(select(records.c.seq).where(records.c.kind.in_(kinds))).all())


def rebuild(service: MemoryService, tell: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    replay_log(service.store, Path("/nowhere/index"), tell)


# --- rebuilding -----------------------------------------------------------------------------------------------------


def test_a_rebuild_believes_the_same_since_the_same_moments(spoken_of: MemoryService) -> None:
    before = digest(spoken_of, history=True)
    assert len(texts(spoken_of)) > 5
    rebuild(spoken_of)
    assert digest(spoken_of, history=True) == before


def test_after_a_rebuild_life_goes_on_as_without_one(spoken_of: MemoryService, other: MemoryService) -> None:
    other.import_lines("ns", lines_of(spoken_of))
    rebuild(other)
    for service in (spoken_of, other):
        append(service, "ns", [told("Ana", "I live in Madrid.", 20), told("Bob", "I work at Initech.", 21)])
        work(service)
        service.erase_episode("ns", "e7")
        work(service)
    assert digest(other) == digest(spoken_of)


def test_a_rebuild_tells_how_far_it_is(spoken_of: MemoryService) -> None:
    told: list[tuple[int, int]] = []
    rebuild(spoken_of, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert len({total for _, total in told}) == 1
    assert told[-1][0] == told[-1][1] > count(spoken_of, "graph", "merge", "retraction")


def test_a_rebuild_tells_a_graph_store_outside_of_everything_and_loses_no_order_to_drop(
    spoken_of: MemoryService,
) -> None:
    spoken_of.store.writer.feeds_graph = True
    append(spoken_of, "gone", [told("Ana", "I live in Madrid.", 1)])
    work(spoken_of)
    spoken_of.erase_namespace("gone")
    rebuild(spoken_of)
    query = select(feed.c.namespace, feed.c.kind).order_by(feed.c.id)
    with spoken_of.store.database.read() as connection:
        fed = [tuple(row) for row in connection.execute(query)]
        versions = len(connection.execute(select(facts.c.id).where(facts.c.namespace == "ns")).all())
    assert [kind for namespace, kind in fed if namespace == "gone"] == ["drop"]
    assert next(kind for namespace, kind in fed if namespace == "ns") == "drop"
    assert fed.count(("ns", "fact")) == versions


# --- moving ---------------------------------------------------------------------------------------------------------


def test_a_graph_that_is_moved_to_another_store_is_the_same(spoken_of: MemoryService, other: MemoryService) -> None:
    lines = lines_of(spoken_of)
    other.import_lines("ns", lines)
    assert digest(other) == digest(spoken_of)
    assert texts(other) == texts(spoken_of)
    assert [line for line in lines_of(other) if b'"recorded_at"' not in line][1:] == [
        line for line in lines if b'"recorded_at"' not in line
    ][1:]


def test_what_was_imported_is_rebuilt_to_the_same_beliefs(spoken_of: MemoryService, other: MemoryService) -> None:
    other.import_lines("ns", lines_of(spoken_of))
    before = digest(other, history=True)
    rebuild(other)
    assert digest(other, history=True) == before


def test_merges_and_retractions_hold_under_another_namespace_whose_ids_are_others(
    spoken_of: MemoryService, other: MemoryService
) -> None:
    other.import_lines("copy", lines_of(spoken_of))
    assert texts(other, "copy") == texts(spoken_of)
    assert people(other, "copy") == people(spoken_of)
    assert "Bob likes tea" not in {text for text, _, _ in texts(other, "copy")}
    assert {row.id for row in believed(other, "copy")}.isdisjoint(row.id for row in believed(spoken_of, "ns"))


def test_of_several_who_share_a_name_the_one_that_was_merged_is_merged_in_the_copy(
    service: MemoryService, other: MemoryService
) -> None:
    born = ("Peter was born on 4 May 1990.", "Peter was born on 9 July 1971.", "Pjotr lives in Bergen.")
    append(service, "ns", [told("Cleo", what, 30 + number) for number, what in enumerate(born)])
    work(service)
    peters = [name for name in people(service) if name[0] == "Peter"]
    assert len(peters) == 2, "they are two"
    second = NodeName("peter", ClaimName("e31", 0)).id("ns")
    decision = graph.Merge(second, NodeName("pjotr").id("ns"), True, "")
    service.store.writer.write(lambda tx: graph.merge(tx, "ns", decision))
    assert len([name for name in people(service) if name[0] == "Peter"]) == 2
    assert not [name for name in people(service) if name[0] == "Pjotr"], "he is one of the two"
    other.import_lines("copy", lines_of(service))
    assert people(other, "copy") == people(service)
    assert texts(other, "copy") == texts(service)


def test_importing_again_says_nothing_new(spoken_of: MemoryService, other: MemoryService) -> None:
    lines = lines_of(spoken_of)
    other.import_lines("ns", lines)
    before, known = digest(other, history=True), count(other, "merge", "retraction")
    again = other.import_lines("ns", lines)
    assert (again.episodes, again.records) == (0, 0)
    assert digest(other, history=True) == before
    assert count(other, "merge", "retraction") == known == 5


def test_a_merge_that_was_undone_here_is_made_again_by_a_file_that_knows_it(
    spoken_of: MemoryService, other: MemoryService
) -> None:
    lines = lines_of(spoken_of)
    other.import_lines("ns", lines)
    merge(other, "Katherine", "Kate Jones", is_same=False)
    assert digest(other) != digest(spoken_of)
    assert other.import_lines("ns", lines).records == 1
    assert texts(other) == texts(spoken_of)


def test_an_erasure_in_the_copy_is_an_erasure_in_the_original(spoken_of: MemoryService, other: MemoryService) -> None:
    other.import_lines("ns", lines_of(spoken_of))
    for name in ("e2", "e9", "e8", "e0"):
        for service in (spoken_of, other):
            service.erase_episode("ns", name)
            work(service)
        assert digest(other) == digest(spoken_of), name
    assert count(other, "retraction") == 0, "it is gone with the claim that it took back"


def test_episodes_that_come_without_their_extraction_are_read(spoken_of: MemoryService, other: MemoryService) -> None:
    lines = [line for line in lines_of(spoken_of) if b'"kind":"graph"' not in line and b'"type":"episode' in line]
    other.import_lines("ns", lines)
    work(other)
    assert count(other, "graph") == len(TALK) - 1


# --- what is no import ----------------------------------------------------------------------------------------------


def _record(**changes: Any) -> dict[str, Any]:
    claim = {"subject": 0, "predicate": "lives_in", "object": 1, "end": 5}
    payload = {"mentions": [{"name": "Ana", "type": "Person"}, {"name": "Oslo", "type": "Place"}], "claims": [claim]}
    line = {"type": "record", "episode_id": "a", "kind": "graph", "extractor": "hand/1", "payload": payload}
    return line | changes


def _mention(**changes: Any) -> dict[str, Any]:
    return {"name": "Ana", "type": "Person"} | changes


def _with(*mentions: dict[str, Any], claims: Lines | None = None) -> dict[str, Any]:
    return _record(payload={"mentions": list(mentions), "claims": claims or []})


def _claim(**changes: Any) -> dict[str, Any]:
    claim = {"subject": 0, "predicate": "likes", "object": "tea"} | changes
    return _with(_mention(), claims=[claim])


def _merge(**changes: Any) -> dict[str, Any]:
    return {"type": "merge", "a": {"name": "ana"}, "b": {"name": "oslo"}, "is_same": True, "reason": ""} | changes


def _retraction(**changes: Any) -> dict[str, Any]:
    claim = {"episode_id": "a", "place": 0}
    return {"type": "retraction", "fact": claim, "claims": [claim], "reason": ""} | changes


_CLAIM = {"episode_id": "a", "place": 0}
BAD = {
    "an unknown field": (_record(payload={"mentions": [], "claims": [], "more": 1}), "unknown field 'more'"),
    "an unknown field of a mention": (_with(_mention(title="Dr")), "unknown field 'title' in its mention"),
    "no claims at all": (_record(payload={"mentions": []}), "wrong at claims"),
    "a mention that is none": (
        _with(_mention(), claims=[{"subject": 3, "predicate": "p", "object": "x"}]),
        "mention 3",
    ),
    "an object that is none": (_claim(object=7), "no mention 7"),
    "a number for a text": (_with(_mention(name=7)), "wrong at mentions/0/name"),
    "a text for a number": (_claim(subject="0"), "wrong at claims/0/subject"),
    "a stance that is none": (_claim(stance="doubts"), "wrong at claims/0/stance"),
    "an end before its beginning": (_claim(valid_at=2, invalid_at=1), "ends before it begins"),
    "a time beyond all": (_claim(valid_at=2**62), "time beyond"),
    "a span beyond the text": (_claim(end=600), "beyond its episode's text"),
    "a span that runs backwards": (_with(_mention(start=3, end=1)), "ends before it begins"),
    "a NUL": (_with(_mention(name="A\0na")), "NUL"),
    "a lone surrogate": (_with(_mention(name="\ud800")), "surrogate"),
    "an infinity": (_claim(confidence=float("inf")), "infinity"),
    "a confidence over one": (_claim(confidence=1.5), "between 0 and 1"),
    "a container that is none": (_with(_mention(within=[4])), "not there"),
    "an empty alias": (_with(_mention(aliases=[""])), "a name has 1"),
    "too many qualifiers": (_claim(qualifiers={f"q{n}": n for n in range(40)}), "40 qualifiers"),
    "a long predicate": (_claim(predicate="p" * 200), "predicate has 1 to 128"),
    "sources": (_record(sources=["a"]), "sources or vectors"),
    "an episode that is not there": (_record(episode_id="b"), "'b', which the file does not hold"),
    "a merge of nobody": (_merge(b={"name": "nobody"}), "'nobody', which the file does not hold"),
    "a merge of the wrong one": (_merge(b={"name": "oslo", "mention": {"episode_id": "a", "place": 0}}), "'oslo'"),
    "a merge with oneself": (_merge(b={"name": "ana"}), "with itself"),
    "a merge that is unsure": (_merge(is_same="yes"), "wrong at is_same"),
    "a merge by id": (_merge(a="0b9f"), "wrong at a"),
    "a retraction of nothing": (_retraction(claims=[]), "wrong at claims"),
    "a retraction of a claim that is none": (_retraction(claims=[_CLAIM | {"place": 1}]), "claim 1 of the episode 'a'"),
    "a retraction of an episode that is none": (_retraction(fact=_CLAIM | {"episode_id": "b"}), "episode 'b'"),
}


@pytest.mark.parametrize("what", list(BAD))
def test_a_bad_line_is_named_and_nothing_is_imported(other: MemoryService, what: str) -> None:
    line, reason = BAD[what]
    episode = {"type": "episode", "id": "a", "content": "I live in Oslo."}
    lines = [episode, line] if line.get("kind") == "graph" else [episode, _record(), line]
    with pytest.raises(InvalidImport, match="Nothing was imported") as refused:
        other.import_lines("ns", [json.dumps(each).encode() for each in lines])
    assert reason in refused.value.detail
    assert refused.value.errors[0]["line"] == len(lines)
    assert other.namespaces("", 10) == []


def test_good_lines_by_hand_are_an_import(other: MemoryService) -> None:
    episode = {"type": "episode", "id": "a", "content": "I live in Oslo."}
    lines = [_merge(), _retraction(), _record(), episode]
    answer = other.import_lines("ns", [json.dumps(each).encode() for each in lines])
    assert (answer.episodes, answer.records) == (1, 3)
    assert texts(other) == []
    assert [name for name, _, _ in people(other)] == ["Ana"]


# --- the doctor -----------------------------------------------------------------------------------------------------


def finding(service: MemoryService) -> Finding:
    settings = Settings(data_dir=service.store.database.path.parent, embedding_model="test", auth="off")  # type: ignore[call-arg]
    return next(found for found in examine(settings) if found.subject == "graph")


def change(service: MemoryService, statement: str) -> None:
    service.store.writer.write(lambda tx: tx.connection.exec_driver_sql(statement))


def test_the_doctor_finds_a_sound_graph_sound(spoken_of: MemoryService) -> None:
    found = finding(spoken_of)
    assert found.good
    assert found.text == f"{len(texts(spoken_of))} facts are believed, from {len(TALK) - 1} episodes"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM graph_mentions WHERE episode_id = 'e3'",
        "UPDATE graph_mentions SET episode_seq = 9999 WHERE episode_id = 'e3'",
    ],
)
def test_the_doctor_names_the_rebuild_that_mends_a_graph_which_disagrees_with_the_log(
    spoken_of: MemoryService, statement: str
) -> None:
    before = digest(spoken_of, history=True)
    change(spoken_of, statement)
    found = finding(spoken_of)
    assert not found.good
    assert "memory-service rebuild" in found.text
    rebuild(spoken_of)
    assert finding(spoken_of).good
    assert digest(spoken_of, history=True) == before


def test_the_doctor_tells_of_episodes_that_nobody_will_read(spoken_of: MemoryService) -> None:
    change(spoken_of, "DELETE FROM records WHERE kind = 'graph' AND payload LIKE '%Globex%'")
    rebuild(spoken_of)
    found = finding(spoken_of)
    assert (found.good, found.text[:30]) == (False, "1 episodes were never read for")
