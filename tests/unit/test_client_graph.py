"""The SDK's operations on the graph over a transport that answers from a script, and once against a real server."""

import asyncio
import json
from datetime import datetime
from typing import Any, assert_type

import httpx2
import pytest

from memory_service import AsyncMemoryClient, MemoryClient, errors
from memory_service import wire_graph as wire
from memory_service.client.graph import GraphOperations
from tests.support.process import Server
from tests.unit.test_client import PASSING_TROUBLE, Case, Sdk, answer, page, problem, sdk

__all__ = ["sdk"]  # the fixture

AT = "2026-03-01T09:30:00+01:00"
NOW = datetime.fromisoformat(AT)
SENT_AT = "2026-03-01T09%3A30%3A00%2B01%3A00"

REF = {"id": "n1", "name": "Ana"}
ENTITY = {**REF, "namespace": "ann", "type": "Person", "aliases": [], "first_known_at": AT, "created_at": AT}
FACT = {
    "id": "f1",
    "subject": REF,
    "predicate": "works_at",
    "object": {"id": "n2", "name": "Acme"},
    "text": "Ana works at Acme",
    "sentence": "I work at Acme.",
    "valid_at": AT,
    "valid_at_basis": "stated",
    "valid_at_precision": "day",
    "created_at": AT,
    "confidence": 1.0,
    "episode_ids": ["e1"],
    "extractor": "rules/1",
    "closed_by": {"rule": "successor", "episode_id": "e2"},
}
STATED = {"id": "s1", "subject": {"name": "Ana"}, "predicate": "works_at", "object": {"id": "n2"}}
WRITTEN = {"seq": 7, "entity_ids": ["n1"]}
NS = "/v1/namespaces/ann"

