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
from eval.llm.client import TEMPLATE_TOKENS, CallFailed, Llm, Price, openai_complete
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


def failed(*, again: bool = True, billed: bool = True, after_s: float | None = None) -> CallFailed:
    return CallFailed("no reply", again=again, billed=billed, after_s=after_s)


def failing(failures: list[CallFailed]):
    """A model that fails so often, then replies."""

    def complete(*_) -> tuple[str, int, int]:
        if failures:
            raise failures.pop(0)
        return "yes", 100, 10

    return complete


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
        assert llm.budget.spent_usd <= 0.0005

    @pytest.mark.parametrize("prompt", ["one two three", "昨天我和朋友", "🎉" * 50, "\ud800"])
    def test_the_most_of_a_call_is_a_token_for_each_byte_and_the_longest_reply(self, tmp_path, prompt):
        most_usd = (len(prompt.encode("utf-8", "surrogatepass")) + TEMPLATE_TOKENS + 2 * 10) / 1e6
        model = Scripted()
        with pytest.raises(BudgetSpent):
            Llm("m", model, tmp_path, price=Price(1.0, 2.0), max_usd=most_usd * 0.999).ask(prompt, 10)
        assert model.asked == []
        Llm("m", model, tmp_path, price=Price(1.0, 2.0), max_usd=most_usd).ask(prompt, 10)
        assert len(model.asked) == 1

    def test_a_reply_whose_tokens_are_not_counted_costs_the_most(self, tmp_path):
        llm = Llm("m", lambda *_: ("yes", 0, 0), tmp_path, price=Price(1.0, 1.0), max_usd=1.0)
        assert llm.ask("Hello?", 10).usd == pytest.approx((6 + TEMPLATE_TOKENS + 10) / 1e6)

    def test_an_endpoint_that_takes_more_than_it_was_allowed_is_asked_nothing_more(self, tmp_path):
        llm = Llm("m", lambda *_: ("yes", 100, 4_000), tmp_path, price=Price(1.0, 1.0), max_usd=1.0)
        with pytest.raises(EvalError, match="--max-usd cannot be kept"):
            llm.ask("Hello?", 10)
        assert llm.budget.spent_usd == pytest.approx(4_100e-6)
        assert llm.ask("Hello?", 10).cached  # it was paid for

    def test_a_busy_endpoint_is_asked_again_after_the_pause_it_names(self, tmp_path):
        pauses_s = []
        failures = [failed(billed=False, after_s=7.0), failed(billed=False), failed(billed=False, after_s=9_999)]
        llm = Llm("m", failing(failures), tmp_path, price=Price(1.0, 1.0), max_usd=1.0, sleep=pauses_s.append)
        assert llm.ask("Hello?", 10).text == "yes"
        assert pauses_s == [7.0, 2.0, 60.0]
        assert llm.budget.spent_usd == pytest.approx(110e-6)

    def test_an_attempt_that_never_came_back_counts_at_its_most(self, tmp_path):
        most_usd = (6 + TEMPLATE_TOKENS + 10) / 1e6
        model = failing([failed(billed=True)] * 2)
        llm = Llm("m", model, tmp_path, price=Price(1.0, 1.0), max_usd=1.0, sleep=lambda _: None)
        llm.ask("Hello?", 10)
        assert llm.budget.spent_usd == pytest.approx(2 * most_usd + 110e-6)
        poor = Llm(
            "m", failing([failed(billed=True)] * 2), tmp_path / "b", price=Price(1.0, 1.0), max_usd=1.5 * most_usd
        )
        with pytest.raises(BudgetSpent):
            poor.ask("Hello?", 10)

    def test_what_will_not_pass_is_not_asked_again(self, tmp_path):
        model = failing([failed(again=False, billed=False)])
        with pytest.raises(CallFailed):
            Llm("m", model, tmp_path).ask("Hello?", 10)

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

    def test_what_a_run_spent_on_a_question_that_it_did_not_finish_counts_too(self, tmp_path):
        class Killed(Exception):
            pass

        def dies_at_the_third(told):
            if len(model.asked) == 3:
                raise Killed
            return "a dog"

        model = Scripted(dies_at_the_third)
        with pytest.raises(Killed):
            self.run(tmp_path, model)
        (tmp_path / "cache").rename(tmp_path / "lost")  # what was paid for is paid for again
        account = [json.loads(line) for line in (tmp_path / "out" / "spending.jsonl").read_text().splitlines()]
        settled_usd = sum(row.get("usd", 0.0) for row in account)
        assert settled_usd == pytest.approx(2 * 110e-6)
        most_usd = account[-1]["most_usd"]  # the third call never came back
        with pytest.raises(BudgetSpent, match=f"{settled_usd + most_usd:.4f} of"):
            self.run(tmp_path, Scripted(), max_usd=settled_usd + most_usd)

    def test_a_folder_of_a_run_that_kept_no_account_counts_by_its_rows(self, tmp_path):
        model = Scripted(lambda told: "a dog")
        self.run(tmp_path, model)
        (tmp_path / "out" / "spending.jsonl").unlink()
        (tmp_path / "out" / "results.json").unlink()
        rows = (tmp_path / "out" / "rows.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / "out" / "rows.jsonl").write_text("".join(rows[:-1]))  # one question is open
        (tmp_path / "cache").rename(tmp_path / "lost")
        with pytest.raises(BudgetSpent):
            self.run(tmp_path, model, max_usd=9 * 110e-6)

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
                if self.server.refusals:
                    status, headers = self.server.refusals.pop(0)
                    self.send_response(status)
                    [self.send_header(name, value) for name, value in {"Content-Length": "0", **headers}.items()]
                    self.end_headers()
                    return
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
        server.refusals = []
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
        with pytest.raises(CallFailed, match=r"The LLM at http://127\.0\.0\.1:9/v1 failed") as raised:
            openai_complete("http://127.0.0.1:9/v1", None)("m", "Correct?", 10)
        assert (raised.value.again, raised.value.billed) == (True, False)

    @pytest.mark.parametrize(
        ("status", "again", "billed"), [(429, True, False), (500, True, True), (400, False, False), (401, False, False)]
    )
    def test_a_refusal_says_whether_it_may_pass_and_whether_it_may_be_billed(self, endpoint, status, again, billed):
        endpoint.refusals = [(status, {"Retry-After": "3"})]
        with pytest.raises(CallFailed) as raised:
            openai_complete(f"http://127.0.0.1:{endpoint.server_port}/v1", None)("m", "Correct?", 10)
        assert (raised.value.again, raised.value.billed, raised.value.after_s) == (again, billed, 3.0)
        assert len(endpoint.asked) == 1

    def test_openais_own_endpoint_needs_a_key(self, monkeypatch):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(EvalError, match="Set OPENAI_API_KEY"):
            openai_complete(None, None)
