"""Alembic's entry: runs on the connection that the service hands over, or on its URL."""

from alembic import context
from sqlalchemy import Connection, create_engine

from memory_service.log.schema import EVERYTHING


def _run(connection: Connection) -> None:
    # SQLite cannot alter most things in place; batch mode copies the table instead.
    context.configure(
        connection=connection, target_metadata=list(EVERYTHING), render_as_batch=True, transactional_ddl=False
    )
    context.run_migrations()


_given: Connection | None = context.config.attributes.get("connection")
if _given is not None:
    _run(_given)
else:
    with create_engine(context.config.get_main_option("sqlalchemy.url") or "").begin() as _connection:
        _run(_connection)
