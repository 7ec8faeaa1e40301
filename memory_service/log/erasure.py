"""Erasure: afterwards every answer equals that of a store which never received the episodes (ground rule 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from memory_service.log import graph
from memory_service.log.episodes import id_hash
from memory_service.log.idempotency import forget_ids
from memory_service.log.outbox import Dispatcher, Job, enqueue
from memory_service.log.records import ERASURE, blank_record, dependants, forget_records
from memory_service.log.schema import (
    episodes,
    idempotency,
    namespaces,
    note_links,
    notes,
    outbox,
    record_sources,
    records,
    tombstones,
)
from memory_service.log.writer import Transaction

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out. `seq` names the erasure."""

    episodes: int
    seq: int


def erase_episode(
    tx: Transaction, namespace: str, episode_id: str, versions: dict[str, int], dispatcher: Dispatcher
) -> Erased | None:
    """Erases one episode; None when there is none of this id now."""
    query = select(episodes.c.seq, episodes.c.id).where(episodes.c.namespace == namespace, episodes.c.id == episode_id)
    rows = [(row.seq, row.id) for row in tx.connection.execute(query)]
    return _erase(tx, namespace, rows, versions, dispatcher)


def erase_session(
    tx: Transaction, namespace: str, session_id: str, versions: dict[str, int], dispatcher: Dispatcher
) -> Erased | None:
    """Erases every episode of a session; None when it has none."""
    query = select(episodes.c.seq, episodes.c.id).where(
        episodes.c.namespace == namespace, episodes.c.session_id == session_id
    )
    rows = [(row.seq, row.id) for row in tx.connection.execute(query)]
    return _erase(tx, namespace, rows, versions, dispatcher)


def erase_namespace(tx: Transaction, namespace: str) -> Erased | None:
    """Deletes all that the store holds of a namespace, its tombstones and idempotency keys included: it starts afresh."""
    known = tx.connection.execute(select(namespaces.c.episodes).where(namespaces.c.name == namespace)).first()
    if known is None:
        return None
    own_records = select(records.c.seq).where(records.c.namespace == namespace)
    tx.connection.execute(delete(record_sources).where(record_sources.c.record_seq.in_(own_records)))
    graph.erase_namespace(tx, namespace)
    for table in (note_links, notes, records, outbox, idempotency, tombstones, episodes):
        tx.connection.execute(delete(table).where(table.c.namespace == namespace))
    tx.connection.execute(delete(namespaces).where(namespaces.c.name == namespace))
    seq = tx.next_seq(namespace)
    tx.forget(namespace)
    return Erased(known.episodes, seq)


def _erase(
    tx: Transaction,
    namespace: str,
    rows: Sequence[tuple[int, str]],
    versions: dict[str, int],
    dispatcher: Dispatcher,
) -> Erased | None:
    if not rows:
        return None
    redo: dict[tuple[int, str], Job] = {}
    gone = {seq for seq, _ in rows}
    graph.erase(tx, namespace, sorted(gone))
    for start in range(0, len(rows), _CHUNK):
        seqs = [seq for seq, _ in rows[start : start + _CHUNK]]
        for row in dependants(tx.connection, seqs):
            if row.episode_seq not in gone:
                key = (row.episode_seq, row.kind)
                redo[key] = Job(namespace, row.episode_seq, row.kind, versions[row.kind], 1)
        _delete_rows(tx, seqs)
    for seq, kind in redo:
        blank_record(tx.connection, seq, kind)
    if redo:
        jobs = list(redo.values())
        tx.after_commit(lambda: dispatcher.undone(jobs))
        enqueue(tx, jobs, dispatcher)
    forget_ids(tx, namespace, gone)
    last = _log_erasures(tx, namespace, rows)
    return Erased(len(rows), last)


def _delete_rows(tx: Transaction, seqs: Sequence[int]) -> None:
    forget_records_of = list(seqs)
    # Sources point from dependants' records to these episodes: those records go below, their rows here.
    forget_records(tx.connection, forget_records_of)
    tx.connection.execute(delete(outbox).where(outbox.c.episode_seq.in_(seqs)))
    tx.connection.execute(delete(episodes).where(episodes.c.seq.in_(seqs)))


def _log_erasures(tx: Transaction, namespace: str, rows: Sequence[tuple[int, str]]) -> int:
    """A tombstone each, and a record that tells other processes' indexes to let go."""
    erasures = [
        {
            "seq": tx.next_seq(namespace, episodes=-1),
            "namespace": namespace,
            "kind": ERASURE,
            "episode_seq": seq,
            "extractor": "",
            "payload": "{}",
            "vectors": None,
            "created_at": tx.recorded_at,
            "recorded_at": tx.recorded_at,
        }
        for seq, _ in rows
    ]
    tx.connection.execute(insert(records), erasures)
    stones = [{"namespace": namespace, "id_hash": id_hash(i), "erased_at": tx.recorded_at} for _, i in rows]
    tx.connection.execute(insert(tombstones), stones)
    return tx.seq
