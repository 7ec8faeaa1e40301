"""How long an episode takes to be acknowledged, beside a bare HTTP echo plus a bare durable commit; and batches."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench import corpus, processes
from bench.context import Context
from bench.corpus import Turn
from bench.fill import NAMESPACE
from bench.report import Result
from bench.stats import Samples
from bench.wire import Connection
from bench.yardsticks import BareCommits

BAR: Final = 3.0
BATCH_BAR_PER_S: Final = 5_000
_BATCH: Final = 100
_BLOCK: Final = 20
_POLL_S: Final = 0.01
_PATH: Final = f"/v1/namespaces/{NAMESPACE}/episodes"
_MODES: Final = {"inline": "worker in the server", "off": "MEMORY_WORKER=off"}
_SINGLES: Final = {
    "off": "MEMORY_WORKER=off",
    "idle": "worker in the server, done with the last one",
    "inline": "worker in the server, back to back",
}


def run(context: Context) -> Result:
    """Single acknowledgements and batches, with the worker in the server and without one."""
    result = Result("ack", "Acknowledging an episode: committed and synced, over HTTP")
    _singles(context, result)
    _batches(context, result)
    result.notes.append(
        "One client on one kept connection, stores warmed by 40 episodes. Acknowledgements and yardsticks take turns one by "
        "one, with no work left over; but back to back, the worker indexes and enriches an episode on the same cores while "
        "the next ones are acknowledged, and so it does during batches."
    )
    return result


# --- one by one -----------------------------------------------------------------------------------------------------


def _singles(context: Context, result: Result) -> None:
    rounds = context.size(30, 4)
    samples = {name: Samples() for name in (*_SINGLES, "echo", "raw", "commit")}
    warm_up, *blocks = corpus.in_batches((body([t]) for t in corpus.turns((rounds + 1) * 2 * _BLOCK)), 2 * _BLOCK)
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        servers = {name: _service(stack, folder / name, name) for name in _MODES}
        plain = stack.enter_context(Connection(stack.enter_context(processes.echo()).url))
        commits = stack.enter_context(BareCommits(folder / "bare.db"))
        bars = stack.enter_context(context.progress())
        task = bars.add_task("acknowledging one by one", total=rounds)
        _warm_up(servers, plain, commits, warm_up)
        for block in blocks:
            _in_turn(servers, plain, commits, block[:_BLOCK], samples)
            _send(servers["inline"], block[_BLOCK:], samples["inline"])
            _await_idle(servers["inline"])
            bars.advance(task)
    _tell_singles(result, samples)


def _warm_up(servers: dict[str, Connection], plain: Connection, commits: BareCommits, bodies: Sequence[bytes]) -> None:
    for each in bodies:
        for server in servers.values():
            server.post(_PATH, each)
        plain.post("/echo", each)
        commits.commit(each.decode())
    _await_idle(servers["inline"])


def _in_turn(
    servers: dict[str, Connection],
    plain: Connection,
    commits: BareCommits,
    bodies: Sequence[bytes],
    samples: dict[str, Samples],
) -> None:
    """One of each for every body, so that a slow moment of the machine meets all alike."""
    for each in bodies:
        with samples["off"].timed():
            servers["off"].post(_PATH, each)
        with samples["idle"].timed():
            answer = servers["inline"].post(_PATH, each)
        await_enriched(servers["inline"], json.loads(answer)["episodes"][-1]["id"])
        with samples["echo"].timed():
            plain.post("/echo", each)
        with samples["raw"].timed():
            plain.post("/raw", each)
        with samples["commit"].timed():
            commits.commit(each.decode())


def _tell_singles(result: Result, samples: dict[str, Samples]) -> None:
    yardstick = samples["echo"].p50 + samples["commit"].p50
    said = f"{samples['echo'].p50:.2f} ms echo + {samples['commit'].p50:.2f} ms commit"
    for name, meaning in _SINGLES.items():
        p50 = samples[name].p50
        result.at_most(f"one episode, p50, {meaning}", p50 / yardstick, BAR, f"{p50:.2f} ms", said)
    for name, meaning in _SINGLES.items():
        result.info(f"one episode, p95, {meaning}", f"{samples[name].p95:.2f} ms")
    result.info("the yardsticks' p95", "", f"{samples['echo'].p95:.2f} ms echo, {samples['commit'].p95:.2f} ms commit")
    result.info("an echo of bytes, nothing parsed, p50", "", f"{samples['raw'].p50:.2f} ms")
    result.keep(**{f"ack_{name}" if name in _SINGLES else name: each for name, each in samples.items()})


def _send(connection: Connection, bodies: Sequence[bytes], samples: Samples) -> None:
    for each in bodies:
        with samples.timed():
            connection.post(_PATH, each)


def _service(stack: ExitStack, folder: Path, worker: str) -> Connection:
    server = stack.enter_context(processes.service(folder, {"MEMORY_WORKER": worker}))
    return stack.enter_context(Connection(server.url))


def _await_idle(connection: Connection) -> None:
    """Returns when the worker has nothing left to do. The gauge may be a quarter of a second old."""
    time.sleep(0.3)
    while _waiting(connection):
        time.sleep(0.05)


def await_enriched(connection: Connection, episode_id: str) -> None:
    """Returns when the worker is done with this episode."""
    while connection.get_json(f"{_PATH}/{episode_id}/status")["status"] != "enriched":
        time.sleep(_POLL_S)


def _waiting(connection: Connection) -> int:
    _, text = connection.send("GET", "/metrics")
    line = next(line for line in text.decode().splitlines() if line.startswith("memory_queue_episodes "))
    return int(float(line.split()[1]))


def body(turns: Sequence[Turn]) -> bytes:
    """A request that stores these turns; the server gives the ids."""
    return json.dumps({"episodes": [turn.request(with_id=False) for turn in turns]}).encode()


# --- in batches -----------------------------------------------------------------------------------------------------


def _batches(context: Context, result: Result) -> None:
    rounds, per_round = context.size(8, 2), context.size(10, 5)
    bodies = [body(part) for part in corpus.in_batches(corpus.turns(rounds * per_round * _BATCH), _BATCH)]
    for name, meaning in _MODES.items():
        samples = Samples()
        with ExitStack() as stack, context.folder() as folder:
            connection = _service(stack, folder / name, name)
            bars = stack.enter_context(context.progress())
            task = bars.add_task(f"batches of {_BATCH}, {meaning}", total=rounds)
            for part in corpus.in_batches(bodies, per_round):
                _send(connection, part, samples)
                bars.advance(task)
        _tell_batches(result, meaning, samples)
        result.keep(**{f"batch_{name}": samples})


def _tell_batches(result: Result, meaning: str, samples: Samples) -> None:
    per_s = _BATCH * len(samples.values_ms) / (sum(samples.values_ms) / 1000)
    result.at_least(
        f"batches of {_BATCH}, {meaning}",
        per_s,
        BATCH_BAR_PER_S,
        f"{per_s:,.0f} episodes/s ({samples.p50:.1f} ms a batch)",
        bar_text=f">= {BATCH_BAR_PER_S:,} episodes/s",
    )
