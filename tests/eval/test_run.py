"""The runner: a row for each question, once."""

import pytest

from eval import results
from eval.readers.locomo import read_locomo
from eval.readers.longmemeval import read_longmemeval
from eval.rows import RowLog
from eval.run import Runner
from tests.eval.doubles import Quiet, Scripted, words
from tests.eval.files import locomo_item, longmemeval_item, write


@pytest.fixture
def dataset(tmp_path):
    return read_locomo(write(tmp_path / "l.json", [locomo_item(), locomo_item(sample_id="conv-2")]))


def run(dataset, out, *systems):
    return Runner(dataset, RowLog(out / "rows.jsonl"), words, Quiet()).run(systems)


def test_every_question_has_one_row_with_its_metrics(dataset, tmp_path):
    (rows,) = run(dataset, tmp_path / "out", Scripted())
    assert [row["question"] for row in rows.questions][:2] == ["conv-1/1", "conv-1/2"]
    assert len(rows.questions) == 10
    first = rows.questions[0]
    assert first["ranked"] == ["D1:1", "D1:2", "D2:1", "D10:1"]
    assert first["metrics"]["turn.all@1"] == 1.0
    assert first["context_tokens"] == 6 + 8 + 4 + 4


def test_a_question_without_evidence_has_a_row_and_no_metrics(dataset, tmp_path):
    (rows,) = run(dataset, tmp_path / "out", Scripted())
    assert "metrics" not in rows.questions[3]
    assert rows.questions[3]["skipped"] == "no evidence"


def test_an_interrupted_run_goes_on_where_it_ended(dataset, tmp_path):
    first, second = Scripted(fail_at=7), Scripted()
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "out", first)
    (rows,) = run(dataset, tmp_path / "out", second)
    assert len(rows.questions) == 10
    assert set(second.asked) == {"conv-2/3", "conv-2/4", "conv-2/5"}
    assert second.ingested == ["conv-2"]


def test_a_finished_run_asks_nothing_again(dataset, tmp_path):
    run(dataset, tmp_path / "out", Scripted())
    again = Scripted()
    (rows,) = run(dataset, tmp_path / "out", again)
    assert again.asked == again.ingested == []
    assert len(rows.questions) == 10


def test_rows_of_other_settings_are_not_taken_over(dataset, tmp_path):
    run(dataset, tmp_path / "out", Scripted(k1=1.5))
    other = Scripted(k1=0.9)
    run(dataset, tmp_path / "out", other)
    assert len(set(other.asked)) == 10


def test_nor_those_of_another_file(dataset, tmp_path):
    run(dataset, tmp_path / "out", Scripted())
    changed = read_locomo(write(tmp_path / "l.json", [locomo_item(sample_id="conv-2"), locomo_item()]))
    other = Scripted()
    run(changed, tmp_path / "out", other)
    assert len(set(other.asked)) == 10


def test_a_limit_keeps_the_first_questions_and_the_histories_they_need(dataset, tmp_path):
    system = Scripted()
    (rows,) = run(dataset.limited(3), tmp_path / "out", system)
    assert len(rows.questions) == 3
    assert system.ingested == ["conv-1"]


def test_assistant_turns_are_dropped_before_the_cut(tmp_path):
    dataset = read_longmemeval(write(tmp_path / "s.json", [longmemeval_item()]))
    (rows,) = run(dataset, tmp_path / "out", Scripted())
    (row,) = rows.questions
    assert row["ranked"] == ["other_1_1", "answer_1_1", "answer_1_3"]
    assert (row["metrics"]["turn.all@1"], row["metrics"]["turn.all@3"]) == (0.0, 1.0)
    assert row["metrics"]["official.ndcg@3"] == 1.0  # rank 2 counts as rank 1


class TestResults:
    def test_they_hold_means_groups_costs_and_rows(self, dataset, tmp_path):
        document = results.build(
            dataset, run(dataset, tmp_path / "out", Scripted()), {"limit": None}, {"mem0": "absent"}
        )
        (system,) = document["systems"]
        assert system["scored"] == 8
        assert (
            system["metrics"]["turn.any@1"] == 0.75
        )  # all but "When did Ben move?", whose evidence is second and third
        assert system["by_group"]["temporal"]["turn.any@1"] == 0.0
        assert system["costs"]["episodes_per_s"] == 4.0
        assert system["costs"]["stored_bytes_per_episode"] == 125
        assert len(system["questions"]) == 10
        assert document["left_out"] == {"mem0": "absent"}

    def test_they_are_read_back(self, dataset, tmp_path):
        document = results.build(dataset, run(dataset, tmp_path / "out", Scripted()), {}, {})
        results.write(tmp_path / "out", document)
        assert results.read(tmp_path / "out")["systems"][0]["scored"] == 8

    @pytest.mark.parametrize("content", [None, "", "[]", '{"format": 99}', '{"format": 1, "bench'])
    def test_what_is_no_result_is_told_as_that(self, tmp_path, content):
        if content is not None:
            write(tmp_path / "results.json", content)
        with pytest.raises(results.BadResults):
            results.read(tmp_path)

    def test_adversarial_questions_give_an_abstention_curve(self, dataset, tmp_path):
        (system,) = results.build(dataset, run(dataset, tmp_path / "out", Scripted()), {}, {})["systems"]
        assert system["abstention"]["area"] == 0.5  # the scripted confidence tells nothing
