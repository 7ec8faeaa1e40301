"""One prompt, one reply: cached by content, counted in tokens and dollars, never beyond a hard budget."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eval.errors import EvalError
from eval.llm.budget import Budget
from eval.rows import write_json

TEMPLATE_TOKENS: Final = 128
"""What an endpoint may put around one message: OpenAI adds 7 tokens, the longest common chat template about 60."""

_MILLION: Final = 1_000_000
_TIMEOUT_S: Final = 120.0
_RETRIES: Final = 4
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_BUSY: Final = (408, 409, 429)
"""Statuses below 500 that may pass."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / _MILLION


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, and what that cost when it was said."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    usd: float
    cached: bool = False
    """Whether it was said in an earlier run: then nothing was spent now."""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def spent_usd(self) -> float:
        return 0.0 if self.cached else self.usd


Complete = Callable[[str, str, int], tuple[str, int, int]]
"""(model, prompt, max_tokens) to (text, prompt tokens, completion tokens); no tokens where the endpoint does not count them."""


class CallFailed(EvalError):
    """A call that gave no reply."""

    def __init__(self, message: str, *, again: bool, billed: bool, after_s: float | None = None) -> None:
        """again: whether the same call may succeed later. billed: whether it may be paid for. after_s: the pause asked for."""
        super().__init__(message)
        self.again = again
        self.billed = billed
        self.after_s = after_s


class Llm:
    """A model behind an endpoint. Temperature 0: the same prompt is asked once."""

    def __init__(
        self,
        model: str,
        complete: Complete,
        cache_dir: Path,
        *,
        endpoint: str = "",
        price: Price | None = None,
        max_usd: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """endpoint: names where the model runs, as part of the cache's key. Raises EvalError for a budget without a price."""
        if max_usd is not None and price is None:
            raise EvalError("--max-usd needs --llm-price PROMPT,COMPLETION: without it no cost can be known.")
        self.model = model
        self.endpoint = endpoint
        self._complete = complete
        self._cache_dir = cache_dir
        self._price = price or Price()
        self._sleep = sleep
        self.budget = Budget(max_usd)

    @property
    def settings(self) -> dict[str, Any]:
        return {"model": self.model, "endpoint": self.endpoint, "temperature": 0}

    def ask(self, prompt: str, max_tokens: int) -> Reply:
        """Raises BudgetSpent before a call that could go beyond the budget, and EvalError when the endpoint fails."""
        path = self._path(prompt, max_tokens)
        if (known := _read(path)) is not None:
            return known
        reply = self._reply(prompt, max_tokens)
        write_json(path, asdict(reply))
        self._check(prompt, max_tokens, reply)
        return reply

    def _reply(self, prompt: str, max_tokens: int) -> Reply:
        """Asks until there is a reply; every attempt may be billed, so each has its own place in the budget."""
        for failures in range(_RETRIES + 1):
            try:
                return self._attempt(prompt, max_tokens)
            except CallFailed as error:
                if not error.again or failures == _RETRIES:
                    raise
                pause_s = _FIRST_PAUSE_S * 2**failures if error.after_s is None else error.after_s
                self._sleep(min(pause_s, _LONGEST_PAUSE_S))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, prompt: str, max_tokens: int) -> Reply:
        most_usd = self._price.of(most_tokens(prompt), max_tokens)
        call = self.budget.reserve(most_usd)
        try:
            text, prompt_tokens, completion_tokens = self._complete(self.model, prompt, max_tokens)
        except CallFailed as error:
            if not error.billed:
                self.budget.settle(call, 0.0)
            raise
        is_counted = prompt_tokens > 0
        usd = self._price.of(prompt_tokens, completion_tokens) if is_counted else most_usd
        self.budget.settle(call, usd)
        return Reply(text, prompt_tokens, completion_tokens, usd)

    def _check(self, prompt: str, max_tokens: int, reply: Reply) -> None:
        """An endpoint that does not keep to what it was allowed is asked nothing more."""
        if self.budget.max_usd is not None and reply.usd > self._price.of(most_tokens(prompt), max_tokens):
            raise EvalError(
                f"The endpoint counts {reply.prompt_tokens} + {reply.completion_tokens} tokens for a prompt of at most "
                f"{most_tokens(prompt)} and a reply that was limited to {max_tokens}: with it --max-usd cannot be kept."
            )

    def _path(self, prompt: str, max_tokens: int) -> Path:
        asked = json.dumps([self.endpoint, self.model, prompt, max_tokens])
        name = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
        return self._cache_dir / name[:2] / f"{name}.json"


def most_tokens(prompt: str) -> int:
    """No fewer than any tokenizer in use makes of a prompt: none has tokens of less than a byte."""
    return len(prompt.encode("utf-8", "surrogatepass")) + TEMPLATE_TOKENS


def openai_complete(base_url: str | None, api_key: str | None) -> Complete:
    """Calls through the `openai` package; base_url None is OpenAI's own. Raises EvalError when the package is missing."""
    try:
        from openai import APIConnectionError, APIStatusError, OpenAI, OpenAIError
    except ImportError as error:
        raise EvalError("--llm needs the package `openai`: pip install 'agent-memory-service[eval]'.") from error
    try:
        # A local endpoint takes any key; the package insists on one.
        key = api_key or ("none" if base_url else None)
        client = OpenAI(base_url=base_url, api_key=key, timeout=_TIMEOUT_S, max_retries=0)
    except OpenAIError as error:
        raise EvalError(f"The LLM cannot be used: {error}. Set OPENAI_API_KEY, or give --llm-url.") from error

    def told(error: OpenAIError) -> str:
        return f"The LLM at {base_url or 'api.openai.com'} failed: {error}"

    def complete(model: str, prompt: str, max_tokens: int) -> tuple[str, int, int]:
        try:
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": prompt}], temperature=0, max_tokens=max_tokens
            )
        except APIStatusError as error:
            status = error.status_code
            raise CallFailed(
                told(error),
                again=status in _BUSY or status >= 500,
                billed=status >= 500,
                after_s=_seconds(error.response.headers.get("retry-after")),
            ) from error
        except APIConnectionError as error:
            # What was sent may be answered, and billed, without us. By name: openai's transport is httpx or its successor.
            is_sent = type(error.__cause__).__name__ not in ("ConnectError", "ConnectTimeout")
            raise CallFailed(told(error), again=True, billed=is_sent) from error
        except OpenAIError as error:
            raise EvalError(told(error)) from error
        if not answer.choices:
            raise EvalError(f"The LLM at {base_url or 'api.openai.com'} answered without any choice.")
        usage = answer.usage
        text = (answer.choices[0].message.content or "").strip()
        return text, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0

    return complete


def _seconds(retry_after: str | None) -> float | None:
    try:
        return None if retry_after is None else max(0.0, float(retry_after))
    except ValueError:  # a date
        return None


def _read(path: Path) -> Reply | None:
    """A cached reply; None when there is none, or when it is damaged and is asked anew."""
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Reply(held["text"], held["prompt_tokens"], held["completion_tokens"], held["usd"], cached=True)
    except (OSError, ValueError, TypeError, KeyError):
        return None
