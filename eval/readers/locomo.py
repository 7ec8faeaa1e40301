"""LoCoMo (arXiv 2402.17753): a list of conversations of two people over months, with questions and their evidence.

Official format: [{"sample_id", "conversation": {"session_1": [{"speaker", "dia_id", "text", "blip_caption"?}],
"session_1_date_time": "1:56 pm on 8 May, 2023"}, "qa": [{"question", "answer" | "adversarial_answer", "evidence", "category"}]}]
"""

import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from eval.dataset import Dataset, History, Question, Task, Turn
from eval.errors import BadData
from eval.readers.files import as_id, checked, get, parse_json, read_bytes, sha256

CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_SESSION: Final = re.compile(r"session_(\d+)")
_DATE: Final = "%I:%M %p on %d %B, %Y"
_WELL_FORMED: Final = re.compile(r"D[1-9]\d*:[1-9]\d*")
_REFERENCE: Final = re.compile(r"D:?(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a question's evidence strings come to."""

    ids: tuple[str, ...]
    """Turns of the conversation, each once, in the order given."""
    repaired: int = 0
    """Strings that hold references in another form: two in one, a leading zero, a colon too many."""
    unreadable: int = 0
    """Strings without any reference."""
    nowhere: int = 0
    """References to turns that the conversation does not have."""


def read_locomo(path: Path) -> Dataset:
    """Raises BadData."""
    data = read_bytes(path)
    items = checked(path, "the file", parse_json(path, data), list)
    if not items or not isinstance(items[0], dict) or "conversation" not in items[0]:
        raise BadData(path, "is not LoCoMo: it must be a list of objects with a `conversation`.")
    counts: Counter[str] = Counter()
    tasks = tuple(_task(path, f"item {number}", item, counts) for number, item in enumerate(items, 1))
    names = [task.history.name for task in tasks]
    if len(set(names)) < len(names):
        raise BadData(path, "two conversations have the same `sample_id`.")
    return Dataset("locomo", path, sha256(data), tasks, dict(counts))


def parse_evidence(strings: list[Any], turns: Set[str]) -> Evidence:
    """Evidence as turn ids. "D8:6; D9:17" is two, "D30:05" is D30:5, "D:11:26" is D11:26, "D" is none."""
    ids: dict[str, None] = {}
    repaired = unreadable = nowhere = 0
    for string in strings:
        found = [f"D{int(a)}:{int(b)}" for a, b in _REFERENCE.findall(str(string))]
        unreadable += not found
        repaired += bool(found) and not _WELL_FORMED.fullmatch(str(string))
        for reference in found:
            if reference in turns:
                ids[reference] = None
            else:
                nowhere += 1
    return Evidence(tuple(ids), repaired, unreadable, nowhere)


def _task(path: Path, place: str, item: Any, counts: Counter[str]) -> Task:
    record = checked(path, place, item, dict)
    conversation = get(path, place, record, "conversation", dict)
    turns = _turns(path, place, conversation, counts)
    known = {turn.id for turn in turns}
    name = as_id(str(record.get("sample_id") or place.replace(" ", "-")))
    questions = [
        _question(path, f"{place}, question {number}", qa, f"{name}/{number}", known, counts)
        for number, qa in enumerate(get(path, place, record, "qa", list), 1)
    ]
    counts.update(conversations=1, episodes=len(turns), questions=len(questions))
    return Task(History(name, turns), tuple(questions))


def _turns(path: Path, place: str, conversation: dict[str, Any], counts: Counter[str]) -> tuple[Turn, ...]:
    numbers = sorted(int(m.group(1)) for key in conversation if (m := _SESSION.fullmatch(key)))
    turns: list[Turn] = []
    for number in numbers:
        here = f"{place}, session_{number}"
        at = _date(path, here, get(path, place, conversation, f"session_{number}_date_time", str))
        for raw in get(path, place, conversation, f"session_{number}", list):
            turns.append(_turn(path, here, checked(path, f"{here}, a turn,", raw, dict), number, at))
            counts["captions"] += bool(raw.get("blip_caption"))
    if not turns:
        raise BadData(path, f"{place} has no turns in sessions `session_1`, `session_2` and so on.")
    if len({turn.id for turn in turns}) < len(turns):
        raise BadData(path, f"{place} has two turns of one `dia_id`.")
    return tuple(turns)


def _turn(path: Path, place: str, raw: dict[str, Any], session: int, at: datetime) -> Turn:
    caption = raw.get("blip_caption")
    text = get(path, f"{place}, a turn", raw, "text", str) + (f" [shares {caption}]" if caption else "")
    speaker = get(path, f"{place}, a turn", raw, "speaker", str)
    return Turn(get(path, f"{place}, a turn", raw, "dia_id", str), f"D{session}", speaker, None, text, at)


def _date(path: Path, place: str, text: str) -> datetime:
    try:
        # LoCoMo gives no zone; its times are told as UTC.
        return datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        raise BadData(path, f"{place}: {text!r} is no date such as 1:56 pm on 8 May, 2023.") from None


def _question(path: Path, place: str, raw: Any, key: str, known: Set[str], counts: Counter[str]) -> Question:
    qa = checked(path, place, raw, dict)
    category = get(path, place, qa, "category", int)
    if category not in CATEGORIES:
        raise BadData(path, f"{place} has category {category}; there are 1 to 5.")
    evidence = parse_evidence(checked(path, f"{place}, `evidence`,", qa.get("evidence", []), list), known)
    counts.update(
        evidence_repaired=evidence.repaired,
        evidence_unreadable=evidence.unreadable,
        evidence_pointing_nowhere=evidence.nowhere,
        questions_without_evidence=not evidence.ids,
    )
    wrong = qa.get("adversarial_answer")
    return Question(
        id=key,
        text=get(path, place, qa, "question", str),
        group=CATEGORIES[category],
        # Some answers are numbers; adversarial questions have none.
        answer=str(qa.get("answer", "")),
        gold=evidence.ids,
        answerable=category != 5,
        skipped=None if evidence.ids else "no evidence",
        wrong_answer=None if wrong is None else str(wrong),
    )
