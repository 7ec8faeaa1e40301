"""Every store that this machine has, to be told of what changes."""

from collections.abc import Iterator

import pytest

from graph.stores.port import GraphStore
from tests.support.graph_servers import KINDS, GraphServers, Missing


@pytest.fixture(scope="session")
def graph_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphServers]:
    servers = GraphServers(tmp_path_factory.mktemp("graph"))
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, graph_servers: GraphServers) -> GraphStore:
    try:
        return graph_servers.store(request.param)
    except Missing as missing:
        pytest.skip(str(missing))
