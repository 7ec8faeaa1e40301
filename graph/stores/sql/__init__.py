"""The SQL store: SQLite and PostgreSQL through SQLAlchemy Core."""

from graph.stores.sql.store import SqlGraphStore

__all__ = ["SqlGraphStore"]
