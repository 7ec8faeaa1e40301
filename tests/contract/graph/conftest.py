"""Every store that this machine has, each under the same tests."""

import uuid

import pytest

from graph.rows import Changes
from graph.stores.port import GraphStore, GraphView
from tests.support.graph_rows import Filled
from tests.support.graph_servers import KINDS, GraphServers, Missing


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
