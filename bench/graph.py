"""The graph: what an episode costs on its way in, however large the graph is, and what questions cost at a hub.

`ingest` takes episodes of `bench.tellings` through the rule extractor and the planner into an embedded store, all in one
namespace, in the worker's batches; at each decade of the graph's size it also adds some one by one. Embedding has no part in it.
`read` asks stores that hold the same graph, written through their own `apply`: SQLite as the service has it, and the servers
that this machine has.
"""

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import neo4j
import pysqlite3
from rich.progress import Progress
from sqlalchemy import event

from bench import corpus
from bench.context import Context
from bench.report import Result
from bench.stats import Samples
from bench.tellings import source, tellings
from graph.extraction.extractor import RuleExtractor
from graph.ids import assertion_id, node_id
from graph.ledger.schema import metadata as ledger_metadata
from graph.model import Extraction, Source
from graph.planner import Planner
from graph.queries.neighbourhood import neighbourhood
from graph.queries.paths import paths
from graph.rows import Changes, EntityVersion, FactVersion
from graph.stores.port import FactFilter, GraphStore, GraphView, Moment
from graph.stores.sql import SqlGraphStore
from graph.stores.sql.schema import metadata as store_metadata
from memory_service.limits import WORKER_BATCH_EPISODES
from memory_service.log.database import Database, sqlite_url
from memory_service.pipeline.graph import times_in
from tests.support.graph_servers import GraphServers, Missing

_NAMESPACE: Final = "bench"
_DAY: Final = 86_400_000_000

# --- ingest -----------------------------------------------------------------------------------------------------------

_BAR_MS: Final = 5.0
_BAR_RATIO: Final = 1.3
_LIMIT_S: Final = 240.0
"""No further decade is begun after that, and the one at hand ends: a slow machine tells of a smaller graph."""


@dataclass
class Spent:
    """Seconds by what they went into."""

    extraction: float = 0.0
    sql: float = 0.0
    planning: float = 0.0
    episodes: int = 0

    def ms(self, seconds: float) -> float:
        return 1_000 * seconds / max(1, self.episodes)

    @property
    def total_ms(self) -> float:
        return self.ms(self.extraction + self.sql + self.planning)

    def __str__(self) -> str:
        parts = ("extraction", self.extraction), ("planning", self.planning), ("SQLite", self.sql)
        return f"{self.total_ms:.2f} ms: " + ", ".join(f"{name} {self.ms(spent):.2f}" for name, spent in parts)


class Ingest:
    """An embedded store that episodes are added to."""

    def __init__(self, path: Path) -> None:
        self._database = Database(sqlite_url(path))
        self._extractor = RuleExtractor(times_in)
        self._now = 0
        self._in_driver = 0.0
        event.listen(self._database.engine, "before_cursor_execute", self._before)
        event.listen(self._database.engine, "after_cursor_execute", self._after)
        with self._database.write() as connection:
            for metadata in (store_metadata, ledger_metadata):
                metadata.create_all(connection)

    def _before(self, *_: Any) -> None:
        self._in_driver -= time.perf_counter()

    def _after(self, *_: Any) -> None:
        self._in_driver += time.perf_counter()

    def extract(self, sources: Sequence[Source]) -> list[tuple[Source, Extraction]]:
        return [(each, self._extractor.extract(each)) for each in sources]

    def add(self, sources: Sequence[Source], spent: Spent) -> None:
        """One moment: a commit of its own, synced to disk."""
        self._now += 1
        began = time.perf_counter()
        extracted = self.extract(sources)
        read, self._in_driver = time.perf_counter(), 0.0
        with self._database.write() as connection:
            Planner(connection, _NAMESPACE).add(extracted, self._now)
            planned = time.perf_counter()
        sql = self._in_driver + time.perf_counter() - planned
        spent.extraction += read - began
        spent.sql += sql
        spent.planning += time.perf_counter() - read - sql
        spent.episodes += len(sources)

    def close(self) -> None:
        self._database.close()


def ingest(context: Context) -> Result:
    """Batches all along, one by one at each decade's end."""
    decades = [1_000, 10_000, 100_000] if not context.quick else [500, 1_000, 2_000]
    result = Result("graph-ingest", "From episodes to the graph without an LLM, in one namespace, embedding left out")
    with context.folder() as folder, context.progress() as bars:
        found = _ingest(folder, decades, context.size(256, 64), bars)
    batched = {size: spent for size, (spent, _) in found.items()}
    first, last = min(found), max(found)
    for size, (spent, alone) in found.items():
        result.info(f"at {size:,} episodes, in batches of {WORKER_BATCH_EPISODES}, each", str(spent))
        result.info(f"at {size:,} episodes, one by one, each with a commit of its own", str(alone))
        result.facts[str(size)] = {"batched_ms": spent.total_ms, "alone_ms": alone.total_ms}
    result.below(f"an episode at {last:,}, in batches", batched[last].total_ms, _BAR_MS, "ms", digits=2)
    ratio = batched[last].total_ms / batched[first].total_ms
    result.at_most(
        f"an episode at {last:,} beside one at {first:,}, in batches",
        ratio,
        _BAR_RATIO,
        f"{batched[last].total_ms:.2f} ms",
        f"{batched[first].total_ms:.2f} ms at {first:,}",
    )
    if last < decades[-1]:
        result.notes.append(f"Stopped at {last:,} episodes after {_LIMIT_S:g} s.")
    result.notes.append(
        "Each figure is of the last episodes before that size. What an episode brings is the same all along: bench/tellings.py. "
        "SQLite's share is what passes in the driver and in the synced commit."
    )
    return result


