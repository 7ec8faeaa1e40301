"""How long a search takes at three sizes, beside embedding the same query alone."""

import json
from contextlib import ExitStack
from typing import Final

from bench import corpus, fill, processes, yardsticks
from bench.context import Context
from bench.fill import NAMESPACE
from bench.report import Result
from bench.stats import Samples
from bench.wire import Connection

BARS: Final = {1_000: None, 10_000: 2.0, 100_000: 4.0}
"""Largest ratio of a search's p50 to its query's embedding, by number of episodes."""

TAIL_BAR: Final = 2.0
PATH: Final = f"/v1/namespaces/{NAMESPACE}/search"
_BLOCK: Final = 20
_WARM_UP: Final = 10


def run(context: Context) -> Result:
    """Blocks of new queries, in turn: the embedder alone, then the same queries to each server."""
    result = Result("search", "Searching with a query never asked before, over HTTP, beside embedding it alone")
    sizes = [size for size in BARS if size <= context.size(100_000, 1_000)]
    rounds = context.size(20, 4)
    queries = corpus.questions(rounds * _BLOCK + _WARM_UP, data=context.data)
    alone, searches = Samples(), {size: Samples() for size in sizes}
    embedder = yardsticks.embedder()
    with ExitStack() as stack:
        servers = _servers(stack, context, sizes)
        for connection in servers.values():
            for query in queries[:_WARM_UP]:
                connection.post(PATH, body(query))
        bars = stack.enter_context(context.progress())
        task = bars.add_task("searching", total=rounds)
        for block in corpus.in_batches(queries[_WARM_UP:], _BLOCK):
            for query in block:
                with alone.timed():
                    embedder.embed([query])
            for size, connection in servers.items():
                for query in block:
                    with searches[size].timed():
                        connection.post(PATH, body(query))
            bars.advance(task)
    _tell(result, alone, searches)
    return result


def body(query: str) -> bytes:
    """A search for the ten best."""
    return json.dumps({"query": query}).encode()


def _servers(stack: ExitStack, context: Context, sizes: list[int]) -> dict[int, Connection]:
    folder = stack.enter_context(context.folder())
    found: dict[int, Connection] = {}
    for size in sizes:
        with context.progress() as bars:
            data_dir = fill.data_dir(context, size, folder, bars)
        server = stack.enter_context(processes.service(data_dir))
        found[size] = stack.enter_context(Connection(server.url))
    return found


def _tell(result: Result, alone: Samples, searches: dict[int, Samples]) -> None:
    yardstick = f"{alone.p50:.2f} ms embedding"
    for size, samples in searches.items():
        bar = BARS[size]
        ratio = samples.p50 / alone.p50
        if bar is None:
            result.info(f"{size:,} episodes, p50", f"{samples.p50:.2f} ms = {ratio:.2f}x", yardstick)
        else:
            result.at_most(f"{size:,} episodes, p50", ratio, bar, f"{samples.p50:.2f} ms", yardstick)
    for size, samples in searches.items():
        own = f"{samples.p50:.2f} ms its p50"
        result.at_most(f"{size:,} episodes, p95", samples.p95 / samples.p50, TAIL_BAR, f"{samples.p95:.2f} ms", own)
    result.info(
        "embedding alone, p95", f"{alone.p95:.2f} ms = {alone.p95 / alone.p50:.2f}x", f"{alone.p50:.2f} ms its p50"
    )
    result.keep(embedding=alone, **{f"search_{size}": each for size, each in searches.items()})
    result.notes.append(
        "The yardstick embeds the same queries with the same model and threads in a process of its own, in blocks between the "
        "searches. Its own p95 shows how noisy the machine was."
    )
