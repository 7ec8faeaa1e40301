"""JSON arrays read item by item: the same values and the same complaints as of the whole, in a part of the memory."""

import hashlib
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from eval.benchmarks import Options, run_benchmark
from eval.catalog import Means
from eval.errors import BadData
from eval.readers import stream
from eval.readers.longmemeval import read_longmemeval
from eval.readers.stream import JsonArray
from tests.eval.doubles import Quiet
from tests.eval.files import longmemeval_item, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stream")


@given(
    items=st.lists(VALUES, max_size=6),
    size=st.integers(1, 40),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
    around=st.sampled_from(["", " ", "\n\t"]),
)
@examples(max_examples=300, deadline=None)
def test_items_are_those_of_the_whole_document_wherever_it_is_cut(
    *, folder, items, size, ascii_only, indent, around
) -> None:
    path = folder / "items.json"
    text = around + json.dumps(items, ensure_ascii=ascii_only, indent=indent) + around
    data = text.encode("utf-8", "replace")
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_READ_BYTES", size)
        array = JsonArray(path)
        assert list(array) == json.loads(data)
    assert array.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"a": 1}, {"b": ', "ends too early, at line 1: is it truncated"),
        ('[{"a": 1}, {"b": "tex', "ends too early, at line 1: is it truncated"),
        ('[{"a": 1},\n\n {"b": 2}', "ends too early, at line 3: is it truncated"),
        (
            '[\n {"a": 1},\n {"b" 2, "c": "a longer item of many characters"}\n]',
            "Expecting ':' delimiter at line 3, column 7",
        ),
        ('[{"a": 1} {"b": 2}, "and more, so that this is not the end"]', "Expecting ',' or ']' at line 1, column 11"),
        ('["one", "two"]\n["three"]', "Extra data at line 2, column 1"),
        ('{"a": [1, 2]}', "must be a list"),
        ("Once upon a time", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, monkeypatch, size, text, told) -> None:
    monkeypatch.setattr(stream, "_READ_BYTES", size)
    if size < len(text) and ("nested" in told or text[0] != "["):
        pytest.skip("quadratic, or told by the first character alone")
    with pytest.raises(BadData) as raised:
        list(JsonArray(write(tmp_path / "bad.json", text)))
    assert told in str(raised.value)


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_bytes_that_are_not_text_are_told_with_their_place(tmp_path, monkeypatch, size) -> None:
    monkeypatch.setattr(stream, "_READ_BYTES", size)
    (tmp_path / "b.json").write_bytes('["é", "ü", "'.encode() + b'\xff"]')
    with pytest.raises(BadData, match=r"UTF-8 \(byte 14\)"):
        list(JsonArray(tmp_path / "b.json"))


# --- LongMemEval_M's shape --------------------------------------------------------------------------------------------


def write_m(path: Path, questions: int, sessions: int) -> Path:
    """A file of M's shape: every question has a haystack of its own, of many sessions. Written as it is made."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(questions):
            ids = [f"s{number}_{n}" for n in range(sessions)]
            item = longmemeval_item(
                question_id=f"q{number}",
                haystack_session_ids=ids,
                haystack_dates=["2023/05/20 (Sat) 02:21"] * sessions,
                haystack_sessions=[
                    [
                        {"role": role, "content": f"Session {session} of question {number}: " + "so it was. " * 60}
                        for role in ("user", "assistant")
                    ]
                    for session in ids
                ],
                answer_session_ids=[ids[0]],
            )
            item["haystack_sessions"][0][0]["has_answer"] = True
            file.write(("[" if number == 0 else ", ") + json.dumps(item))
        file.write("]")
    return path


def peak_of_reading(path: Path) -> int:
    """Bytes held at most while the file is read and its tasks are passed over once, as a run does."""
    tracemalloc.start()
    try:
        dataset = read_longmemeval(path)
        assert sum(len(task.history.turns) for task in dataset.tasks) == dataset.counts["episodes"]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_follows_one_question_and_not_the_file(tmp_path) -> None:
    small = write_m(tmp_path / "small.json", questions=4, sessions=400)
    large = write_m(tmp_path / "large.json", questions=40, sessions=400)
    assert large.stat().st_size > 20_000_000
    peak = peak_of_reading(large)
    assert peak < 1.25 * peak_of_reading(small)
    assert peak < large.stat().st_size / 2


def test_every_pass_reads_the_same_tasks(tmp_path) -> None:
    dataset = read_longmemeval(write_m(tmp_path / "m.json", questions=3, sessions=2))
    assert list(dataset.tasks) == list(dataset.tasks)
    assert [task.questions[0] for task in dataset.tasks] == list(dataset.questions())
    told = {"questions": 3, "namespaces": 3, "episodes": 12, "scored": 3}
    assert dataset.counts == told | {"empty turns, left out": 0}


def test_the_first_questions_are_those_of_the_whole_and_no_more_is_read(tmp_path) -> None:
    dataset = read_longmemeval(write_m(tmp_path / "m.json", questions=3, sessions=2))
    limited = dataset.limited(2)
    assert list(limited.tasks) == list(dataset.tasks)[:2]
    assert [question.id for question in limited.questions()] == ["q0", "q1"]
    assert list(limited.limited(1).questions()) == list(dataset.questions())[:1]


def test_a_file_that_changes_between_two_passes_is_told(tmp_path) -> None:
    path = write_m(tmp_path / "m.json", questions=2, sessions=2)
    dataset = read_longmemeval(path)
    write_m(path, questions=3, sessions=2)
    with pytest.raises(BadData, match="changed while it was read"):
        list(dataset.tasks)


def test_a_run_over_it_gives_the_rows_of_every_question(tmp_path) -> None:
    path = write_m(tmp_path / "m.json", questions=3, sessions=4)
    options = Options(path, tmp_path / "out", ("bm25", "oracle"))
    document = run_benchmark("longmemeval", options, Means("test", tmp_path), Quiet())
    assert [system["scored"] for system in document["systems"]] == [3, 3]
