"""The whole suite, on a folder of tiny files in the place of the development files."""

import json

import pytest

from eval import suite
from eval.catalog import Means
from eval.errors import BadData
from eval.haystacks import built
from eval.suite import run_suite
from tests.eval.doubles import Quiet, Scripted
from tests.eval.files import locomo_item, longmemeval_item, write
from tests.eval.test_sort import tale

BUILDER = """import json, sys
assert sys.argv[2:] == ["--others", "48"]
open(sys.argv[1], "w").write(json.dumps({items}))
"""


@pytest.fixture
def data(tmp_path):
    for name in ("locomo", "longmemeval", "booksort"):
        (tmp_path / "data" / name).mkdir(parents=True)
    write(tmp_path / "data" / "locomo" / "locomo_dev.json", [locomo_item()])
    write(tmp_path / "data" / "booksort" / "tale.txt", tale(60))
    items = [longmemeval_item(), longmemeval_item(question_id="q2_abs")]
    builder = BUILDER.format(items=json.dumps(items).replace("true", "True").replace("false", "False"))
    write(tmp_path / "data" / "longmemeval" / "build_haystacks.py", builder)
    return tmp_path / "data"


@pytest.fixture
def service(monkeypatch):
    """A double in the service's place, and no mem0."""
    made: list[Scripted] = []

    def make(means):
        made.append(Scripted("this service"))
        return made[-1:]

    from eval import catalog

    monkeypatch.setattr(catalog, "_MAKERS", catalog._MAKERS | {"service": make})
    monkeypatch.setattr(suite, "absent", lambda: "it is not installed")
    return made


def test_everything_is_run_and_told_on_one_page(tmp_path, data, service):
    page = tmp_path / "results.md"
    documents = run_suite(data, tmp_path / "out", page, Means("test", tmp_path), Quiet())
    assert list(documents) == ["locomo", "longmemeval-pool", "longmemeval-48", "sort"]
    told = page.read_text()
    for heading in (
        "## LoCoMo",
        "one pool of all sessions",
        "among 48 other sessions",
        "## SORT",
        "## Published figures",
    ):
        assert heading in told
    assert "- mem0: it is not installed" in told
    assert "− neighbours" in told
    assert all(system.closed for system in service)


def test_what_is_done_is_not_done_again(tmp_path, data, service):
    for _ in range(2):
        run_suite(data, tmp_path / "out", None, Means("test", tmp_path), Quiet())
    first, second = service[:4], service[4:]
    assert any(system.asked for system in first)
    assert not any(system.asked for system in second)


def test_a_page_is_not_touched_by_a_run_that_fails(tmp_path, data, service):
    page = write(tmp_path / "results.md", "as it was")
    write(data / "booksort" / "tale.txt", "Too short.")
    with pytest.raises(BadData):
        run_suite(data, tmp_path / "out", page, Means("test", tmp_path), Quiet())
    assert page.read_text() == "as it was"


@pytest.mark.parametrize("script", ["raise SystemExit('no luck')", "print('nothing written')"])
def test_a_script_that_fails_leaves_no_haystacks(tmp_path, script):
    write(tmp_path / "build_haystacks.py", script)
    with pytest.raises(BadData, match=r"build_haystacks\.py: failed"):
        built(tmp_path, tmp_path / "out" / "haystacks.json")
    assert not (tmp_path / "out" / "haystacks.json").exists()
