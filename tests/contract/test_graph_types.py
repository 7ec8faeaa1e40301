"""Entity and fact types of a user's own: registered by name, validated, filtered on."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from graph import predicates
from graph.predicates import Predicate
from graph.types import TypeRegistry
from memory_service import app
from memory_service.app import build_app, build_service
from memory_service.errors import ConfigurationError
from memory_service.settings import Settings


class Customer(BaseModel):
    tier: Literal["free", "paid"]
    seats: int = Field(1, ge=1)


class Assignment(BaseModel):
    region: str


def register(types: TypeRegistry) -> None:
    types.entity("Customer", Customer)
    types.fact(Predicate("account_manager", "functional", "entity", "is looked after by"), Assignment)


@pytest.fixture
def module() -> Iterator[str]:
    made = ModuleType("own_types_of_a_test")
    made.register = register  # type: ignore[attr-defined]
    sys.modules[made.__name__] = made
    yield made.__name__
    # A predicate is registered for its process: the tests that follow must not know of it.
    del sys.modules[made.__name__]
    predicates.CATALOGUE.pop("account_manager", None)
    app.types_of.cache_clear()


@pytest.fixture
def client(tmp_path: Path, module: str) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path, embedding_model="test", auth="off", graph_types=module)
    with TestClient(build_app(settings, build_service(settings)), base_url="http://127.0.0.1") as client:
        yield client


def state(client: TestClient, **fact: Any) -> Any:
    return client.post("/v1/namespaces/ns/facts", json={"facts": [fact]})


def customer(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "type": "Customer", "attributes": attributes}


def test_attributes_are_kept_as_the_model_makes_them_and_can_be_filtered_on(client: TestClient) -> None:
    for name, tier in (("Globex", "paid"), ("Initech", "free")):
        answer = state(client, subject=customer(name, tier=tier), predicate="likes", value="invoices")
        assert answer.status_code == 202, answer.text
    found = client.get(
        "/v1/namespaces/ns/entities", params={"type": "Customer", "attributes": '{"tier":"paid"}'}
    ).json()
    assert [(each["name"], each["attributes"]) for each in found["items"]] == [("Globex", {"tier": "paid", "seats": 1})]


def test_attributes_that_the_model_refuses_are_refused_by_name_and_nothing_is_stored(client: TestClient) -> None:
    answer = state(client, subject=customer("Globex", tier="golden"), predicate="likes", value="invoices")
    assert answer.status_code == 422
    assert "Customer: tier" in answer.json()["detail"]
    assert client.get("/v1/namespaces/ns/episodes").json()["items"] == []


def test_a_predicate_of_ones_own_has_its_cardinality_and_its_qualifiers(client: TestClient) -> None:
    for name, since in (("Ana", "2024-01-01T00:00:00Z"), ("Rui", "2025-01-01T00:00:00Z")):
        answer = state(
            client,
            subject={"name": "Globex"},
            predicate="account_manager",
            object={"name": name, "type": "Person"},
            qualifiers={"region": "South"},
            valid_at=since,
        )
        assert answer.status_code == 202, answer.text
    found = client.get("/v1/namespaces/ns/facts", params={"predicate": "account_manager", "all_times": True}).json()
    assert [(f["object"]["name"], f.get("invalid_at")) for f in found["items"]] == [
        ("Rui", None),
        ("Ana", "2025-01-01T00:00:00Z"),
    ]
    by_region = client.get("/v1/namespaces/ns/facts", params={"qualifiers": '{"region":"North"}'}).json()
    assert by_region["items"] == []
    missing = state(client, subject={"name": "Globex"}, predicate="account_manager", object={"name": "Eva"})
    assert missing.status_code == 422
    assert "region" in missing.json()["detail"]


def test_a_module_that_is_not_there_keeps_the_service_from_starting(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, embedding_model="test", auth="off", graph_types="no.such.module")
    with pytest.raises(ConfigurationError, match=r"MEMORY_GRAPH_TYPES: cannot import 'no.such.module'"):
        build_service(settings)


def test_a_name_is_registered_once() -> None:
    types = TypeRegistry()
    types.entity("Customer", Customer)
    types.entity("Customer", Customer)
    with pytest.raises(ValueError, match="twice"):
        types.entity("Customer", Assignment)
    with pytest.raises(ValueError, match="in the catalogue already"):
        types.fact(Predicate("lives_in", "accumulating", "entity", "dwells in"))
