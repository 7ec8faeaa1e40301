"""Real servers as subprocesses: the service, and the bare echo that it is compared with."""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bench.wire import await_ready

_LISTENING: Final = re.compile(r"Listening on (http://\S+)")
_START_LIMIT_S: Final = 180.0
"""The first start of all exports the model."""

_STOP_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process."""

    url: str
    pid: int
    started_s: float
    """Seconds from exec to the first 200 of /readyz (for the echo: to its address)."""

    started_cpu_s: float
    """Processor seconds that this took, which a busy machine does not change much."""

    def rss_mb(self) -> float:
        """Resident memory, MB of 10^6 bytes."""
        return _status_kb(self.pid, "VmRSS") * 1024 / 1e6

    def peak_rss_mb(self) -> float:
        """Highest resident memory so far, MB of 10^6 bytes."""
        return _status_kb(self.pid, "VmHWM") * 1024 / 1e6


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_kb(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise ProcessLookupError(f"process {pid} has no {field}")


@contextmanager
def service(data_dir: Path, settings: Mapping[str, str] | None = None) -> Generator[Server]:
    """`memory-service serve` on a free loopback port, ready; stopped at the end whatever happens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMORY_")}
    environment |= {
        "MEMORY_DATA_DIR": str(data_dir),
        "MEMORY_HOST": "127.0.0.1",
        "MEMORY_PORT": "0",
        "MEMORY_AUTH": "off",
        "MEMORY_LOG_LEVEL": "warning",
        **(settings or {}),
    }
    command = [str(Path(sys.executable).with_name("memory-service")), "serve"]
    with _process(command, environment, ready=True) as server:
        yield server


@contextmanager
def echo() -> Generator[Server]:
    """The bare FastAPI echo on uvicorn."""
    with _process([sys.executable, "-m", "bench.echo"], dict(os.environ), ready=False) as server:
        yield server


@contextmanager
def _process(command: list[str], environment: dict[str, str], *, ready: bool) -> Generator[Server]:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        url = _address(process.stderr)
        if ready:
            await_ready(url)
        started_s = time.perf_counter() - started
        yield Server(url, process.pid, started_s, _cpu_s(process.pid))
    finally:
        _stop(process)


def _address(stderr: IO[str]) -> str:
    """The URL that the process tells. Raises RuntimeError with what it said when it ends, or says nothing for too long.

    Its standard error is read for as long as it lives, so that a full pipe cannot stop it.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_follow, args=(stderr, lines), daemon=True).start()
    said: list[str] = []
    deadline = time.monotonic() + _START_LIMIT_S
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left_s)
        except queue.Empty:
            break
        if not line:
            break
        said.append(line)
        if match := _LISTENING.search(line):
            return match.group(1)
    raise RuntimeError(f"The server did not start: {''.join(said).strip() or 'it said nothing'}")


def _follow(stderr: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    for line in stderr:
        lines.put(line)
    lines.put("")


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
