"""mem0 (`mem0ai`) with infer=False: its own store and search, with the same embedding model and no language model.

It runs in an interpreter of its own, so that its packages and ours do not meet: MEMORY_EVAL_MEM0_PYTHON names one that has
`mem0ai`, `qdrant-client` and `sentence-transformers`; without it, the one that `make bench` made is taken, or this one. Its
optional extras (spaCy's lemmas, fastembed's BM25) download models and are left out unless that interpreter has them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from eval.dataset import History, Question
from eval.errors import SystemFailed
from eval.readers.files import as_id
from eval.systems.base import Ingested, Ranking

VARIABLE: Final = "MEMORY_EVAL_MEM0_PYTHON"
_BENCH_PYTHON: Final = Path(".venv-bench/bin/python")
_PACKAGES: Final = ("mem0ai", "qdrant-client", "sentence-transformers")
_WORKER: Final = Path(__file__).with_name("mem0_worker.py")


def absent() -> str | None:
    """Why it cannot be run, None when it can."""
    done = _asked("import mem0, qdrant_client, sentence_transformers")
    if done.returncode == 0:
        return None
    last = done.stderr.strip().splitlines()[-1:] or ["it does not start"]
    return f"`mem0ai` is not installed ({last[0]}); {VARIABLE} names an interpreter that has it"


class Mem0:
    """A peer. Turns are added one by one, as its API takes them, "Name: text" where a speaker is named."""

    name = "mem0 (infer=False)"
    ranks = True

    def __init__(self, model: Path | str) -> None:
        """model: the embedding model's folder or hub name, as sentence-transformers loads it."""
        self._model = str(model)
        self._worker: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        return {"infer": False, "store": "qdrant", "model": Path(self._model).name, "versions": _versions()}

    def ingest(self, histories: Sequence[History]) -> Ingested:
        self._start()
        started = perf_counter()
        for history in histories:
            for turn in history.turns:
                text = f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text
                told = {
                    "do": "add",
                    "user": as_id(history.name),
                    "id": turn.id,
                    "role": turn.role or "user",
                    "text": text,
                }
                self._call(told)
        seconds = perf_counter() - started
        episodes = sum(len(history.turns) for history in histories)
        return Ingested(seconds, episodes, self._stored_bytes())

    def search(self, history: History, question: Question, limit: int) -> Ranking:
        answer = self._call({"do": "search", "user": as_id(history.name), "query": question.text, "limit": limit})
        return Ranking(tuple(dict.fromkeys(answer["ids"])), tuple(answer["scores"][:10]))

    def forget(self) -> None:
        pass

    def close(self) -> None:
        if self._worker:
            self._worker.terminate()
            self._worker.wait()
        if self._folder:
            self._folder.cleanup()
        self._worker = self._folder = None

    def _start(self) -> None:
        if self._worker is None:
            self._folder = tempfile.TemporaryDirectory(prefix="memory-eval-mem0-")
            environment = {
                # One text at a time gains nothing from a second thread, and waits for it where the cores are busy.
                "OMP_NUM_THREADS": "1",
                **os.environ,
                # Its telemetry would reach out; nothing here does.
                "MEM0_TELEMETRY": "False",
                "MEM0_DIR": self._folder.name,
                "HF_HUB_OFFLINE": "1",
            }
            log = (Path(self._folder.name) / "worker.log").open("w")
            with log:
                self._worker = subprocess.Popen(
                    [_python(), "-P", str(_WORKER), self._model, str(Path(self._folder.name) / "store")],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=environment,
                )
            self._call({"do": "ping"})

    def _call(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._worker is not None
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        try:
            self._worker.stdin.write(json.dumps(message) + "\n")
            self._worker.stdin.flush()
        except BrokenPipeError:
            raise SystemFailed(f"mem0 ended: {self._said()}") from None
        line = self._worker.stdout.readline()
        if not line:
            raise SystemFailed(f"mem0 ended: {self._said()}")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemFailed(f"mem0: {answer['error']}")
        return answer

    def _said(self) -> str:
        """How it ended, and the last that it said."""
        assert self._folder is not None
        assert self._worker is not None
        log = (Path(self._folder.name) / "worker.log").read_text(errors="replace").strip()
        return f"{log[-600:] or 'it said nothing'} (exit status {self._worker.wait()})"

    def _stored_bytes(self) -> int:
        assert self._folder is not None
        return sum(path.stat().st_size for path in Path(self._folder.name).rglob("*") if path.is_file())


@cache
def _versions() -> dict[str, str]:
    """Raises SystemFailed when it is not installed."""
    listed = ", ".join(repr(name) for name in _PACKAGES)
    done = _asked(f"import json, importlib.metadata as m; print(json.dumps({{n: m.version(n) for n in ({listed})}}))")
    if done.returncode != 0:
        raise SystemFailed(f"mem0: {absent()}.")
    return json.loads(done.stdout)


def _asked(code: str) -> "subprocess.CompletedProcess[str]":
    command = [_python(), "-P", "-c", code]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"{_python()}: {error.strerror}")


def _python() -> str:
    """The interpreter with mem0 in it."""
    if named := os.environ.get(VARIABLE):
        return named
    return str(_BENCH_PYTHON) if _BENCH_PYTHON.exists() else sys.executable
