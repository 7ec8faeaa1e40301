"""`memory-service eval`, as its user meets it."""

import json

import pytest

from tests.eval.files import locomo_item, write
from tests.support.process import command

pytestmark = pytest.mark.process
MODEL = {"embedding_model": "test"}


def run(*arguments):
    return command("eval", *map(str, arguments), **MODEL)


def test_a_run_of_a_file_prints_its_table_and_says_what_was_left_out(tmp_path):
    data = write(tmp_path / "l.json", [locomo_item()])
    done = run("locomo", "--data", data, "--out", tmp_path / "one")
    assert done.returncode == 0, done.stderr
    assert "this service" in done.stdout
    assert "BM25" in done.stdout
    assert "need a language model; give --llm" in done.stdout
    document = json.loads((tmp_path / "one" / "results.json").read_text())
    assert [system["name"] for system in document["systems"]] == [
        "this service",
        "BM25",
        "MiniLM",
        "oracle evidence",
        "full context",
    ]
    assert document["options"]["command"].startswith("memory-service eval locomo --data")


def test_two_runs_are_compared(tmp_path):
    data = write(tmp_path / "l.json", [locomo_item()])
    for name in ("one", "two"):
        assert run("locomo", "--data", data, "--out", tmp_path / name, "--system", "bm25").returncode == 0
    done = run("report", tmp_path / "one", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert "| BM25 (one) | 4 |" in done.stdout
    assert "| BM25 (two) | 4 |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["locomo", "--data", "missing.json"], "missing.json: cannot be read"),
        (["longmemeval", "--data", "{data}"], "is not LongMemEval"),
        (["dmr", "--data", "{data}"], "is not MSC-Self-Instruct"),
        (["sort", "--data", "{data}"], "the shortest excerpt takes 250"),
        (["locomo", "--data", "{data}", "--system", "nope"], "There is no system 'nope'"),
        (["locomo", "--data", "{data}", "--set", "PORT=1"], "--set takes MEMORY_NAME=VALUE"),
        (["locomo", "--data", "{data}", "--max-usd", "1"], "go with --llm MODEL"),
        (["locomo", "--data", "{data}", "--llm", "m", "--llm-price", "cheap"], "--llm-price takes two numbers"),
        (["locomo", "--data", "{data}", "--url", "http://127.0.0.1:9"], "Is the service running"),
        (["all", "--data", "nowhere"], "is not there; --data names the folder"),
        (["report", "nowhere"], "nowhere holds no results.json"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(tmp_path, monkeypatch, arguments, told):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    data = write(tmp_path / "l.json", [locomo_item()])
    filled = [argument.replace("{data}", str(data)) for argument in arguments]
    done = run(*filled, *([] if arguments[0] == "report" else ["--out", tmp_path / "out"]))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert told in " ".join(done.stderr.split())
    assert not (tmp_path / "out" / "results.json").exists()
