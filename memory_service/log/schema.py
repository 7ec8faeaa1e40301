"""The tables. `LOG` tables are the truth; `DERIVED` ones are rebuilt by replaying the records; the rest is operation.

Instants are integer microseconds since 1970 in UTC; JSON is canonical text (sorted keys, no spaces).
"""

from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from graph.ledger.schema import metadata as ledger_metadata
from graph.stores.sql.schema import metadata as graph_metadata

AnyRow: TypeAlias = Any
"""A row of a query: its columns are attributes, whose types the query knows and the checker does not."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite makes a rowid alias only of a column typed exactly INTEGER.
_Seq = BigInteger().with_variant(Integer, "sqlite")

store_info = Table(
    "store_info",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the store as a whole: the embedder that filled it."""

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)
"""One row: the last seq and recorded_at given out. Read and written under the writer lock."""

namespaces = Table(
    "namespaces",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("head_seq", BigInteger, nullable=False),
    Column("episodes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""head_seq moves with every change of the namespace: readers compare it with what they have applied."""

episodes = Table(
    "episodes",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("namespace", String(128), nullable=False),
    Column("id", String(128), nullable=False),
    Column("session_id", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("role", String(256)),
    Column("speaker", String(256)),
    Column("content", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("offset_minutes", Integer, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("metadata", Text, nullable=False),
    UniqueConstraint("namespace", "id"),
    Index(None, "namespace", "seq"),
    Index(None, "namespace", "session_id", "seq"),
)

records = Table(
    "records",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("namespace", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("episode_seq", BigInteger, nullable=False),
    Column("extractor", String(128), nullable=False),
    Column("payload", Text, nullable=False),
    Column("vectors", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "namespace", "seq"),
    Index(None, "episode_seq", "kind"),
)
"""What extractors said of an episode (kinds: index, note, graph), what was erased (erasure), and what people said of the graph
(merge, retraction; these are of no episode).

`created_at` is when the first record of this episode and kind was made: a record made anew after an erasure keeps it, so that
the answers at each known_at equal those of a store that never received what was erased. Until it is made anew, its place is
held by a blank record (no extractor, an empty payload).
"""

record_sources = Table(
    "record_sources",
    metadata,
    Column("episode_seq", BigInteger, nullable=False),
    Column("record_seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("episode_seq", "record_seq"),
    ForeignKeyConstraint(["record_seq"], ["records.seq"], ondelete="CASCADE"),
    Index(None, "record_seq"),
    sqlite_with_rowid=False,
)
"""Episodes other than its own that a record was made from: when one is erased, the record is made anew."""

notes = Table(
    "notes",
    metadata,
    Column("record_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", String(128), nullable=False),
    Column("id", String(36), nullable=False),
    Column("episode_seq", BigInteger, nullable=False),
    Column("context", Text, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("importance", Float, nullable=False),
    Column("extractor", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("namespace", "id"),
    UniqueConstraint("episode_seq"),
    Index(None, "namespace", "episode_seq"),
)

note_links = Table(
    "note_links",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("source_id", String(36), nullable=False),
    Column("target_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("weight", Float, nullable=False),
    PrimaryKeyConstraint("namespace", "source_id", "target_id", "kind"),
    Index(None, "namespace", "target_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("episode_seq", BigInteger, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("namespace", String(128), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("available_at", BigInteger, nullable=False),
    Column("owner", String(96)),
    Column("created_at", BigInteger, nullable=False),
    Column("error", Text),
    Column("dead_at", BigInteger),
    PrimaryKeyConstraint("episode_seq", "stage", "version"),
    Index(None, "dead_at", "stage", "available_at"),
    Index(None, "namespace", "dead_at"),
    sqlite_with_rowid=False,
)
"""Work to do. A lease is an owner with an available_at in the future: when that passes, anyone may take it."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("key", String(256), nullable=False),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("response", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("namespace", "key"),
    Index(None, "expires_at"),
    Index(None, "namespace", "last_seq"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("id_hash", LargeBinary(32), nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("namespace", "id_hash"),
)
"""Hashes of erased ids, so that a late retry cannot bring an erased episode back."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("namespaces", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

EVERYTHING: Final = (metadata, graph_metadata, ledger_metadata)
"""All tables of the log's database: the graph library brings its own."""

LOG: Final = (episodes, records, record_sources)
DERIVED: Final = (notes, note_links)
