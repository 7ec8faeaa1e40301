"""Sixteen clients at once, four reads to a write, on a store of ten thousand episodes."""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from bench import corpus, fill, processes, search
from bench.context import Context
from bench.fill import NAMESPACE
from bench.report import Result
from bench.stats import Samples
from bench.wire import Connection, RequestFailed

_CLIENTS: Final = 16
_READ_SHARE: Final = 0.8
_WRITES: Final = f"/v1/namespaces/{NAMESPACE}/episodes"
_QUERIES: Final = 40_000


@dataclass
class _Seen:
    """What one client saw."""

    reads: Samples = field(default_factory=Samples)
    writes: Samples = field(default_factory=Samples)
    errors: list[str] = field(default_factory=list[str])


def run(context: Context) -> Result:
    """All clients in a closed loop for a while: each sends its next request when the last is answered."""
    size, seconds = context.size(10_000, 1_000), context.size(20, 4)
    result = Result("mixed", f"{_CLIENTS} clients, 4 reads to 1 write, {size:,} episodes, {seconds} s")
    queries = corpus.questions(context.size(_QUERIES, 4_000), data=context.data)
    with context.folder() as folder, context.progress() as bars:
        data_dir = fill.data_dir(context, size, folder, bars)
        with processes.service(data_dir) as server:
            with Connection(server.url) as first:
                first.post(search.PATH, search.body("What is new?"))
            task = bars.add_task(f"{_CLIENTS} clients at once", total=seconds)
            clients, started = _start(server.url, queries, seconds, size)
            while time.perf_counter() - started < seconds:
                time.sleep(0.25)
                bars.update(task, completed=int(time.perf_counter() - started))
            seen = _join(clients)
            _tell(result, seen, time.perf_counter() - started)
            result.facts["peak_rss_mb"] = round(server.peak_rss_mb(), 1)
    return result


def _start(
    url: str, queries: list[str], seconds: float, size: int
) -> tuple[list[tuple[threading.Thread, _Seen]], float]:
    clients: list[tuple[threading.Thread, _Seen]] = []
    share = len(queries) // _CLIENTS
    started = time.perf_counter()
    for number in range(_CLIENTS):
        seen = _Seen()
        own = queries[number * share : (number + 1) * share]
        arguments = (url, own, started + seconds, size + number * 100_000, seen)
        clients.append((threading.Thread(target=_loop, args=arguments, daemon=True), seen))
    for thread, _ in clients:
        thread.start()
    return clients, started


def _join(clients: list[tuple[threading.Thread, _Seen]]) -> list[_Seen]:
    for thread, _ in clients:
        thread.join()
    return [seen for _, seen in clients]


def _loop(url: str, queries: list[str], until: float, first_turn: int, seen: _Seen) -> None:
    rng = random.Random(first_turn)
    turns = corpus.turns(1_000_000, first=first_turn)
    with Connection(url) as connection:
        for query in queries:
            if time.perf_counter() >= until:
                return
            try:
                if rng.random() < _READ_SHARE:
                    with seen.reads.timed():
                        connection.post(search.PATH, search.body(query))
                else:
                    request = json.dumps({"episodes": [next(turns).request(with_id=False)]}).encode()
                    with seen.writes.timed():
                        connection.post(_WRITES, request)
            except (RequestFailed, OSError) as error:
                seen.errors.append(f"{type(error).__name__}: {error}"[:200])
    seen.errors.append("the client ran out of queries")


def _tell(result: Result, seen: list[_Seen], seconds: float) -> None:
    reads = Samples([value for each in seen for value in each.reads.values_ms])
    writes = Samples([value for each in seen for value in each.writes.values_ms])
    errors = [error for each in seen for error in each.errors]
    result.none("errors", len(errors))
    result.info("requests per second", f"{(len(reads.values_ms) + len(writes.values_ms)) / seconds:,.0f}/s")
    for name, samples in (("searches", reads), ("writes", writes)):
        result.info(f"{name}: p50 and p99", f"{samples.p50:.1f} ms and {samples.percentile(99):.1f} ms")
    result.keep(search=reads, write=writes)
    result.facts["errors"] = errors[:20]
    result.notes.append(
        "The clients run on the same cores as the server, and each write is indexed and enriched meanwhile."
    )
