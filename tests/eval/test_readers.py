"""The official formats as they are read, and files that are something else."""

from datetime import UTC, datetime

import pytest

from eval.errors import BadData
from eval.readers.locomo import parse_evidence, read_locomo
from eval.readers.longmemeval import read_longmemeval
from tests.eval.files import locomo_item, longmemeval_item, write

READERS = [read_locomo, read_longmemeval]


class TestLocomo:
    def test_turns_come_in_the_order_of_their_sessions_numbers(self, tmp_path):
        (task,) = read_locomo(write(tmp_path / "l.json", [locomo_item()])).tasks
        assert [turn.id for turn in task.history.turns] == ["D1:1", "D1:2", "D2:1", "D10:1"]
        assert task.history.turns[3].session == "D10"
        assert task.history.turns[3].at == datetime(2023, 9, 13, 0, 9, tzinfo=UTC)

    def test_a_caption_is_part_of_the_text(self, tmp_path):
        (task,) = read_locomo(write(tmp_path / "l.json", [locomo_item()])).tasks
        assert task.history.turns[1].text == "Lovely! [shares a brown puppy on a rug]"

    @pytest.mark.parametrize(
        ("strings", "ids"),
        [
            (["D8:6; D9:17"], ("D8:6", "D9:17")),
            (["D30:05"], ("D30:5",)),
            (["D:11:26"], ("D11:26",)),
            (["D9:1 D4:4 D4:6"], ("D9:1", "D4:4", "D4:6")),
            (["D"], ()),
            (["D8:6", "D8:6"], ("D8:6",)),
            (["D1:99"], ()),
            ([], ()),
        ],
    )
    def test_malformed_evidence_is_repaired_or_dropped(self, strings, ids):
        known = {"D8:6", "D9:17", "D30:5", "D11:26", "D9:1", "D4:4", "D4:6"}
        assert parse_evidence(strings, known).ids == ids

    def test_and_counted(self, tmp_path):
        counts = read_locomo(write(tmp_path / "l.json", [locomo_item()])).counts
        # "D2:1; D1:2", "D:10:1" and "D01:1" are repaired, "D" cannot be read, D9:9 does not exist.
        assert counts["evidence_repaired"] == 3
        assert counts["evidence_unreadable"] == 1
        assert counts["evidence_pointing_nowhere"] == 1
        assert counts["questions_without_evidence"] == 1

    def test_questions_without_evidence_are_asked_but_not_scored(self, tmp_path):
        dataset = read_locomo(write(tmp_path / "l.json", [locomo_item()]))
        assert [q.skipped for q in dataset.questions()] == [None, None, None, "no evidence", None]

    def test_answers_may_be_numbers_and_adversarial_questions_have_none(self, tmp_path):
        questions = list(read_locomo(write(tmp_path / "l.json", [locomo_item()])).questions())
        assert questions[1].answer == "2023"
        assert (questions[4].answer, questions[4].wrong_answer, questions[4].answerable) == ("", "a dog", False)
        assert questions[2].gold == ("D10:1", "D1:1")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"qa": [{"question": "Q", "evidence": [], "category": 6}]}, "question 1 has category 6"),
            ({"qa": [{"question": "Q", "evidence": []}]}, "question 1 has no field `category`"),
            ({"qa": [{"question": "Q", "evidence": "D1:1", "category": 1}]}, "`evidence` must be a list, not text"),
            ({"conversation": {}}, "no turns in sessions"),
            ({"conversation": {"session_1": [], "session_1_date_time": "8 May"}}, "'8 May', which is no date"),
            ({"conversation": {"session_1": []}}, "no field `session_1_date_time`"),
        ],
    )
    def test_a_wrong_field_is_told_with_its_place(self, tmp_path, change, told):
        with pytest.raises(BadData, match="item 1") as raised:
            read_locomo(write(tmp_path / "l.json", [locomo_item(**change)]))
        assert told in str(raised.value)


