"""The REST contract of search and context: what is found, what the filters let through, what is cited."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory_service.clock import FrozenClock
from memory_service.errors import Invalid, NotCaughtUp
from memory_service.instants import format_instant
from memory_service.service import limits as service_limits  # noqa: F401 - replaced below when absent
from retrieval.embedders.testing import HashEmbedder
from tests.support.defects import defect
from tests.support.problems import refused
from tests.support.running import Running, Start

DAY = "2026-05-0{}T12:00:00Z"


def episode(n: int, text: str = "the tea was good", **fields: Any) -> dict[str, Any]:
    return {"id": f"e{n}", "content": f"{text} {n}", "occurred_at": DAY.format(n), **fields}
