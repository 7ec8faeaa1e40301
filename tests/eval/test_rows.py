"""Rows on disk: what a run has done survives its interruption."""

import errno

import pytest

from eval.errors import BadResults, EvalError
from eval.rows import RowLog, unwritable, write_json


def test_rows_are_there_for_the_next_run(tmp_path):
    log = RowLog(tmp_path / "rows.jsonl")
    log.append({"question": "é"})
    log.close()
    assert RowLog(tmp_path / "rows.jsonl").rows == [{"question": "é"}]


def test_a_row_that_was_being_written_when_the_run_ended_is_cut_off(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "1"}\n{"quest')
    log = RowLog(path)
    assert log.rows == [{"question": "1"}]
    log.append({"question": "2"})
    log.close()
    assert RowLog(path).rows == [{"question": "1"}, {"question": "2"}]


def test_a_damaged_row_is_an_error_that_says_what_to_do(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "1"}\nnonsense\n{"question": "2"}\n')
    with pytest.raises(BadResults, match=r"line 2 is damaged\. Delete the file"):
        RowLog(path)


def test_a_full_disk_is_told_as_one():
    error = unwritable(__file__, OSError(errno.ENOSPC, "No space left on device"))  # type: ignore[arg-type]
    assert "disk is full" in str(error)
    assert "run the same command again" in str(error)


def test_writing_to_a_full_device_raises_it(tmp_path):
    log = RowLog(tmp_path / "rows.jsonl")
    log._file.close()
    log._file = open("/dev/full", "ab")  # noqa: SIM115
    with pytest.raises(EvalError, match="disk is full"):
        log.append({"question": "1"})
    assert log.rows == []


def test_two_runs_do_not_write_one_file(tmp_path):
    first = RowLog(tmp_path / "rows.jsonl")
    with pytest.raises(EvalError, match="Another run is writing"):
        RowLog(tmp_path / "rows.jsonl")
    first.close()
    RowLog(tmp_path / "rows.jsonl").close()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvalError, match="cannot be written"):
        RowLog(tmp_path / "file" / "rows.jsonl")


def test_a_result_is_whole_or_not_there(tmp_path):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(EvalError):
        write_json(tmp_path / "results.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
