"""Every store that this machine has, to be told of what changes."""

import pytest

from graph.stores.port import GraphStore
from tests.support.graph_servers import KINDS, GraphServers, Missing


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, graph_servers: GraphServers) -> GraphStore:
    try:
        return graph_servers.store(request.param)
    except Missing as missing:
        pytest.skip(str(missing))
