"""Rebuilding: derived tables and indexes are wiped and come back from the log, never by extracting again (ground rule 2)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import bindparam, func, select, update

from memory_service.log import graph
from memory_service.log.records import BLANK, INDEX, replay, wipe_derived
from memory_service.log.schema import AnyRow, episodes, records
from memory_service.log.store import Store
from memory_service.log.text import searchable_text
from memory_service.log.writer import Transaction
from retrieval.embedders import Embedder

Tell = Callable[[int, int], None]
_ROWS: Final = 1_000
_EMBED_ROWS: Final = 64


def replay_log(store: Store, index_folder: Path, tell: Tell = lambda _done, _total: None) -> int:
    """Wipes what is derived and derives it again, in one transaction: nobody sees a half-built store.

    Returns the number of records replayed. `tell(done, total)` is called as it goes.
    """

    def work(tx: Transaction) -> int:
        replayed = tx.connection.execute(select(func.count()).select_from(records)).scalar_one()
        total = replayed + graph.count(tx.connection)
        wipe_derived(tx.connection)
        after, done = 0, 0

        def tell_more(more: int) -> None:
            nonlocal done
            done += more
            tell(done, total)

        while (last := replay(tx.connection, after, _ROWS)) is not None:
            after = last
            tell_more(min(_ROWS, replayed - done))
        done = replayed
        graph.rebuild(tx, tell_more)
        tell(total, total)
        return replayed

    replayed = store.writer.write(work)
    shutil.rmtree(index_folder, ignore_errors=True)
    return replayed


def embed_again(store: Store, embedder: Embedder, tell: Tell = lambda _done, _total: None) -> int:
    """Gives every index record new vectors by this embedder, and binds the store to it. Returns the number of records.

    The service must be stopped: until the last batch the store holds vectors of two models, and it opens for neither. Stopped
    halfway, it is simply run again.
    """
    store.writer.write(lambda tx: store.rebind_embedder(tx, f"half-way to {embedder.name}"))
    with store.database.read() as connection:
        total = connection.execute(
            select(func.count()).select_from(records).where(records.c.kind == INDEX, records.c.payload != BLANK)
        ).scalar_one()
    after, done = 0, 0
    while rows := _index_records(store, after):
        changed = _embedded(rows, embedder)
        store.writer.write(lambda tx, changed=changed: _store_vectors(tx, changed))
        after, done = rows[-1].seq, done + len(rows)
        tell(done, total)
    store.writer.write(lambda tx: store.rebind_embedder(tx, embedder.name))
    return done


def _index_records(store: Store, after: int) -> list[AnyRow]:
    query = (
        select(records.c.seq, records.c.payload, episodes.c.kind, episodes.c.content)
        .join(episodes, episodes.c.seq == records.c.episode_seq)
        .where(records.c.kind == INDEX, records.c.payload != BLANK, records.c.seq > after)
        .order_by(records.c.seq)
        .limit(_EMBED_ROWS)
    )
    with store.database.read() as connection:
        return list(connection.execute(query))


def _embedded(rows: list[AnyRow], embedder: Embedder) -> list[dict[str, Any]]:
    payloads = [json.loads(row.payload) for row in rows]
    texts = [
        searchable_text(row.kind, row.content)[start:end]
        for row, payload in zip(rows, payloads, strict=True)
        for start, end in payload["passages"]
    ]
    vectors = embedder.embed(texts).astype(np.float16)
    changed: list[dict[str, Any]] = []
    first = 0
    for row, payload in zip(rows, payloads, strict=True):
        last = first + len(payload["passages"])
        body = json.dumps({**payload, "model": embedder.name}, ensure_ascii=False, separators=(",", ":"))
        changed.append({"record": row.seq, "payload": body, "vectors": vectors[first:last].tobytes()})
        first = last
    return changed


def _store_vectors(tx: Transaction, changed: list[dict[str, Any]]) -> None:
    statement = update(records).where(records.c.seq == bindparam("record"))
    tx.connection.execute(statement.values(payload=bindparam("payload"), vectors=bindparam("vectors")), changed)
