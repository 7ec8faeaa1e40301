"""Conversation files: the demo's own format, and LoCoMo's (arXiv 2402.17753), as episodes and questions."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_LOCOMO_SESSION: Final = re.compile(r"session_(\d+)")
_LOCOMO_DATE: Final = "%I:%M %p on %d %B, %Y"
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9._~#@]+")


class BadConversation(ValueError):
    """The file is in none of the known formats. The message says what is missing."""


@dataclass(frozen=True)
class Question:
    """What is asked, and the ids of the episodes that hold the answer (empty: it is not in the conversation)."""

    text: str
    expect: list[str]
    answer: str
    as_of: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    """Episodes as the service takes them, in order."""

    name: str
    episodes: list[dict[str, Any]]
    questions: list[Question] = field(default_factory=list[Question])


def load_conversations(path: Path) -> list[Conversation]:
    """Raises OSError, or BadConversation."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BadConversation(f"not JSON in UTF-8 ({error})") from error
    try:
        if isinstance(data, dict) and "sessions" in data:
            return [_demo(data)]
        if isinstance(data, list) and data and "conversation" in data[0]:
            return [_locomo(item) for item in data]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadConversation(f"a field is missing or malformed: {error}") from error
    raise BadConversation("neither a conversation with `sessions` nor a LoCoMo list with `conversation`")


def _demo(data: dict[str, Any]) -> Conversation:
    episodes = [
        {**turn, "session_id": session["session_id"]} for session in data["sessions"] for turn in session["turns"]
    ]
    questions = [
        Question(q["question"], q["expect"], q["answer"], _instant(q.get("as_of"))) for q in data.get("questions", [])
    ]
    return Conversation(_as_id(data["title"]), episodes, questions)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _locomo(item: dict[str, Any]) -> Conversation:
    conversation = item["conversation"]
    numbers = sorted(int(m.group(1)) for key in conversation if (m := _LOCOMO_SESSION.fullmatch(key)))
    episodes: list[dict[str, Any]] = []
    for number in numbers:
        # LoCoMo gives no zone; its times are told as UTC.
        held_at = datetime.strptime(conversation[f"session_{number}_date_time"], _LOCOMO_DATE).replace(tzinfo=UTC)
        for turn in conversation[f"session_{number}"]:
            caption = turn.get("blip_caption")
            episodes.append(
                {
                    "id": turn["dia_id"],
                    "session_id": f"session_{number}",
                    "speaker": turn["speaker"],
                    "content": turn["text"] + (f" [shares {caption}]" if caption else ""),
                    "occurred_at": held_at.isoformat(),
                }
            )
    questions = [
        Question(q["question"], list(q.get("evidence", [])), str(q.get("answer", q.get("adversarial_answer", ""))))
        for q in item.get("qa", [])
    ]
    return Conversation(_as_id(str(item.get("sample_id", "locomo"))), episodes, questions)


def _as_id(text: str) -> str:
    return _NOT_IN_ID.sub("-", text)[:64] or "conversation"
