"""Every store that this machine has, each under the same tests."""

import uuid
from collections.abc import Iterator

import pytest

from graph.rows import Changes
from graph.stores.port import GraphStore, GraphView
from tests.support.graph_rows import Filled
from tests.support.graph_servers import KINDS, GraphServers, Missing

NAMES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def graph_servers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[GraphServers]:
    servers = GraphServers(tmp_path_factory.mktemp("graph"))
    try:
        yield servers
        pytestconfig.stash[NAMES] = servers.names()
    finally:
        servers.close()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, graph_servers: GraphServers) -> GraphStore:
    try:
        return graph_servers.store(request.param)
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def namespace() -> str:
    """One that no other test writes to."""
    return f"ns-{uuid.uuid4()}"


@pytest.fixture
def filled(store: GraphStore, namespace: str) -> Filled:
    """`filled(entities=[...], facts=[...], ...)` applies rows and returns the view."""

    def fill(**rows) -> GraphView:
        store.apply(namespace, Changes(**rows), store.position(namespace) + 1)
        return store.view(namespace)

    return fill


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    names = config.stash.get(NAMES, [])
    if names:
        terminalreporter.write_line(f"graph stores: {', '.join(names)}")
