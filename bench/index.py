"""How fast episodes become searchable by meaning, and get their notes, beside the embedder alone on the same passages."""

import json
import time
from contextlib import ExitStack
from typing import Final

from bench import corpus, processes, yardsticks
from bench.ack import body
from bench.context import Context
from bench.fill import NAMESPACE
from bench.report import Result
from bench.wire import Connection

BAR: Final = 0.80
_PATH: Final = f"/v1/namespaces/{NAMESPACE}/episodes"
_POLL_S: Final = 0.01


def run(context: Context) -> Result:
    """Alternates: the embedder alone on a batch's passages, then the batch sent to an idle server."""
    result = Result("index", "Indexing and enriching, beside the embedder alone on the same passages")
    rounds, size = context.size(8, 2), context.size(500, 200)
    alone, indexed, enriched = list[float](), list[float](), list[float]()
    passages = 0
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        server = stack.enter_context(processes.service(folder / "store"))
        connection = stack.enter_context(Connection(server.url))
        bars = stack.enter_context(context.progress())
        task = bars.add_task(f"indexing {size} episodes at a time", total=rounds)
        for number, turns in enumerate(corpus.in_batches(corpus.turns((rounds + 1) * size), size)):
            texts = yardsticks.passage_texts(turns)
            alone_s = _embedding_s(texts)
            indexed_s, enriched_s = _ingest(connection, body(turns))
            if number == 0:
                continue  # the first round warms both up
            passages += len(texts)
            alone.append(alone_s)
            indexed.append(indexed_s)
            enriched.append(enriched_s)
            bars.advance(task)
    _tell(result, rounds * size, passages, sum(alone), sum(indexed), sum(enriched))
    result.facts = {"episodes": rounds * size, "passages": passages, "embedder_s": alone, "indexed_s": indexed, "enriched_s": enriched}
    return result


def _embedding_s(texts: list[str]) -> float:
    """Seconds of one call with all the texts, which the embedder sorts and batches as it likes."""
    started = time.perf_counter()
    yardsticks.embedder().embed(texts)
    return time.perf_counter() - started


def _ingest(connection: Connection, request: bytes) -> tuple[float, float]:
    """Seconds from sending the batch until all of it is indexed, and until all of it is enriched."""
    started = time.perf_counter()
    answer = json.loads(connection.post(f"{_PATH}?wait=indexed&timeout_ms=60000", request))
    indexed_s = time.perf_counter() - started
    last = answer["episodes"][-1]["id"]
    while connection.get_json(f"{_PATH}/{last}/status")["status"] != "enriched":
        time.sleep(_POLL_S)
    return indexed_s, time.perf_counter() - started


def _tell(result: Result, episodes: int, passages: int, alone_s: float, indexed_s: float, enriched_s: float) -> None:
    own, done = passages / alone_s, passages / indexed_s
    result.at_least(
        "indexed: passages per second",
        done / own,
        BAR,
        f"{done:,.0f}/s = {done / own:.0%}",
        bar_text=f">= {BAR:.0%}",
        yardstick=f"{own:,.0f}/s embedder alone",
    )
    result.info("indexed: episodes per second", f"{episodes / indexed_s:,.0f}/s", f"{episodes / alone_s:,.0f}/s embedder alone")
    result.info("indexed and enriched: episodes per second", f"{episodes / enriched_s:,.0f}/s", f"{alone_s / enriched_s:.0%} of the embedder alone")
    result.info("enriching alone: episodes per second", f"{episodes / (enriched_s - indexed_s):,.0f}/s")
    result.notes.append(
        f"Over HTTP with ?wait=indexed: the time holds the commit, the vectors, the times and their records. {passages / episodes:.2f} "
        "passages an episode. The yardstick is one call with all of a batch's passages, in a process of its own, while the server is idle."
    )
