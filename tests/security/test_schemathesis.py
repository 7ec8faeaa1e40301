"""The OpenAPI document is true: requests made from it, good and bad, get only answers that it describes, and no 5xx."""

from collections.abc import Callable, Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.support.process import Server, serving


@schemathesis.check
def no_server_error(_context: object, response: schemathesis.Response, _case: Case) -> None:
    """503 is an answer of the contract, as to a min_seq that nothing has reached."""
    assert response.status_code < 500 or "not-caught-up" in response.text, response.text


CHECKS = [
    no_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]
bounded = examples(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("schema")
    with serving(folder, folder / "data", auth="keys") as server:
        yield server


@pytest.fixture(scope="module")
def document(locked: Server) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{locked.url}/openapi.json")


@pytest.fixture(scope="module")
def key(locked: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {(locked.data_dir / 'first-admin-key').read_text().strip()}"}


def operations(document: schemathesis.BaseSchema, prefix: str = "/") -> list[APIOperation]:
    found = [result.ok() for result in document.get_all_operations()]
    return [operation for operation in found if operation.path.startswith(prefix)]


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_one_that_the_document_describes(
    document: schemathesis.BaseSchema, key: dict[str, str], mode: GenerationMode
) -> None:
    wrong: list[str] = []
    for operation in operations(document):
        try:
            try_out(operation, mode, lambda case: without_waiting(case).call_and_validate(headers=key, checks=CHECKS))
        except Unsatisfiable:
            continue  # it takes nothing that could be wrong
        except (BaseExceptionGroup, FailureGroup) as error:
            wrong.append(f"{operation.label}: {error} {getattr(error, 'exceptions', '')}")
    assert not wrong, "\n\n".join(wrong)


def test_answers_that_hold_something_are_as_described_too(
    document: schemathesis.BaseSchema, key: dict[str, str], locked: Server
) -> None:
    turns = [
        {"id": f"e{n}", "content": f"Ann moved to Oslo {n}", "speaker": "Ann", "metadata": {"n": n}} for n in range(3)
    ]
    with locked.client() as http:
        stored = http.post("/v1/namespaces/ann/episodes?wait=enriched", json={"episodes": turns}, headers=key)
        assert stored.status_code == 202
        note = http.get("/v1/namespaces/ann/notes", headers=key).json()["items"][0]["id"]
        entity = http.get("/v1/namespaces/ann/entities", headers=key).json()["items"][0]["id"]
        fact = http.get("/v1/namespaces/ann/facts", headers=key).json()["items"][0]["id"]
    ids = {"notes": note, "entities": entity, "facts": fact}
    asked = {"paths": {"source": entity, "target": entity}, "changes": {"since": "2020-01-01T00:00:00Z"}}
    bodies = {"search": {"query": "Oslo", "explain": True}, "context": {"query": "Oslo", "token_budget": 300}}
    for operation in operations(document):
        last = operation.path.rpartition("/")[2]
        if operation.method.upper() == "GET" or last in bodies:
            body = {**bodies.get(last, {}), **({"namespaces": ["ann"]} if operation.path == "/v1/search" else {})}
            path = {
                "ns": "ann",
                "id": ids.get(operation.path.split("/")[4] if operation.path.count("/") > 3 else "", "e1"),
            }
            given = {name: value for name, value in path.items() if f"{{{name}}}" in operation.path}
            case = operation.Case(
                path_parameters=given,
                query=asked.get(last),
                **({"body": body, "media_type": "application/json"} if body else {}),
            )
            response = case.call_and_validate(headers=key, checks=CHECKS[:5])
            assert response.status_code == 200


def test_no_route_does_anything_without_a_key(document: schemathesis.BaseSchema) -> None:
    def refused(case: Case) -> None:
        assert case.call().status_code >= 400

    for operation in operations(document, "/v1/"):
        try_out(operation, GenerationMode.POSITIVE, refused, max_examples=3)


def without_waiting(case: Case) -> Case:
    """Without a min_seq, for which the service would wait each time."""
    if isinstance(case.body, dict) and isinstance(case.body.get("min_seq"), int | float):
        del case.body["min_seq"]
    return case


def try_out(
    operation: APIOperation, mode: GenerationMode, check: Callable[[Case], object], max_examples: int = 25
) -> None:
    """Sends generated requests of one operation to a check."""

    @examples(bounded, max_examples=max_examples)
    @given(case=operation.as_strategy(generation_mode=mode))
    def tried(case: Case) -> None:
        check(case)

    tried()
