"""Beside graphiti-core with its embedded driver and an LLM that answers at once: the same episodes, one by one.

graphiti-core runs in an environment of its own, in a process that adds what it is told, so that both take turns. Its LLM is a
stub that answers with what our rules found in the same episode, so that both build the like graph; its embedder is a stub too,
whose time is taken out: what is compared is all the rest. Ours extracts, plans and commits each episode by itself, synced.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress

from bench.context import Context
from bench.corpus import in_batches
from bench.graph import Ingest, Spent
from bench.report import Result
from bench.stats import Samples
from bench.tellings import source, tellings
from graph.model import Extraction, Source

_ENVIRONMENT: Final = Path(".venv-bench-graphiti")
_PACKAGES: Final = ("graphiti-core[kuzu]==0.31.2", "httpx>=0.28")
"""httpx: its own list of requirements leaves it out. FalkorDB's embedded server needs Python 3.12."""

_BAR: Final = 10.0
_BLOCK: Final = 20


class GraphitiFailed(RuntimeError):
    """graphiti-core could not be installed or run. The message holds the end of what it said."""


def run(context: Context) -> Result:
    """Blocks of episodes in turn. What cannot be run is told, never guessed."""
    count = context.size(400, 40)
    result = Result(
        "graphiti", f"Beside graphiti-core (embedded Kuzu, an LLM that answers at once), {count} episodes one by one"
    )
    if context.quick and not _python().exists():
        result.notes.append(f"Skipped: {_ENVIRONMENT} is not there, and a quick run does not install it.")
        return result
    try:
        _install(context)
        with context.folder() as folder, context.progress() as bars:
            _compare(folder, count, bars, result)
    except GraphitiFailed as error:
        result.notes.append(f"Not measured: {error}")
    return result


def _compare(folder: Path, count: int, bars: Progress, result: Result) -> None:
    ours, theirs, calls = Samples(), Samples(), list[int]()
    store = Ingest(folder / "graph.db")
    store.extract([source(turn) for turn in tellings(20, first=10_000)])  # word lists are read at first use
    task = bars.add_task("taking turns", total=count)
    with _peer(folder) as peer:
        result.facts["versions"] = peer.versions
        for batch in in_batches(map(source, tellings(count)), _BLOCK):
            for each in batch:
                spent = Spent()
                store.add([each], spent)
                ours.values_ms.append(spent.total_ms)
            found = peer.ask(add=[_told(*pair) for pair in store.extract(batch)])
            theirs.values_ms += found["ms"]
            calls += found["calls"]
            bars.advance(task, len(batch))
    store.close()
    _tell(result, ours, theirs, calls)


def _tell(result: Result, ours: Samples, theirs: Samples, calls: Sequence[int]) -> None:
    times = theirs.p50 / ours.p50
    result.at_least(
        "time of an episode, p50",
        times,
        _BAR,
        f"{ours.p50:.2f} ms, {times:.0f} times less",
        bar_text=f">= {_BAR:g} times less",
        yardstick=f"{theirs.p50:.1f} ms",
    )
    fifth = max(1, len(calls) // 5)
    early, late = (slice(fifth, 2 * fifth), slice(-fifth, None))
    grown = [Samples(each.values_ms[late]).p50 / Samples(each.values_ms[early]).p50 for each in (ours, theirs)]
    result.info("its growth: the last fifth of the episodes beside the second", f"{grown[0]:.2f}x", f"{grown[1]:.2f}x")
    result.info("LLM calls an episode", "0", f"{sum(calls) / len(calls):.1f}")
    result.keep(ours=ours, graphiti=theirs)
    result.facts["llm_calls"] = sum(calls) / len(calls)
    result.notes += [
        "Embedding is left out on both sides. Ours: rules, planning and a synced commit for each episode. Its LLM stub answers "
        "with our rules' names and facts, so what a real one takes comes on top of its time.",
        "Its Kuzu driver (deprecated) is the only embedded one for Python 3.11. It makes no full-text indexes and lacks an "
        "attribute that add_episode reads: bench/graphiti_child.py makes up for both, the first with graphiti's own statements.",
    ]


def _told(episode: Source, extraction: Extraction) -> dict[str, Any]:
    """An episode with the answers of the LLM: names, and facts between two of them."""
    names = [mention.name for mention in extraction.mentions]
    edges = [
        {
            "source_entity_name": names[claim.subject],
            "target_entity_name": names[claim.object],
            "relation_type": claim.predicate.upper(),
            "fact": episode.text[claim.start : claim.end],
            "valid_at": None,
            "invalid_at": None,
        }
        for claim in extraction.claims
        if isinstance(claim.object, int)
    ]
    return {
        "name": episode.id,
        "content": f"{episode.speaker}: {episode.text}",
        "at": datetime.fromtimestamp(episode.occurred_at / 1e6, UTC).isoformat(),
        "entities": list(dict.fromkeys(names)),
        "edges": edges,
    }


# --- its process ------------------------------------------------------------------------------------------------------


class _Peer:
    """A child process that answers each line of JSON with one. Says its versions first."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log
        self.versions = self._answer()

    def ask(self, **request: Any) -> Any:
        """Raises GraphitiFailed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, and the empty answer says so
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise GraphitiFailed(" ".join(self._log.read_text(errors="replace")[-600:].split()) or "it said nothing")
        return json.loads(line)


@contextmanager
def _peer(folder: Path) -> Generator[_Peer]:
    log = folder / "graphiti.log"
    script = Path(__file__).with_name("graphiti_child.py")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [str(_python()), "-P", str(script), str(folder / "kuzu.db")],
            env=_quiet_environment(),
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


def _quiet_environment() -> dict[str, str]:
    """No telemetry, and a proxy that refuses, so that nothing leaves the machine unnoticed."""
    nowhere = "http://127.0.0.1:9"
    quiet = {"GRAPHITI_TELEMETRY_ENABLED": "false", "EMBEDDING_DIM": "384", "OPENAI_API_KEY": "unused"}
    return {**os.environ, **quiet, "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere}


# --- its environment --------------------------------------------------------------------------------------------------


def _python() -> Path:
    return _ENVIRONMENT / "bin" / "python"


def _install(context: Context) -> None:
    """Makes the environment once. Raises GraphitiFailed."""
    done = _ENVIRONMENT / ".installed"
    if done.exists() and done.read_text() == " ".join(_PACKAGES):
        return
    shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
    pip = [str(_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PACKAGES]
    with context.console.status(f"Installing graphiti-core into {_ENVIRONMENT} (once, under a minute) ..."):
        for command in ([sys.executable, "-m", "venv", str(_ENVIRONMENT)], pip):
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode:
                raise GraphitiFailed(" ".join(finished.stderr[-400:].split()))
    done.write_text(" ".join(_PACKAGES))
