"""What a store of growing size costs: resident memory, disk, start, the first search after a start, searches."""

import json
import statistics
import time
from pathlib import Path
from typing import Any, Final

from bench import corpus, fill, processes, search
from bench.context import Context
from bench.report import Result
from bench.stats import Samples
from bench.wire import Connection

SIZES: Final = (1_000, 10_000, 100_000)
RSS_BAR_MB: Final = 600
START_BAR_S: Final = 2.0


def run(context: Context) -> Result:
    """Each size in a server of its own, started three times: fresh, again, and again for the median."""
    result = Result("memory", "Growth: memory, disk, start, first search")
    sizes = [size for size in SIZES if size <= context.size(100_000, 1_000)]
    measured = [_at(context, size, result) for size in sizes]
    last = measured[-1]
    at = f"at {last['episodes']:,} episodes"
    result.below(f"resident memory after {last['searches']} searches, {at}", last["rss_mb"], RSS_BAR_MB, "MB")
    result.below(f"start to the first 200 of /readyz, {at}", last["start_s"], START_BAR_S, "s", digits=2)
    result.info(f"of which processor time, {at}", f"{last['start_cpu_s']:.2f} s")
    for each in measured:
        result.info(
            f"{each['episodes']:,} episodes",
            f"{each['rss_mb']:.0f} MB resident, {each['disk_bytes_per_episode']:,.0f} bytes an episode on disk, "
            f"start {each['start_s']:.2f} s, search p50 {each['search_p50_ms']:.2f} ms",
        )
        result.info(
            f"{each['episodes']:,} episodes, first search after a start",
            f"{each['first_search_snapshot_ms']:,.0f} ms from the index snapshot, "
            f"{each['first_search_log_ms']:,.0f} ms from the log alone",
        )
    result.facts["sizes"] = measured
    result.notes += [
        "Resident memory is the server process's VmRSS, the model included. Start: from exec to the first 200 of "
        "/readyz, median of three, the model exported already, files in the page cache.",
        "Disk: the database after a checkpoint plus the index snapshot, which is derived.",
    ]
    return result


def _at(context: Context, size: int, result: Result) -> dict[str, Any]:
    count = context.size(200, 40)
    queries = iter(corpus.questions(count + 10, seed=size))
    starts: list[processes.Server] = []
    with context.folder() as folder, context.progress() as bars:
        data_dir = fill.data_dir(context, size, folder, bars)
        task = bars.add_task(f"a store of {size:,} episodes", total=count)
        with processes.service(data_dir) as server, Connection(server.url) as connection:
            starts.append(server)
            from_log_ms = _search_ms(connection, next(queries))
        with processes.service(data_dir) as server, Connection(server.url) as connection:
            starts.append(server)
            empty_mb = server.rss_mb()
            from_snapshot_ms = _search_ms(connection, next(queries))
            samples = Samples()
            for query in [next(queries) for _ in range(count)]:
                samples.values_ms.append(_search_ms(connection, query))
                bars.advance(task)
            rss_mb, peak_mb = server.rss_mb(), server.peak_rss_mb()
        with processes.service(data_dir) as server:
            starts.append(server)
        disk, index = _bytes(data_dir, "memory.db*"), _bytes(data_dir, "index/**/*")
    result.keep(**{f"search_{size}": samples})
    return {
        "episodes": size,
        "searches": count,
        "rss_mb": rss_mb,
        "peak_rss_mb": peak_mb,
        "rss_at_start_mb": empty_mb,
        "start_s": statistics.median(server.started_s for server in starts),
        "start_cpu_s": statistics.median(server.started_cpu_s for server in starts),
        "starts_s": [server.started_s for server in starts],
        "first_search_log_ms": from_log_ms,
        "first_search_snapshot_ms": from_snapshot_ms,
        "search_p50_ms": samples.p50,
        "disk_bytes_per_episode": (disk + index) / size,
        "database_bytes_per_episode": disk / size,
    }


def _search_ms(connection: Connection, query: str) -> float:
    started = time.perf_counter()
    answer = connection.post(search.PATH, search.body(query))
    elapsed_ms = (time.perf_counter() - started) * 1000
    assert json.loads(answer)["results"], "a filled store has an answer"
    return elapsed_ms


def _bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
