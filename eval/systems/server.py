"""A server process of the service, as a user starts one: on a free port of the loopback, with a data folder of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eval.errors import SystemFailed
from eval.limits import START_LIMIT_S, STOP_LIMIT_S

_LISTENING: Final = re.compile(r"Listening on (http://\S+)")
_TAIL_CHARS: Final = 600


class Server:
    """A running `memory-service serve`. Raises SystemFailed when it does not start."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        """folder: for its data and its log. settings: environment variables beside those that the run needs."""
        self.data_dir = folder / "data"
        self._log_path = folder / "server.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMORY_")} | {
            "MEMORY_MODEL_DIR": os.environ.get("MEMORY_MODEL_DIR", ""),
            "MEMORY_LOG_LEVEL": "warning",
            **settings,
            "MEMORY_DATA_DIR": str(self.data_dir),
            "MEMORY_HOST": "127.0.0.1",
            "MEMORY_PORT": "0",
            "MEMORY_AUTH": "off",
        }
        environment = {name: value for name, value in environment.items() if value}
        # The console script's module, without the current folder on sys.path.
        command = [sys.executable, "-P", "-m", "memory_service", "serve"]
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            self.url = self._await_listening()
        except BaseException:
            self.stop()
            raise

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """The end of what it logged."""
        return self._log_path.read_text(errors="replace").strip()[-_TAIL_CHARS:] or "it said nothing"

    def stored_bytes(self) -> int:
        """Of all files of its store."""
        return sum(path.stat().st_size for path in self.data_dir.rglob("*") if path.is_file())

    def stop(self) -> None:
        """Asks it to stop, and kills it when it does not."""
        if not self.is_alive:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await_listening(self) -> str:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            ended = not self.is_alive
            if match := _LISTENING.search(self._log_path.read_text(errors="replace")):
                return match.group(1)
            if ended:
                raise SystemFailed(f"The service did not start: {self.said()}")
            time.sleep(0.05)
        raise SystemFailed(f"The service did not start within {START_LIMIT_S:.0f} s: {self.said()}")
