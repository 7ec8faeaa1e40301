"""A real server process: started on a free port, read from, stopped."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.support.polling import eventually

ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(r"Listening on (http://\S+)")


@dataclass
class Server:
    """One `memory-service serve`."""

    process: "subprocess.Popen[bytes]"
    url: str
    stderr_path: Path
    stdout_path: Path
    data_dir: Path

    def client(self, key: str | None = None) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60.0)

    def said(self) -> str:
        """All that it has written, to either stream."""
        return self.stderr_path.read_text(errors="replace") + self.stdout_path.read_text(errors="replace")

    def stop(self) -> int:
        """Asks it to stop, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without its MEMORY_ settings, with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEMORY_")}
    named = {f"MEMORY_{name.upper()}": value for name, value in settings.items()}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", **named}


def command(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs `memory-service ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "memory_service", *arguments],
        cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@contextmanager
def serving(folder: Path, data_dir: Path, **settings: str) -> Iterator[Server]:
    """A server on a free loopback port; what it writes goes to files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"embedding_model": "test", "auth": "off", "port": "0", "data_dir": str(data_dir), **settings}
    stderr, stdout = folder / "stderr", folder / "stdout"
    with stderr.open("wb") as err, stdout.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "memory_service", "serve"],
            cwd=ROOT,
            env=environment(**given),
            stderr=err,
            stdout=out,
        )
    server = Server(process, "", stderr, stdout, data_dir)
    try:
        server.url = eventually(lambda: _address(server))
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(server: Server) -> str | None:
    ended = server.process.poll()
    found = _LISTENING.search(server.said())
    assert found or ended is None, f"the server ended with {ended}: {server.said()}"
    return found.group(1) if found else None
