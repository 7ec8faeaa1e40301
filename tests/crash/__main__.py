"""python -m tests.crash --seeds 200: the crash suite on any number of seeds. A line for each; not zero on a violation."""

import argparse
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.crash import harness


def main() -> int:
    """Runs the seeds; the exit code."""
    arguments = _arguments()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    root = Path(tempfile.mkdtemp(prefix="memory-crash-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, reports = time.monotonic(), list[harness.Report]()
    pool = ThreadPoolExecutor(arguments.jobs)
    try:
        for report in pool.map(lambda seed: harness.run(seed, root / str(seed)), seeds):
            reports.append(report)
            print(report, *report.violations, sep="\n    ", flush=True)
    finally:
        # Whoever stops it waits for the seeds under way, and no server is left running.
        pool.shutdown(cancel_futures=True)
    return _summary(reports, root, time.monotonic() - began)


def _summary(reports: list[harness.Report], root: Path, seconds: float) -> int:
    violated = [report.scenario.seed for report in reports if report.violations]
    lives = sum(len(report.scenario.lives) for report in reports)
    print(
        f"{len(reports)} seeds, {lives} kills, {sum(r.acknowledged for r in reports)} acknowledged requests, "
        f"{sum(r.unknown for r in reports)} unknown outcomes retried, {seconds:.0f} s."
    )
    if not violated:
        root.rmdir()
        print("Nothing acknowledged was lost, doubled or changed.")
        return 0
    print(f"VIOLATED by the seeds {', '.join(map(str, violated))}.")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--first", type=int, default=0, help="the first one (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