def _ingest(folder: Path, decades: Sequence[int], alone: int, bars: Progress) -> dict[int, tuple[Spent, Spent]]:
    store = Ingest(folder / "graph.db")
    store.extract(
        [source(turn) for turn in tellings(64, first=decades[-1] + 1_000)]
    )  # word lists are read at first use
    began = time.perf_counter()
    turns = map(source, tellings(decades[-1]))
    found: dict[int, tuple[Spent, Spent]] = {}
    task = bars.add_task("adding episodes to a graph", total=decades[-1])
    done = 0
    for size in decades:
        window = min(size // 2, 5_000)
        batched, single = Spent(), Spent()
        while done < size - alone and time.perf_counter() - began < _LIMIT_S:
            batch = list(islice(turns, min(WORKER_BATCH_EPISODES, size - alone - done)))
            store.add(batch, batched if done >= size - alone - window else Spent())
            done += len(batch)
            bars.advance(task, len(batch))
        if done < size - alone:
            break
        for _ in range(alone):
            store.add([next(turns)], single)
        done += alone
        found[size] = batched, single
    store.close()
    return found


# --- read -------------------------------------------------------------------------------------------------------------

_KINDS: Final = ("sqlite", "postgresql", "neo4j")
_WRITTEN_AT_ONCE: Final = 5_000
_PREDICATES: Final = ("friend_of", "works_at", "visited", "likes", "uses")
_SHOWN: Final = 50
_HOP: Final = 50
_FACTS_BAR_MS: Final = 1.0
_HUB_BAR_MS: Final = 5.0


@dataclass(frozen=True, slots=True)
class World:
    """A graph: entity 0 is the hub."""

    nodes: int
    facts: int
    hub: int

    def entity(self, number: int) -> str:
        return node_id(_NAMESPACE, f"entity {number}")

    def changes(self) -> Iterator[Changes]:
        """All versions, in parts."""
        for numbers in corpus.in_batches(range(self.nodes), _WRITTEN_AT_ONCE):
            yield Changes(entities=[self._entity(number) for number in numbers])
        for numbers in corpus.in_batches(range(self.facts), _WRITTEN_AT_ONCE):
            yield Changes(facts=[self._fact(number) for number in numbers])

    def _entity(self, number: int) -> EntityVersion:
        name = f"entity {number}"
        return EntityVersion(self.entity(number), 1, None, name, "Thing", (name,), (name,))

    def _fact(self, number: int) -> FactVersion:
        """The first facts are the hub's, each with another entity; the others are between any two."""
        drawn = random.Random(number)
        ends = (
            (0, number + 1) if number < self.hub else (drawn.randrange(1, self.nodes), drawn.randrange(1, self.nodes))
        )
        subject, target = ends if number % 2 else ends[::-1]
        start = drawn.randrange(3_650) * _DAY
        stop = start + drawn.randrange(1, 1_000) * _DAY if drawn.random() < 1 / 5 else None
        text = f"entity {subject} is with entity {target}"
        return FactVersion(
            assertion_id(_NAMESPACE, f"episode {number}", 0), 1, None, self.entity(subject), f"entity {subject}",
            drawn.choice(_PREDICATES), self.entity(target), f"entity {target}", start, stop, "stated", "day", (),
            text, f"{text}, they say.", 1.0, "bench", None, None,
        )  # fmt: skip


@dataclass
class _Asked:
    """Times of one store."""

    facts: Samples = field(default_factory=Samples)
    facts_of_hub: Samples = field(default_factory=Samples)
    around: Samples = field(default_factory=Samples)
    around_hub: Samples = field(default_factory=Samples)
    path: Samples = field(default_factory=Samples)
    yardstick: Samples = field(default_factory=Samples)
    filled_s: float = 0.0


def read(context: Context) -> Result:
    """The same questions, in turn with each store's yardstick."""
    world = World(context.size(100_000, 2_000), context.size(300_000, 6_000), context.size(26_000, 500))
    result = Result(
        "graph-read",
        f"Questions to a graph of {world.nodes:,} entities and {world.facts:,} facts, a hub of {world.hub:,}",
    )
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        bars = stack.enter_context(context.progress())
        servers = GraphServers(folder)
        stack.callback(servers.close)
        for kind in _KINDS:
            try:
                store = servers.store(kind)
            except Missing as missing:
                result.notes.append(f"{kind} was not measured: {missing}")
                continue
            asked = _ask(store, world, stack.enter_context(_yardstick(kind, folder, store, world)), bars, context)
            _tell(result, kind, store.name, asked)
    result.notes.append(
        f"Facts as of a time: the newest {_SHOWN}. Two hops: at most {_HOP} entities a hop. Paths of at most 4 facts, the 3 "
        "shortest, between two entities drawn at random. Asked through the port, in this process; written through `apply`."
    )
    return result


def _ask(store: GraphStore, world: World, yardstick: Callable[[], None], bars: Progress, context: Context) -> _Asked:
    asked = _Asked()
    task = bars.add_task(f"filling {store.name}", total=world.nodes + world.facts)
    began = time.perf_counter()
    for place, changes in enumerate(world.changes(), 1):
        store.apply(_NAMESPACE, changes, place)
        bars.advance(task, len(changes.entities) + len(changes.facts))
    asked.filled_s = time.perf_counter() - began
    view, drawn = store.view(_NAMESPACE), random.Random(7)
    for number in range(context.size(330, 40)):
        # What is read at first, a store has yet to plan and to load.
        _round(view, world, drawn, yardstick, asked if number >= context.size(30, 10) else _Asked())
    return asked


def _round(view: GraphView, world: World, drawn: random.Random, yardstick: Callable[[], None], asked: _Asked) -> None:
    one, other = (world.entity(drawn.randrange(1, world.nodes)) for _ in range(2))
    hub = world.entity(0)
    at = Moment(as_of=drawn.randrange(3_650) * _DAY)
    with asked.yardstick.timed():
        yardstick()
    with asked.facts.timed():
        view.facts(FactFilter(entity=one), at, None, _SHOWN)
    with asked.facts_of_hub.timed():
        view.facts(FactFilter(entity=hub), at, None, _SHOWN)
    with asked.around.timed():
        neighbourhood(view, one, Moment(), hops=2, per_hop=_HOP)
    with asked.around_hub.timed():
        neighbourhood(view, hub, Moment(), hops=2, per_hop=_HOP)
    with asked.path.timed():
        paths(view, one, other, Moment(), max_hops=4, limit=3)


def _tell(result: Result, kind: str, name: str, asked: _Asked) -> None:
    is_ours = kind == "sqlite"
    least = f"{asked.yardstick.p50:.2f} ms {_YARDSTICKS[kind]}"
    if is_ours:
        result.below(f"{name}: facts of an entity as of a time, p50", asked.facts.p50, _FACTS_BAR_MS, "ms", digits=2)
        result.below(f"{name}: two hops around the hub, p95", asked.around_hub.p95, _HUB_BAR_MS, "ms", digits=2)
    rows = (
        ("facts of an entity as of a time", asked.facts),
        ("facts of the hub as of a time", asked.facts_of_hub),
        ("two hops around an entity", asked.around),
        ("two hops around the hub", asked.around_hub),
        ("paths between two entities", asked.path),
    )
    for what, samples in rows:
        result.info(f"{name}: {what}, p50 and p95", f"{samples.p50:.2f} and {samples.p95:.2f} ms", least)
        result.keep(**{f"{kind} {what}": samples})
    result.keep(**{f"{kind} yardstick": asked.yardstick})
    result.facts[kind] = {"name": name, "filled_s": round(asked.filled_s, 1)}


_YARDSTICKS: Final = {
    "sqlite": "a row by its key, prepared",
    "postgresql": "SELECT 1",
    "neo4j": "RETURN 1",
}


@contextmanager
def _yardstick(kind: str, folder: Path, store: GraphStore, world: World) -> Generator[Callable[[], None]]:
    """What one question to a store costs at least, without ours around it."""
    if kind == "sqlite":
        connection: Any = pysqlite3.connect(str(folder / "sqlite" / "graph.db"))
        statement = "SELECT * FROM graph_facts WHERE namespace = ? AND id = ? AND created_at = ?"
        drawn = random.Random(11)

        def ask() -> None:
            fact = assertion_id(_NAMESPACE, f"episode {drawn.randrange(world.facts)}", 0)
            connection.execute(statement, (_NAMESPACE, fact, 1)).fetchall()

        yield ask
        connection.close()
    elif isinstance(store, SqlGraphStore):
        with store._engine.connect() as own:
            yield lambda: _done(own.exec_driver_sql("SELECT 1").all())
    else:
        address = store._bolt._address  # type: ignore[attr-defined]
        with neo4j.GraphDatabase.driver(address.url, auth=address.auth) as driver, driver.session() as session:
            yield lambda: _done(session.run("RETURN 1").single())


def _done(_found: Any) -> None:
    """What was found is of no interest."""
