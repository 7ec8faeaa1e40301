"""The writer shares commits and keeps units apart; nothing is acknowledged that did not commit; seq and time only rise."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pysqlite3
import pytest
from sqlalchemy import event, insert, select

from memory_service import limits, wire
from memory_service.errors import MemoryServiceError, StorageFull, StorageUnavailable
from memory_service.log import erasure
from memory_service.log.episodes import append as append_in
from memory_service.log.episodes import draft
from memory_service.log.outbox import NoDispatcher
from memory_service.log.schema import episodes, store_info
from memory_service.log.writer import Transaction, Writer
from memory_service.service import MemoryService
from tests.stateful.services import append, new_folder, open_service, work
from tests.support.commits import one_commit

Unit = Callable[[Transaction], Any]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MemoryService]:
    service = open_service(new_folder(tmp_path))
    yield service
    service.close()


def storing(name: str, namespace: str = "ns") -> Unit:
    """A unit that stores one episode of this id."""
    item = draft(wire.EpisodeIn(id=name, content=name), None)
    return lambda tx: append_in(tx, namespace, [item], ("index", 1), NoDispatcher())


def stored(service: MemoryService, namespace: str = "ns") -> list[str]:
    with service.namespace(namespace).snapshot() as snapshot:
        return [episode.id for episode in snapshot.episodes(0, 10_000)]


def together(service: MemoryService, *units: Unit) -> "list[Future[Any]]":
    """Submits the units so that one commit takes them all, and waits for it."""
    with one_commit(service, len(units)):
        futures = [service.store.writer.submit(unit) for unit in units]
    for future in futures:
        future.exception(timeout=30)
    return futures


# --- sharing a commit ---------------------------------------------------------------------------------------------


def test_units_that_wait_together_share_a_commit(service: MemoryService) -> None:
    writer = service.store.writer
    before = writer.commits
    futures = together(service, *(storing(f"e{n}") for n in range(100)))
    assert [future.result()[0].seq for future in futures] == list(range(1, 101))
    assert writer.commits - before <= 2, "one for what held the writer, one for all that waited"


def test_concurrent_writers_make_fewer_commits_than_they_submit(service: MemoryService) -> None:
    writer = service.store.writer
    commits, submissions = writer.commits, writer.submissions
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: append(service, "ns", [{"id": f"e{n}", "content": f"{n}"}]), range(400)))
    assert writer.submissions - submissions == 400
    assert writer.commits - commits < 400
    assert len(stored(service)) == 400


def test_a_commit_takes_a_bounded_number_of_units(service: MemoryService) -> None:
    writer = service.store.writer
    before = writer.commits
    together(service, *(storing(f"e{n}") for n in range(limits.MAX_GROUP_COMMITS + 10)))
    assert writer.commits - before >= 2
    assert len(stored(service)) == limits.MAX_GROUP_COMMITS + 10


def test_a_unit_that_raises_is_undone_alone_and_takes_no_seq(service: MemoryService) -> None:
    def failing(tx: Transaction) -> None:
        storing("failing")(tx)
        raise ValueError("not this one")

    first, failed, last = together(service, storing("first"), failing, storing("last"))
    assert isinstance(failed.exception(), ValueError)
    assert stored(service) == ["first", "last"]
    assert (first.result()[0].seq, last.result()[0].seq) == (1, 2)


def test_a_unit_that_breaks_a_constraint_is_undone_alone(service: MemoryService) -> None:
    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.connection.execute(insert(store_info), {"key": "twice", "value": ""})

    _, failed, _ = together(service, storing("first"), twice, storing("last"))
    assert failed.exception() is not None
    assert stored(service) == ["first", "last"]


def test_a_unit_sees_what_the_units_before_it_did(service: MemoryService) -> None:
    first, same = together(service, storing("e"), storing("e"))
    assert first.result() == same.result()
    assert stored(service) == ["e"]


def test_namespaces_count_right_when_one_is_erased_in_a_commit_that_also_fills_it(service: MemoryService) -> None:
    def erasing(tx: Transaction) -> Any:
        return erasure.erase_namespace(tx, "ns")

    append(service, "ns", [{"id": "old", "content": "x"}])
    together(service, storing("before"), erasing, storing("after"))
    assert stored(service) == ["after"]
    assert [(item.name, item.episodes) for item in service.namespaces("", 10)] == [("ns", 1)]
    together(service, storing("before"), erasing)
    assert service.namespaces("", 10) == []


# --- a commit that fails ------------------------------------------------------------------------------------------


class Commits:
    """Commits of this service, the next of which can be made to fail as by a failing sync."""

    def __init__(self, service: MemoryService) -> None:
        self.to_fail = 0
        event.listen(service.store.database.engine, "commit", self._commit)

    def _commit(self, connection: Any) -> None:
        if self.to_fail and connection.get_execution_options().get("immediate"):
            self.to_fail -= 1
            raise pysqlite3.OperationalError("disk I/O error")


def test_a_commit_that_fails_fails_every_unit_and_acknowledges_none(service: MemoryService) -> None:
    commits, called = Commits(service), list[str]()

    def with_callback(tx: Transaction) -> None:
        storing("third")(tx)
        tx.after_commit(lambda: called.append("after the commit"))

    with one_commit(service, 3):
        futures = [service.store.writer.submit(unit) for unit in (storing("first"), storing("second"), with_callback)]
        commits.to_fail = 2  # that of the unit which holds the writer, and theirs
    assert all(isinstance(future.exception(timeout=30), StorageUnavailable) for future in futures)
    assert stored(service) == []
    assert called == []


def test_after_a_failed_commit_the_writer_goes_on_where_it_was(service: MemoryService) -> None:
    commits = Commits(service)
    append(service, "ns", [{"id": "before", "content": "x"}])
    commits.to_fail = 1
    with pytest.raises(StorageUnavailable):
        append(service, "ns", [{"id": "e", "content": "x"}])
    assert append(service, "ns", [{"id": "e", "content": "x"}])[0].seq == 2
    assert stored(service) == ["before", "e"]


def test_a_unit_that_fills_the_disk_fails_all_that_share_its_commit(service: MemoryService) -> None:
    def filling(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("PRAGMA max_page_count=1")  # SQLite takes the present size
        try:
            tx.connection.execute(insert(store_info), {"key": "large", "value": "x" * 10_000_000})
        finally:
            tx.connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    futures = together(service, storing("first"), filling, storing("last"))
    assert all(isinstance(future.exception(), StorageFull) for future in futures)
    assert stored(service) == []
    assert append(service, "ns", [{"id": "first", "content": "first"}])[0].seq == 1


# --- order --------------------------------------------------------------------------------------------------------


class WanderingClock:
    """Goes back as often as forward, as clocks do that are set by hand."""

    def __init__(self) -> None:
        self._chance, self._lock = Random(1), threading.Lock()
        self.now = 2_000_000_000_000_000

    def now_micros(self) -> int:
        with self._lock:
            self.now += self._chance.randint(-3_600_000_000, 3_600_000_000)
            return self.now


def rows(service: MemoryService) -> list[tuple[int, int]]:
    with service.store.database.read() as connection:
        query = select(episodes.c.seq, episodes.c.recorded_at).order_by(episodes.c.seq)
        return [(row.seq, row.recorded_at) for row in connection.execute(query)]


def race(service: MemoryService) -> list[int]:
    """Many batches from several threads; the seqs they were told."""
    batches = [[{"content": f"{n} {k}"} for k in range(1 + n % 3)] for n in range(100)]
    with ThreadPoolExecutor(8) as pool:
        return [receipt.seq for found in pool.map(lambda b: append(service, "ns", b), batches) for receipt in found]


def test_seq_and_recorded_at_only_rise_though_writers_race_and_the_clock_goes_back(tmp_path: Path) -> None:
    folder, given = new_folder(tmp_path), list[int]()
    for _ in range(3):
        service = open_service(folder, WanderingClock())
        given += race(service)
        known = rows(service)
        service.close()
        times = [recorded_at for _, recorded_at in known]
        assert times == sorted(times)
    assert sorted(given) == [seq for seq, _ in known] == list(range(1, len(known) + 1))


def test_commits_one_after_another_have_rising_times_though_the_clock_stands(service: MemoryService) -> None:
    for n in range(5):
        append(service, "ns", [{"content": str(n)}])
    times = [recorded_at for _, recorded_at in rows(service)]
    assert len(set(times)) == 5
    assert times == sorted(times)


def test_a_reader_that_follows_seq_misses_no_row(service: MemoryService) -> None:
    done, seen = threading.Event(), list[str]()

    def follow() -> None:
        after, last_look = 0, False
        while not last_look:
            last_look = done.is_set()
            with service.namespace("ns").snapshot() as snapshot:
                found = snapshot.episodes(after, 1000)
            seen.extend(episode.id for episode in found)
            after = found[-1].seq if found else after

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append(service, "ns", [{"id": f"e{n}", "content": "x"}]), range(300)))
    done.set()
    reader.join()
    assert seen == stored(service)
    assert len(seen) == 300


def test_enrichment_goes_on_though_the_clock_is_set_back(tmp_path: Path) -> None:
    clock = WanderingClock()
    clock.now_micros = lambda: clock.now  # type: ignore[method-assign]
    service = open_service(new_folder(tmp_path), clock)
    append(service, "ns", [{"id": "before", "content": "tea"}])
    clock.now -= 3_600_000_000
    append(service, "ns", [{"id": "after", "content": "tea"}])
    work(service)
    with service.namespace("ns").snapshot() as snapshot:
        assert [episode.status for episode in snapshot.episodes(0, 10)] == ["enriched", "enriched"]
    service.close()


# --- its callers --------------------------------------------------------------------------------------------------


def test_a_caller_who_gives_up_does_not_stop_the_writer(service: MemoryService) -> None:
    async def give_up() -> None:
        request = wire.AppendRequest.model_validate({"episodes": [{"id": "left", "content": "x"}]})
        task = asyncio.create_task(service.append("ns", request))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with one_commit(service, 1):
        asyncio.run(give_up())
    assert append(service, "ns", [{"id": "next", "content": "x"}])[0].seq == 2
    assert stored(service) == ["left", "next"]


def test_closing_commits_what_is_queued_and_refuses_what_comes_later(service: MemoryService) -> None:
    writer: Writer = service.store.writer
    free = threading.Event()
    writer.submit(lambda _tx: free.wait(30))
    futures = [writer.submit(storing(f"e{n}")) for n in range(20)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    free.set()
    closing.join()
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(stored(service)) == 20
    with pytest.raises(MemoryServiceError, match="stopping"):
        writer.submit(storing("late"))
