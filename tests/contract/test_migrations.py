"""A store's life: its schema, what it refuses to open and what it says then, backups, and several processes on one file."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, text

import migrations
from memory_service.app import build_service
from memory_service.clock import SystemClock
from memory_service.doctor import Finding, examine
from memory_service.errors import (
    ConfigurationError,
    EmbedderMismatch,
    MemoryServiceError,
    SchemaMismatch,
    StorageCorrupt,
    StorageUnavailable,
)
from memory_service.log.digest import logical_digest
from memory_service.log.schema import EVERYTHING, records
from memory_service.log.store import Store, alembic_config, back_up, open_store, restore, sqlite_url
from memory_service.pipeline.rebuild import embed_again, replay_log
from memory_service.settings import Settings
from retrieval.embedders.testing import HashEmbedder
from tests.support.commits import be_impatient
from tests.support.locks import locked_by_another_process
from tests.support.polling import eventually
from tests.support.problems import refused
from tests.support.process import ROOT, command, serving
from tests.support.running import Running, Start

TALK = [
    {"id": "e1", "content": "I adopted a dog named Bruno.", "speaker": "Ann"},
    {"id": "e2", "content": "Does Bruno bark?", "speaker": "Bob"},
    {"id": "e3", "content": "Bruno barks at the moon.", "speaker": "Ann"},
]


def opened(settings: Settings) -> Store:
    return open_store(sqlite_url(settings.database_path), SystemClock())


@pytest.fixture
def filled(settings: Settings, start: Start) -> Settings:
    """The settings of a store that holds a talk and is closed."""
    with_talk = start()
    with_talk.append(*TALK, wait="enriched")
    with_talk.http.__exit__()
    return settings


# --- the schema -----------------------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_models(settings: Settings) -> None:
    store = opened(settings)
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, list(EVERYTHING))
    store.close()
    assert differences == []


def test_the_migrations_make_the_tables_as_the_models_would(settings: Settings, tmp_path: Path) -> None:
    """Down to what alembic does not compare: WITHOUT ROWID, constraints, the names of indexes."""
    store = opened(settings)
    with store.database.read() as connection:
        migrated = statements(connection)
    store.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}", module=pysqlite3)
    for metadata in EVERYTHING:
        metadata.create_all(engine)
    with engine.connect() as connection:
        assert migrated == statements(connection)


def statements(connection: Any) -> set[tuple[str, ...]]:
    """What SQLite was told to make, each in sorted pieces: the order of constraints means nothing."""
    rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"))
    return {tuple(sorted(part.strip(' "\n\t()') for part in row.sql.split(","))) for row in rows}


def test_opening_a_store_again_changes_nothing(filled: Settings) -> None:
    before = filled.database_path.read_bytes()
    store = opened(filled)
    store.close()
    store = opened(filled)
    with store.database.read() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        digest = logical_digest(connection)
    store.close()
    assert version == ScriptDirectory.from_config(alembic_config("sqlite://")).get_current_head() == migrations.HEAD
    assert len(before) == filled.database_path.stat().st_size
    assert digest


_OPENS_LEVEL = """
import sys
from pathlib import Path
from memory_service.clock import SystemClock
from memory_service.log.store import open_store, sqlite_url
open_store(sqlite_url(Path(sys.argv[1])), SystemClock()).close()
assert "alembic" not in sys.modules
"""


def test_a_store_that_is_level_is_opened_without_alembic(filled: Settings) -> None:
    arguments = [sys.executable, "-c", _OPENS_LEVEL, str(filled.database_path)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_store_of_a_newer_schema_is_refused_and_left_as_it_is(filled: Settings) -> None:
    connection = pysqlite3.connect(str(filled.database_path))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = filled.database_path.read_bytes()
    with pytest.raises(SchemaMismatch, match=r"newer version \(schema 9999.*Upgrade"):
        build_service(filled)
    assert filled.database_path.read_bytes() == before


@pytest.mark.process
def test_a_server_that_cannot_open_its_store_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"no database at all" * 1000)
    done = command("serve", data_dir=str(tmp_path), embedding_model="test", auth="off", port="0")
    assert done.returncode == 1
    assert "damaged or no database" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- the embedder ---------------------------------------------------------------------------------------------------


def test_a_store_refuses_the_vectors_of_another_model_and_names_the_command(filled: Settings) -> None:
    with pytest.raises(EmbedderMismatch, match=r"test-hash-64.*test-hash-32.*rebuild --embed-again"):
        build_service(filled, embedder=HashEmbedder(32))
    build_service(filled).close()


def test_embedding_again_binds_the_store_to_the_new_model(filled: Settings) -> None:
    store = opened(filled)
    assert embed_again(store, HashEmbedder(32)) == 3
    store.close()
    with pytest.raises(EmbedderMismatch, match="test-hash-32"):
        build_service(filled)
    service = build_service(filled, embedder=HashEmbedder(32))
    with service.store.database.read() as connection:
        sizes = connection.execute(select(records.c.vectors).where(records.c.vectors.is_not(None))).scalars()
        assert {len(blob) for blob in sizes} == {32 * 2}
    service.close()


def test_embedding_again_that_stops_halfway_opens_for_neither_model_and_can_be_run_again(filled: Settings) -> None:
    class Breaking(HashEmbedder):
        def embed(self, texts: Any) -> Any:
            raise RuntimeError("the power went")

    store = opened(filled)
    with pytest.raises(RuntimeError):
        embed_again(store, Breaking(32))
    store.close()
    for dimension in (32, 64):
        with pytest.raises(EmbedderMismatch, match="half-way"):
            build_service(filled, embedder=HashEmbedder(dimension))
    store = opened(filled)
    assert embed_again(store, HashEmbedder(32)) == 3
    store.close()
    build_service(filled, embedder=HashEmbedder(32)).close()


def test_a_rebuild_comes_to_the_same_digest(filled: Settings) -> None:
    store = opened(filled)
    with store.database.read() as connection:
        before = logical_digest(connection)
    replay_log(store, filled.data_dir / "index")
    with store.database.read() as connection:
        assert logical_digest(connection) == before
    store.close()


# --- backup and restore ---------------------------------------------------------------------------------------------


def test_a_backup_made_while_writers_write_holds_a_state_that_was(
    service: Running, start: Start, tmp_path: Path
) -> None:
    target = tmp_path / "backups" / "one.db"
    service.append(*TALK, wait="enriched")
    stop = threading.Event()
    acknowledged: list[str] = []

    def write() -> None:
        while not stop.is_set():
            acknowledged.extend(r["id"] for r in service.append("one", "two")["episodes"])

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        eventually(lambda: len(acknowledged) > 10)
        before = list(acknowledged)
        back_up(service.service.store, target)
        stop.set()
        writing.result()
    other = tmp_path / "other"
    restore(target, other / "memory.db")
    restored = start(data_dir=other)
    kept = [e["id"] for e in restored.pages("episodes")]
    assert set(kept) >= {"e1", "e2", "e3", *before}
    everything = [e["id"] for e in service.pages("episodes")]
    assert kept == everything[: len(kept)], "a beginning of the log, without gaps"
    assert len(kept) % 2 == 1, "no half of a batch"
    restored.settle()
    assert {e["status"] for e in restored.pages("episodes")} == {"enriched"}
    assert "e3" in restored.found("moon")


def test_a_backup_restores_to_the_same_digest(service: Running, start: Start, tmp_path: Path) -> None:
    service.append(*TALK, wait="enriched")
    service.delete("episodes/e2")
    service.settle()
    back_up(service.service.store, tmp_path / "b.db")
    restore(tmp_path / "b.db", tmp_path / "other" / "memory.db")
    assert start(data_dir=tmp_path / "other").digest() == service.digest()


def test_a_backup_is_never_written_over_anything_and_a_restore_neither(filled: Settings, tmp_path: Path) -> None:
    store = opened(filled)
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(ConfigurationError, match="never overwritten"):
        back_up(store, there)
    assert there.read_text() == "mine"
    back_up(store, tmp_path / "b.db")
    store.close()
    with pytest.raises(ConfigurationError, match="exists; stop the service"):
        restore(tmp_path / "b.db", filled.database_path)
    with pytest.raises(ConfigurationError, match="is not a file"):
        restore(tmp_path / "nowhere.db", tmp_path / "x" / "memory.db")
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_backup_is_not_restored(filled: Settings, tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(damaged(filled.database_path))
    with pytest.raises(StorageCorrupt, match="damaged"):
        restore(tmp_path / "b.db", tmp_path / "other" / "memory.db")
    assert not (tmp_path / "other" / "memory.db").exists()


ODD = "q?r#s%20t"


@pytest.mark.parametrize("name", ["with space", "ключ", ODD])
def test_a_data_folder_may_have_any_name(start: Start, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    service = start(data_dir=folder)
    service.append(*TALK, wait="enriched")
    assert (folder / "memory.db").is_file()
    back_up(service.service.store, folder / "b.db")
    restore(folder / "b.db", tmp_path / f"{name}2" / "memory.db")


# --- damage ---------------------------------------------------------------------------------------------------------


def damaged(path: Path) -> bytes:
    """The file with its middle pages overwritten."""
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content) - 4096, 4096):
        content[at : at + 512] = b"\xa5" * 512
    return bytes(content)


DAMAGE: dict[str, Callable[[Path], bytes]] = {
    "no database": lambda _: b"this is no database" * 500,
    "a damaged header": lambda path: b"\0" * 100 + path.read_bytes()[100:],
    "damaged pages": damaged,
    "cut off": lambda path: path.read_bytes()[:5000],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_store_is_refused_and_the_doctor_says_what_to_do(filled: Settings, damage: str) -> None:
    path = filled.database_path
    path.write_bytes(DAMAGE[damage](path))
    for leftover in ("-wal", "-shm"):
        path.with_name(path.name + leftover).unlink(missing_ok=True)
    if damage != "damaged pages":  # a start does not read every page
        with pytest.raises(StorageCorrupt, match=r"doctor.*restore"):
            build_service(filled)
    bad = [finding for finding in examine(filled) if not finding.good]
    database = next(finding for finding in bad if finding.subject == "database")
    assert "damaged" in database.text
    assert any("restore" in finding.text for finding in bad), bad


def test_the_doctor_finds_a_good_store_good_and_changes_nothing(filled: Settings) -> None:
    before = filled.database_path.read_bytes()
    findings = {finding.subject: finding for finding in examine(filled)}
    assert all(finding.good for finding in findings.values()), findings
    assert "is sound" in findings["database"].text
    assert filled.database_path.read_bytes() == before


def test_the_doctor_makes_no_store_where_there_is_none(settings: Settings) -> None:
    assert all(isinstance(finding, Finding) and finding.good for finding in examine(settings))
    assert not settings.data_dir.exists()


# --- the data folder ------------------------------------------------------------------------------------------------


def test_a_data_folder_that_is_a_file_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="MEMORY_DATA_DIR"):
        build_service(settings.model_copy(update={"data_dir": tmp_path / "file"}))
    with pytest.raises(ConfigurationError, match="MEMORY_DATA_DIR"):
        build_service(settings.model_copy(update={"data_dir": tmp_path / "file" / "below"}))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_data_folder_that_cannot_be_written_is_told(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.data_dir.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"MEMORY_DATA_DIR.*not writable"):
        build_service(settings)


def test_a_data_folder_that_cannot_be_written_is_told_whoever_runs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_args, **_named: False)
    with pytest.raises(ConfigurationError, match=r"MEMORY_DATA_DIR.*not writable"):
        build_service(settings)


def test_a_database_that_is_a_folder_is_told(settings: Settings) -> None:
    settings.database_path.mkdir(parents=True)
    with pytest.raises(MemoryServiceError, match=str(settings.database_path)):
        build_service(settings)


def test_commands_on_a_store_make_none_in_a_mistyped_folder(tmp_path: Path) -> None:
    done = command("keys", "list", data_dir=str(tmp_path / "mistyped"))
    assert done.returncode == 1
    assert "There is no store" in done.stderr
    assert not (tmp_path / "mistyped").exists()


# --- other processes ------------------------------------------------------------------------------------------------


def test_while_another_process_holds_the_lock_writes_are_unavailable_and_reads_go_on(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    service = start()
    service.append(*TALK, wait="enriched")
    with locked_by_another_process(service.settings.database_path):
        problem = refused(service.post("episodes", {"episodes": [{"content": "x"}]}), StorageUnavailable)
        assert "nothing was stored" in problem["detail"]
        refused(service.delete("episodes/e1"), StorageUnavailable)
        refused(service.post("/v1/keys", {"name": "k", "scopes": ["read"], "namespaces": ["*"]}), StorageUnavailable)
        assert service.found("Bruno", limit=3)
        assert service.count() == 3
        assert service.get("/readyz").status_code == 200
    service.append({"id": "after", "content": "x"}, wait="enriched")
    assert service.count() == 4


def test_a_start_on_a_store_that_another_process_has_locked_says_so(
    filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    with (
        locked_by_another_process(filled.database_path),
        pytest.raises(ConfigurationError, match=r"memory\.db.*holds the database's write lock"),
    ):
        build_service(filled)


@pytest.mark.process
def test_two_servers_on_one_store_read_each_others_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        serving(tmp_path / "a", data) as a,
        serving(tmp_path / "b", data) as b,
        a.client() as http_a,
        b.client() as http_b,
    ):
        path = "/v1/namespaces/ann"

        def write(n: int) -> list[tuple[str, int]]:
            http = http_a if n % 2 else http_b
            turns = [{"id": f"e{n}.{k}", "content": f"turn {n}.{k} unique{n}x{k}"} for k in range(2)]
            answer = http.post(f"{path}/episodes", json={"episodes": turns})
            assert answer.status_code == 202, answer.text
            return [(r["id"], r["seq"]) for r in answer.json()["episodes"]]

        with ThreadPoolExecutor(6) as pool:
            written = [receipt for receipts in pool.map(write, range(24)) for receipt in receipts]
        assert len({seq for _, seq in written}) == len(written)
        for http in (http_a, http_b):
            listed = http.get(f"{path}/episodes", params={"limit": 200}).json()["items"]
            assert [(e["id"], e["seq"]) for e in listed] == sorted(written, key=lambda receipt: receipt[1])
            for n in range(0, 24, 5):
                found = http.post(f"{path}/search", json={"query": f"unique{n}x1", "limit": 5}).json()["results"]
                assert f"e{n}.1" in [r["id"] for r in found]
        answer = http_a.post(f"{path}/episodes", json={"episodes": [{"id": "late", "content": "the zygote"}]}).json()
        found = http_b.post(f"{path}/search", json={"query": "zygote", "min_seq": answer["seq"]}).json()["results"]
        assert "late" in [r["id"] for r in found]
        for http in (http_a, http_b):
            eventually(lambda http=http: all_enriched(http.get(f"{path}/episodes", params={"limit": 200}).json()))
        assert http_b.delete(f"{path}/episodes/late").status_code in (202, 204)
        for http in (http_a, http_b):
            assert http.get(f"{path}/episodes/late").status_code == 410
            found = http.post(f"{path}/search", json={"query": "zygote"}).json()["results"]
            assert "late" not in [r["id"] for r in found]


def all_enriched(page: dict[str, Any]) -> bool:
    return {e["status"] for e in page["items"]} == {"enriched"}


@pytest.mark.process
def test_a_store_of_a_stopped_server_is_whole_without_its_log_file(tmp_path: Path) -> None:
    with serving(tmp_path / "one", tmp_path / "data") as server, server.client() as http:
        stored = http.post("/v1/namespaces/ann/episodes?wait=enriched", json={"episodes": TALK})
        assert stored.status_code == 202
        server.stop()
    shutil.copyfile(tmp_path / "data" / "memory.db", tmp_path / "copy.db")
    store = open_store(sqlite_url(tmp_path / "copy.db"), SystemClock())
    with store.namespace("ann").snapshot() as snapshot:
        assert [e.id for e in snapshot.episodes(0, 10)] == ["e1", "e2", "e3"]
    store.close()
