"""The power-cut shim does what it says, shown on real processes: plain files first, then SQLite, then failing disks."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pysqlite3
import pytest

from tests.crash import powerloss

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"),
]

PRELUDE = """
import ctypes, fcntl, mmap, os, sys, threading
os.chdir(sys.argv[1])
def put(path, data, at=0, flags=os.O_CREAT | os.O_WRONLY, sync=False):
    fd = os.open(path, flags, 0o644)
    os.pwrite(fd, data, at)
    if sync:
        os.fsync(fd)
    return fd
def sync_folder(path="."):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
"""
READY = "\nprint('ready', flush=True)\nsys.stdin.read()\n"


class Machine:
    """A folder whose processes lose power."""

    def __init__(self, root: Path, shim: Path) -> None:
        self.data, self.shadow, self.control = root / "data", root / "shadow", root / "control"
        self.shim = shim
        self.running: list[subprocess.Popen[str]] = []
        self.environment()

    def environment(self) -> dict[str, str]:
        return os.environ | powerloss.environment(self.data, self.shadow, self.control, shim=self.shim)

    def start(self, script: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PRELUDE + script, str(self.data), *map(str, arguments)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self.environment(), stdin=pipe, stdout=pipe, text=True)
        self.running.append(process)
        return process

    def cut_power(self, torn: Random | None = None) -> list[str]:
        self.stop()
        return powerloss.restore(self.data, self.shadow, torn)

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate()
        self.running.clear()

    def after(self, script: str) -> dict[str, bytes]:
        """What the folder holds when the power goes right after the script's last line."""
        process = self.start(script + READY)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        self.cut_power()
        return self.files()

    def files(self) -> dict[str, bytes]:
        paths = sorted(path for path in self.data.rglob("*") if path.is_file())
        return {str(path.relative_to(self.data)): path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return powerloss.build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def machine(tmp_path: Path, shim: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, shim)
    yield machine
    machine.stop()


# --- plain files --------------------------------------------------------------------------------------------------


def test_without_the_shim_a_kill_loses_nothing(tmp_path: Path) -> None:
    script = PRELUDE + "put('a', b'new')" + READY
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_write_without_fsync_is_lost(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    assert machine.after("put('a', b'new')") == {"a": b"old"}


@pytest.mark.parametrize("sync", ["os.fsync", "os.fdatasync"])
def test_a_write_with_fsync_stays(machine: Machine, sync: str) -> None:
    (machine.data / "a").write_bytes(b"old")
    assert machine.after(f"{sync}(put('a', b'newer'))") == {"a": b"newer"}


@pytest.mark.parametrize(
    "write",
    [
        "os.write(fd, b'XY')",
        "os.writev(fd, [b'X', b'Y'])",
        "os.pwrite(fd, b'XY', 0)",
        "os.pwritev(fd, [b'X', b'Y'], 0)",
        "os.sendfile(fd, os.open('from', os.O_RDONLY), 0, 2)",
        "os.copy_file_range(os.open('from', os.O_RDONLY), fd, 2)",
        "mmap.mmap(fd, 2)[:] = b'XY'",
    ],
)
@pytest.mark.parametrize("synced", [True, False])
def test_every_way_to_write_is_seen(machine: Machine, write: str, synced: bool) -> None:
    (machine.data / "a").write_bytes(b"12345")
    (machine.data / "from").write_bytes(b"XY")
    after = machine.after(f"fd = os.open('a', os.O_RDWR); {write}; {'os.fsync(fd)' if synced else ''}")
    assert after["a"] == (b"XY345" if synced else b"12345")


@pytest.mark.parametrize("synced", [True, False])
def test_stdio_is_seen(machine: Machine, synced: bool) -> None:
    (machine.data / "a").write_bytes(b"12345")
    script = """
c = ctypes.CDLL(None)
c.fopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(c.fopen(b"a", b"r+"))
c.fputs(b"XY", stream); c.fflush(stream)
"""
    after = machine.after(script + ("os.fsync(c.fileno(stream))" if synced else ""))
    assert after == {"a": b"XY345" if synced else b"12345"}


def test_only_what_was_written_before_the_fsync_stays(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"." * 10_000)
    after = machine.after("fd = put('a', b'first', 5000, sync=True); os.pwrite(fd, b'second', 7000)")
    assert after["a"] == b"." * 5000 + b"first" + b"." * 4995


def test_many_scattered_writes_arrive_whole(machine: Machine) -> None:
    (machine.data / "a").write_bytes(bytes(1_000_000))
    script = """
import random
r = random.Random(7)
fd = os.open('a', os.O_RDWR)
for n in range(500):
    os.pwrite(fd, bytes([n % 255 + 1]) * r.randrange(1, 3000), r.randrange(1_000_000))
os.fsync(fd)
open('../expected', 'wb').write(open('a', 'rb').read())
"""
    after = machine.after(script)
    assert after["a"] == (machine.data.parent / "expected").read_bytes()


def test_an_append_lands_at_the_end(machine: Machine) -> None:
    (machine.data / "log").write_bytes(b"one,")
    script = """
fd = os.open('log', os.O_WRONLY | os.O_APPEND)
os.write(fd, b'two,'); os.fsync(fd)
os.write(fd, b'three,')
"""
    assert machine.after(script) == {"log": b"one,two,"}


def test_a_truncation_counts_from_its_fsync_on(machine: Machine) -> None:
    (machine.data / "kept").write_bytes(b"12345678")
    (machine.data / "cut").write_bytes(b"12345678")
    script = """
fds = [os.open(name, os.O_RDWR) for name in ('kept', 'cut')]
for fd in fds:
    os.ftruncate(fd, 3)
os.fsync(fds[1])
"""
    assert machine.after(script) == {"kept": b"12345678", "cut": b"123"}


def test_what_was_cut_off_does_not_come_back_when_the_file_grows(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"12345678")
    script = "fd = os.open('a', os.O_RDWR); os.ftruncate(fd, 3); os.pwrite(fd, b'X', 7); os.fsync(fd)"
    assert machine.after(script) == {"a": b"123\0\0\0\0X"}


def test_opening_with_truncation_loses_nothing_until_the_fsync(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old text")
    assert machine.after("put('a', b'new', flags=os.O_WRONLY | os.O_TRUNC)") == {"a": b"old text"}
    assert machine.after("put('a', b'new', flags=os.O_WRONLY | os.O_TRUNC, sync=True)") == {"a": b"new"}


def test_a_synchronous_descriptor_needs_no_fsync(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    assert machine.after("put('a', b'new', flags=os.O_WRONLY | os.O_DSYNC)") == {"a": b"new"}


def test_a_new_file_needs_its_directory_synced_too(machine: Machine) -> None:
    script = "put('with', b'x', sync=True); sync_folder(); put('without', b'x', sync=True)"
    assert machine.after(script) == {"with": b"x"}


def test_a_new_file_whose_name_alone_was_synced_is_empty(machine: Machine) -> None:
    assert machine.after("put('a', b'x'); sync_folder()") == {"a": b""}


def test_a_rename_counts_from_its_directory_sync_on(machine: Machine) -> None:
    replace = "put('a.new', b'new', sync=True); os.rename('a.new', 'a')"
    (machine.data / "a").write_bytes(b"old")
    assert machine.after(replace) == {"a": b"old"}
    assert machine.after(replace + "; sync_folder()") == {"a": b"new"}


def test_a_rename_before_the_fsync_leaves_an_empty_file(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    assert machine.after("put('a.new', b'new'); os.rename('a.new', 'a'); sync_folder()") == {"a": b""}


def test_an_unlink_counts_from_its_directory_sync_on(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    assert machine.after("os.unlink('a')") == {"a": b"old"}
    assert machine.after("os.unlink('a'); sync_folder()") == {}


def test_a_file_made_anew_under_an_old_name_needs_its_directory_synced(machine: Machine) -> None:
    anew = "os.unlink('a'); put('a', b'new', sync=True)"
    (machine.data / "a").write_bytes(b"old")
    assert machine.after(anew) == {"a": b"old"}
    assert machine.after(anew + "; sync_folder()") == {"a": b"new"}


def test_files_in_new_and_renamed_folders(machine: Machine) -> None:
    script = """
os.mkdir('new'); put('new/a', b'x', sync=True); sync_folder('new')
os.rename('new', 'moved'); put('moved/b', b'y', sync=True)
"""
    assert machine.after(script) == {"moved/a": b"x"}


def test_shared_memory_files_are_never_durable(machine: Machine) -> None:
    assert machine.after("put('db-shm', b'x', sync=True); sync_folder()") == {}


def test_a_folder_outside_is_left_alone(machine: Machine) -> None:
    machine.after("put('../outside', b'x'); put('../outside', b'y', 1)")
    assert (machine.data.parent / "outside").read_bytes() == b"xy"


def test_a_child_syncs_what_its_parent_wrote(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    script = """
fd = put('a', b'new')
if os.fork() == 0:
    os.fsync(fd)
    os._exit(0)
os.wait()
os.pwrite(fd, b'lost', 3)
"""
    assert machine.after(script) == {"a": b"new"}


def test_two_processes_share_one_disk(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    writer = machine.start("put('a', b'new')" + READY)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    assert machine.after("os.fsync(os.open('a', os.O_RDWR))") == {"a": b"new"}


def test_threads_may_write_and_sync_at_once(machine: Machine) -> None:
    (machine.data / "a").write_bytes(bytes(8 * 4096))
    script = """
fd = os.open('a', os.O_RDWR)
def work(n):
    for k in range(200):
        os.pwrite(fd, bytes([n + 1]) * 4096, n * 4096)
        os.fsync(fd)
    os.pwrite(fd, bytes([255]) * 10, n * 4096)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
"""
    after = machine.after(script)["a"]
    for n in range(8):
        # A thread's last, unsynced write may have been made durable by another thread's fsync.
        assert after[n * 4096 + 10 : (n + 1) * 4096] == bytes([n + 1]) * 4086
        assert set(after[n * 4096 : n * 4096 + 10]) in ({n + 1}, {255})


def test_syncing_keeps_posix_locks(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    script = """
fd = os.open('a', os.O_WRONLY)
fcntl.lockf(fd, fcntl.LOCK_EX)
os.pwrite(fd, b'new', 0); os.fsync(fd); sync_folder()
if os.fork() == 0:
    try:
        fcntl.lockf(os.open('a', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os._exit(7)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
"""
    assert machine.after(script) == {"a": b"new"}


def test_a_killed_process_leaves_no_lock_behind(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"old")
    powerloss.kill_at_sync(machine.control, 1)
    assert machine.start("os.fsync(put('a', b'new'))").wait(timeout=20) == -9
    powerloss.clear(machine.control)
    assert machine.after("put('b', b'x', sync=True); sync_folder()") == {"a": b"old", "b": b"x"}


def test_a_torn_cut_keeps_some_sectors_and_no_others(machine: Machine) -> None:
    (machine.data / "a").write_bytes(b"o" * 20_000)
    process = machine.start("fd = put('a', b'n' * 20_000); os.pwrite(fd, b's' * 512, 512)" + READY)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert machine.cut_power(torn=Random(3)) == ["a"]
    after = machine.files()["a"]
    sectors = {after[at : at + 512] for at in range(0, 20_000 - 512, 512)}
    assert sectors <= {b"o" * 512, b"n" * 512, b"s" * 512}
    assert {b"o" * 512, b"n" * 512} <= sectors


# --- SQLite -------------------------------------------------------------------------------------------------------

WRITER = """
import random, pysqlite3
mode, seed, first, threads = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
db = pysqlite3.connect('db', isolation_level=None)
db.execute('pragma journal_mode=wal')
db.execute('create table if not exists rows (id integer primary key, batch integer, content text)')
told = threading.Lock()
def write(worker):
    r = random.Random(f'{seed}:{worker}')
    db = pysqlite3.connect('db', isolation_level=None, timeout=30)
    db.execute(f'pragma synchronous={mode}')
    db.execute('pragma wal_autocheckpoint=25')
    for n in range(first + worker * 100_000, first + (worker + 1) * 100_000):
        db.execute('begin immediate')
        for k in range(r.choice([1, 1, 3, 20])):
            db.execute('insert into rows values (?, ?, ?)', (n * 100 + k, n, f'{n}.{k} ' * r.randrange(1, 300)))
        db.execute('commit')
        with told:
            print(n, k + 1, flush=True)
        if r.random() < 0.05:
            db.execute('pragma wal_checkpoint(%s)' % r.choice(['passive', 'restart', 'truncate'])).fetchall()
workers = [threading.Thread(target=write, args=(w,)) for w in range(threads)]
[w.start() for w in workers]
[w.join() for w in workers]
"""


def write_until_killed(machine: Machine, mode: str, seed: int, *, after_s: float, threads: int = 1) -> dict[int, int]:
    """Batches whose commit was told before the kill, with their numbers of rows."""
    process = machine.start(WRITER, mode, seed, seed * 1_000_000, threads)
    assert process.stdout is not None
    told: list[str] = [process.stdout.readline()]
    reader = threading.Thread(target=told.extend, args=(process.stdout,))
    reader.start()
    reader.join(timeout=after_s)  # it ends early where the process kills itself
    process.kill()
    reader.join()
    machine.running.remove(process)
    process.communicate()
    whole = [line.split() for line in told if line.endswith("\n")]
    return {int(batch): int(rows) for batch, rows in whole}


def stored_batches(machine: Machine) -> dict[int, int]:
    """Batches in the database with their numbers of rows. The database must be sound."""
    with pysqlite3.connect(machine.data / "db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        for identity, content in db.execute("select id, content from rows"):
            assert content.startswith(f"{identity // 100}.{identity % 100} ")
        stored = dict(db.execute("select batch, count(*) from rows group by batch"))
    db.close()
    return stored


def test_sqlite_full_keeps_every_told_commit_through_twenty_kills(machine: Machine) -> None:
    told: dict[int, int] = {}
    for seed in range(20):
        chance, threads = Random(seed), 1 + seed % 3
        told |= write_until_killed(machine, "full", seed, after_s=chance.uniform(0.01, 0.15), threads=threads)
        machine.cut_power(torn=chance if seed % 2 else None)
        stored = stored_batches(machine)
        assert {batch: stored.get(batch) for batch in told} == told
        untold = len(stored) - len(told)
        assert untold <= 3 * (seed + 1), "at most the commits under way are there untold"
    assert len(told) > 100


def test_sqlite_off_loses_told_commits(machine: Machine) -> None:
    lost = False
    for seed in range(20):
        told = write_until_killed(machine, "off", seed, after_s=0.1)
        machine.cut_power()
        try:
            stored = stored_batches(machine)
        except pysqlite3.DatabaseError:  # without syncs the file may even be unsound
            stored = {}
        lost = any(stored.get(batch) != rows for batch, rows in told.items())
        if lost:
            break
        for path in machine.data.iterdir():
            path.unlink()
    assert lost


def test_sqlite_normal_loses_told_commits_and_stays_sound(machine: Machine) -> None:
    lost = False
    for seed in range(40):  # it syncs at checkpoints: a kill right after one loses nothing
        told = write_until_killed(machine, "normal", seed, after_s=0.05)
        machine.cut_power(torn=Random(seed))
        stored = stored_batches(machine)
        lost |= any(stored.get(batch) != rows for batch, rows in told.items())
        if lost and seed >= 3:
            break
    assert lost


@pytest.mark.parametrize("after", [False, True])
def test_sqlite_survives_a_kill_in_each_of_its_first_syncs(machine: Machine, after: bool) -> None:
    commits = 0
    for n in range(1, 13):
        powerloss.kill_at_sync(machine.control, n, after=after)
        told = write_until_killed(machine, "full", n, after_s=20)
        machine.cut_power()
        if told:
            stored = stored_batches(machine)
            assert {batch: stored.get(batch) for batch in told} == told
        commits += len(told)
        for path in machine.data.iterdir():
            path.unlink()
    assert commits > 0


COMMITS = """
import pysqlite3
db = pysqlite3.connect('db', isolation_level=None)
db.execute('pragma journal_mode=wal'); db.execute('pragma synchronous=full')
db.execute('create table if not exists rows (id integer primary key, content text)')
print('open', flush=True)
for n, line in enumerate(sys.stdin):
    try:
        db.execute('insert into rows values (?, ?)', (n, line * 1000))
        print('stored', flush=True)
    except pysqlite3.Error as error:
        print(error, flush=True)
"""


class Committer:
    def __init__(self, machine: Machine) -> None:
        self.process = machine.start(COMMITS)
        assert self._answer() == "open"

    def commit(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("row\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def rows_of(machine: Machine) -> list[int]:
    db = pysqlite3.connect(machine.data / "db")
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    rows = [row[0] for row in db.execute("select id from rows order by id")]
    db.close()
    return rows


@pytest.mark.parametrize("lose", [False, True])
def test_a_failing_sync_fails_the_commit_and_no_other(machine: Machine, lose: bool) -> None:
    writer = Committer(machine)
    assert writer.commit() == "stored"
    powerloss.fail_next_syncs(machine.control, 2, lose=lose)
    assert [writer.commit() for _ in range(4)] == ["disk I/O error", "disk I/O error", "stored", "stored"]
    machine.cut_power()
    assert rows_of(machine) == [0, 3, 4]


def test_the_same_order_given_twice_counts_twice(machine: Machine) -> None:
    writer = Committer(machine)
    for _ in range(2):
        powerloss.fail_next_syncs(machine.control, 1)
        assert [writer.commit(), writer.commit()] == ["disk I/O error", "stored"]


def test_a_full_disk_fails_commits_until_there_is_room(machine: Machine) -> None:
    writer = Committer(machine)
    assert writer.commit() == "stored"
    powerloss.fill_disk(machine.control)
    assert [writer.commit() for _ in range(2)] == ["database or disk is full"] * 2
    powerloss.clear(machine.control)
    assert writer.commit() == "stored"
    machine.cut_power()
    assert rows_of(machine) == [0, 3]


def test_a_slow_disk_makes_commits_slow(machine: Machine) -> None:
    writer = Committer(machine)
    powerloss.slow_syncs(machine.control, 100)
    began = time.monotonic()
    assert writer.commit() == "stored"
    assert time.monotonic() - began >= 0.1


def test_a_control_file_inside_the_watched_folder_is_refused(machine: Machine) -> None:
    with pytest.raises(ValueError, match="inside the folder"):
        powerloss.environment(machine.data, machine.shadow, machine.data / "control", shim=machine.shim)
