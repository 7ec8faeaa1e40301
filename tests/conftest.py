"""Fixtures of all suites. What they are made of stands in `tests/support`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from memory_service.settings import Settings
from tests.support.graph_servers import GraphServers
from tests.support.network import no_network
from tests.support.process import Server, serving
from tests.support.running import Running, Start, running

GRAPH_STORES = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with no_network(monkeypatch):
        yield


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """One line to an event. The default renders tracebacks with every local, which takes seconds."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger("error"),
    )


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer has in the environment must not decide a test."""
    for name in list(os.environ):
        if name.startswith("MEMORY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, the embedder without a model, no keys."""
    return Settings(data_dir=tmp_path / "data", embedding_model="test", auth="off")  # type: ignore[call-arg]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts services in this process: `start(clock=..., worker="off", ...)`; all are stopped at the end."""
    with ExitStack() as stack:

        def started(clock=None, embedder=None, **overrides) -> Running:
            chosen = settings.model_copy(update=overrides)
            return stack.enter_context(running(chosen, clock, embedder))

        yield started


@pytest.fixture
def service(start: Start) -> Running:
    """A running service in this process."""
    return start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real server process."""
    with serving(tmp_path / "server", tmp_path / "data") as started:
        yield started


@pytest.fixture(scope="session")
def graph_servers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[GraphServers]:
    """Every graph store that this machine has; each is started once, when a test asks for it."""
    servers = GraphServers(tmp_path_factory.mktemp("graph"))
    try:
        yield servers
        pytestconfig.stash[GRAPH_STORES] = servers.names()
    finally:
        servers.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which graph stores the tests ran on."""
    names = config.stash.get(GRAPH_STORES, [])
    if names:
        terminalreporter.write_line(f"graph stores: {', '.join(names)}")
