"""The SQL store on PostgreSQL when the server is gone, or was killed in the middle of a write."""

import threading
from collections.abc import Iterator

import pytest

from graph.errors import StoreRefused, StoreTooNew, StoreUnavailable
from graph.rows import Changes
from graph.stores.sql import SqlGraphStore
from tests.support.arcadedb_server import free_port
from tests.support.graph_faults import big_change, held_after, write_until_it_fails
from tests.support.graph_rows import fact
from tests.support.graph_servers import (
    DatabaseServer,
    Missing,
    postgresql_folder,
    postgresql_server,
    postgresql_url,
    running_server,
)

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def server() -> Iterator[DatabaseServer]:
    with postgresql_folder() as folder:
        try:
            described = postgresql_server(folder)
        except Missing as missing:
            pytest.skip(str(missing))
        with running_server(described) as started:
            yield started


def test_a_server_that_is_down_is_told_without_the_password() -> None:
    store = SqlGraphStore(f"postgresql+psycopg://postgres:{PASSWORD}@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(StoreUnavailable) as caught:
        store.migrate()
    assert PASSWORD not in str(caught.value)
    store.close()


def test_a_database_that_is_not_there_is_refused(server: DatabaseServer) -> None:
    store = SqlGraphStore(postgresql_url(server.port).replace("/postgres", "/nowhere"))
    with pytest.raises(StoreRefused, match="nowhere"):
        store.migrate()
    store.close()


def test_a_newer_schema_is_refused(server: DatabaseServer) -> None:
    import psycopg

    store = SqlGraphStore(postgresql_url(server.port))
    store.migrate()
    with psycopg.connect(postgresql_url(server.port).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE graph_info SET value = value + 1 WHERE key = 'schema'")
        try:
            with pytest.raises(StoreTooNew):
                store.migrate()
        finally:
            connection.execute("UPDATE graph_info SET value = value - 1 WHERE key = 'schema'")
    store.close()


def test_a_server_killed_in_the_middle_of_writes_holds_whole_changes_and_takes_the_rest(server: DatabaseServer) -> None:
    store = SqlGraphStore(postgresql_url(server.port))
    store.migrate()
    namespace = "killed"
    for delay_s in (0.3, 0.7, 1.1):
        killer = threading.Timer(delay_s, server.kill)
        killer.start()
        step = write_until_it_fails(store, namespace)
        killer.join()
        server.start()
        position = store.position(namespace)
        assert position in (step - 1, step)
        assert store.digest(namespace) == held_after(position)
        store.apply(namespace, big_change(step), step)
        assert store.digest(namespace) == held_after(step)
    store.close()


def test_a_store_goes_on_after_its_server_was_started_again(server: DatabaseServer) -> None:
    store = SqlGraphStore(postgresql_url(server.port))
    store.migrate()
    store.apply("waiting", Changes(facts=[fact("f")]), 1)
    server.kill()
    server.start()
    store.apply("waiting", Changes(facts=[fact("g")]), 2)
    assert store.position("waiting") == 2
    store.close()
