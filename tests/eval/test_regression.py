"""The slice of the benchmarks that runs with the tests: no metric may fall below its recorded interval.

`python -m tests.eval.test_regression` records the figures anew, after a change that is meant to move them.
"""

import json
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from eval.metrics.bootstrap import interval
from eval.readers.locomo import read_locomo
from eval.rows import RowLog
from eval.run import Runner
from eval.systems.service import Service
from tests.eval.doubles import Quiet, words
from tests.eval.files import write
from tests.eval.synthetic import conversation

BASELINE = Path(__file__).with_name("baseline.json")
METRICS = ("turn.any@5", "turn.all@5", "turn.any@10", "turn.all@10", "turn.ndcg@10", "session.ndcg@5")


def measured(folder: Path) -> dict[str, list[float]]:
    """Each question's metrics, from the service in its shipped settings."""
    dataset = read_locomo(write(folder / "synthetic.json", conversation()))
    with closing(Service()) as service, closing(RowLog(folder / "rows.jsonl")) as log:
        (rows,) = Runner(dataset, log, words, Quiet()).run([service])
    scored = [row["metrics"] for row in rows.questions if "metrics" in row]
    return {name: [metrics[name] for metrics in scored] for name in METRICS}


@pytest.mark.process
@pytest.mark.model
def test_no_metric_falls_by_more_than_its_interval(tmp_path):
    recorded = json.loads(BASELINE.read_text())
    now = {name: sum(values) / len(values) for name, values in measured(tmp_path).items()}
    fallen = {name: (round(mean, 3), recorded[name]) for name, mean in now.items() if mean < recorded[name]["low"]}
    assert not fallen, f"below the recorded interval (now, recorded): {fallen}"


def test_the_slice_is_neither_trivial_nor_hopeless():
    recorded = json.loads(BASELINE.read_text())
    assert all(recorded[name]["low"] > 0.3 for name in METRICS if name.startswith("turn.any"))
    assert recorded["turn.all@5"]["mean"] < 0.98


def test_the_conversation_is_always_the_same():
    assert conversation() == conversation()


def record() -> None:
    """Rewrites the baseline."""
    with tempfile.TemporaryDirectory() as folder:
        found = {name: interval(values) for name, values in measured(Path(folder)).items()}
    shown = {n: {"mean": round(i.mean, 4), "low": round(i.low, 4), "high": round(i.high, 4)} for n, i in found.items()}
    BASELINE.write_text(json.dumps(shown, indent=1) + "\n")


if __name__ == "__main__":
    record()