CASES = [
    Case("entities", ("ann",), f"GET {NS}/entities", page(ENTITY), wire.EntityPage),
    Case("entities", ("ann",),
         f"GET {NS}/entities?type=Person&name=Ana+%26+Co&text=a&attributes=%7B%22vip%22%3Atrue%7D"
         f"&known_at={SENT_AT}&limit=5&cursor=c%3D",
         page(ENTITY), wire.EntityPage,
         kwargs={"type": "Person", "name": "Ana & Co", "text": "a", "attributes": {"vip": True}, "known_at": NOW,
                 "limit": 5, "cursor": "c="}),
    Case("entity", ("ann", "n1"), f"GET {NS}/entities/n1", ENTITY, wire.Entity),
    Case("entity", ("ann", "n1"), f"GET {NS}/entities/n1?known_at={SENT_AT}", ENTITY, wire.Entity,
         kwargs={"known_at": AT}),
    Case("timeline", ("ann", "n1"), f"GET {NS}/entities/n1/timeline?known_at={SENT_AT}&limit=2", page(FACT),
         wire.FactPage, kwargs={"known_at": NOW, "limit": 2}),
    Case("neighbourhood", ("ann", "n1"),
         f"GET {NS}/entities/n1/neighbourhood?hops=2&per_hop=9&predicate=works_at&predicate=knows&as_of={SENT_AT}",
         {"entities": [{**ENTITY, "distance": 0}], "facts": [FACT], "is_complete": True}, wire.Neighbourhood,
         kwargs={"hops": 2, "per_hop": 9, "predicates": ("works_at", "knows"), "as_of": NOW}),
    Case("merge_entities", ("ann", "n1", "n3"), f"POST {NS}/entities/n1/merge", WRITTEN, wire.GraphWritten,
         kwargs={"reason": "the same"}, body={"entity_id": "n3", "reason": "the same"}, repeatable=False),
    Case("split_entities", ("ann", "n1", "n3"), f"POST {NS}/entities/n1/split", WRITTEN, wire.GraphWritten,
         body={"entity_id": "n3"}, repeatable=False),
    Case("state_facts", ("ann", [STATED, wire.FactIn.model_validate({**STATED, "id": "s2", "valid_at": NOW})]),
         f"POST {NS}/facts", {"facts": [{"episode_id": "s1", "fact_ids": ["f1"]}], "seq": 7}, wire.FactsResponse,
         body={"facts": [STATED, {**STATED, "id": "s2", "valid_at": AT}]}, status=202),
    Case("facts", ("ann",), f"GET {NS}/facts", page(FACT), wire.FactPage),
    Case("facts", ("ann",),
         f"GET {NS}/facts?entity=n1&predicate=works_at&text=acme&qualifiers=%7B%22role%22%3A%22CTO%22%7D"
         f"&as_of={SENT_AT}&known_at={SENT_AT}&all_times=true&limit=1&cursor=c",
         page(FACT), wire.FactPage,
         kwargs={"entity": "n1", "predicates": ["works_at"], "text": "acme", "qualifiers": {"role": "CTO"},
                 "as_of": AT, "known_at": NOW, "all_times": True, "limit": 1, "cursor": "c", "subject": None}),
    Case("fact_history", ("ann", "f1"), f"GET {NS}/facts/f1/history", page(FACT), wire.FactPage),
    Case("retract_fact", ("ann", "f1"), f"POST {NS}/facts/f1/retract", {"seq": 7}, wire.GraphWritten,
         kwargs={"reason": "a joke"}, body={"reason": "a joke"}, repeatable=False),
    Case("paths", ("ann", "n1", "n2"), f"GET {NS}/paths?source=n1&target=n2&max_hops=3&limit=2&known_at={SENT_AT}",
         {"items": [{"entities": [REF], "facts": [FACT]}], "is_complete": True}, wire.Paths,
         kwargs={"max_hops": 3, "limit": 2, "known_at": NOW}),
    Case("changes", ("ann", NOW), f"GET {NS}/changes?since={SENT_AT}&until={SENT_AT}&limit=3",
         page({"at": AT, "kind": "believed", "fact": FACT}), wire.ChangePage, kwargs={"until": AT, "limit": 3}),
    Case("communities", ("ann",), f"GET {NS}/communities?limit=1",
         page({"id": "c1", "name": "Ana", "summary": "", "members": [REF], "fact_ids": ["f1"], "episode_ids": ["e1"]}),
         wire.CommunityPage, kwargs={"limit": 1}),
]  # fmt: skip
ITERATIONS = {
    "iter_entities": (("ann",), ENTITY, wire.Entity),
    "iter_facts": (("ann",), FACT, wire.Fact),
    "iter_timeline": (("ann", "n1"), FACT, wire.Fact),
    "iter_changes": (("ann", AT), {"at": AT, "kind": "expired", "fact": FACT}, wire.Change),
}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation)


@each_case
def test_an_operation_sends_its_request_and_returns_its_type(sdk: Sdk, case: Case) -> None:
    sdk.script(answer(case.answer, case.status))
    result = sdk.call(case.operation, *case.args, **case.kwargs)
    [request] = sdk.requests
    assert f"{request.method} {request.url.raw_path.decode()}" == case.sent
    assert json.loads(request.content or b"null") == case.body
    assert type(result) is case.returns


def test_every_operation_on_the_graph_has_a_case() -> None:
    names = {name for name in dir(GraphOperations) if not name.startswith("_")}
    assert names == {case.operation for case in CASES} | ITERATIONS.keys()


@pytest.mark.parametrize("operation", ITERATIONS)
def test_an_iteration_fetches_page_after_page_and_only_what_is_asked_for(sdk: Sdk, operation: str) -> None:
    args, item, kind = ITERATIONS[operation]
    sdk.script(answer(page(item, item, next_cursor="c2")), answer(page(next_cursor="c3")), answer(page(item)))
    items = sdk.iterate(operation, *args)
    assert [type(each) for each in items] == [kind] * 3
    assert [request.url.params.get("cursor") for request in sdk.requests] == [None, "c2", "c3"]
    assert {request.url.params["limit"] for request in sdk.requests} == {"200"}
    sdk.requests.clear()
    sdk.script(answer(page(item, item, next_cursor="c2")))
    assert len(sdk.iterate(operation, *args, first=2)) == 2
    assert len(sdk.requests) == 1


