"""Tables of the SQL store. Instants are microseconds; open ends are numbers, so that one comparison tells what is visible."""

from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

AnyRow: TypeAlias = Any
"""A row of a query: its columns are attributes, whose types the query knows and the checker does not."""

SCHEMA_VERSION: Final = 1

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}
metadata = MetaData(naming_convention=NAMING)

# Ids are in the order of their bytes in every store; PostgreSQL would follow the locale.
_Id = String(36).with_variant(String(36, collation="C"), "postgresql")

graph_info = Table("graph_info", metadata, Column("key", String(64), primary_key=True), Column("value", Integer))

positions = Table(
    "graph_positions",
    metadata,
    Column("namespace", String(128), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

entities = Table(
    "graph_entities",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("id", _Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expired_at", BigInteger),
    Column("name", Text, nullable=False),
    Column("type", String(128), nullable=False),
    Column("aliases", Text, nullable=False),
    Column("name_keys", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("namespace", "id", "created_at"),
)

entity_names = Table(
    "graph_entity_names",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("name_key", String(256), nullable=False),
    Column("entity_id", String(36), nullable=False),
    PrimaryKeyConstraint("namespace", "name_key", "entity_id"),
    sqlite_with_rowid=False,
)
"""Which entities any version ever gave a spelling: where to look, not what to believe."""

facts = Table(
    "graph_facts",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("id", _Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expired_at", BigInteger),
    Column("subject_id", String(36), nullable=False),
    Column("subject_name", Text, nullable=False),
    Column("predicate", String(128), nullable=False),
    Column("object_id", String(36)),
    Column("object_text", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("precision", String(16), nullable=False),
    Column("qualifiers", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("rule", String(128), nullable=False),
    Column("closed_by", String(128)),
    Column("close_rule", String(32)),
    PrimaryKeyConstraint("namespace", "id", "created_at"),
    Index(None, "namespace", "created_at"),
    Index(None, "namespace", "expired_at"),
)
"""`start` and `stop` are valid_at and invalid_at, with -2**62 and 2**62 where there is none."""

# In the order that facts are told in: a hub's thousands of one start must not be sorted to find the first.
Index(None, facts.c.namespace, facts.c.start.desc(), facts.c.id)
Index(None, facts.c.namespace, facts.c.subject_id, facts.c.start.desc(), facts.c.id)
Index(None, facts.c.namespace, facts.c.object_id, facts.c.start.desc(), facts.c.id)

fact_sources = Table(
    "graph_fact_sources",
    metadata,
    Column("namespace", String(128), nullable=False),
    Column("fact_id", String(36), nullable=False),
    Column("assertion_id", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expired_at", BigInteger),
    Column("episode_id", String(128), nullable=False),
    PrimaryKeyConstraint("namespace", "fact_id", "assertion_id", "created_at"),
    Index(None, "namespace", "episode_id"),
    sqlite_with_rowid=False,
)

TABLES: Final = (entities, entity_names, facts, fact_sources)
