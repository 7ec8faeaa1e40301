"""The Neo4j store when the server is gone, refuses, or was killed in the middle of a write."""

import threading
import time
from collections.abc import Iterator

import pytest

from graph.digest import digest
from graph.errors import StoreRefused, StoreTooNew, StoreUnavailable
from graph.rows import Changes
from graph.stores.neo4j import Neo4jGraphStore
from graph.stores.neo4j.schema import SCHEMA_VERSION
from graph.stores.port import FactFilter, Moment
from tests.support.arcadedb_server import free_port
from tests.support.graph_faults import big_change, held_after, write_until_it_fails
from tests.support.graph_rows import entity, fact, source
from tests.support.graph_servers import DatabaseServer, Missing, neo4j_server, running_server

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """One of its own, behind a password: it is killed."""
    try:
        described = neo4j_server(tmp_path_factory.mktemp("neo4j-faults"), PASSWORD)
    except Missing as missing:
        pytest.skip(str(missing))
    with running_server(described) as started:
        yield started


@pytest.fixture
def store(server: DatabaseServer) -> Iterator[Neo4jGraphStore]:
    opened = Neo4jGraphStore(url(server), retry_s=60.0)
    opened.migrate()
    yield opened
    opened.close()


def url(server: DatabaseServer) -> str:
    return f"bolt://neo4j:{PASSWORD}@127.0.0.1:{server.port}"


def said(caught: pytest.ExceptionInfo[Exception]) -> str:
    """All that is told of an error, its causes too."""
    texts, error = [], caught.value
    while error is not None:
        texts += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def test_a_server_that_is_down_is_told_with_its_address_and_without_the_password() -> None:
    port = free_port()
    store = Neo4jGraphStore(f"bolt://neo4j:{PASSWORD}@127.0.0.1:{port}", retry_s=1.0)
    try:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}") as caught:
            store.migrate()
        assert time.monotonic() - begun < 30
        assert PASSWORD not in said(caught)
        with pytest.raises(StoreUnavailable):
            store.view("ns").facts(FactFilter(), Moment(), None, 1)
    finally:
        store.close()


def test_a_closed_store_says_so() -> None:
    store = Neo4jGraphStore("bolt://127.0.0.1:1")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.position("ns")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7687", "bolt://", "7687", "bolt://u:hidden@h:port", "bolt://[::1"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        Neo4jGraphStore(address)
    assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_refused_and_not_repeated(server: DatabaseServer) -> None:
    store = Neo4jGraphStore(f"bolt://127.0.0.1:{server.port}", "neo4j", "not-the-password", retry_s=1.0)
    try:
        with pytest.raises(StoreRefused, match="'neo4j'") as caught:
            store.migrate()
        assert "not-the-password" not in said(caught)
    finally:
        store.close()


def test_a_password_may_stand_beside_the_url_or_in_it_in_any_letters(server: DatabaseServer) -> None:
    for opened in (
        Neo4jGraphStore(url(server).replace("neo4j:", "neo4j:%63", 1).replace("%63c", "%63")),
        Neo4jGraphStore(url(server).replace("bolt://", "neo4j://", 1)),
        Neo4jGraphStore(f"bolt://other:wrong@127.0.0.1:{server.port}/neo4j", "neo4j", PASSWORD),
    ):
        assert opened.name.startswith("neo4j 5.")
        opened.close()


def test_a_database_that_is_not_there_is_refused(server: DatabaseServer) -> None:
    store = Neo4jGraphStore(url(server), database="nowhere", retry_s=1.0)
    try:
        with pytest.raises(StoreRefused, match="nowhere"):
            store.migrate()
    finally:
        store.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(server: DatabaseServer, store: Neo4jGraphStore) -> None:
    from neo4j import GraphDatabase

    with GraphDatabase.driver(f"bolt://127.0.0.1:{server.port}", auth=("neo4j", PASSWORD)) as driver:

        def version(number: int) -> None:
            driver.execute_query("MATCH (s:GraphSchema) SET s.version = $version", version=number)

        version(SCHEMA_VERSION + 1)
        try:
            with pytest.raises(StoreTooNew, match=str(SCHEMA_VERSION + 1)):
                store.migrate()
            found = driver.execute_query("MATCH (s:GraphSchema) RETURN s.version AS version").records
            assert [row["version"] for row in found] == [SCHEMA_VERSION + 1]
        finally:
            version(SCHEMA_VERSION)


