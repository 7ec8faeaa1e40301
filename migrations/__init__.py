"""Alembic migrations of the store."""

from typing import Final

HEAD: Final = "0002"
"""The newest revision. A store that has it is opened without alembic, which takes a start a tenth of a second."""
