"""Results told to people."""

import pytest

from eval import results
from eval.benchmarks import Options, run_benchmark
from eval.catalog import Means
from eval.errors import BadResults, EvalError
from eval.readers.locomo import read_locomo
from eval.report.compare import side_by_side
from eval.report.document import results_page
from eval.report.markdown import number, page, table
from eval.rows import RowLog
from eval.run import Runner
from tests.eval.doubles import Quiet, Scripted, words
from tests.eval.files import locomo_item, write


@pytest.fixture
def document(tmp_path):
    dataset = read_locomo(write(tmp_path / "l.json", [locomo_item()]))
    runner = Runner(dataset, RowLog(tmp_path / "out" / "rows.jsonl"), words, Quiet())
    return results.build(
        dataset, runner.run([Scripted("first"), Scripted("second")]), {"command": "x"}, {"mem0": "absent"}
    )


@pytest.fixture
def means(tmp_path):
    return Means("test", tmp_path / "models")


def test_numbers_are_short_and_what_is_not_known_is_a_dash():
    assert (number(0.1234), number(1.0), number(-0.25), number(None)) == (".123", "1.000", "-0.250", "–")


def test_a_table_is_markdown():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | --: |\n| x | 1 |"


def test_a_page_has_every_table_and_what_was_left_out(document):
    told = page(document)
    for heading in ("## Retrieval", "by kind of question", "### session", "## Abstention", "## Costs", "## Left out"):
        assert heading in told
    assert "- mem0: absent" in told


def test_two_runs_of_one_file_stand_in_one_table_with_their_difference(document):
    told = side_by_side([("one", document), ("two", document)])
    assert told.count("\n## ") == 0
    assert told.startswith("## locomo: l.json")
    assert "| second (two) | 4 |" in told
    assert "+0.000 [+0.000, +0.000]" in told


def test_runs_of_different_files_are_not_compared(document):
    other = {**document, "dataset": {**document["dataset"], "sha256": "0" * 64}}
    assert side_by_side([("one", document), ("two", other)]).count("## locomo") == 2


def test_runs_without_scored_questions_cannot_be_compared(document):
    with pytest.raises(BadResults, match="None of these runs"):
        side_by_side([("one", {**document, "systems": []})])


def test_the_results_page_names_the_file_the_code_and_the_sources(document):
    told = results_page({"locomo": document})
    assert "## LoCoMo" in told
    assert document["environment"]["code"] in told
    assert "## Published figures" in told


def test_a_run_writes_its_rows_results_page_and_plot(tmp_path, means):
    data = write(tmp_path / "l.json", [locomo_item()])
    options = Options(data, tmp_path / "out", ("bm25", "oracle", "full"))
    run_benchmark("locomo", options, means, Quiet())
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {"rows.jsonl", "results.json", "results.md", "plot.png"}
    told = (tmp_path / "out" / "results.md").read_text()
    assert "answers and their token F1: need a language model" in told
    assert "| full context |" not in told.split("## Costs")[0]


def test_an_interrupted_run_leaves_rows_and_no_table(tmp_path, means, monkeypatch):
    data = write(tmp_path / "l.json", [locomo_item()])
    monkeypatch.setattr("eval.catalog._MAKERS", {"broken": lambda _: [Scripted(fail_at=2)]})
    with pytest.raises(KeyboardInterrupt):
        run_benchmark("locomo", Options(data, tmp_path / "out", ("broken",)), means, Quiet())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rows.jsonl"]


def test_systems_are_closed_whatever_happens(tmp_path, means, monkeypatch):
    system = Scripted(fail_at=2)
    monkeypatch.setattr("eval.catalog._MAKERS", {"broken": lambda _: [system]})
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(
            "locomo",
            Options(write(tmp_path / "l.json", [locomo_item()]), tmp_path / "out", ("broken",)),
            means,
            Quiet(),
        )
    assert system.closed


def test_a_system_that_there_is_not_is_told_with_those_there_are(tmp_path, means):
    data = write(tmp_path / "l.json", [locomo_item()])
    with pytest.raises(EvalError, match=r"'bm26'\. There are: service, bm25"):
        run_benchmark("locomo", Options(data, tmp_path / "out", ("bm26",)), means, Quiet())