def test_nothing_of_an_erased_entity_stays_behind_as_a_node(server: DatabaseServer, store: Neo4jGraphStore) -> None:
    from neo4j import GraphDatabase

    rows = Changes(
        entities=[entity("ana", aliases=["Anita"]), entity("bo", aliases=["Anita"])],
        facts=[
            fact("f", "ana", "lisbon"),
            fact("g", "ana", None, literal="blue"),
            fact("h", "bo", None, literal="blue"),
        ],
        sources=[source("f", "ep")],
    )
    store.apply("erasing", rows, 1)
    gone = Changes(gone_entities=[("ana", 100)], gone_facts=[("f", 100), ("g", 100)], gone_sources=[("f", "a-ep", 100)])
    store.apply("erasing", gone, 2)
    with GraphDatabase.driver(f"bolt://127.0.0.1:{server.port}", auth=("neo4j", PASSWORD)) as driver:
        found = driver.execute_query(
            "MATCH (n) WHERE n.ns = 'erasing' RETURN labels(n)[0] AS label, coalesce(n.id, n.key) AS id"
        ).records
        kept = sorted((row["label"], row["id"]) for row in found if row["label"] not in ("Literal", "GraphFeed"))
        assert kept == [("Entity", "bo"), ("EntityVersion", "bo"), ("Name", "anita"), ("Name", "bo")]
        store.apply("erasing", Changes(gone_entities=[("bo", 100)], gone_facts=[("h", 100)]), 3)
        left = driver.execute_query("MATCH (n) WHERE n.ns = 'erasing' RETURN labels(n)[0] AS label").records
        assert [row["label"] for row in left] == ["GraphFeed"]
        store.drop("erasing")
        assert driver.execute_query("MATCH (n) WHERE n.ns = 'erasing' RETURN n").records == []


def test_a_namespace_of_more_than_a_batch_is_dropped_whole(server: DatabaseServer) -> None:
    store = Neo4jGraphStore(url(server), drop_batch=7)
    try:
        store.migrate()
        facts = [fact(f"f{n}", f"e{n % 9}", f"e{n % 5}") for n in range(40)]
        store.apply("many", Changes(entities=[entity(f"e{n}") for n in range(20)], facts=facts), 1)
        store.drop("many")
        assert store.digest("many") == digest([])
    finally:
        store.close()


# --- killed -----------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(900)
def test_a_server_killed_in_the_middle_of_writes_holds_whole_changes_and_takes_the_rest(server: DatabaseServer) -> None:
    impatient = Neo4jGraphStore(url(server), retry_s=0.0)
    impatient.migrate()
    namespace = "killed"
    for delay_s in (0.5, 1.5):
        killer = threading.Timer(delay_s, server.kill)
        killer.start()
        step = write_until_it_fails(impatient, namespace)
        killer.join()
        server.start()
        patient = Neo4jGraphStore(url(server))
        position = patient.position(namespace)
        # The last may have been committed although nobody was told; no more than that, and never a part.
        assert position in (step - 1, step)
        assert patient.digest(namespace) == held_after(position)
        patient.apply(namespace, big_change(step), step)
        patient.apply(namespace, big_change(step), step)
        assert patient.digest(namespace) == held_after(step)
        patient.close()
    impatient.close()


@pytest.mark.timeout(900)
def test_a_write_waits_for_a_server_that_comes_back(server: DatabaseServer, store: Neo4jGraphStore) -> None:
    store.apply("waiting", Changes(facts=[fact("f")]), 1)
    server.kill()
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        store.apply("waiting", Changes(facts=[fact("g")]), 2)
    finally:
        starting.join()
    assert store.position("waiting") == 2
    assert [version.id for version in store.view("waiting").facts(FactFilter(), Moment(), None, 10)] == ["f", "g"]
