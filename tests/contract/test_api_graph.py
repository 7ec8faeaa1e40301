"""The REST contract of the graph, sentence by sentence: two times on every fact, merges, retractions, erasures, limits."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from memory_service import limits
from memory_service.clock import FrozenClock, now
from memory_service.errors import (
    EpisodeConflict,
    Gone,
    Invalid,
    InvalidCursor,
    KnownAtUnsupported,
    NotFound,
    ProblemError,
)
from memory_service.instants import format_instant
from tests.support.problems import refused
from tests.support.running import NS, Running, Start

LONG_AGO = "0001-01-01T00:00:00Z"


class Graph:
    """A namespace's graph in a service whose clock only the test moves; short names for what most tests do."""

    def __init__(self, service: Running, clock: FrozenClock, ns: str = NS) -> None:
        self.service = service
        self.clock = clock
        self.ns = ns

    def state(self, *facts: dict[str, Any]) -> list[str]:
        """States facts a minute after the last; returns the id of each, or "" where it is the source of none."""
        self.tick()
        response = self.service.post("facts", {"facts": list(facts)}, self.ns)
        assert response.status_code == 202, response.text
        return [(receipt["fact_ids"] or [""])[0] for receipt in response.json()["facts"]]

    def tick(self) -> None:
        """A minute passes, once the worker has done what it had to do: no two commits have the same time."""
        self.service.settle()
        self.clock.advance(60)

    def now(self) -> str:
        return format_instant(now(self.clock))

    def get(self, path: str, **params: Any) -> Any:
        response = self.service.get(path, self.ns, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.tick()
        response = self.service.post(path, body, self.ns)
        assert response.status_code == 200, response.text
        return response.json()

    def id(self, name: str) -> str:
        [found] = self.get("entities", name=name)["items"]
        return found["id"]

    def texts(self, path: str = "facts", **params: Any) -> list[str]:
        return [fact["text"] for fact in self.service.pages(path, ns=self.ns, **params)]

    def timeline(self, name: str, **params: Any) -> list[tuple[str, str, str]]:
        """(text, begin, end) of the entity's facts."""
        lines = self.get(f"entities/{self.id(name)}/timeline", **params)["items"]
        return [(line["text"], day(line.get("valid_at")), day(line.get("invalid_at"))) for line in lines]

    def belief(self) -> tuple[list[str], list[str]]:
        """All that is believed now, at any time of the world, without what differs from store to store."""
        facts = list(self.service.pages("facts", ns=self.ns, all_times=True))
        names = [entity["name"] for entity in self.service.pages("entities", ns=self.ns)]
        told = ("text", "valid_at", "invalid_at", "episode_ids", "closed_by", "qualifiers", "valid_at_basis")
        return sorted(names), sorted(json.dumps([fact.get(name) for name in told]) for fact in facts)


def fact(subject: str, predicate: str, thing: str, since: str | None = None, **more: Any) -> dict[str, Any]:
    made = {"subject": {"name": subject}, "predicate": predicate, "object": {"name": thing}, **more}
    return made if since is None else {**made, "valid_at": at(since)}


def value(subject: str, predicate: str, text: str, **more: Any) -> dict[str, Any]:
    return {"subject": {"name": subject}, "predicate": predicate, "value": text, **more}


def at(date: str) -> str:
    return f"{date}T00:00:00Z"


def day(instant: str | None) -> str:
    return "" if instant is None else instant[:10]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def graph(start: Start, clock: FrozenClock) -> Graph:
    return Graph(start(clock), clock)


@pytest.fixture
def career(graph: Graph) -> Graph:
    """Ana: at Acme from 2020, at Initech from 2024; a friend of Bob since 2019."""
    graph.state(
        fact("Ana", "works_at", "Acme", "2020-01-01", id="acme"),
        fact("Ana", "works_at", "Initech", "2024-01-01", id="initech"),
        fact("Ana", "friend_of", "Bob", "2019-01-01", id="bob"),
    )
    return graph


# --- what a fact is ---------------------------------------------------------------------------------------------------


def test_a_stated_fact_comes_back_with_its_times_its_source_and_who_read_it(graph: Graph) -> None:
    graph.clock.advance(60)
    body = {
        "facts": [
            {
                "subject": {"name": "Ana Silva", "type": "Person"},
                "predicate": "works_at",
                "object": {"name": "Acme", "type": "Organization"},
                "valid_at": "2021-03-01T00:00:00+01:00",
                "invalid_at": "2023-05-01T00:00:00Z",
                "qualifiers": {"role": "CTO", "part": 0.5, "remote": True, "days": 3},
                "sentence": "Ana was Acme's CTO.",
                "confidence": 0.75,
                "occurred_at": "2023-06-01T00:00:00Z",
                "session_id": "s1",
                "id": "e1",
            }
        ]
    }
    answer = graph.service.post("facts", body)
    assert answer.status_code == 202
    [receipt] = answer.json()["facts"]
    assert receipt["episode_id"] == "e1"
    [found] = graph.get("facts", all_times=True)["items"]
    assert [found["id"]] == receipt["fact_ids"]
    assert found["subject"] == {"id": graph.id("Ana Silva"), "name": "Ana Silva"}
    assert found["object"] == {"id": graph.id("Acme"), "name": "Acme"}
    assert "value" not in found
    assert found["text"] == "Ana Silva worked at Acme"
    assert found["sentence"] == "Ana was Acme's CTO."
    assert found["qualifiers"] == {"role": "CTO", "part": 0.5, "remote": True, "days": 3}
    assert found["valid_at"] == "2021-02-28T23:00:00Z"
    assert found["invalid_at"] == "2023-05-01T00:00:00Z"
    assert found["valid_at_basis"] == "stated"
    assert found["created_at"] == graph.now()
    assert "expired_at" not in found
    assert found["confidence"] == 0.75
    assert found["episode_ids"] == ["e1"]
    assert found["extractor"] == "stated/1"
    assert found["closed_by"] == {"rule": "stated", "episode_id": "e1"}
    episode = graph.get("episodes/e1")
    assert episode["content"] == "Ana was Acme's CTO."
    assert episode["occurred_at"] == "2023-06-01T00:00:00Z"
    assert episode["session_id"] == "s1"


def test_a_stated_fact_is_an_episode_that_is_searched_for(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", id="e1"))
    graph.service.settle()
    assert "e1" in graph.service.found("Acme", types=["episode"])
    assert graph.service.status("e1")["status"] == "enriched"


def test_a_fact_may_have_a_literal(graph: Graph) -> None:
    graph.state(value("Ana", "likes", "sushi"))
    [found] = graph.get("facts")["items"]
    assert found["value"] == "sushi"
    assert "object" not in found
    assert [entity["name"] for entity in graph.get("entities")["items"]] == ["Ana"]


def test_without_a_start_a_fact_holds_since_it_was_said(graph: Graph) -> None:
    graph.state(value("Ana", "likes", "sushi", occurred_at="2025-05-05T00:00:00Z"), value("Ana", "likes", "tea"))
    by_value = {found["value"]: found for found in graph.get("facts")["items"]}
    assert by_value["sushi"]["valid_at"] == "2025-05-05T00:00:00Z"
    assert by_value["tea"]["valid_at"] == graph.now()
    assert {found["valid_at_basis"] for found in by_value.values()} == {"observed"}


def test_what_people_say_becomes_facts_without_an_llm(graph: Graph) -> None:
    graph.service.append(
        {"id": "e1", "content": "I work at Acme as an engineer.", "speaker": "Ana", "role": "user"}, wait="enriched"
    )
    assert graph.texts(predicate="works_at") == ["Ana works at Acme"]
    assert {tuple(found["episode_ids"]) for found in graph.get("facts")["items"]} == {("e1",)}


# --- the two times ----------------------------------------------------------------------------------------------------


def test_facts_are_those_true_now_as_known_now(career: Graph) -> None:
    assert career.texts() == ["Ana works at Initech", "Ana is a friend of Bob"]


def test_as_of_tells_what_was_true_then(career: Graph) -> None:
    assert career.texts(as_of=at("2022-01-01"), predicate="works_at") == ["Ana worked at Acme"]
    assert career.texts(as_of=at("2018-12-31")) == []


def test_intervals_are_half_open(career: Graph) -> None:
    assert career.texts(as_of=at("2024-01-01"), predicate="works_at") == ["Ana works at Initech"]
    assert career.texts(as_of="2023-12-31T23:59:59.999999Z", predicate="works_at") == ["Ana worked at Acme"]


def test_known_at_tells_what_was_believed_then(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", "2020-01-01"))
    then = graph.now()
    graph.state(fact("Ana", "works_at", "Initech", "2024-01-01"))
    assert graph.texts(known_at=then) == ["Ana works at Acme"]
    assert graph.texts(known_at=graph.now()) == ["Ana works at Initech"]
    assert graph.texts(known_at=LONG_AGO) == []
    assert graph.timeline("Ana", known_at=then) == [("Ana works at Acme", "2020-01-01", "")]


def test_belief_is_half_open_too(graph: Graph) -> None:
    [acme] = graph.state(fact("Ana", "works_at", "Acme", "2020-01-01"))
    begun = graph.now()
    graph.state(fact("Ana", "works_at", "Initech", "2024-01-01"))
    open_version, closed_version = graph.get(f"facts/{acme}/history")["items"]
    assert open_version["created_at"] == begun
    assert open_version["expired_at"] == closed_version["created_at"] == graph.now()
    assert graph.texts(known_at=open_version["expired_at"], all_times=True)[-1] == "Ana worked at Acme"


def test_all_times_tells_facts_of_every_time(career: Graph) -> None:
    assert career.texts(all_times=True) == ["Ana works at Initech", "Ana worked at Acme", "Ana is a friend of Bob"]


def test_an_order_of_arrival_decides_nothing(start: Start, clock: FrozenClock, tmp_path: Any) -> None:
    told = [
        fact("Ana", "works_at", "Acme", "2020-01-01", id="a"),
        fact("Ana", "works_at", "Initech", "2024-01-01", id="b"),
        fact("Ana", "works_at", "Hooli", "2022-01-01", id="c"),
    ]
    beliefs = []
    for place, order in enumerate([told, told[::-1]]):
        graph = Graph(start(clock, data_dir=tmp_path / str(place)), clock)
        for each in order:
            graph.state({**each, "occurred_at": at("2025-01-01")})
        beliefs.append(graph.timeline("Ana"))
    assert beliefs[0] == beliefs[1]
    assert beliefs[0] == [
        ("Ana worked at Acme", "2020-01-01", "2022-01-01"),
        ("Ana worked at Hooli", "2022-01-01", "2024-01-01"),
        ("Ana works at Initech", "2024-01-01", ""),
    ]


@pytest.mark.parametrize(
    ("first", "last"), [("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"), ("0001-01-01T00:00:00-14:00", None)]
)
def test_the_first_and_the_last_years_are_times_like_others(graph: Graph, first: str, last: str | None) -> None:
    graph.state({**fact("Ana", "works_at", "Acme"), "valid_at": first, **({"invalid_at": last} if last else {})})
    [line] = graph.get(f"entities/{graph.id('Ana')}/timeline")["items"]
    assert line["valid_at"][:5] == "0001-"
    assert line.get("invalid_at") == last
    assert len(graph.texts(as_of=at("1066-10-14"))) == 1
    assert graph.texts(known_at="9999-12-31T23:59:59.999999Z") == graph.texts()
    assert len(graph.texts(limit=1, all_times=True)) == 1


@pytest.mark.parametrize("path", ["facts", "entities/x", "entities/x/timeline", "entities/x/neighbourhood", "entities"])
@pytest.mark.parametrize("bad", ["2026-01-01T00:00:00", "yesterday", "2026-13-01T00:00:00Z", "", "0"])
def test_a_time_without_an_offset_or_that_is_none_is_refused(graph: Graph, path: str, bad: str) -> None:
    refused(graph.service.get(path, params={"known_at": bad}), Invalid, "query:known_at")


# --- the rules of the timeline ----------------------------------------------------------------------------------------


def closing(graph: Graph, name: str) -> dict[str, Any]:
    """What closed the fact with this text."""
    found = {each["text"]: each for each in graph.service.pages("facts", ns=graph.ns, all_times=True)}
    return found[name].get("closed_by", {})


def test_a_successor_closes_what_went_before(career: Graph) -> None:
    assert closing(career, "Ana worked at Acme") == {"rule": "successor", "episode_id": "initech"}


def test_a_correction_makes_the_earlier_saying_true_at_no_time(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", "2020-01-01", id="wrong"))
    graph.state(fact("Ana", "works_at", "Initech", "2020-01-01", id="right"))
    assert closing(graph, "Ana worked at Acme") == {"rule": "corrected", "episode_id": "right"}
    assert graph.texts(as_of=at("2020-01-01")) == ["Ana works at Initech"]


def test_a_correction_of_what_has_no_start_can_be_read_everywhere(graph: Graph) -> None:
    """One has one birthday, whose fact begins nowhere: corrected, it ends there too."""
    [wrong] = graph.state(value("Ana", "born_on", "1990-05-01", id="wrong"))
    graph.state(value("Ana", "born_on", "1971-02-02", id="right"))
    assert sorted(graph.timeline("Ana")) == [
        ("Ana was born on 1971-02-02", "", ""),
        ("Ana was born on 1990-05-01", "", "0001-01-01"),
    ]
    assert closing(graph, "Ana was born on 1990-05-01") == {"rule": "corrected", "episode_id": "right"}
    assert graph.texts() == ["Ana was born on 1971-02-02"]
    assert graph.texts(as_of=LONG_AGO) == ["Ana was born on 1971-02-02"]
    assert len(graph.get(f"facts/{wrong}/history")["items"]) == 2
    assert len(graph.get("changes", since=LONG_AGO)["items"]) == 4
    assert "1971" in graph.service.search("When was Ana born?", types=["fact"])[0]["text"]


def test_an_end_that_is_told_closes_it(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", "2020-01-01"))
    assert graph.state(fact("Ana", "works_at", "Acme", "2022-06-01", stance="ends", id="end")) == [""]
    assert closing(graph, "Ana worked at Acme") == {"rule": "ended", "episode_id": "end"}
    assert graph.texts() == []
    assert graph.timeline("Ana") == [("Ana worked at Acme", "2020-01-01", "2022-06-01")]


def test_a_denial_takes_it_back(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", "2020-01-01"))
    then = graph.now()
    graph.state(fact("Ana", "works_at", "Acme", stance="denies"))
    assert graph.texts(all_times=True) == []
    assert graph.texts(known_at=then) == ["Ana works at Acme"]


def test_what_is_said_twice_is_one_fact_with_two_sources(graph: Graph) -> None:
    first, second = graph.state(
        value("Ana", "likes", "sushi", id="e1", valid_at=at("2020-01-01")),
        value("Ana", "likes", "Sushi", id="e2", valid_at=at("2021-01-01")),
    )
    assert first == second
    [found] = graph.get("facts")["items"]
    assert found["episode_ids"] == ["e1", "e2"]


def test_what_accumulates_closes_nothing(graph: Graph) -> None:
    graph.state(value("Ana", "likes", "sushi", valid_at=at("2020-01-01")))
    graph.state(value("Ana", "likes", "ramen", valid_at=at("2021-01-01")))
    assert len(graph.texts()) == 2


# --- reading entities -------------------------------------------------------------------------------------------------


def test_an_entity_has_its_names_and_a_summary(graph: Graph) -> None:
    graph.state(
        {**value("Ana", "likes", "sushi"), "subject": {"name": "Ana", "type": "Person", "attributes": {"vip": True}}}
    )
    graph.state(value("ANA", "likes", "tea"))
    known = graph.get(f"entities/{graph.id('ana')}")
    assert known["name"] == "Ana"
    assert known["type"] == "Person"
    assert known["aliases"] == ["ANA"]
    assert known["attributes"] == {"vip": True}
    assert known["namespace"] == NS
    assert known["summary"] == "Ana likes tea and sushi."
    assert known["first_known_at"] < known["created_at"]


def test_entities_are_listed_by_id_and_filtered(graph: Graph) -> None:
    graph.state(*[{**value(f"Person {n}", "likes", "tea"), "subject": {
        "name": f"Person {n}", "type": "Person" if n % 2 else "Animal", "attributes": {"n": n, "even": n % 2 == 0}}}
        for n in range(7)])  # fmt: skip
    listed = [entity["id"] for entity in graph.service.pages("entities", limit=2)]
    assert listed == sorted(listed)
    assert len(listed) == 7

    def named(**params: Any) -> set[str]:
        return {entity["name"] for entity in graph.service.pages("entities", limit=2, **params)}

    assert named(type="Animal") == {f"Person {n}" for n in (0, 2, 4, 6)}
    assert named(name="PERSON  3") == {"Person 3"}
    assert named(text="erson 5") == {"Person 5"}
    assert named(attributes='{"n": 4}') == {"Person 4"}
    assert named(attributes='{"even": false, "n": 3}') == {"Person 3"}
    assert named(attributes='{"even": 0}') == set(), "false is not 0"
    assert named(known_at=LONG_AGO) == set()


@pytest.mark.parametrize(
    "bad",
    ["", "x", "[]", "1", '{"a":', '{"a": null}', '{"a": {}}', '{"a": [1]}', '{"a": NaN}', '{"a": 1e999}', "[" * 2000,
     '{"a": 99999999999999999999}', '{"a": "\\ud800"}', '{"\\u0000": 1}', '{"a": "\\u0000"}'],
)  # fmt: skip
@pytest.mark.parametrize(("path", "name"), [("entities", "attributes"), ("facts", "qualifiers")])
def test_equal_values_that_are_no_flat_object_are_refused(graph: Graph, path: str, name: str, bad: str) -> None:
    graph.state(value("Ana", "likes", "tea"))
    refused(graph.service.get(path, params={name: bad}), Invalid, f"query:{name}")


def test_a_facts_filters_narrow_it(career: Graph) -> None:
    ana, bob = career.id("Ana"), career.id("Bob")
    career.state(fact("Bob", "works_at", "Acme", "2021-01-01", qualifiers={"role": "CTO", "part": 1}))
    assert career.texts(entity=bob) == ["Bob works at Acme", "Ana is a friend of Bob"]
    assert career.texts(subject=ana) == ["Ana works at Initech", "Ana is a friend of Bob"]
    assert career.texts(object=bob) == ["Ana is a friend of Bob"]
    assert career.texts(predicate=["friend_of", "likes"]) == ["Ana is a friend of Bob"]
    assert career.texts(text="FRIEND bob") == ["Ana is a friend of Bob"]
    assert career.texts(text="friend acme") == []
    assert career.texts(qualifiers='{"role": "CTO"}') == ["Bob works at Acme"]
    assert career.texts(qualifiers='{"part": 1.0}') == ["Bob works at Acme"]
    assert career.texts(qualifiers='{"part": true}') == []
    assert career.texts(entity="nobody") == []


@pytest.mark.parametrize(
    ("path", "params", "pointer"),
    [
        ("facts", {"entity": "a b"}, "query:entity"),
        ("facts", {"limit": 0}, "query:limit"),
        ("facts", {"limit": 201}, "query:limit"),
        ("facts", {"text": ""}, "query:text"),
        ("facts", {"text": "x" * 257}, "query:text"),
        ("facts", {"predicate": ["likes"] * 65}, "query:predicate"),
        ("facts", {"all_times": "perhaps"}, "query:all_times"),
        ("facts", {"text": "a\0b"}, "query:text"),
        ("facts", {"predicate": "a\0b"}, "query:predicate/0"),
        ("facts", {"colour": "red"}, "query:colour"),
        ("entities", {"name": ""}, "query:name"),
        ("entities", {"name": "a\0b"}, "query:name"),
        ("entities", {"text": "a\0b"}, "query:text"),
        ("entities", {"type": "a\0b"}, "query:type"),
        ("entities", {"name": "x" * 257}, "query:name"),
        ("entities/x/neighbourhood", {"hops": 0}, "query:hops"),
        ("entities/x/neighbourhood", {"hops": 5}, "query:hops"),
        ("entities/x/neighbourhood", {"per_hop": 201}, "query:per_hop"),
        ("paths", {"source": "x"}, "query:target"),
        ("paths", {"source": "x", "target": "y", "max_hops": 7}, "query:max_hops"),
        ("paths", {"source": "x", "target": "y", "limit": 21}, "query:limit"),
        ("changes", {}, "query:since"),
        ("changes", {"since": at("2026-01-02"), "until": at("2026-01-01")}, "query:until"),
    ],
)
def test_parameters_that_break_a_limit_are_refused(
    graph: Graph, path: str, params: dict[str, Any], pointer: str
) -> None:
    refused(graph.service.get(path, params=params), Invalid, pointer)


@pytest.mark.parametrize(
    "path",
    ["entities/nobody", "entities/nobody/timeline", "entities/nobody/neighbourhood", "facts/none/history",
     "paths?source=nobody&target=nobody"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(career: Graph, path: str) -> None:
    refused(career.service.get(path), NotFound)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("facts/none/retract", {}),
        ("entities/nobody/merge", {"entity_id": "nobody"}),
        ("entities/nobody/split", {"entity_id": "no-one"}),
    ],
)
def test_what_is_not_there_cannot_be_changed(career: Graph, path: str, body: dict[str, Any]) -> None:
    before = career.service.digest()
    refused(career.service.post(path, body), NotFound)
    refused(career.service.post(path, body, "nowhere"), NotFound)
    assert career.service.digest() == before
    assert "nowhere" not in [each["name"] for each in career.service.pages("/v1/namespaces")]


def test_an_entity_is_not_there_before_it_is_known(career: Graph) -> None:
    for path in ("", "/timeline", "/neighbourhood"):
        url = f"entities/{career.id('Ana')}{path}"
        refused(career.service.get(url, params={"known_at": LONG_AGO}), NotFound)


def test_an_unknown_namespace_is_empty(graph: Graph) -> None:
    for path in ("entities", "facts", "communities", "changes"):
        params = {"since": LONG_AGO} if path == "changes" else {}
        answer = graph.service.get(path, "nowhere", params=params)
        assert answer.status_code == 200
        assert answer.json()["items"] == []
        assert "next_cursor" not in answer.json()


# --- lists and their cursors ------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(graph: Graph) -> Graph:
    """Ana likes five things of one moment, and works here and there before 1970 and after."""
    graph.state(*[value("Ana", "likes", f"thing {n}", valid_at=at("2020-01-01")) for n in range(5)])
    graph.state(*[fact("Ana", "works_at", f"Firm {n}", f"{1900 + 30 * n}-01-01") for n in range(5)])
    return graph


def lists(graph: Graph) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "facts", {"all_times": True}
    yield "facts", {"entity": graph.id("Ana"), "all_times": True}
    yield f"entities/{graph.id('Ana')}/timeline", {}
    yield "entities", {}
    yield "changes", {"since": LONG_AGO}


def test_pages_of_any_length_hold_the_same_in_the_same_order(crowd: Graph) -> None:
    for path, params in lists(crowd):
        whole = list(crowd.service.pages(path, **params))
        assert len(whole) > 5
        for length in (1, 2, 3, 7):
            paged = list(crowd.service.pages(path, limit=length, **params))
            assert paged == whole, f"{path} by {length}"


def test_facts_come_latest_first_and_a_timeline_earliest_first(crowd: Graph) -> None:
    listed = [found["valid_at"] for found in crowd.service.pages("facts", all_times=True)]
    assert listed == sorted(listed, reverse=True)
    lived = [found["valid_at"] for found in crowd.service.pages(f"entities/{crowd.id('Ana')}/timeline")]
    assert lived == sorted(lived)


def test_what_has_no_known_start_comes_first_in_a_timeline_and_last_in_a_list(graph: Graph) -> None:
    graph.service.append(
        {"id": "e1", "content": "I was born in Porto.", "speaker": "Ana", "role": "user"}, wait="enriched"
    )
    graph.state(value("Ana", "likes", "sushi", valid_at=LONG_AGO))
    born = "Ana was born in Porto"
    assert graph.timeline("Ana")[0] == (born, "", "")
    assert graph.texts()[-1] == born
    assert graph.texts(limit=1)[-1] == born


@pytest.mark.parametrize("bad", ["", "x", "e30", "é", "bnVsbA", "W10", "WzEsMl0", "A" * 1025])
def test_a_damaged_cursor_is_refused(crowd: Graph, bad: str) -> None:
    for path, params in [*lists(crowd), ("communities", {})]:
        answer = crowd.service.get(path, params={**params, "cursor": bad})
        refused(answer, Invalid if len(bad) > 1024 else InvalidCursor)


def test_a_forged_cursor_is_refused(crowd: Graph) -> None:
    from memory_service.api import paging

    name = f"{NS}/facts/{(None, None, None, None, None, None, None, None, False)}"
    for place in (["9" * 30, "x"], ["-" + "9" * 30, "x"], ["1.5", "x"], ["", "x"], ["0", "a\0b"], ["0"], [0, "x"]):
        answer = crowd.service.get("facts", params={"cursor": paging.encode(name, place)})
        refused(answer, InvalidCursor)
    cursor = paging.encode(name, ["0", "~"])
    assert crowd.service.get("facts", params={"cursor": cursor}).status_code == 200, "the name of the list is right"


def test_a_cursor_belongs_to_its_list_its_filter_and_its_namespace(crowd: Graph) -> None:
    cursors = []
    for path, params in lists(crowd):
        cursors.append((path, params, crowd.get(path, limit=1, **params)["next_cursor"]))
    for path, params, _ in cursors:
        for other, filters, cursor in cursors:
            if (other, filters) != (path, params):
                refused(crowd.service.get(path, params={**params, "cursor": cursor}), InvalidCursor)
    for path, params, cursor in cursors:
        answer = crowd.service.get(path.replace(crowd.id("Ana"), "x"), "bob", params={**params, "cursor": cursor})
        assert answer.status_code in (400, 404)
    cursor = crowd.get("facts", limit=1, all_times=True)["next_cursor"]
    for narrowed in ({"predicate": "likes"}, {"known_at": crowd.now()}, {"as_of": crowd.now()}):
        refused(crowd.service.get("facts", params={**narrowed, "cursor": cursor}), InvalidCursor)


# --- stating ------------------------------------------------------------------------------------------------------------


def test_the_same_fact_of_the_same_id_is_stored_once(graph: Graph) -> None:
    told = fact("Ana", "works_at", "Acme", "2020-01-01", id="e1")
    first = graph.service.post("facts", {"facts": [told]})
    digest = graph.service.digest()
    graph.clock.advance(3600)
    again = graph.service.post("facts", {"facts": [told]})
    assert again.json()["facts"] == first.json()["facts"]
    assert again.status_code == 202
    assert graph.service.digest() == digest
    assert graph.service.count() == 1
    in_one = graph.service.post("facts", {"facts": [told, told]}).json()["facts"]
    assert in_one == first.json()["facts"] * 2


def test_the_same_fact_of_the_same_id_twice_in_a_first_request_is_stored_once(graph: Graph) -> None:
    told = fact("Ana", "works_at", "Acme", "2020-01-01", id="e1")
    assert len(set(graph.state(told, told))) == 1
    assert graph.service.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"object": {"name": "Initech"}},
        {"valid_at": at("2021-01-01")},
        {"qualifiers": {"role": "CTO"}},
        {"confidence": 0.5},
        {"session_id": "s2"},
        {"sentence": "Other words."},
        {"stance": "denies"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_fact_of_a_used_id_is_a_conflict_and_nothing_is_stored(graph: Graph, other: dict[str, Any]) -> None:
    told = fact("Ana", "works_at", "Acme", "2020-01-01", id="e1")
    graph.state(told)
    digest = graph.service.digest()
    batch = [fact("Bob", "works_at", "Hooli"), {**told, **other}]
    refused(graph.service.post("facts", {"facts": batch}), EpisodeConflict)
    assert graph.service.digest() == digest
    new = [{**told, "id": "e2"}, {**told, "id": "e2", **other}]
    answer = graph.service.post("facts", {"facts": new})
    assert answer.status_code == 409
    assert graph.service.digest() == digest


def test_a_fact_and_an_episode_share_their_ids(graph: Graph) -> None:
    graph.service.append({"id": "e1", "content": "Ana works at Acme", "kind": "text"}, wait="enriched")
    told = fact("Ana", "works_at", "Acme", id="e1")
    refused(graph.service.post("facts", {"facts": [told]}), EpisodeConflict)


def test_an_erased_id_cannot_be_stated_again(graph: Graph) -> None:
    told = fact("Ana", "works_at", "Acme", id="e1")
    graph.state(told)
    assert graph.service.delete("episodes/e1").status_code == 204
    refused(graph.service.post("facts", {"facts": [told]}), Gone)


def test_a_batch_is_stored_whole_or_not_at_all(graph: Graph) -> None:
    good = [fact(f"Person {n}", "works_at", "Acme") for n in range(5)]
    bad = {**fact("Ana", "works_at", "Acme"), "subject": {"id": "nobody"}}
    refused(graph.service.post("facts", {"facts": [*good, bad]}), NotFound)
    assert graph.service.count() == 0
    assert graph.get("entities")["items"] == []
    assert list(graph.service.pages("/v1/namespaces")) == []


def test_the_largest_batch_is_stored_and_a_larger_one_refused(graph: Graph) -> None:
    told = [value("Ana", "likes", f"thing {n}") for n in range(limits.MAX_BATCH_FACTS + 1)]
    refused(graph.service.post("facts", {"facts": told}), Invalid, "/facts")
    assert len(set(graph.state(*told[:-1]))) == limits.MAX_BATCH_FACTS
    refused(graph.service.post("facts", {"facts": []}), Invalid, "/facts")


GOOD = {"subject": {"name": "Ana"}, "predicate": "works_at", "object": {"name": "Acme"}}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"valid_at": at("2026-01-02"), "invalid_at": at("2026-01-01")}, "/facts/1"),
        ({"colour": "red"}, "/facts/1/colour"),
        ({"subject": {"name": "Ana", "nick": "A"}}, "/facts/1/subject/nick"),
        ({"subject": {}}, "/facts/1/subject"),
        ({"subject": {"name": "Ana", "id": "x"}}, "/facts/1/subject"),
        ({"subject": {"name": ""}}, "/facts/1/subject/name"),
        ({"subject": {"name": "   "}}, "/facts/1"),
        ({"subject": {"name": "x" * 257}}, "/facts/1/subject/name"),
        ({"subject": {"name": "a\0b"}}, "/facts/1/subject/name"),
        ({"subject": {"name": "Ana", "type": "no type"}}, "/facts/1/subject/type"),
        ({"subject": {"name": "Ana", "attributes": {"a": {}}}}, "/facts/1/subject/attributes/a"),
        ({"subject": {"name": "Ana", "attributes": {f"k{n}": n for n in range(17)}}}, "/facts/1/subject/attributes"),
        ({"predicate": "Works At"}, "/facts/1/predicate"),
        ({"predicate": "works_at\n"}, "/facts/1/predicate"),
        ({"predicate": "x" * 129}, "/facts/1/predicate"),
        ({"object": None}, "/facts/1"),
        ({"value": "Acme"}, "/facts/1"),
        ({"object": None, "value": ""}, "/facts/1/value"),
        ({"object": None, "value": "  "}, "/facts/1/value"),
        ({"object": None, "value": "a\0b"}, "/facts/1/value"),
        ({"object": None, "value": "x" * 1025}, "/facts/1/value"),
        ({"object": None, "predicate": "likes", "stance": "ends"}, "/facts/1"),
        ({"sentence": "a\0b"}, "/facts/1/sentence"),
        ({"sentence": " "}, "/facts/1/sentence"),
        ({"sentence": "x" * 1025}, "/facts/1/sentence"),
        ({"stance": "hopes"}, "/facts/1/stance"),
        ({"confidence": 1.5}, "/facts/1/confidence"),
        ({"valid_at": "2026-01-01T00:00:00"}, "/facts/1/valid_at"),
        ({"occurred_at": "soon"}, "/facts/1/occurred_at"),
        ({"qualifiers": {f"k{n}": n for n in range(17)}}, "/facts/1/qualifiers"),
        ({"qualifiers": {"": 1}}, None),
        ({"qualifiers": {"a": None}}, None),
        ({"id": ".."}, "/facts/1/id"),
        ({"session_id": "a b"}, "/facts/1/session_id"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_and_nothing_is_stored(
    graph: Graph, fields: dict[str, Any], pointer: str | None
) -> None:
    body = {"facts": [GOOD, {name: each for name, each in {**GOOD, **fields}.items() if each is not None}]}
    refused(graph.service.post("facts", body), Invalid, pointer)
    assert graph.service.count() == 0


def test_lone_surrogates_are_refused_wherever_they_are(graph: Graph) -> None:
    for broken in (
        {"object": {"name": "\ud800"}},
        {"sentence": "\ud800"},
        {"qualifiers": {"a": "\ud800"}},
        {"qualifiers": {"\ud800": 1}},
    ):
        body = json.dumps({"facts": [{**GOOD, **broken}]})
        headers = {"Content-Type": "application/json"}
        refused(graph.service.http.post(graph.service.url("facts"), content=body, headers=headers), Invalid)
    body = json.dumps({"facts": [{"subject": {"name": "Ana"}, "predicate": "likes", "value": "\ud800"}]})
    refused(graph.service.http.post(graph.service.url("facts"), content=body, headers=headers), Invalid)


@pytest.mark.parametrize("number", [2**63, -(2**70), 10**400, 1e308, -0.0, 2**53 + 1])
def test_numbers_of_any_size_are_kept_or_refused(graph: Graph, number: float) -> None:
    response = graph.service.post("facts", {"facts": [{**GOOD, "qualifiers": {"n": number}}]})
    if response.status_code == 202:
        [found] = graph.get("facts")["items"]
        assert found["qualifiers"] == {"n": number}
        assert graph.texts(qualifiers=json.dumps({"n": number}))
    else:
        refused(response, Invalid)


def test_a_fact_may_name_its_entities_by_id(career: Graph) -> None:
    ana, bob = career.id("Ana"), career.id("Bob")
    career.state({"subject": {"id": bob}, "predicate": "works_at", "object": {"id": career.id("Initech")}, "id": "e9"})
    career.state({"subject": {"id": ana}, "predicate": "likes", "value": "sushi"})
    assert "Bob works at Initech" in career.texts(entity=bob)
    assert "Ana likes sushi" in career.texts(entity=ana)
    assert len(career.get("entities")["items"]) == 4


NAMES = [
    "'; DROP TABLE graph_facts; --",
    "x') OR 1=1 --",
    '") MATCH (n) DETACH DELETE n //',
    "`Ana`}) RETURN n //",
    "{{name}} ${name} %s :name $1",
    "100% _sure_",
    "back\\slash\\n",
    "שָׁלוֹם",
    "محمد الفاتح",
    "\u202eevil\u202c",
    "Zoe\u0308 O\u2019Brien",
    "नमस्ते",
    "山田太郎",
    "👩‍👩‍👧‍👦 family",
    "a" * 256,
    "\t tab\nand line ",
    "---",
    "'",
    "\u200d",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_data_whatever_is_in_them(graph: Graph, name: str) -> None:
    told = {"subject": {"name": name}, "predicate": "knows", "object": {"name": "Ana"}, "id": "e1"}
    response = graph.service.post("facts", {"facts": [told, value(name[:200], "likes", name)]})
    assert response.status_code == 202, response.text
    [found] = graph.get("facts", predicate="knows")["items"]
    shown = found["subject"]["name"]
    assert shown == " ".join(name.split())
    known = graph.get("entities", name=name)["items"]
    assert found["subject"]["id"] in [entity["id"] for entity in known]
    part = max(name.split(), key=len)
    assert found["subject"]["id"] in [entity["id"] for entity in graph.get("entities", text=part)["items"]]
    assert found["id"] in [each["id"] for each in graph.get("facts", text=part)["items"]]
    identity = found["subject"]["id"]
    for path in ("", "/timeline", "/neighbourhood"):
        graph.get(f"entities/{identity}{path}")
    assert graph.get("paths", source=identity, target=graph.id("Ana"))["items"]
    assert graph.get("communities")["items"]
    assert graph.service.delete("episodes/e1").status_code == 204
    assert graph.texts(predicate="knows") == []


def test_entities_that_a_name_does_not_tell_apart_are_stated_of_by_id(graph: Graph) -> None:
    graph.state(fact("Ana", "works_at", "Acme", id="a"))
    first = graph.id("Ana")
    graph.state(fact("Ana Silva", "works_at", "Hooli", id="b"))
    second = graph.id("Ana Silva")
    merged = graph.post(f"entities/{first}/merge", {"entity_id": second})["entity_ids"][0]
    told = {"subject": {"id": merged}, "predicate": "likes", "value": "tea", "id": "e1"}
    graph.state(told)
    graph.state(told)
    assert graph.texts(entity=first, predicate="likes") == ["Ana likes tea"]


# --- merging and its undoing ---------------------------------------------------------------------------------------------


@pytest.fixture
def two(graph: Graph) -> Graph:
    """Ana Silva at Acme, and A. S. who likes tea: two, as far as anybody said."""
    graph.state(fact("Ana Silva", "works_at", "Acme", "2020-01-01", id="a"))
    graph.state(value("Doctor Strange", "likes", "tea", id="b", valid_at=at("2021-01-01")))
    return graph


def test_after_a_merge_both_ids_lead_to_one_entity(two: Graph) -> None:
    ana, doctor = two.id("Ana Silva"), two.id("Doctor Strange")
    answer = two.post(f"entities/{ana}/merge", {"entity_id": doctor, "reason": "her nickname"})
    [merged] = answer["entity_ids"]
    assert merged in (ana, doctor)
    assert answer["seq"] > 0
    told = [two.get(f"entities/{each}") for each in (ana, doctor)]
    assert told[0] == told[1]
    assert told[0]["id"] == merged
    assert {told[0]["name"], *told[0]["aliases"]} >= {"Ana Silva", "Doctor Strange"}
    for path in ("timeline", "neighbourhood"):
        assert two.get(f"entities/{ana}/{path}") == two.get(f"entities/{doctor}/{path}")
    assert len(two.get(f"entities/{ana}/timeline")["items"]) == 2
    assert two.texts(entity=ana) == two.texts(entity=doctor) == two.texts(subject=ana)
    assert two.get("paths", source=doctor, target=two.id("Acme"))["items"]
    assert [entity["id"] for entity in two.get("entities", name="Doctor Strange")["items"]] == [merged]


def test_what_was_known_before_a_merge_is_known_of_two(two: Graph) -> None:
    before = two.now()
    ana, doctor = two.id("Ana Silva"), two.id("Doctor Strange")
    two.post(f"entities/{ana}/merge", {"entity_id": doctor})
    then = [two.get(f"entities/{each}", known_at=before) for each in (ana, doctor)]
    assert [each["id"] for each in then] == [ana, doctor]
    assert len(two.get(f"entities/{ana}/timeline", known_at=before)["items"]) == 1
    assert two.texts(entity=doctor, known_at=before) == ["Doctor Strange likes tea"]


def test_an_undone_merge_leaves_two_as_they_were(two: Graph) -> None:
    ana, doctor = two.id("Ana Silva"), two.id("Doctor Strange")
    before = two.belief()
    two.post(f"entities/{ana}/merge", {"entity_id": doctor})
    merged_at = two.now()
    assert two.belief() != before
    answer = two.post(f"entities/{doctor}/split", {"entity_id": ana, "reason": "two after all"})
    assert set(answer["entity_ids"]) == {ana, doctor}
    assert two.belief() == before
    assert (
        two.get(f"entities/{ana}", known_at=merged_at)["id"] == two.get(f"entities/{doctor}", known_at=merged_at)["id"]
    )


def test_a_name_that_many_had_once_is_found_with_whoever_has_it_now(graph: Graph) -> None:
    """However short the pages are: those who had the name only for a while do not fill them."""
    graph.state(value("Zoe Quin", "likes", "tea"), *[value(f"Person {n}", "likes", "tea") for n in range(8)])
    zoe = graph.id("Zoe Quin")
    for n in range(8):
        other = graph.id(f"Person {n}")
        graph.post(f"entities/{other}/merge", {"entity_id": zoe})
        graph.post(f"entities/{other}/split", {"entity_id": zoe})
    for length in (1, 2, 50):
        found = list(graph.service.pages("entities", limit=length, name="Zoe Quin"))
        assert [entity["id"] for entity in found] == [zoe]


def test_a_split_holds_against_the_services_own_rules(graph: Graph) -> None:
    graph.state(
        fact("Robert Miller", "works_at", "Acme", "2020-01-01"), fact("Bob Miller", "works_at", "Acme", "2020-01-01")
    )
    robert, bob = graph.id("Robert Miller"), graph.id("Bob Miller")
    if robert != bob:
        graph.post(f"entities/{robert}/merge", {"entity_id": bob})
    ids = {entity["id"] for entity in graph.get("entities", text="miller")["items"]}
    assert len(ids) == 1
    graph.state(value("Bob Miller", "likes", "tea"), value("Robert Miller", "likes", "coffee"))
    names = {"Robert Miller", "Bob Miller"}
    assert {graph.get(f"entities/{i}")["name"] for i in ids} <= names


def test_merging_what_is_one_already_and_splitting_what_is_two_is_refused(two: Graph) -> None:
    ana, doctor = two.id("Ana Silva"), two.id("Doctor Strange")
    refused(two.service.post(f"entities/{ana}/merge", {"entity_id": ana}), Invalid)
    refused(two.service.post(f"entities/{ana}/split", {"entity_id": doctor}), Invalid)
    refused(two.service.post(f"entities/{ana}/split", {"entity_id": ana}), Invalid)
    two.post(f"entities/{ana}/merge", {"entity_id": doctor})
    refused(two.service.post(f"entities/{doctor}/merge", {"entity_id": ana}), Invalid)


def test_a_chain_of_merges_leads_to_one_and_a_circle_ends(graph: Graph) -> None:
    names = [f"Alias {word}" for word in ("one", "two", "three", "four")]
    graph.state(*[value(name, "likes", name) for name in names])
    ids = [graph.id(name) for name in names]
    for one, other in pairwise(ids):
        graph.post(f"entities/{one}/merge", {"entity_id": other})
    assert len({graph.get(f"entities/{each}")["id"] for each in ids}) == 1
    refused(graph.service.post(f"entities/{ids[-1]}/merge", {"entity_id": ids[0]}), Invalid)
    graph.post(f"entities/{ids[1]}/split", {"entity_id": ids[2]})
    groups = [graph.get(f"entities/{each}")["id"] for each in ids]
    assert groups[0] == groups[1] != groups[2] == groups[3]
    graph.post(f"entities/{ids[0]}/merge", {"entity_id": ids[3]})
    assert all(graph.get(f"entities/{each}/timeline")["items"] for each in ids)


@pytest.mark.parametrize("body", [{}, {"entity_id": ""}, {"entity_id": "a b"}, {"entity_id": "x", "why": 1}, []])
def test_a_merge_that_cannot_be_read_is_refused(two: Graph, body: Any) -> None:
    for verb in ("merge", "split"):
        refused(two.service.post(f"entities/{two.id('Ana Silva')}/{verb}", body), Invalid)


# --- retracting ----------------------------------------------------------------------------------------------------------


def test_a_retraction_reopens_what_it_had_closed_and_the_old_belief_stays(career: Graph) -> None:
    before = career.now()
    timeline = career.timeline("Ana")
    [initech] = career.get("facts", predicate="works_at")["items"]
    answer = career.post(f"facts/{initech['id']}/retract", {"reason": "a joke"})
    assert answer["seq"] > 0
    assert career.texts(predicate="works_at") == ["Ana works at Acme"]
    assert career.timeline("Ana")[-1] == ("Ana works at Acme", "2020-01-01", "")
    assert career.timeline("Ana", known_at=before) == timeline
    assert career.texts(predicate="works_at", known_at=before) == ["Ana works at Initech"]
    [version] = career.get(f"facts/{initech['id']}/history")["items"]
    assert version["expired_at"] == career.now()


def test_the_history_of_a_fact_tells_every_belief_with_its_sources(career: Graph) -> None:
    [acme] = career.get("facts", as_of=at("2021-01-01"), predicate="works_at")["items"]
    [initech] = career.get("facts", predicate="works_at")["items"]
    career.post(f"facts/{initech['id']}/retract", {})
    career.state(fact("Ana", "works_at", "Acme", "2020-01-01", id="again"))
    versions = career.get(f"facts/{acme['id']}/history")["items"]
    assert [day(version.get("invalid_at")) for version in versions][:2] == ["2024-01-01", ""]
    assert versions[0]["episode_ids"] == ["acme"]
    assert versions[0]["closed_by"] == {"rule": "successor", "episode_id": "initech"}
    assert all(one["expired_at"] == next_["created_at"] for one, next_ in pairwise(versions))
    assert "expired_at" not in versions[-1]
    assert career.get("facts", predicate="works_at")["items"][0]["episode_ids"] == ["acme", "again"]


def test_a_retracted_fact_cannot_be_retracted_again_but_can_be_said_again(career: Graph) -> None:
    [initech] = career.get("facts", predicate="works_at")["items"]
    career.post(f"facts/{initech['id']}/retract", {})
    refused(career.service.post(f"facts/{initech['id']}/retract", {}), NotFound)
    career.state(fact("Ana", "works_at", "Initech", "2024-01-01"))
    assert career.texts(predicate="works_at") == ["Ana works at Initech"]


def test_a_retraction_leaves_the_episode(career: Graph) -> None:
    [initech] = career.get("facts", predicate="works_at")["items"]
    career.post(f"facts/{initech['id']}/retract", {})
    assert career.service.get("episodes/initech").status_code == 200


@pytest.mark.parametrize("body", [{"reason": "x" * 1025}, {"because": "x"}, {"reason": "a\0b"}, []])
def test_a_retraction_that_cannot_be_read_is_refused(career: Graph, body: Any) -> None:
    [initech] = career.get("facts", predicate="works_at")["items"]
    refused(career.service.post(f"facts/{initech['id']}/retract", body), Invalid)


# --- erasing -------------------------------------------------------------------------------------------------------------


def test_an_erasure_takes_facts_without_another_source_and_reopens_what_they_closed(career: Graph) -> None:
    assert career.service.delete("episodes/initech").status_code == 204
    assert career.texts() == ["Ana works at Acme", "Ana is a friend of Bob"]
    assert career.texts(known_at=career.now()) == career.texts()
    assert [entity["name"] for entity in career.get("entities", text="initech")["items"]] == []
    assert all("Initech" not in version["text"] for version in career.service.pages("facts", all_times=True))


def test_after_an_erasure_every_answer_is_that_of_a_store_which_never_had_it(
    start: Start, clock: FrozenClock, tmp_path: Any
) -> None:
    told = [
        fact("Ana", "works_at", "Acme", "2020-01-01", id="a", occurred_at=at("2025-01-01")),
        fact("Ana", "works_at", "Initech", "2024-01-01", id="b", occurred_at=at("2025-01-02")),
        fact("Ana", "works_at", "Acme", "2020-01-01", id="c", occurred_at=at("2025-01-03")),
        fact("Bob", "friend_of", "Ana", "2020-01-01", id="d", occurred_at=at("2025-01-04")),
    ]
    full = Graph(start(clock, data_dir=tmp_path / "full"), clock)
    for each in told:
        full.state(each)
    assert full.service.delete("episodes/b").status_code == 204
    never = Graph(start(FrozenClock(), data_dir=tmp_path / "never"), FrozenClock())
    for each in told:
        if each["id"] != "b":
            never.state(each)
    assert full.belief() == never.belief()
    assert full.timeline("Ana") == never.timeline("Ana")


def test_a_fact_with_another_source_survives_an_erasure(graph: Graph) -> None:
    graph.state(value("Ana", "likes", "sushi", id="e1", valid_at=at("2020-01-01"), sentence="First said."))
    graph.state(value("Ana", "likes", "sushi", id="e2", valid_at=at("2020-01-01"), sentence="Said again."))
    assert graph.service.delete("episodes/e1").status_code == 204
    [found] = graph.get("facts")["items"]
    assert found["episode_ids"] == ["e2"]
    assert found["sentence"] == "Said again."


def test_an_erased_namespace_has_no_graph(career: Graph) -> None:
    ana = career.id("Ana")
    assert career.service.delete("").status_code == 204
    for path in ("facts", "entities", "communities"):
        assert career.get(path)["items"] == []
    refused(career.service.get(f"entities/{ana}"), NotFound)


# --- structure -----------------------------------------------------------------------------------------------------------


def test_a_neighbourhood_goes_so_many_facts_far(career: Graph) -> None:
    bob = career.id("Bob")
    near = career.get(f"entities/{bob}/neighbourhood")
    assert {(each["name"], each["distance"]) for each in near["entities"]} == {("Bob", 0), ("Ana", 1)}
    assert [each["text"] for each in near["facts"]] == ["Ana is a friend of Bob"]
    far = career.get(f"entities/{bob}/neighbourhood", hops=2)
    assert {(each["name"], each["distance"]) for each in far["entities"]} == {("Bob", 0), ("Ana", 1), ("Initech", 2)}
    assert far["is_complete"] is True
    then = career.get(f"entities/{bob}/neighbourhood", hops=2, as_of=at("2021-01-01"))
    assert "Acme" in [each["name"] for each in then["entities"]]
    only = career.get(f"entities/{bob}/neighbourhood", hops=2, predicate="works_at")
    assert [each["name"] for each in only["entities"]] == ["Bob"]


def test_a_neighbourhood_that_was_cut_says_so(graph: Graph) -> None:
    graph.state(*[fact("Hub", "knows", f"Friend {n}") for n in range(20)])
    cut = graph.get(f"entities/{graph.id('Hub')}/neighbourhood", per_hop=5)
    assert cut["is_complete"] is False
    assert len(cut["entities"]) == 6


def test_paths_are_the_shortest_through_facts_that_hold(career: Graph) -> None:
    bob, initech, acme = career.id("Bob"), career.id("Initech"), career.id("Acme")
    [path] = career.get("paths", source=bob, target=initech)["items"]
    assert [each["name"] for each in path["entities"]] == ["Bob", "Ana", "Initech"]
    assert [each["text"] for each in path["facts"]] == ["Ana is a friend of Bob", "Ana works at Initech"]
    assert career.get("paths", source=bob, target=acme)["items"] == [], "she is there no more"
    assert career.get("paths", source=bob, target=acme, as_of=at("2021-01-01"))["items"]
    assert career.get("paths", source=bob, target=initech, max_hops=1) == {"items": [], "is_complete": True}


def test_changes_tell_what_began_and_ceased_to_be_believed(graph: Graph) -> None:
    [acme] = graph.state(fact("Ana", "works_at", "Acme", "2020-01-01"))
    first = graph.now()
    [initech] = graph.state(fact("Ana", "works_at", "Initech", "2024-01-01"))
    second = graph.now()
    told = [
        (change["at"], change["kind"], change["fact"]["id"]) for change in graph.get("changes", since=LONG_AGO)["items"]
    ]
    assert told[0] == (first, "believed", acme)
    assert sorted(told[1:]) == sorted(
        [(second, "expired", acme), (second, "believed", acme), (second, "believed", initech)]
    )
    expired, believed = [
        change for change in graph.get("changes", since=second)["items"] if change["fact"]["id"] == acme
    ]
    assert (expired["kind"], believed["kind"]) == ("expired", "believed"), (
        "the old belief goes before the new one comes"
    )
    assert "invalid_at" not in expired["fact"]
    assert believed["fact"]["invalid_at"] == at("2024-01-01")
    assert graph.get("changes", since=LONG_AGO, until=first)["items"] == []
    assert len(graph.get("changes", since=first, until=second)["items"]) == 1


def test_communities_are_told_as_known_now(career: Graph) -> None:
    past = format_instant(now(career.clock) - timedelta(days=1))
    refused(career.service.get("communities", params={"known_at": past}), KnownAtUnsupported)
    refused(career.service.get("communities", "nowhere", params={"known_at": past}), KnownAtUnsupported)
    groups = career.get("communities")["items"]
    assert {member["name"] for group in groups for member in group["members"]} >= {"Ana", "Bob", "Initech"}
    for group in groups:
        assert group["episode_ids"]
        assert set(group["fact_ids"]) <= {found["id"] for found in career.get("facts")["items"]}
    sizes = [len(group["members"]) for group in career.service.pages("communities", limit=1)]
    assert sizes == sorted(sizes, reverse=True)


def test_a_graph_too_large_for_communities_says_so(career: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_COMMUNITY_EDGES", 1)
    answer = career.service.get("communities")
    assert 400 <= answer.status_code < 500
    refused(answer, Invalid, says="more than 1 facts")


# --- crowds --------------------------------------------------------------------------------------------------------------


ALIASES = int(os.environ.get("TEST_ALIASES", "1000"))
"""10,000 take minutes to state."""


def test_an_entity_of_many_aliases_stays_readable(graph: Graph) -> None:
    """Spellings of one name that only letters' case tells apart."""
    base = "abcdefghijklmn"

    def spelling(number: int) -> str:
        return "".join(c.upper() if number >> place & 1 else c for place, c in enumerate(base))

    for start in range(0, ALIASES, 100):
        graph.state(*[value(spelling(n), "likes", "tea", id=f"e{n}") for n in range(start, start + 100)])
    identity = graph.id(base)
    known = graph.service.get(f"entities/{identity}")
    assert known.status_code == 200
    assert len(known.content) < 100_000
    [found] = graph.get("facts")["items"]
    assert len(found["episode_ids"]) == ALIASES
    assert graph.id(spelling(ALIASES - 1)) == identity


# --- limits of ids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["entities/a%20b", "facts/%2e%2e/history", "entities/a%2Fb/timeline", "facts/x%00/history"]
)
def test_ids_that_are_none_are_refused_or_not_found(graph: Graph, path: str) -> None:
    response = graph.service.http.get(f"/v1/namespaces/{NS}/{path}")
    assert response.status_code in (404, 422)
    assert issubclass(NotFound, ProblemError)
