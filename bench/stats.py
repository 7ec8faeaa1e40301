"""Samples and what is said of them."""

import statistics
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_PERCENTILES: Final = (5, 25, 50, 75, 90, 95, 99)


@dataclass
class Samples:
    """Durations of one kind of event, in milliseconds, in the order in which they were taken."""

    values_ms: list[float] = field(default_factory=list[float])

    @contextmanager
    def timed(self) -> Generator[None]:
        """Adds how long the block took."""
        started = time.perf_counter()
        yield
        self.values_ms.append((time.perf_counter() - started) * 1000)

    def percentile(self, percent: float) -> float:
        """Milliseconds; linear between the nearest samples."""
        ordered = sorted(self.values_ms)
        place = (len(ordered) - 1) * percent / 100
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    @property
    def p50(self) -> float:
        return self.percentile(50)

    @property
    def p95(self) -> float:
        return self.percentile(95)

    def summary(self) -> dict[str, Any]:
        """Count, mean, extremes and percentiles, in milliseconds."""
        named = {f"p{percent}_ms": round(self.percentile(percent), 4) for percent in _PERCENTILES}
        return {
            "count": len(self.values_ms),
            "mean_ms": round(statistics.fmean(self.values_ms), 4),
            "min_ms": round(min(self.values_ms), 4),
            **named,
            "max_ms": round(max(self.values_ms), 4),
        }
