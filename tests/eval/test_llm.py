"""Answering and judging: the cache, the budget, the official rules of each kind of question."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eval.benchmarks import Options, run_benchmark, run_sort
from eval.catalog import Means
from eval.dataset import History, Question, Turn
from eval.errors import BudgetSpent, EvalError
from eval.llm.client import Llm, Price, openai_complete
from eval.llm.prompts import prompt
from eval.llm.reading import chosen, grade, is_yes, judge_rule, locomo_question, shown
from eval.report.compare import side_by_side
from tests.eval.doubles import Quiet
from tests.eval.files import locomo_item, longmemeval_item, write


class Scripted:
    """A model that replies from a function of the prompt, and remembers what it was asked."""

    def __init__(self, reply=lambda told: "yes") -> None:
        self.asked: list[str] = []
        self._reply = reply

    def __call__(self, model: str, told: str, max_tokens: int) -> tuple[str, int, int]:
        self.asked.append(told)
        return self._reply(told), 100, 10


def question(group="multi-session", **changes) -> Question:
    return Question("q1", "What did I adopt?", group, "a dog", (), **changes)


class TestAsking:
    def test_the_same_prompt_is_paid_for_once(self, tmp_path):
        model = Scripted()
        first = Llm("m", model, tmp_path, price=Price(1.0, 2.0)).ask("Hello?", 10)
        second = Llm("m", model, tmp_path, price=Price(1.0, 2.0)).ask("Hello?", 10)
        assert len(model.asked) == 1
        assert first.usd == second.usd == pytest.approx(100e-6 + 20e-6)
        assert (first.spent_usd, second.spent_usd) == (first.usd, 0.0)
        assert second.tokens == 110

    @pytest.mark.parametrize(
        "change", [{"model": "n"}, {"endpoint": "elsewhere"}, {"prompt": "Bye?"}, {"max_tokens": 11}]
    )
    def test_what_differs_is_asked_anew(self, tmp_path, change):
        model = Scripted()
        Llm("m", model, tmp_path).ask("Hello?", 10)
        other = Llm(change.get("model", "m"), model, tmp_path, endpoint=change.get("endpoint", ""))
        other.ask(change.get("prompt", "Hello?"), change.get("max_tokens", 10))
        assert len(model.asked) == 2

    def test_a_damaged_cache_entry_is_asked_anew(self, tmp_path):
        model = Scripted()
        Llm("m", model, tmp_path).ask("Hello?", 10)
        (entry,) = tmp_path.rglob("*.json")
        entry.write_text('{"text": "ye')
        assert Llm("m", model, tmp_path).ask("Hello?", 10).text == "yes"
        assert len(model.asked) == 2

    def test_no_call_is_made_that_could_exceed_the_budget(self, tmp_path):
        model = Scripted()
        llm = Llm("m", model, tmp_path, price=Price(1.0, 1.0), max_usd=0.0005)
        prompts = [f"{number} " + "word " * 40 for number in range(100)]
        with pytest.raises(BudgetSpent, match=r"may cost .* give a larger --max-usd"):
            [llm.ask(told, 10) for told in prompts]
        assert 0 < len(model.asked) < 5
        assert llm.spent_usd <= 0.0005

    def test_a_budget_needs_a_price(self, tmp_path):
        with pytest.raises(EvalError, match="--llm-price"):
            Llm("m", Scripted(), tmp_path, max_usd=1.0)


class TestPrompts:
    def test_what_a_value_holds_is_never_read_as_a_placeholder(self):
        told = prompt("answer_dmr_v1", context="{{question}}", question="Who?")
        assert "{{question}}" in told
        assert told.count("Who?") == 1

    def test_every_prompt_file_is_used_with_its_placeholders(self):
        with pytest.raises(AssertionError, match="takes"):
            prompt("answer_dmr_v1", context="only")


class TestReading:
    def test_a_reader_sees_turns_in_order_of_time_with_date_and_speaker(self):
        at = datetime(2023, 5, 8, 9, 30, tzinfo=UTC)
        history = History("h", (Turn("t1", "s", "Ann", None, "Hi.", at), Turn("t2", "s", None, "user", "Yo.", at)))
        assert shown(history, ["t2", "t1"]) == "[2023-05-08 09:30] Ann: Hi.\n[2023-05-08 09:30] user: Yo."

    @pytest.mark.parametrize(
        ("group", "rule"),
        [
            ("single-session-user", "default"),
            ("single-session-assistant", "default"),
            ("multi-session", "default"),
            ("temporal-reasoning", "temporal"),
            ("knowledge-update", "update"),
            ("single-session-preference", "preference"),
        ],
    )
    def test_each_type_is_judged_by_its_rule(self, group, rule):
        assert judge_rule(question(group)) == rule
        assert judge_rule(question(group, answerable=False)) == "abstention"

    @pytest.mark.parametrize(("reply", "yes"), [("Yes.", True), ("no", False), ("", False), ("Yes, but no", True)])
    def test_a_verdict_is_read_as_the_official_judge_reads_it(self, reply, yes):
        assert is_yes(reply) is yes

    def test_longmemeval_is_answered_from_the_context_then_judged(self, tmp_path):
        model = Scripted(lambda told: "yes" if "Is the response correct?" in told else "A dog.")
        asked = question(asked_at=datetime(2023, 5, 30, tzinfo=UTC))
        graded = grade("longmemeval-pool", Llm("m", model, tmp_path), asked, "[...] user: I adopted a dog.")
        assert graded.metrics == {"qa.accuracy": 1.0}
        assert "Today is 2023-05-30" in model.asked[0]
        assert "Model's response: A dog." in model.asked[1]
        assert len(graded.replies) == 2

    def test_locomo_is_scored_without_a_judge(self, tmp_path):
        model = Scripted(lambda told: "dog")
        graded = grade("locomo", Llm("m", model, tmp_path), question("single-hop"), "...")
        assert graded.metrics == {"qa.f1": 1.0}
        assert len(model.asked) == 1

    def test_dmr_is_judged_and_has_rouge_l_recall(self, tmp_path):
        model = Scripted(lambda told: "no" if "Is the response correct?" in told else "It was a big dog")
        graded = grade("dmr", Llm("m", model, tmp_path), question(), "...")
        assert graded.metrics == {"qa.accuracy": 0.0, "qa.rouge_l_recall": 1.0}

    def test_an_adversarial_question_offers_both_choices_in_an_order_of_its_own(self):
        orders = set()
        for number in range(20):
            asked = Question(f"q{number}", "What?", "adversarial", "", (), answerable=False, wrong_answer="a cat")
            text, choices = locomo_question(asked)
            assert set(choices.values()) == {"a cat", "Not mentioned in the conversation"}
            assert f"(a) {choices['a']} (b) {choices['b']}" in text
            assert locomo_question(asked) == (text, choices)
            orders.add(choices["a"])
        assert len(orders) == 2

    @pytest.mark.parametrize(("reply", "answer"), [("a", "cat"), ("(B)", "dog"), ("b.", "dog"), ("a cat", "a cat")])
    def test_a_letter_names_its_choice_and_anything_else_itself(self, reply, answer):
        assert chosen(reply, {"a": "cat", "b": "dog"}) == answer

    def test_a_temporal_question_asks_for_a_date(self):
        assert "date of the conversation" in locomo_question(question("temporal"))[0]


class TestRuns:
    def run(self, tmp_path, model, **limits):
        data = write(tmp_path / "l.json", [locomo_item()])
        llm = Llm("m", model, tmp_path / "cache", price=Price(1.0, 1.0), **limits)
        options = Options(data, tmp_path / "out", ("oracle", "full"), llm=llm)
        return run_benchmark("locomo", options, Means("test", tmp_path), Quiet())

    def test_every_question_of_every_system_is_answered_and_its_cost_told(self, tmp_path):
        document = self.run(tmp_path, Scripted(lambda told: "a dog"))
        oracle, full = document["systems"]
        assert oracle["qa"]["answered"] == full["qa"]["answered"] == 5
        assert oracle["qa_by_group"]["single-hop"]["qa.f1"] == 1.0
        assert oracle["costs"]["llm_calls"] == 5
        assert oracle["costs"]["llm_tokens"] == 550
        assert document["left_out"] == {}
        assert "## Answers" in (tmp_path / "out" / "results.md").read_text()
        assert "qa f1" in side_by_side([("one", document)])

    def test_a_run_that_reaches_its_budget_keeps_its_answers_and_goes_on_later(self, tmp_path):
        model = Scripted(lambda told: "a dog")
        with pytest.raises(BudgetSpent):
            self.run(tmp_path, model, max_usd=0.0009)
        answered = len(model.asked)
        assert 0 < answered < 10
        assert not (tmp_path / "out" / "results.json").exists()
        with pytest.raises(BudgetSpent):  # what was spent counts in the next run too
            self.run(tmp_path, model, max_usd=0.0009)
        assert len(model.asked) == answered
        self.run(tmp_path, model, max_usd=1.0)
        assert len(model.asked) == len(set(model.asked))

    def test_abstention_questions_are_judged_too(self, tmp_path):
        data = write(tmp_path / "s.json", [longmemeval_item(question_id="q_abs")])
        model = Scripted(lambda told: "yes" if "Reply with yes or no" in told else "I do not know.")
        llm = Llm("m", model, tmp_path / "cache")
        options = Options(data, tmp_path / "out", ("bm25",), llm=llm)
        document = run_benchmark("longmemeval", options, Means("test", tmp_path), Quiet())
        assert document["systems"][0]["qa"]["qa.accuracy"] == 1.0
        assert "cannot be answered" in model.asked[1]

    def test_sort_is_asked_with_and_without_the_text(self, tmp_path):
        words = " ".join(f"Ann counted {number} boats in the harbour today." for number in range(60))
        data = write(tmp_path / "tale.txt", words)
        llm = Llm("m", Scripted(lambda told: "A"), tmp_path / "cache")
        options = Options(data, tmp_path / "out", ("bm25",), limit=4, llm=llm)
        document = run_sort(options, 2, Means("test", tmp_path), Quiet())
        names = [system["name"] for system in document["systems"]]
        assert names == ["BM25", "m, in context", "m, no text"]
        assert document["systems"][1]["metrics"]["accuracy"] == 0.5  # always A, counterbalanced
        assert document["systems"][1]["costs"]["llm_calls"] == 4


class TestEndpoint:
    """The `openai` package against an endpoint of our own."""

    @pytest.fixture
    def endpoint(self):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.server.asked.append(body)
                answer = {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": body["model"],
                    "choices": [
                        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": " yes \n"}}
                    ],
                    "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8},
                }
                told = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    def test_a_prompt_becomes_one_message_at_temperature_zero(self, endpoint):
        complete = openai_complete(f"http://127.0.0.1:{endpoint.server_port}/v1", None)
        assert complete("m", "Correct?", 10) == ("yes", 7, 1)
        (asked,) = endpoint.asked
        assert asked["messages"] == [{"role": "user", "content": "Correct?"}]
        assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("m", 0, 10)

    def test_an_endpoint_that_is_down_is_one_clear_error(self, monkeypatch):
        monkeypatch.setattr("eval.llm.client._RETRIES", 0)
        with pytest.raises(EvalError, match=r"The LLM at http://127\.0\.0\.1:9/v1 failed"):
            openai_complete("http://127.0.0.1:9/v1", None)("m", "Correct?", 10)

    def test_openais_own_endpoint_needs_a_key(self, monkeypatch):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(EvalError, match="Set OPENAI_API_KEY"):
            openai_complete(None, None)
