"""Tables of the ledger. They stand beside the log, in its database and in its transactions.

`graph_mentions`, `graph_assertions` and `graph_decisions` hold what the log's records say; the rest follows from them.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from graph.stores.sql.schema import NAMING

metadata = MetaData(naming_convention=NAMING)

_IS_ALIAS: Final = text("alias_of IS NOT NULL")

mentions = Table(
    "graph_mentions",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("episode_seq", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("episode_id", String(128), nullable=False),
    Column("session_id", String(128), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("block", String(300), nullable=False),
    Column("name_key", String(256), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(128), nullable=False),
    Column("is_self", Boolean, nullable=False),
    Column("alias_of", Integer),
    Column("evidence", Text),
    Column("attributes", Text),
    Column("node_id", String(36), nullable=False),
    PrimaryKeyConstraint("namespace", "episode_seq", "place"),
    Index(None, "namespace", "block", "episode_seq"),
    Index(None, "namespace", "node_id", "episode_seq"),
    Index(None, "namespace", "recorded_at"),
    Index(None, "namespace", "alias_of", sqlite_where=_IS_ALIAS, postgresql_where=_IS_ALIAS),
    sqlite_with_rowid=False,
)
"""Who or what an episode names. A block is all mentions of one normalised name, or of one key from outside ("#customer:42")."""

assertions = Table(
    "graph_assertions",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("id", String(36), nullable=False),
    Column("episode_seq", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("episode_id", String(128), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("retracted_at", BigInteger),
    Column("subject_place", Integer, nullable=False),
    Column("object_place", Integer),
    Column("subject_node", String(36), nullable=False),
    Column("object_node", String(36)),
    Column("within", Text, nullable=False),
    Column("predicate", String(128), nullable=False),
    Column("object_text", Text, nullable=False),
    Column("literal_key", Text, nullable=False),
    Column("stance", String(16), nullable=False),
    Column("valid_at", BigInteger),
    Column("invalid_at", BigInteger),
    Column("basis", String(16), nullable=False),
    Column("precision", String(16), nullable=False),
    Column("qualifiers", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("rule", String(128), nullable=False),
    PrimaryKeyConstraint("namespace", "id"),
    Index(None, "namespace", "subject_node", "predicate", "object_node", "literal_key"),
    Index(None, "namespace", "object_node", "predicate"),
    Index(None, "namespace", "episode_seq"),
    Index(None, "namespace", "recorded_at"),
    Index(None, "namespace", "retracted_at"),
    sqlite_with_rowid=False,
)

decisions = Table(
    "graph_decisions",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("a", String(36), nullable=False),
    Column("b", String(36), nullable=False),
    Column("is_same", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("namespace", "seq"),
    Index(None, "namespace", "a"),
    Index(None, "namespace", "b"),
)
"""Merges that somebody asked for or undid, of nodes. The last word on a pair counts."""

blocks = Table(
    "graph_blocks",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("block", String(300), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("people", Integer, nullable=False),
    PrimaryKeyConstraint("namespace", "block"),
    sqlite_with_rowid=False,
)
"""What is known of everyone of a name together, and how many they are."""

nodes = Table(
    "graph_nodes",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("id", String(36), nullable=False),
    Column("block", String(300), nullable=False),
    Column("name_key", String(256), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("first_place", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(128), nullable=False),
    Column("surfaces", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("entity_id", String(36), nullable=False),
    PrimaryKeyConstraint("namespace", "id"),
    Index(None, "namespace", "block"),
    Index(None, "namespace", "name_key"),
    Index(None, "namespace", "entity_id"),
    sqlite_with_rowid=False,
)
"""One person, place or thing under one name; `entity_id` is the node that all of an entity's nodes agree on."""

members = Table(
    "graph_members",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("node_id", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expired_at", BigInteger),
    Column("entity_id", String(36), nullable=False),
    Column("rule", String(64), nullable=False),
    PrimaryKeyConstraint("namespace", "node_id", "created_at"),
    Index(None, "namespace", "entity_id"),
    sqlite_with_rowid=False,
)
"""When a node was another's: nodes that always stood for themselves have no row."""

blocking = Table(
    "graph_blocking",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("blocking_key", String(300), nullable=False),
    Column("node_id", String(36), nullable=False),
    PrimaryKeyConstraint("namespace", "blocking_key", "node_id"),
    Index(None, "namespace", "node_id"),
    sqlite_with_rowid=False,
)

links = Table(
    "graph_links",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("a", String(36), nullable=False),
    Column("b", String(36), nullable=False),
    PrimaryKeyConstraint("namespace", "a", "b"),
    Index(None, "namespace", "b"),
    sqlite_with_rowid=False,
)
"""Pairs of nodes whose names some rule may take for one. Whether it does is asked anew at each resolution: types change."""

tails = Table(
    "graph_tails",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("group_key", String(512), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("assertion_id", String(36), nullable=False),
    Column("settled_at", BigInteger, nullable=False),
    Column("within", Text, nullable=False),
    Column("open_facts", Text, nullable=False),
    PrimaryKeyConstraint("namespace", "group_key"),
    sqlite_with_rowid=False,
)
"""Where a group's timeline ends, so that a later assertion carries it on without reading the group. What was said of no period in
particular can move nothing that begins after `settled_at`; `within` holds pairs of container and object; `open_facts` are those
that a later assertion can still change."""

feed = Table(
    "graph_feed",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("namespace", String(128), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("row_key", Text, nullable=False),
    Index(None, "namespace", "id"),
)
"""Keys of versions that a graph store outside this database has yet to be told of."""

RAW: Final = (mentions, assertions, decisions)
FOLLOWING: Final = (blocks, nodes, members, blocking, links, tails)
"""What the planner keeps for itself and makes anew in a rebuild."""
