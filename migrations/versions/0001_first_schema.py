"""The first schema: log, derived tables, outbox and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("namespaces", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_table(
        "episodes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("session_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=256), nullable=True),
        sa.Column("speaker", sa.String(length=256), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("offset_minutes", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_episodes")),
        sa.UniqueConstraint("namespace", "id", name=op.f("uq_episodes_namespace_id")),
    )
    op.create_index(op.f("ix_episodes_namespace_seq"), "episodes", ["namespace", "seq"], unique=False)
    op.create_index(
        op.f("ix_episodes_namespace_session_id_seq"), "episodes", ["namespace", "session_id", "seq"], unique=False
    )
    op.create_table(
        "idempotency",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_expires_at"), "idempotency", ["expires_at"], unique=False)
    op.create_index(op.f("ix_idempotency_namespace_last_seq"), "idempotency", ["namespace", "last_seq"], unique=False)
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "namespaces",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("episodes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_namespaces")),
    )
    op.create_table(
        "note_links",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("source_id", sa.String(length=36), nullable=False),
        sa.Column("target_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "source_id", "target_id", "kind", name=op.f("pk_note_links")),
    )
    op.create_index(op.f("ix_note_links_namespace_target_id"), "note_links", ["namespace", "target_id"], unique=False)
    op.create_table(
        "notes",
        sa.Column("record_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("importance", sa.Float(), nullable=False),
        sa.Column("extractor", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record_seq", name=op.f("pk_notes")),
        sa.UniqueConstraint("episode_seq", name=op.f("uq_notes_episode_seq")),
        sa.UniqueConstraint("namespace", "id", name=op.f("uq_notes_namespace_id")),
    )
    op.create_index(op.f("ix_notes_namespace_episode_seq"), "notes", ["namespace", "episode_seq"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("episode_seq", "stage", "version", name=op.f("pk_outbox")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_outbox_dead_at_stage_available_at"), "outbox", ["dead_at", "stage", "available_at"], unique=False
    )
    op.create_index(op.f("ix_outbox_namespace_dead_at"), "outbox", ["namespace", "dead_at"], unique=False)
    op.create_table(
        "records",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("extractor", sa.String(length=128), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_records")),
    )
    op.create_index(op.f("ix_records_episode_seq_kind"), "records", ["episode_seq", "kind"], unique=False)
    op.create_index(op.f("ix_records_namespace_seq"), "records", ["namespace", "seq"], unique=False)
    op.create_table(
        "store_info",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_store_info")),
    )
    op.create_table(
        "tombstones",
        sa.Column("namespace", sa.String(length=128), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "id_hash", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "record_sources",
        sa.Column("episode_seq", sa.BigInteger(), nullable=False),
        sa.Column("record_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_seq"], ["records.seq"], name=op.f("fk_record_sources_record_seq"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("episode_seq", "record_seq", name=op.f("pk_record_sources")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_record_sources_record_seq"), "record_sources", ["record_seq"], unique=False)
