"""A killed service keeps what it acknowledged, once, and stands where a replay of its log stands. One test for each seed.

`make crash SEEDS=200` runs more of them; `pytest tests/crash/test_crash.py -k 'seed17-'` runs one.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from memory_service import failpoints
from tests.crash import harness

SEEDS = range(int(os.environ.get("CRASH_SEEDS", "50")))
ABREAST = 2
"""Seeds at a time: a starting process computes on one core, a dying one waits."""

Reports = dict[int, "Future[harness.Report]"]


def test_the_seeds_of_ci_reach_every_named_point() -> None:
    lives = [life for seed in range(50) for life in harness.scenario(seed).lives]
    reached = {life.failpoint.rpartition(":")[0] for life in lives if life.failpoint}
    assert reached == set(failpoints.POINTS)


def test_equal_seeds_are_equal_scenarios() -> None:
    assert [harness.scenario(seed) for seed in range(20)] == [harness.scenario(seed) for seed in range(20)]


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    """All chosen seeds, begun together; each test waits for its own."""
    # Other modules have seeds of their own.
    own = [item for item in request.session.items if item.path == request.path]
    chosen = [parameters["seed"] for item in own if "seed" in (parameters := _parameters(item))]
    pool = ThreadPoolExecutor(ABREAST)
    yield {seed: pool.submit(harness.run, seed, tmp_path_factory.mktemp(f"seed-{seed}-")) for seed in chosen}
    pool.shutdown(cancel_futures=True)


def _parameters(item: pytest.Item) -> dict[str, object]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def _case(seed: int) -> Any:
    return pytest.param(seed, id=f"seed{seed}-{harness.KINDS[seed % len(harness.KINDS)]}")


# Seeds run side by side from the first test on, so one test may wait for the turns of others.
@pytest.mark.timeout(1200)
@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler")
@pytest.mark.parametrize("seed", [_case(seed) for seed in SEEDS])
def test_a_killed_service_keeps_its_promises(seed: int, reports: Reports) -> None:
    report = reports[seed].result()
    assert report.violations == [], str(report)
