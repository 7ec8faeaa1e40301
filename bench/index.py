"""How fast episodes become searchable by meaning, and get their notes, beside the embedder alone on the same passages."""

import json
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench import corpus, processes, yardsticks
from bench.ack import await_enriched, body
from bench.context import Context
from bench.corpus import Turn
from bench.fill import NAMESPACE
from bench.report import Result
from bench.wire import Connection

BAR: Final = 0.80
_PATH: Final = f"/v1/namespaces/{NAMESPACE}/episodes"


@dataclass(frozen=True, slots=True)
class _Round:
    """One batch: how many, and the seconds of the embedder alone, until indexed, until enriched."""

    episodes: int
    passages: int
    embedder_s: float
    indexed_s: float
    enriched_s: float


def run(context: Context) -> Result:
    """Alternates: the embedder alone on a batch's passages, then the batch sent to an idle server."""
    result = Result("index", "Indexing and enriching, beside the embedder alone on the same passages")
    count, size = context.size(12, 2), context.size(400, 200)
    rounds: list[_Round] = []
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        server = stack.enter_context(processes.service(folder / "store"))
        connection = stack.enter_context(Connection(server.url))
        bars = stack.enter_context(context.progress())
        task = bars.add_task(f"indexing {size} episodes at a time", total=count + 1)
        for turns in corpus.in_batches(corpus.turns((count + 1) * size), size):
            rounds.append(_round(connection, turns))
            bars.advance(task)
    _tell(result, rounds[1:])  # the first one warmed both up
    return result


def _round(connection: Connection, turns: list[Turn]) -> _Round:
    texts = yardsticks.passage_texts(turns)
    embedder_s = _embedding_s(texts)
    indexed_s, enriched_s = _ingest(connection, body(turns))
    return _Round(len(turns), len(texts), embedder_s, indexed_s, enriched_s)


def _embedding_s(texts: list[str]) -> float:
    """Seconds of one call with all the texts, which the embedder sorts and batches as it likes."""
    embedder = yardsticks.embedder()
    started = time.perf_counter()
    embedder.embed(texts)
    return time.perf_counter() - started


def _ingest(connection: Connection, request: bytes) -> tuple[float, float]:
    """Seconds from sending the batch until all of it is indexed, and until all of it is enriched."""
    started = time.perf_counter()
    answer = json.loads(connection.post(f"{_PATH}?wait=indexed&timeout_ms=60000", request))
    indexed_s = time.perf_counter() - started
    last = answer["episodes"][-1]["id"]
    await_enriched(connection, last)
    return indexed_s, time.perf_counter() - started


def _tell(result: Result, rounds: list[_Round]) -> None:
    def per_s(count: str, seconds: str) -> float:
        return statistics.median(getattr(each, count) / getattr(each, seconds) for each in rounds)

    def share(seconds: str) -> float:
        return statistics.median(each.embedder_s / getattr(each, seconds) for each in rounds)

    alone = f"{per_s('episodes', 'embedder_s'):,.0f}/s embedder alone"
    result.at_least(
        "indexed, share of the embedder's own speed",
        share("indexed_s"),
        BAR,
        f"{share('indexed_s'):.0%}: {per_s('passages', 'indexed_s'):,.0f} passages/s",
        bar_text=f">= {BAR:.0%}",
        yardstick=f"{per_s('passages', 'embedder_s'):,.0f} passages/s embedder alone",
    )
    result.info("indexed: episodes per second", f"{per_s('episodes', 'indexed_s'):,.0f}/s", alone)
    enriched = f"{per_s('episodes', 'enriched_s'):,.0f}/s ({share('enriched_s'):.0%})"
    result.info("indexed and enriched: episodes per second", enriched, alone)
    notes = statistics.median(each.episodes / (each.enriched_s - each.indexed_s) for each in rounds)
    result.info("enriched, without the indexing: episodes per second", f"{notes:,.0f}/s")
    result.facts["rounds"] = [
        {name: getattr(each, name) for name in ("episodes", "passages", "embedder_s", "indexed_s", "enriched_s")}
        for each in rounds
    ]
    result.notes.append(
        "Over HTTP with ?wait=indexed: the time holds the commit, passages, vectors, times and their records. The yardstick "
        "is one call with all of a batch's passages, in a process of its own, while the server is idle. Medians of the "
        "rounds' own ratios."
    )
