"""The peer's adapter: what it sends and how it fails, against an interpreter of our own in mem0's place."""

import stat
import sys
from datetime import UTC, datetime

import pytest

from eval.dataset import History, Question, Turn
from eval.errors import SystemFailed
from eval.systems import mem0
from eval.systems.mem0 import Mem0, absent

FAKE = """#!{python}
import json, sys
if "-c" in sys.argv:
    print(json.dumps({{"mem0ai": "9", "qdrant-client": "8"}}))
    sys.exit(0)
held = []
for line in sys.stdin:
    told = json.loads(line)
    if told["do"] == "add":
        if told["text"] == "Ann: die":
            sys.exit("it died")
        held.append(told)
    if told["do"] == "search" and told["query"] == "fail":
        print(json.dumps({{"error": "ValueError: no"}}), flush=True)
    elif told["do"] == "search":
        found = [each for each in held if each["user"] == told["user"]][: told["limit"]]
        print(json.dumps({{"ids": [each["id"] for each in found], "scores": [1.0 for _ in found]}}), flush=True)
    else:
        print("{{}}", flush=True)
"""
AT = datetime(2023, 5, 8, tzinfo=UTC)


@pytest.fixture
def system(tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text(FAKE.format(python=sys.executable))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(mem0.VARIABLE, str(fake))
    mem0._versions.cache_clear()
    made = Mem0("folder/of/all-MiniLM-L6-v2")
    yield made
    made.close()
    mem0._versions.cache_clear()


def history(name: str, *texts: str) -> History:
    return History(name, tuple(Turn(f"t{i}", "s", "Ann", None, text, AT) for i, text in enumerate(texts)))


def test_turns_are_added_one_by_one_and_histories_are_kept_apart(system):
    one, two = history("one", "Hi.", "Bye."), history("two", "Yo.")
    assert system.ingest([one, two]).episodes == 3
    assert system.search(one, Question("q", "?", "g", "", ()), 10).ids == ("t0", "t1")
    assert system.search(two, Question("q", "?", "g", "", ()), 10).ids == ("t0",)
    assert system.search(one, Question("q", "?", "g", "", ()), 1).ids == ("t0",)


def test_its_settings_name_versions_and_model(system):
    assert system.settings["versions"] == {"mem0ai": "9", "qdrant-client": "8"}
    assert system.settings["model"] == "all-MiniLM-L6-v2"


def test_what_it_refuses_is_told(system):
    system.ingest([history("one", "Hi.")])
    with pytest.raises(SystemFailed, match="mem0: ValueError: no"):
        system.search(history("one"), Question("q", "fail", "g", "", ()), 10)


def test_that_it_died_is_told_with_what_it_said_last(system):
    with pytest.raises(SystemFailed, match="mem0 ended: it died"):
        system.ingest([history("one", "die")])


def test_where_it_is_not_installed_that_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setenv(mem0.VARIABLE, sys.executable)
    assert mem0.VARIABLE in (absent() or "")


def test_an_interpreter_that_there_is_not_is_no_crash(monkeypatch):
    monkeypatch.setenv(mem0.VARIABLE, "/nonexistent/python")
    assert "not installed" in (absent() or "")
