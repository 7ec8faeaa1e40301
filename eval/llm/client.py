"""One prompt, one reply: cached by content, counted in tokens and dollars, never beyond a hard budget."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eval.errors import BudgetSpent, EvalError
from eval.rows import write_json

CHARS_PER_TOKEN: Final = 2
"""Fewer than any common tokenizer needs for English: the cost of a call is bounded before it is made."""

_MILLION: Final = 1_000_000
_TIMEOUT_S: Final = 120.0
_RETRIES: Final = 4


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
"""(model, prompt, max_tokens) to (text, prompt tokens, completion tokens)."""


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
    ) -> None:
        """endpoint: names where the model runs, as part of the cache's key. Raises EvalError for a budget without a price."""
        if max_usd is not None and price is None:
            raise EvalError("--max-usd needs --llm-price PROMPT,COMPLETION: without it no cost can be known.")
        self.model = model
        self.endpoint = endpoint
        self._complete = complete
        self._cache_dir = cache_dir
        self._price = price or Price()
        self._max_usd = max_usd
        self.spent_usd = 0.0

    @property
    def settings(self) -> dict[str, Any]:
        return {"model": self.model, "endpoint": self.endpoint, "temperature": 0}

    def ask(self, prompt: str, max_tokens: int) -> Reply:
        """Raises BudgetSpent before a call that could go beyond the budget, and EvalError when the endpoint fails."""
        path = self._path(prompt, max_tokens)
        if (known := _read(path)) is not None:
            return known
        self._afford(prompt, max_tokens)
        text, prompt_tokens, completion_tokens = self._complete(self.model, prompt, max_tokens)
        reply = Reply(text, prompt_tokens, completion_tokens, self._price.of(prompt_tokens, completion_tokens))
        self.spent_usd += reply.usd
        write_json(path, asdict(reply))
        return reply

    def _afford(self, prompt: str, max_tokens: int) -> None:
        if self._max_usd is None:
            return
        most = self._price.of(len(prompt) // CHARS_PER_TOKEN + 1, max_tokens)
        if self.spent_usd + most > self._max_usd:
            raise BudgetSpent(
                f"The next call may cost ${most:.4f}, and ${self.spent_usd:.4f} of ${self._max_usd:.4f} is spent. What was "
                "answered is kept; give a larger --max-usd and run the same command again."
            )

    def _path(self, prompt: str, max_tokens: int) -> Path:
        asked = json.dumps([self.endpoint, self.model, prompt, max_tokens])
        name = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
        return self._cache_dir / name[:2] / f"{name}.json"


def openai_complete(base_url: str | None, api_key: str | None) -> Complete:
    """Calls through the `openai` package; base_url None is OpenAI's own. Raises EvalError when the package is missing."""
    try:
        from openai import OpenAI, OpenAIError
    except ImportError as error:
        raise EvalError("--llm needs the package `openai`: pip install 'agent-memory-service[eval]'.") from error
    try:
        # A local endpoint takes any key; the package insists on one.
        key = api_key or ("none" if base_url else None)
        client = OpenAI(base_url=base_url, api_key=key, timeout=_TIMEOUT_S, max_retries=_RETRIES)
    except OpenAIError as error:
        raise EvalError(f"The LLM cannot be used: {error}. Set OPENAI_API_KEY, or give --llm-url.") from error

    def complete(model: str, prompt: str, max_tokens: int) -> tuple[str, int, int]:
        try:
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": prompt}], temperature=0, max_tokens=max_tokens
            )
        except OpenAIError as error:
            raise EvalError(f"The LLM at {base_url or 'api.openai.com'} failed: {error}") from error
        if not answer.choices:
            raise EvalError(f"The LLM at {base_url or 'api.openai.com'} answered without any choice.")
        usage = answer.usage
        text = (answer.choices[0].message.content or "").strip()
        return text, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0

    return complete


def _read(path: Path) -> Reply | None:
    """A cached reply; None when there is none, or when it is damaged and is asked anew."""
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Reply(held["text"], held["prompt_tokens"], held["completion_tokens"], held["usd"], cached=True)
    except (OSError, ValueError, TypeError, KeyError):
        return None
