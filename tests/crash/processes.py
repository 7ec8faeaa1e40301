"""Real processes of the service for crash tests: a server or a worker on one data folder, started, killed, stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

START_S = 60.0
STOP_S = 30.0
_ANNOUNCED = re.compile(r"Listening on (http://\S+)|Working on (\S+)")
_TRACEBACK = "Traceback (most recent call last)"

_MAIN = """
from memory_service.cli import main
main()
"""
SMALL_LIMITS = f"""
from memory_service import limits
limits.SNAPSHOT_MIN_ROWS = 8
limits.LEASE_MS = 3_000
{_MAIN}"""
"""The program under limits that a short test reaches."""

POISON = f"""
import os, signal
from retrieval.embedders import testing
embed = testing.HashEmbedder.embed
def deadly(embedder, texts):
    if any("poison" in text for text in texts):
        os.kill(os.getpid(), signal.SIGKILL)
    return embed(embedder, texts)
testing.HashEmbedder.embed = deadly
{_MAIN}"""
"""The program with an embedder that one text kills, as a fault in native code does."""


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The variables of a process on this folder; those of the caller's own service stay out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEMORY_")}
    return inherited | {
        "MEMORY_DATA_DIR": str(data_dir),
        "MEMORY_PORT": "0",
        "MEMORY_AUTH": "off",
        "MEMORY_EMBEDDING_MODEL": "test",
        "MEMORY_LOG_LEVEL": "warning",
        **more,
    }


class Process:
    """One life of `memory-service COMMAND`. Its standard error goes to a file, so that it never waits for a reader."""

    def __init__(self, command: str, variables: dict[str, str], log: Path, *, program: str | None = None) -> None:
        """program: Python source to run in place of the package's own entry point."""
        self.name = command
        self.log = log
        entry = ["-m", "memory_service"] if program is None else ["-c", program]
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *entry, command], env=variables, stdout=stderr, stderr=stderr
            )
        self.address = ""

    def started(self) -> bool:
        """Waits until it says that it is up. False when it ended before."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            ended = not self.is_alive
            if said := _ANNOUNCED.search(self.said()):
                self.address = said[1] or said[2]
                return True
            if ended:
                return False
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"{self.name} did not start within {START_S:.0f} s: {self.said()}")

    def connect(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.address, timeout=30)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    @property
    def was_killed(self) -> bool:
        return self._process.poll() == -signal.SIGKILL

    def died(self, within_s: float) -> bool:
        """Waits for it to end by itself."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> bool:
        """Asks it to end, as an operator does. Whether it ended cleanly and in time."""
        self._process.terminate()
        if not self.died(STOP_S):
            self.kill()
        return self._process.returncode in (0, -signal.SIGTERM)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def has_traceback(self) -> bool:
        return _TRACEBACK in self.said()
