"""DMR's file as it is read, and what can be said of it without a language model."""

import json

import pytest

from eval.benchmarks import Options, run_benchmark
from eval.catalog import Means
from eval.errors import BadData
from eval.readers.dmr import read_dmr
from tests.eval.doubles import Quiet
from tests.eval.files import write


def line(**changes) -> dict:
    record = {
        "personas": [["I have a dog."], ["I paint."]],
        "previous_dialogs": [
            {
                "dialog": [{"text": "Hi, I have a dog called Biscuit."}, {"text": "I paint lighthouses."}],
                "time_num": 2,
                "time_unit": "days",
            },
            {"dialog": [{"text": "How are the lighthouses?"}, {"text": "Nearly done."}]},
        ],
        "dialog": [{"id": "Speaker 1", "text": "Hello again."}, {"id": "Speaker 2", "text": "Hello!"}],
        "self_instruct": {"B": "Hey, what was your dog called?", "A": "My dog is called Biscuit."},
    }
    return record | changes


def lines(*records) -> str:
    return "\n".join(json.dumps(record) for record in records) + "\n"


def test_turns_alternate_between_the_speakers_unless_they_are_named(tmp_path):
    (task,) = read_dmr(write(tmp_path / "msc.jsonl", lines(line()))).tasks
    assert [(turn.id, turn.speaker) for turn in task.history.turns] == [
        ("s1_1", "Speaker 1"),
        ("s1_2", "Speaker 2"),
        ("s2_1", "Speaker 1"),
        ("s2_2", "Speaker 2"),
        ("s3_1", "Speaker 1"),
        ("s3_2", "Speaker 2"),
    ]


def test_sessions_keep_their_order_in_time(tmp_path):
    (task,) = read_dmr(write(tmp_path / "msc.jsonl", lines(line()))).tasks
    times = [turn.at for turn in task.history.turns]
    assert times == sorted(set(times))


def test_the_question_is_b_and_the_answer_a(tmp_path):
    (question,) = read_dmr(write(tmp_path / "msc.jsonl", lines(line()))).questions()
    assert question.text == "Hey, what was your dog called?"
    assert question.answer == "My dog is called Biscuit."


def test_each_line_is_a_history_of_its_own_and_blank_lines_are_none(tmp_path):
    dataset = read_dmr(write(tmp_path / "msc.jsonl", lines(line()) + "\n\n" + lines(line())))
    assert [task.history.name for task in dataset.tasks] == ["dmr-1", "dmr-2"]
    assert dataset.counts == {"questions": 2, "episodes": 12}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("[1, 2]", "is not MSC-Self-Instruct"),
        (lines(line()) + '{"self_instruct": {"B": "wh', "line 2 ends too early"),
        (lines({"text": "hello"}), "line 1 has no field `self_instruct`"),
        (lines(line(self_instruct={"B": "what?"})), "line 1, `self_instruct` has no field `A`"),
        (lines(line(previous_dialogs="none")), "`previous_dialogs` must be a list, not text"),
        (lines(line(dialog=[{"id": "Speaker 1"}])), "session 3, turn 1 has no field `text`"),
        (lines(line(previous_dialogs=[], dialog=[])), "line 1 has no turns"),
    ],
)
def test_a_file_that_is_something_else_is_told_with_its_place(tmp_path, text, told):
    with pytest.raises(BadData) as raised:
        read_dmr(write(tmp_path / "msc.jsonl", text))
    assert told in str(raised.value)


def test_without_a_model_the_answers_words_are_looked_for_in_the_context_and_the_rest_is_left_out(tmp_path):
    data = write(tmp_path / "msc.jsonl", lines(line()))
    options = Options(data, tmp_path / "out", ("bm25", "full"))
    document = run_benchmark("dmr", options, Means("test", tmp_path), Quiet())
    bm25, full = document["systems"]
    # "My" and "is" are not said: dog, called and Biscuit are three words of five.
    assert bm25["metrics"] == {"context.rouge_l@10": pytest.approx(0.6)}
    assert full["metrics"] == {}
    assert document["left_out"] == {
        "accuracy by judge and ROUGE-L recall of answers": "need a language model; give --llm"
    }
