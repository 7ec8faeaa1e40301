"""A graph store outside answers as the embedded one does, catches up after an outage, and lets go of what is erased."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from neo4j import GraphDatabase
from pydantic import SecretStr

from graph.stores.neo4j.schema import SCHEMA_VERSION as NEO4J_VERSION
from graph.stores.port import GraphStore
from graph.stores.sql.schema import SCHEMA_VERSION as SQL_VERSION
from graph.stores.sql.store import sql_digest
from memory_service import limits
from memory_service.app import build_service
from memory_service.errors import ConfigurationError, GraphUnavailable
from memory_service.knowledge.outside import open_graph_store
from memory_service.knowledge.projection import Projector
from memory_service.knowledge.reader import GraphReader
from memory_service.knowledge.views import EmbeddedGraphs
from memory_service.settings import Settings
from tests.support.graph_servers import (
    DatabaseServer,
    Missing,
    neo4j_server,
    postgresql_folder,
    postgresql_server,
    running_server,
)
from tests.support.polling import eventually
from tests.support.problems import refused
from tests.support.running import Running, Start

NS = "ann"
PASSWORD = secrets.token_hex(8)
SINCE = "0001-01-01T00:00:00Z"


@dataclass
class Outside:
    """A database server with its address, and a second connection that looks into it."""

    kind: str
    server: DatabaseServer
    store: GraphStore

    @property
    def url(self) -> str:
        return self.address(PASSWORD)

    def address(self, password: str) -> str:
        user, path = ("neo4j", "") if self.kind == "neo4j" else ("graph", "/postgres")
        scheme = "bolt" if self.kind == "neo4j" else "postgresql"
        return f"{scheme}://{user}:{password}@127.0.0.1:{self.server.port}{path}"

    def set_schema(self, version: int) -> None:
        """As another version of the service would have left it."""
        if self.kind == "neo4j":
            with GraphDatabase.driver(f"bolt://127.0.0.1:{self.server.port}", auth=("neo4j", PASSWORD)) as driver:
                driver.execute_query("MATCH (s:GraphSchema {id: 'graph'}) SET s.version = $v", v=version)
        else:
            with self.connection() as connection:
                connection.execute("UPDATE graph_info SET value = %s WHERE key = 'schema'", [version])

    @property
    def own_schema(self) -> int:
        return NEO4J_VERSION if self.kind == "neo4j" else SQL_VERSION

    def connection(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.server.port}/postgres", autocommit=True)


@pytest.fixture(scope="module", params=["postgresql", "neo4j"])
def outside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with ExitStack() as stack:
        try:
            if request.param == "neo4j":
                server = neo4j_server(tmp_path_factory.mktemp("neo4j"), PASSWORD)
            else:
                server = postgresql_server(stack.enter_context(postgresql_folder()))
        except Missing as missing:
            pytest.skip(str(missing))
        stack.enter_context(running_server(server))
        made = Outside(request.param, server, None)  # type: ignore[arg-type]
        if request.param == "postgresql":
            ask_for_passwords(made)
        made.store = open_graph_store(made.url)
        stack.callback(made.store.close)
        yield made


def ask_for_passwords(made: Outside) -> None:
    """Users other than the tests' own have to know theirs."""
    with made.connection() as connection:
        connection.execute(f"CREATE ROLE graph LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        [folder] = connection.execute("SHOW data_directory").fetchone() or ("",)
        rules = Path(folder) / "pg_hba.conf"
        rules.write_text("host all graph all scram-sha-256\n" + rules.read_text())
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not fail a test."""
    monkeypatch.setattr(limits, "MAX_GRAPH_APPLY_WAIT_MS", 60_000)


@pytest.fixture
def service(start: Start, outside: Outside) -> Running:
    return start(graph_url=SecretStr(outside.url))


def told(service: Running) -> None:
    """Waits until the store outside knows all that the log says."""
    service.settle()
    projector = projector_of(service)
    eventually(lambda: projector.lag() == 0 and projector.is_reachable)


def projector_of(service: Running) -> Projector:
    projector = service.service.projector
    assert projector is not None
    return projector


def embedded_digest(service: Running, ns: str = NS) -> str:
    with service.service.store.database.read() as connection:
        return sql_digest(connection, ns)


def fact(episode: str, subject: str, predicate: str, thing: str, since: str) -> dict[str, Any]:
    return {
        "id": episode,
        "subject": {"name": subject},
        "predicate": predicate,
        "object": {"name": thing},
        "valid_at": f"{since}T00:00:00Z",
    }


def talk(service: Running) -> None:
    """People talk, somebody states facts, merges, undoes, retracts and erases."""
    turns = ["I moved to Lisbon in May 2023. I work at Acme as an engineer.", "My sister Ana lives in Porto.",
             "I quit my job at Acme last week. I just moved to Berlin.", "I love sushi. My dog Rex is great."]  # fmt: skip
    service.append(
        *[{"id": f"m{n}", "content": text, "speaker": "Maria", "role": "user",
           "occurred_at": f"2023-0{n + 6}-01T10:00:00Z"} for n, text in enumerate(turns)],
        wait="enriched",
    )  # fmt: skip
    state(
        service,
        {
            **fact("f1", "Ana", "works_at", "Acme", "2020-01-01"),
            "qualifiers": {"role": "CTO", "part": 0.5, "head": True},
            "subject": {"name": "Ana", "attributes": {"vip": True, "n": 3}},
        },
        fact("f2", "Ana", "works_at", "Initech", "2024-01-01"),
        fact("f3", "Anita", "friend_of", "Bob", "2019-01-01"),
        fact("f4", "שָׁלוֹם '; -- }) //", "friend_of", "Bob", "2018-01-01"),
        fact("f5", "Bob", "works_at", "Hooli", "2018-01-01"),
    )
    ids = names(service)
    merged = service.post(f"entities/{ids['Ana']}/merge", {"entity_id": ids["Anita"]})
    assert merged.status_code == 200
    assert service.post(f"entities/{ids['Bob']}/merge", {"entity_id": ids["Rex"]}).status_code == 200
    assert service.post(f"entities/{ids['Bob']}/split", {"entity_id": ids["Rex"]}).status_code == 200
    [initech] = [f["id"] for f in service.pages("facts", all_times=True) if f["text"] == "Ana works at Initech"]
    assert service.post(f"facts/{initech}/retract", {"reason": "a joke"}).status_code == 200
    for path in ("episodes/m2", "episodes/f5"):
        assert service.delete(path).status_code == 204


def state(service: Running, *facts: dict[str, Any]) -> httpx2.Response:
    response = service.post("facts", {"facts": list(facts)})
    assert response.status_code == 202, response.text
    return response


def names(service: Running) -> dict[str, str]:
    return {entity["name"]: entity["id"] for entity in service.pages("entities")}


def answers(service: Running) -> dict[str, Any]:
    """What every route tells of everybody."""
    ids = sorted(names(service).values())
    found: dict[str, Any] = {
        "facts": list(service.pages("facts", limit=3)),
        "all": list(service.pages("facts", limit=3, all_times=True)),
        "then": list(service.pages("facts", as_of="2023-07-01T00:00:00Z")),
        "words": list(service.pages("facts", text="ACME", all_times=True)),
        "head": list(service.pages("facts", qualifiers='{"head": true, "part": 0.5}', all_times=True)),
        "none": list(service.pages("facts", qualifiers='{"head": 1}', all_times=True)),
        "vip": list(service.pages("entities", attributes='{"vip": true, "n": 3.0}')),
        "acme": list(service.pages("entities", name="ACME")),
        "places": list(service.pages("entities", type="Place")),
        "entities": list(service.pages("entities", limit=2)),
        "changes": list(service.pages("changes", limit=3, since=SINCE)),
        "communities": list(service.pages("communities")),
    }
    for identity in ids:
        for path in ("", "/timeline", "/neighbourhood?hops=2"):
            found[identity + path] = service.get(f"entities/{identity}{path}").json()
        found[f"{identity}/to"] = service.get("paths", params={"source": identity, "target": ids[0]}).json()
    for each in found["all"]:
        found[each["id"]] = service.get(f"facts/{each['id']}/history").json()
    return found


# --- the same answers ---------------------------------------------------------------------------------------------------


def test_it_answers_what_the_embedded_store_answers(service: Running, outside: Outside) -> None:
    talk(service)
    told(service)
    assert outside.store.digest(NS) == embedded_digest(service)
    there = answers(service)
    store = service.service.store
    service.service.graphs = GraphReader(EmbeddedGraphs(store.database), store.database, store.clock)
    assert there == answers(service)
    assert "Maria" in json.dumps(there)
    assert [len(there[name]) for name in ("head", "none", "vip", "acme")] == [1, 0, 1, 1]


def test_what_is_written_by_hand_is_read_at_once(service: Running) -> None:
    for n in range(3):
        state(service, fact(f"f{n}", f"Person {n}", "works_at", "Acme", "2020-01-01"))
        ids = names(service)
        assert f"Person {n}" in ids
    merged = service.post(f"entities/{ids['Person 0']}/merge", {"entity_id": ids["Person 1"]}).json()["entity_ids"][0]
    for name in ("Person 0", "Person 1"):
        assert service.get(f"entities/{ids[name]}").json()["id"] == merged
    [found] = service.pages("facts", entity=ids["Person 2"])
    assert service.post(f"facts/{found['id']}/retract", {}).status_code == 200
    assert list(service.pages("facts", entity=ids["Person 2"])) == []


def test_a_service_that_starts_again_goes_on_where_it_was(start: Start, outside: Outside, tmp_path: Path) -> None:
    first = start(graph_url=SecretStr(outside.url))
    talk(first)
    told(first)
    first.service.close()
    again = start(graph_url=SecretStr(outside.url))
    state(again, fact("f9", "Bob", "works_at", "Umbrella", "2024-01-01"))
    told(again)
    assert outside.store.digest(NS) == embedded_digest(again)


def test_another_store_of_the_log_replaces_what_the_graph_store_holds(
    start: Start, outside: Outside, tmp_path: Path
) -> None:
    one = start(graph_url=SecretStr(outside.url), data_dir=tmp_path / "one")
    talk(one)
    told(one)
    one.service.close()
    other = start(graph_url=SecretStr(outside.url), data_dir=tmp_path / "other")
    state(other, fact("f1", "Zoe", "works_at", "Acme", "2020-01-01"))
    told(other)
    assert outside.store.digest(NS) == embedded_digest(other)
    assert set(names(other)) == {"Zoe", "Acme"}


# --- outages ------------------------------------------------------------------------------------------------------------


def test_an_outage_hides_the_graph_and_nothing_else_and_is_caught_up(
    service: Running, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(service, fact("f1", "Ana", "works_at", "Acme", "2020-01-01"))
    told(service)
    ana = names(service)["Ana"]
    monkeypatch.setattr(limits, "MAX_GRAPH_APPLY_WAIT_MS", 500)
    outside.server.kill()
    try:
        for path in (
            "facts",
            "entities",
            f"entities/{ana}",
            f"entities/{ana}/timeline",
            f"changes?since={quote(SINCE)}",
        ):
            problem = refused(service.get(path), GraphUnavailable)
            assert PASSWORD not in json.dumps(problem)
        service.append({"id": "m1", "content": "I live in Lisbon.", "speaker": "Ana", "role": "user"}, wait="enriched")
        state(service, fact("f2", "Ana", "works_at", "Initech", "2024-01-01"))
        assert service.found("Lisbon")[0] == "m1"
        started = time.monotonic()
        response = service.delete("episodes/f1")
        assert response.status_code == 202, "the store outside still holds it"
        assert time.monotonic() - started < 30
    finally:
        outside.server.start()
    eventually(lambda: service.delete("episodes/f1").status_code == 204)
    assert [f["text"] for f in service.pages("facts", predicate="works_at", all_times=True)] == ["Ana works at Initech"]
    told(service)
    assert outside.store.digest(NS) == embedded_digest(service)


def test_a_service_starts_while_the_store_is_down(
    start: Start, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_GRAPH_APPLY_WAIT_MS", 500)
    outside.server.kill()
    try:
        service = start(graph_url=SecretStr(outside.url))
        state(service, fact("f1", "Ana", "works_at", "Acme", "2020-01-01"))
        refused(service.get("facts"), GraphUnavailable)
        assert service.found("Acme")
        assert service.get("/readyz").status_code == 200
    finally:
        outside.server.start()
    told(service)
    assert set(names(service)) == {"Ana", "Acme"}
    assert outside.store.digest(NS) == embedded_digest(service)


# --- erasure ------------------------------------------------------------------------------------------------------------


def test_204_means_that_the_store_outside_has_let_go(service: Running, outside: Outside) -> None:
    talk(service)
    for path in ("episodes/f1", "sessions/default"):
        assert service.delete(path).status_code == 204
        assert outside.store.digest(NS) == embedded_digest(service)


def test_an_erased_namespace_is_gone_outside_too(service: Running, outside: Outside) -> None:
    talk(service)
    assert service.delete("").status_code == 204
    assert outside.store.digest(NS) == outside.store.digest("never-there")
    assert outside.store.position(NS) == 0, "not even its name stays"
    state(service, fact("f1", "Zoe", "works_at", "Acme", "2020-01-01"))
    assert set(names(service)) == {"Zoe", "Acme"}
    told(service)
    assert outside.store.digest(NS) == embedded_digest(service)


# --- refusals at the start ----------------------------------------------------------------------------------------------


def refusal(settings: Settings, url: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        build_service(settings.model_copy(update={"graph_url": SecretStr(url)})).close()
    return str(raised.value)


def test_a_wrong_password_is_told_at_the_start(settings: Settings, outside: Outside) -> None:
    told = refusal(settings, outside.address("not-the-password"))
    assert told.startswith("MEMORY_GRAPH_URL: The graph database")
    assert "refuses" in told
    assert "not-the-password" not in told


def test_a_newer_schema_is_refused(settings: Settings, outside: Outside) -> None:
    outside.store.migrate()
    outside.set_schema(9_999)
    try:
        told = refusal(settings, outside.url)
    finally:
        outside.set_schema(outside.own_schema)
    assert "schema" in told
    assert "9999" in told
    assert "Upgrade" in told


@pytest.mark.parametrize(
    "url",
    ["neo4j", "http://127.0.0.1:7687", "mysql://u:hidden@h/db", "bolt://", "bolt://u:hidden@h:port",
     "postgresql://u:hidden@h:port/db", "postgresql+asyncpg://u:hidden@h/db"],
)  # fmt: skip
def test_an_address_that_is_none_is_told_and_shows_no_password(settings: Settings, url: str) -> None:
    told = refusal(settings, url)
    assert "MEMORY_GRAPH_URL" in told
    assert "hidden" not in told
