"""From a ranking to an answer and its score: what a reader is shown, what it is asked, how it is judged.

Judges follow the official rules of each question type (LongMemEval's evaluate_qa.py; MemGPT's section 3.1) in wording of our
own, so scores are not to be set beside published ones without saying so.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval.dataset import History, Question, Turn
from eval.llm.client import Llm, Reply
from eval.llm.prompts import prompt
from eval.metrics.answers import locomo_score, rouge_l_recall

ANSWER_TOKENS: Final = 256
SHORT_ANSWER_TOKENS: Final = 48
"""LoCoMo's answers are phrases; its own runs allow 32 to 50."""

JUDGE_TOKENS: Final = 10
"""The official judge's."""

PROMPT_VERSION: Final = "v1"
_RULES: Final = {
    "temporal-reasoning": "temporal",
    "knowledge-update": "update",
    "single-session-preference": "preference",
}
_NOT_MENTIONED: Final = "Not mentioned in the conversation"


@dataclass(frozen=True, slots=True)
class Graded:
    """An answer with its scores by metric, and all replies that it took."""

    answer: str
    metrics: dict[str, float]
    replies: tuple[Reply, ...]


def shown(history: History, turns: Sequence[str]) -> str:
    """Turns as a reader sees them: in the order of time, each with its date and speaker."""
    wanted = set(turns)
    return "\n".join(_line(turn) for turn in history.turns if turn.id in wanted)


def grade(benchmark: str, llm: Llm, question: Question, context: str) -> Graded:
    """Asks and scores one question. Raises BudgetSpent, EvalError."""
    return _GRADERS[benchmark.partition("-")[0]](llm, question, context)


def _line(turn: Turn) -> str:
    return f"[{turn.at:%Y-%m-%d %H:%M}] {turn.speaker or turn.role or 'text'}: {turn.text}"


# --- LongMemEval ------------------------------------------------------------------------------------------------------


def judge_rule(question: Question) -> str:
    """Which of the official judge's rules a question falls under."""
    return "abstention" if not question.answerable else _RULES.get(question.group, "default")


def is_yes(reply: str) -> bool:
    """As the official judge reads its own reply."""
    return "yes" in reply.lower()


def _longmemeval(llm: Llm, question: Question, context: str) -> Graded:
    date = f"{question.asked_at:%Y-%m-%d %H:%M}" if question.asked_at else "not known"
    told = prompt("answer_longmemeval_v1", context=context, date=date, question=question.text)
    answered = llm.ask(told, ANSWER_TOKENS)
    judged = _judge(llm, f"judge_longmemeval_{judge_rule(question)}_v1", question, answered.text)
    return Graded(answered.text, {"qa.accuracy": float(is_yes(judged.text))}, (answered, judged))


def _judge(llm: Llm, name: str, question: Question, response: str) -> Reply:
    told = prompt(name, question=question.text, answer=question.answer, response=response)
    return llm.ask(told, JUDGE_TOKENS)


# --- LoCoMo -----------------------------------------------------------------------------------------------------------


def _locomo(llm: Llm, question: Question, context: str) -> Graded:
    text, choices = locomo_question(question)
    reply = llm.ask(prompt("answer_locomo_v1", context=context, question=text), SHORT_ANSWER_TOKENS)
    answer = chosen(reply.text, choices)
    return Graded(answer, {"qa.f1": locomo_score(question, answer)}, (reply,))


def locomo_question(question: Question) -> tuple[str, Mapping[str, str]]:
    """The question as LoCoMo's own runs put it, and the choices of an adversarial one (empty for others).

    Temporal questions ask for a date; adversarial ones offer the wrong answer beside "not mentioned", in an order that is drawn
    by the question's id.
    """
    if question.group == "temporal":
        return f"{question.text} Use the date of the conversation to answer with an approximate date.", {}
    if question.group != "adversarial" or question.wrong_answer is None:
        return question.text, {}
    options = [_NOT_MENTIONED, question.wrong_answer]
    random.Random(question.id).shuffle(options)
    choices = {"a": options[0], "b": options[1]}
    return f"{question.text} Select the correct answer: (a) {options[0]} (b) {options[1]}.", choices


def chosen(reply: str, choices: Mapping[str, str]) -> str:
    """The choice that a reply of one letter names; any other reply as it is."""
    letter = reply.strip().lower().strip("().")
    return choices.get(letter, reply)


# --- DMR --------------------------------------------------------------------------------------------------------------


def _dmr(llm: Llm, question: Question, context: str) -> Graded:
    answered = llm.ask(prompt("answer_dmr_v1", context=context, question=question.text), ANSWER_TOKENS)
    judged = _judge(llm, "judge_dmr_v1", question, answered.text)
    scores = {
        "qa.accuracy": float(is_yes(judged.text)),
        "qa.rouge_l_recall": round(rouge_l_recall(answered.text, question.answer), 6),
    }
    return Graded(answered.text, scores, (answered, judged))


_GRADERS: Final = {"longmemeval": _longmemeval, "locomo": _locomo, "dmr": _dmr}