async def the_async_types_are_exact(c: AsyncMemoryClient) -> None:
    """Never run: pyright checks it."""
    assert_type(await c.facts("ann", entity="n1", all_times=True), wire.FactPage)
    assert_type([f async for f in c.iter_facts("ann", predicates=["works_at"])], list[wire.Fact])


def the_sync_types_are_exact(c: MemoryClient) -> None:
    """Never run: pyright checks it."""
    assert_type(c.state_facts("ann", []), wire.FactsResponse)
    assert_type(c.paths("ann", "a", "b"), wire.Paths)
    assert_type(list(c.iter_timeline("ann", "a")), list[wire.Fact])


# --- what is refused before it is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("naive", [datetime(2026, 3, 1), "2026-03-01T00:00:00", "yesterday"])
def test_an_instant_without_offset_is_refused_before_it_is_sent(sdk: Sdk, naive: object) -> None:
    sdk.script()
    for operation, args, kwargs in [
        ("facts", ("ann",), {"as_of": naive}),
        ("entity", ("ann", "n1"), {"known_at": naive}),
        ("changes", ("ann", naive), {}),
        ("paths", ("ann", "a", "b"), {"as_of": naive}),
        ("state_facts", ("ann", [{**STATED, "valid_at": naive}]), {}),
    ]:
        with pytest.raises(ValueError, match="offset"):
            sdk.call(operation, *args, **kwargs)
    assert not sdk.requests


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a b", "é", "x" * 129])
def test_an_id_that_would_name_another_resource_is_refused_before_it_is_sent(sdk: Sdk, bad: str) -> None:
    sdk.script()
    for operation, args in [
        ("entity", ("ann", bad)),
        ("timeline", (bad, "n1")),
        ("retract_fact", ("ann", bad)),
        ("merge_entities", ("ann", bad, "n1")),
    ]:
        with pytest.raises(ValueError, match="is no id"):
            sdk.call(operation, *args)
    assert not sdk.requests


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({**STATED, "value": "both"}, "not both"),
        ({**STATED, "object": None}, "needs an object or a value"),
        ({**STATED, "colour": "red"}, "colour"),
        ({**STATED, "subject": {}}, "either an id or a name"),
        ({**STATED, "predicate": "Works At"}, "predicate"),
        ({**STATED, "valid_at": "2026-01-02T00:00:00Z", "invalid_at": "2026-01-01T00:00:00Z"}, "ends before it begins"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_before_it_is_sent(sdk: Sdk, fact: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sdk.script().call("state_facts", "ann", [fact])


def test_values_that_json_cannot_hold_are_refused_instead_of_changed(sdk: Sdk) -> None:
    with pytest.raises(ValueError, match="JSON"):
        sdk.script().call("facts", "ann", qualifiers={"amount": float("nan")})


# --- retries and errors -------------------------------------------------------------------------------------------


@each_case
def test_passing_trouble_is_retried_where_that_is_safe(sdk: Sdk, case: Case) -> None:
    trouble = PASSING_TROUBLE["503"]()
    sdk.script(trouble, answer(case.answer, case.status))
    if case.repeatable:
        sdk.call(case.operation, *case.args, **case.kwargs)
    else:
        with pytest.raises(errors.StorageUnavailable):
            sdk.call(case.operation, *case.args, **case.kwargs)
    assert len({(r.method, str(r.url), r.content) for r in sdk.requests}) == 1
    assert len(sdk.requests) == (2 if case.repeatable else 1)


def test_a_fact_without_an_id_is_given_one_that_its_retries_keep(sdk: Sdk) -> None:
    receipts = {"facts": [{"episode_id": "x", "fact_ids": []}], "seq": 7}
    sdk.script(httpx2.ReadTimeout("no answer"), answer(receipts, 202), answer(receipts, 202))
    anonymous = {name: value for name, value in STATED.items() if name != "id"}
    sdk.call("state_facts", "ann", [anonymous, anonymous])
    sdk.call("state_facts", "ann", [anonymous])
    ids = [[fact["id"] for fact in json.loads(request.content)["facts"]] for request in sdk.requests]
    assert ids[0] == ids[1]
    assert len(set(ids[0] + ids[2])) == 3


def test_the_problems_of_the_graph_are_raised_by_their_types(sdk: Sdk) -> None:
    sdk.script(problem("graph-unavailable", 503), problem("known-at-unsupported", 422), retries=0)
    with pytest.raises(errors.GraphUnavailable):
        sdk.call("facts", "ann")
    with pytest.raises(errors.KnownAtUnsupported):
        sdk.call("communities", "ann")


def test_unknown_fields_of_a_newer_service_are_ignored(sdk: Sdk) -> None:
    sdk.script(answer(page({**FACT, "mood": "sure"})))
    assert sdk.call("facts", "ann").items[0].text == "Ana works at Acme"


# --- a real server --------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_every_operation_works_against_a_real_server(server: Server) -> None:
    with MemoryClient(server.url) as memory:
        stated = memory.state_facts(
            "ann",
            [
                fact("Ana", "works_at", "Acme", valid_at="2021-03-01T00:00:00Z"),
                fact("Ana", "works_at", "Initech", valid_at="2024-06-01T00:00:00Z", qualifiers={"role": "CTO"}),
                fact("Ana", "friend_of", "Bob", valid_at="2020-01-01T00:00:00Z"),
            ],
        )
        acme, initech, _ = (receipt.fact_ids[0] for receipt in stated.facts)
        ids = {entity.name: entity.id for entity in memory.iter_entities("ann")}
        assert ids.keys() == {"Ana", "Acme", "Initech", "Bob"}
        assert memory.entities("ann", name="ANA").items[0].id == ids["Ana"]
        assert "Initech" in memory.entity("ann", ids["Ana"]).summary
        [now] = memory.iter_facts("ann", entity=ids["Ana"], predicates=["works_at"], qualifiers={"role": "CTO"})
        assert now.id == initech
        [then] = memory.facts("ann", subject=ids["Ana"], predicates=["works_at"], as_of="2022-01-01T00:00:00Z").items
        assert then.id == acme
        lived = [line.text for line in memory.iter_timeline("ann", ids["Ana"])]
        assert lived == ["Ana is a friend of Bob", "Ana worked at Acme", "Ana works at Initech"]
        around = memory.neighbourhood("ann", ids["Bob"], hops=2)
        assert {entity.name: entity.distance for entity in around.entities} == {"Bob": 0, "Ana": 1, "Initech": 2}
        [way] = memory.paths("ann", ids["Bob"], ids["Initech"]).items
        assert [each.name for each in way.entities] == ["Bob", "Ana", "Initech"]
        assert [group.name for group in memory.communities("ann").items]
        memory.retract_fact("ann", initech, reason="It was a joke.")
        history = memory.fact_history("ann", acme).items
        assert [version.invalid_at is None for version in history][-1]
        assert {change.kind for change in memory.iter_changes("ann", "2020-01-01T00:00:00Z")} == {"believed", "expired"}
        merged = memory.merge_entities("ann", ids["Ana"], ids["Bob"], reason="a nickname").entity_ids[0]
        assert memory.entity("ann", ids["Bob"]).id == memory.entity("ann", ids["Ana"]).id == merged
        assert set(memory.split_entities("ann", ids["Ana"], ids["Bob"]).entity_ids) == {ids["Ana"], ids["Bob"]}
        with pytest.raises(errors.NotFound):
            memory.entity("ann", "nobody")
    assert asyncio.run(awaited(server.url)) == ["Ana is a friend of Bob", "Ana works at Acme"]


async def awaited(url: str) -> list[str]:
    async with AsyncMemoryClient(url) as memory:
        return sorted([each.text async for each in memory.iter_facts("ann")])


def fact(subject: str, predicate: str, thing: str, **more: Any) -> dict[str, Any]:
    return {"subject": {"name": subject}, "predicate": predicate, "object": {"name": thing}, **more}
