"""docs/graph.md tells the truth: its examples run as they stand there, and its numbers are the code's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graph import limits as graph_limits
from memory_service import MemoryClient, limits
from tests.support.process import ROOT, Server, environment, serving

DOCUMENT = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")


def block(language: str, containing: str = "") -> str:
    """The document's one code block of this language that holds these words."""
    [found] = [text for text in re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.S) if containing in text]
    return found


def test_the_worked_example_runs_and_prints_what_stands_below_it(server: Server) -> None:
    code = block("python", "MemoryClient").replace("http://127.0.0.1:8090", server.url)
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = [line.split(" ", 2)[2] for line in done.stdout.splitlines()]
    assert sorted(told) == sorted(block("text").splitlines())
    shown = subprocess.run(
        [sys.executable, "-m", "memory_service", "graph", "show", "Ana", "-n", "office"],
        cwd=ROOT, env=environment(url=server.url), capture_output=True, text=True,
    )  # fmt: skip
    assert "2021-03-01 00:00 – now" in shown.stdout
    assert "Ana works at Acme" in shown.stdout


def test_the_rest_example_runs(server: Server) -> None:
    code = block("sh").replace("localhost:8090", server.url.removeprefix("http://"))
    done = subprocess.run(["bash", "-ec", code], env={**environment(), "KEY": "unused"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"episode_id":"hr-17"' in done.stdout
    assert "Ana Silva works at Acme" in done.stdout


def test_the_module_of_types_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_types.py").write_text(block("python", "def register"), encoding="utf-8")
    told = {
        "facts": [
            {"subject": {"name": "Acme", "type": "Customer", "attributes": {"tier": "paid", "seats": seats}},
             "predicate": "account_manager", "object": {"name": manager}, "valid_at": f"202{n}-01-01T00:00:00Z"}
            for n, (seats, manager) in enumerate([(5, "Ana"), (9, "Bob"), (0, "Zoe")])
        ]
    }  # fmt: skip
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with serving(tmp_path / "server", tmp_path / "data", graph_types="own_types") as server, server.client() as http:
        url = "/v1/namespaces/crm/facts"
        refusal = http.post(url, json=told)
        assert refusal.status_code == 422
        assert "seats" in refusal.json()["detail"]
        assert http.post(url, json={"facts": told["facts"][:2]}).status_code == 202
        assert [fact["text"] for fact in http.get(url).json()["items"]] == ["Acme is looked after by Bob"]


def test_every_route_of_the_table_exists_and_none_is_missing(server: Server) -> None:
    with server.client() as http:
        paths = http.get("/openapi.json").json()["paths"]
    known = {
        (method.upper(), path.removeprefix("/v1/namespaces/{ns}"))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("tags") == ["graph"]
    }
    told: set[tuple[str, str]] = set()
    for method, path in re.findall(r"^\| `(GET|POST) (/[^`?]*)", DOCUMENT, re.M):
        told.add((method, path))
    told.add(("POST", "/entities/{id}/split"))
    assert told == known


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("facts in one request", [limits.MAX_BATCH_FACTS]),
        ("characters of a name", [limits.MAX_ENTITY_NAME_CHARS, limits.MAX_FACT_VALUE_CHARS]),
        ("attributes or qualifiers", [limits.MAX_FACT_QUALIFIERS]),
        ("hops of a neighbourhood", [limits.MAX_HOPS, limits.MAX_PATH_HOPS]),
        ("neighbours of each entity", [limits.MAX_NEIGHBOURS_PER_HOP]),
        ("paths in an answer", [limits.MAX_PATHS]),
        ("facts from whose beginning", [graph_limits.MAX_TIMELINE_FACTS]),
        ("facts between entities", [limits.MAX_COMMUNITY_EDGES]),
        ("names that an entity shows", [graph_limits.MAX_LISTED_ALIASES]),
    ],
)
def test_the_limits_are_the_codes(row: str, values: list[int]) -> None:
    [cell] = re.findall(rf"^\| {row}[^|]*\| (.*?) \|", DOCUMENT, re.M)
    assert [int(number.replace(",", "")) for number in cell.split(" / ")] == values


def test_the_document_is_linked_to() -> None:
    assert "docs/graph.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "graph.md" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert MemoryClient.facts.__doc__