class TestLongMemEval:
    def test_sessions_are_told_in_order_of_time_and_turns_numbered_as_the_official_scorer_does(self, tmp_path):
        (task,) = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item()])).tasks
        assert [turn.id for turn in task.history.turns] == [
            "other_1_1",
            "other_1_2",
            "answer_1_1",
            "answer_1_2",
            "answer_1_3",
        ]

    def test_the_evidence_is_the_user_turns_that_hold_the_answer(self, tmp_path):
        (question,) = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item()])).questions()
        assert question.gold == ("answer_1_1",)
        assert question.skipped is None

    def test_assistant_turns_are_remembered_but_do_not_rank(self, tmp_path):
        (task,) = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item()])).tasks
        assert [turn.ranks for turn in task.history.turns] == [True, False, True, False, True]

    def test_abstention_questions_are_skipped(self, tmp_path):
        item = longmemeval_item(question_id="q1_abs")
        dataset = read_longmemeval(write(tmp_path / "s.json", [item]))
        (question,) = dataset.questions()
        assert (question.skipped, question.answerable) == ("abstention", False)
        assert dataset.counts["skipped: abstention"] == 1

    def test_questions_whose_evidence_the_assistant_said_are_skipped(self, tmp_path):
        sessions = longmemeval_item()["haystack_sessions"]
        for turn in sessions[0]:
            turn["has_answer"] = turn["role"] == "assistant"
        (question,) = read_longmemeval(
            write(tmp_path / "s.json", [longmemeval_item(haystack_sessions=sessions)])
        ).questions()
        assert question.skipped == "no user-side evidence"

    def test_answers_to_other_questions_are_no_evidence(self, tmp_path):
        sessions = longmemeval_item()["haystack_sessions"]
        sessions[1][0]["has_answer"] = True
        (question,) = read_longmemeval(
            write(tmp_path / "s.json", [longmemeval_item(haystack_sessions=sessions)])
        ).questions()
        assert question.gold == ("answer_1_1",)

    def test_dates_come_with_a_weekday_or_as_iso(self, tmp_path):
        item = longmemeval_item(question_date="2023-05-20T02:21:00")
        (question,) = read_longmemeval(write(tmp_path / "s.json", [item])).questions()
        assert question.asked_at == datetime(2023, 5, 20, 2, 21, tzinfo=UTC)

    def test_empty_turns_are_left_out_and_keep_the_numbers_of_the_rest(self, tmp_path):
        sessions = longmemeval_item()["haystack_sessions"]
        sessions[0][1]["content"] = "  "
        dataset = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item(haystack_sessions=sessions)]))
        assert [t.id for t in next(iter(dataset.tasks)).history.turns][2:] == ["answer_1_1", "answer_1_3"]
        assert dataset.counts["empty turns, left out"] == 1

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"haystack_dates": []}, "2 session ids, 0 dates and 2 sessions"),
            ({"question_type": "riddle"}, "question type 'riddle'"),
            ({"question_date": "soon"}, "'soon', which is no date"),
            ({"haystack_sessions": [["hello"], []]}, "turn 1 must be an object, not text"),
        ],
    )
    def test_a_wrong_field_is_told_with_its_place(self, tmp_path, change, told):
        with pytest.raises(BadData, match="item 1") as raised:
            read_longmemeval(write(tmp_path / "s.json", [longmemeval_item(**change)]))
        assert told in str(raised.value)


class TestPool:
    def test_a_session_of_several_haystacks_stands_in_the_pool_once(self, tmp_path):
        other = longmemeval_item(question_id="q2", haystack_session_ids=["other_9", "answer_2"])
        other["answer_session_ids"] = ["answer_2"]
        other["haystack_sessions"] = [
            [{"role": turn["role"], "content": turn["content"]} for turn in session]
            for session in other["haystack_sessions"]
        ]
        other["haystack_sessions"][1][0]["has_answer"] = True
        dataset = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item(), other]), pool=True)
        (task,) = dataset.tasks
        assert dataset.counts["pool sessions"] == 2
        assert len(task.history.turns) == 5

    def test_and_keeps_the_id_that_its_evidence_has(self, tmp_path):
        plain = longmemeval_item(question_id="q0", haystack_session_ids=["other_7", "other_1"])
        plain["answer_session_ids"] = []
        (task,) = read_longmemeval(write(tmp_path / "s.json", [plain, longmemeval_item()]), pool=True).tasks
        assert "answer_1_1" in {turn.id for turn in task.history.turns}
        assert [question.gold for question in task.questions] == [(), ("answer_1_1",)]

    def test_sessions_that_differ_under_one_id_are_kept_apart(self, tmp_path):
        changed = longmemeval_item(question_id="q2")
        changed["haystack_sessions"][0][0]["content"] = "I took a degree in law."
        (task,) = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item(), changed]), pool=True).tasks
        ids = [turn.id for turn in task.history.turns]
        assert len(set(ids)) == len(ids) == 8
        assert [question.gold for question in task.questions] == [("answer_1_1",), ("answer_1~p2_1",)]


@pytest.mark.parametrize("read", READERS)
class TestFilesThatAreSomethingElse:
    def test_a_missing_file(self, tmp_path, read):
        with pytest.raises(BadData, match="cannot be read"):
            read(tmp_path / "missing.json")

    def test_a_folder(self, tmp_path, read):
        with pytest.raises(BadData, match="is a folder"):
            read(tmp_path)

    def test_an_empty_file(self, tmp_path, read):
        with pytest.raises(BadData, match="is empty"):
            read(write(tmp_path / "e.json", " \n"))

    @pytest.mark.parametrize("text", ['[{"question_id": "q1", "quest', '[{"conversation": {}}, {"a": [1,'])
    def test_a_truncated_file(self, tmp_path, read, text):
        with pytest.raises(BadData, match="truncated"):
            read(write(tmp_path / "t.json", text))

    def test_text_that_is_not_json(self, tmp_path, read):
        with pytest.raises(BadData, match="is not JSON"):
            read(write(tmp_path / "t.json", "Once upon a time\nthere was a file."))

    def test_bytes_that_are_not_text(self, tmp_path, read):
        (tmp_path / "b.json").write_bytes(b'["\xff\xfe"]')
        with pytest.raises(BadData, match="UTF-8"):
            read(tmp_path / "b.json")

    @pytest.mark.parametrize("value", [{}, [], [1], [{"other": 1}], "text", None])
    def test_json_of_another_shape(self, tmp_path, read, value):
        import json

        with pytest.raises(BadData):
            read(write(tmp_path / "o.json", json.dumps(value)))

    def test_the_other_benchmarks_file(self, tmp_path, read):
        item = longmemeval_item() if read is read_locomo else locomo_item()
        with pytest.raises(BadData, match=r"is not (LoCoMo|LongMemEval)"):
            read(write(tmp_path / "o.json", [item]))
