"""What a store must be after a crash, read from its files when no process has them open any more."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pysqlite3

from memory_service.clock import SystemClock
from memory_service.log.database import sqlite_url
from memory_service.log.digest import logical_digest
from memory_service.log.episodes import id_hash
from memory_service.log.store import Store, open_store
from memory_service.pipeline.rebuild import replay_log

_DATABASE = "memory.db"
_KEPT = {_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm"}

_EVERY_SEQ = "SELECT seq, recorded_at FROM episodes UNION ALL SELECT seq, recorded_at FROM records"
_MUST_BE_EMPTY = {
    "work is left in the outbox": "SELECT * FROM outbox",
    "an episode without its index record": """
        SELECT id FROM episodes e WHERE 1 <> (SELECT count(*) FROM records r
        WHERE r.episode_seq = e.seq AND r.kind = 'index' AND r.payload <> '{}')""",
    "an episode without its note record": """
        SELECT id FROM episodes e WHERE 1 <> (SELECT count(*) FROM records r
        WHERE r.episode_seq = e.seq AND r.kind = 'note' AND r.payload <> '{}')""",
    "an episode without its graph record": """
        SELECT id FROM episodes e WHERE 1 <> (SELECT count(*) FROM records r
        WHERE r.episode_seq = e.seq AND r.kind = 'graph')""",
    "a mention that no record speaks of": """
        SELECT * FROM graph_mentions WHERE episode_seq NOT IN (SELECT episode_seq FROM records WHERE kind = 'graph')""",
    "a claim that no record makes": """
        SELECT * FROM graph_assertions WHERE episode_seq NOT IN (SELECT episode_seq FROM records WHERE kind = 'graph')""",
    "a mention of nobody": """
        SELECT * FROM graph_mentions m WHERE NOT EXISTS (SELECT 1 FROM graph_nodes n
        WHERE n.namespace = m.namespace AND n.id = m.node_id)""",
    "a fact that comes from nowhere": """
        SELECT * FROM graph_facts f WHERE expired_at IS NULL AND NOT EXISTS (SELECT 1 FROM graph_fact_sources s
        WHERE s.namespace = f.namespace AND s.fact_id = f.id AND s.expired_at IS NULL)""",
    "a source that is no claim": """
        SELECT * FROM graph_fact_sources s WHERE NOT EXISTS (SELECT 1 FROM graph_assertions a
        WHERE a.namespace = s.namespace AND a.id = s.assertion_id)""",
    "an episode without its note": "SELECT id FROM episodes WHERE seq NOT IN (SELECT episode_seq FROM notes)",
    "a note without its record": "SELECT id FROM notes WHERE record_seq NOT IN (SELECT seq FROM records)",
    "a record of no episode": """
        SELECT seq FROM records WHERE kind NOT IN ('erasure', 'merge', 'retraction')
        AND episode_seq NOT IN (SELECT seq FROM episodes)""",
    "a source that is gone": """
        SELECT * FROM record_sources WHERE episode_seq NOT IN (SELECT seq FROM episodes)
        OR record_seq NOT IN (SELECT seq FROM records)""",
    "a link that leads nowhere": """
        SELECT * FROM note_links l WHERE NOT EXISTS (SELECT 1 FROM notes n WHERE n.namespace = l.namespace
        AND n.id = l.target_id) OR NOT EXISTS (SELECT 1 FROM notes n WHERE n.namespace = l.namespace
        AND n.id = l.source_id)""",
    "a namespace that miscounts": """
        SELECT name, episodes FROM namespaces n
        WHERE episodes <> (SELECT count(*) FROM episodes e WHERE e.namespace = n.name)""",
    "an episode of no namespace": "SELECT id FROM episodes WHERE namespace NOT IN (SELECT name FROM namespaces)",
    "a seq given twice": f"SELECT seq FROM ({_EVERY_SEQ}) GROUP BY seq HAVING count(*) > 1",
    "a seq beyond the head": f"SELECT seq FROM ({_EVERY_SEQ}) WHERE seq > (SELECT seq FROM log_head)",
    "a recorded_at that goes back": f"""
        SELECT seq FROM (SELECT seq, recorded_at, lag(recorded_at) OVER (ORDER BY seq) AS before FROM ({_EVERY_SEQ}))
        WHERE recorded_at < before""",
}


def leftovers(data_dir: Path) -> list[str]:
    """Files that a stopped service has no business to leave, relative to its folder."""
    found = (path.relative_to(data_dir) for path in data_dir.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not _belongs(path))


def _belongs(path: Path) -> bool:
    if len(path.parts) == 1:
        return path.name in _KEPT
    in_snapshot = len(path.parts) == 3 and path.parts[0] == "index" and "." not in path.parts[1]
    return in_snapshot and (path.suffix == ".npy" or path.name == "manifest.json")


def unsound(data_dir: Path) -> Iterator[str]:
    """What the tables contradict, each with an example."""
    connection = pysqlite3.connect(data_dir / _DATABASE)
    try:
        damage = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
        if damage != ["ok"]:
            yield f"damaged: {damage}"
        for what, query in _MUST_BE_EMPTY.items():
            rows = connection.execute(query).fetchmany(3)
            if rows:
                yield f"{what}: {rows}"
        yield from _risen(connection)
    finally:
        connection.close()


def _risen(connection: pysqlite3.Connection) -> Iterator[str]:
    """Episodes that are there under an id which was erased for good."""
    stones = {
        (namespace, bytes(stone))
        for namespace, stone in connection.execute("SELECT namespace, id_hash FROM tombstones")
    }
    for namespace, identity in connection.execute("SELECT namespace, id FROM episodes"):
        if (namespace, id_hash(identity)) in stones:
            yield f"erased and there: {namespace}/{identity}"


def facts(data_dir: Path) -> int:
    """How many versions of facts the graph holds."""
    connection = pysqlite3.connect(data_dir / _DATABASE)
    try:
        return connection.execute("SELECT count(*) FROM graph_facts").fetchone()[0]
    finally:
        connection.close()


def digests(data_dir: Path, copy: Path) -> tuple[str, str]:
    """The logical digest of the store as it stands, what was believed when included, and of a copy that was rebuilt by
    replaying its log."""
    copy.mkdir(parents=True)
    for path in data_dir.glob(f"{_DATABASE}*"):
        shutil.copy2(path, copy)
    store = open_store(sqlite_url(copy / _DATABASE), SystemClock())
    try:
        before = _digest(store)
        replay_log(store, copy / "index")
        return before, _digest(store)
    finally:
        store.close()
        shutil.rmtree(copy)


def _digest(store: Store) -> str:
    with store.database.read() as connection:
        return logical_digest(connection, history=True)
