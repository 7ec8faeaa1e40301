"""The graph: versions of entities and facts, and the planner's memory. What was stored before it is extracted later."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "graph_entities",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expired_at", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("name_keys", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "id", "created_at", name=op.f("pk_graph_entities")),
    )
    op.create_table(
        "graph_entity_names",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name_key", "entity_id", name=op.f("pk_graph_entity_names")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "graph_fact_sources",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("fact_id", sa.String(length=36), nullable=False),
        sa.Column("assertion_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expired_at", sa.BigInteger(), nullable=True),
        sa.Column("episode_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint(
            "namespace", "fact_id", "assertion_id", "created_at", name=op.f("pk_graph_fact_sources")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_graph_fact_sources_namespace_episode_id"),
        "graph_fact_sources",
        ["namespace", "episode_id"],
        unique=False,
    )
    op.create_table(
        "graph_facts",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expired_at", sa.BigInteger(), nullable=True),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("predicate", sa.String(length=128), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=True),
        sa.Column("object_text", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("stop", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("precision", sa.String(length=16), nullable=False),
        sa.Column("qualifiers", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("closed_by", sa.String(length=128), nullable=True),
        sa.Column("close_rule", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("namespace", "id", "created_at", name=op.f("pk_graph_facts")),
    )
    op.create_index(
        op.f("ix_graph_facts_namespace_created_at"), "graph_facts", ["namespace", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_graph_facts_namespace_expired_at"), "graph_facts", ["namespace", "expired_at"], unique=False
    )
    op.create_index(
        op.f("ix_graph_facts_namespace_object_id_start_id"),
        "graph_facts",
        ["namespace", "object_id", sa.text("start DESC"), "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_facts_namespace_start_id"),
        "graph_facts",
        ["namespace", sa.text("start DESC"), "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_facts_namespace_subject_id_start_id"),
        "graph_facts",
        ["namespace", "subject_id", sa.text("start DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "graph_info",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_graph_info")),
    )
    op.create_table(
        "graph_positions",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", name=op.f("pk_graph_positions")),
    )
    op.create_table(
        "graph_assertions",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.String(length=128), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.Column("subject_place", sa.Integer(), nullable=False),
        sa.Column("object_place", sa.Integer(), nullable=True),
        sa.Column("subject_node", sa.String(length=36), nullable=False),
        sa.Column("object_node", sa.String(length=36), nullable=True),
        sa.Column("within", sa.Text(), nullable=False),
        sa.Column("predicate", sa.String(length=128), nullable=False),
        sa.Column("object_text", sa.Text(), nullable=False),
        sa.Column("literal_key", sa.Text(), nullable=False),
        sa.Column("stance", sa.String(length=16), nullable=False),
        sa.Column("valid_at", sa.BigInteger(), nullable=True),
        sa.Column("invalid_at", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("precision", sa.String(length=16), nullable=False),
        sa.Column("qualifiers", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "id", name=op.f("pk_graph_assertions")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_graph_assertions_namespace_episode_seq"),
        "graph_assertions",
        ["namespace", "episode_seq"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_assertions_namespace_object_node_predicate"),
        "graph_assertions",
        ["namespace", "object_node", "predicate"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_assertions_namespace_recorded_at"),
        "graph_assertions",
        ["namespace", "recorded_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_assertions_namespace_retracted_at"),
        "graph_assertions",
        ["namespace", "retracted_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_assertions_namespace_subject_node_predicate_object_node_literal_key"),
        "graph_assertions",
        ["namespace", "subject_node", "predicate", "object_node", "literal_key"],
        unique=False,
    )
    op.create_table(
        "graph_blocking",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("blocking_key", sa.String(length=300), nullable=False),
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "blocking_key", "node_id", name=op.f("pk_graph_blocking")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_graph_blocking_namespace_node_id"), "graph_blocking", ["namespace", "node_id"], unique=False
    )
    op.create_table(
        "graph_blocks",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("block", sa.String(length=300), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "block", name=op.f("pk_graph_blocks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "graph_decisions",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("a", sa.String(length=36), nullable=False),
        sa.Column("b", sa.String(length=36), nullable=False),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "seq", name=op.f("pk_graph_decisions")),
    )
    op.create_index(op.f("ix_graph_decisions_namespace_a"), "graph_decisions", ["namespace", "a"], unique=False)
    op.create_index(op.f("ix_graph_decisions_namespace_b"), "graph_decisions", ["namespace", "b"], unique=False)
    op.create_table(
        "graph_feed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_graph_feed")),
    )
    op.create_index(op.f("ix_graph_feed_namespace_id"), "graph_feed", ["namespace", "id"], unique=False)
    op.create_table(
        "graph_links",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("a", sa.String(length=36), nullable=False),
        sa.Column("b", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "a", "b", name=op.f("pk_graph_links")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_graph_links_namespace_b"), "graph_links", ["namespace", "b"], unique=False)
    op.create_table(
        "graph_members",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expired_at", sa.BigInteger(), nullable=True),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "node_id", "created_at", name=op.f("pk_graph_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_graph_members_namespace_entity_id"), "graph_members", ["namespace", "entity_id"], unique=False
    )
    op.create_table(
        "graph_mentions",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.String(length=128), nullable=False),
        sa.Column("session_id", sa.String(length=128), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("is_self", sa.Boolean(), nullable=False),
        sa.Column("alias_of", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "episode_seq", "place", name=op.f("pk_graph_mentions")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_graph_mentions_namespace_alias_of"),
        "graph_mentions",
        ["namespace", "alias_of"],
        unique=False,
        sqlite_where=sa.text("alias_of IS NOT NULL"),
        postgresql_where=sa.text("alias_of IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_graph_mentions_namespace_block_episode_seq"),
        "graph_mentions",
        ["namespace", "block", "episode_seq"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_mentions_namespace_node_id_episode_seq"),
        "graph_mentions",
        ["namespace", "node_id", "episode_seq"],
        unique=False,
    )
    op.create_index(
        op.f("ix_graph_mentions_namespace_recorded_at"), "graph_mentions", ["namespace", "recorded_at"], unique=False
    )
    op.create_table(
        "graph_nodes",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("block", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_place", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("surfaces", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "id", name=op.f("pk_graph_nodes")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_graph_nodes_namespace_block"), "graph_nodes", ["namespace", "block"], unique=False)
    op.create_index(op.f("ix_graph_nodes_namespace_entity_id"), "graph_nodes", ["namespace", "entity_id"], unique=False)
    op.create_index(op.f("ix_graph_nodes_namespace_name_key"), "graph_nodes", ["namespace", "name_key"], unique=False)
    op.create_table(
        "graph_tails",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("group_key", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("assertion_id", sa.String(length=36), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.Column("within", sa.Text(), nullable=False),
        sa.Column("open_facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "group_key", name=op.f("pk_graph_tails")),
        sqlite_with_rowid=False,
    )
    # Episodes that were done before the graph was have one stage to go.
    op.execute(
        "INSERT INTO outbox (episode_seq, stage, version, namespace, attempts, available_at, created_at) "
        "SELECT episode_seq, 'graph', 1, namespace, 0, 0, recorded_at FROM records WHERE kind = 'note'"
    )
