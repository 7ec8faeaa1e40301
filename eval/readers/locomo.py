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
from eval.readers.files import Place, as_id, parse_json, read_bytes, sha256

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
    items = Place(path, "the file").checked(parse_json(path, data), list)
    if not items or not isinstance(items[0], dict) or "conversation" not in items[0]:
        raise BadData(path, "is not LoCoMo: it must be a list of objects with a `conversation`.")
    counts: Counter[str] = Counter()
    tasks = tuple(_task(Place(path, f"item {number}"), item, counts) for number, item in enumerate(items, 1))
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


def _task(place: Place, item: Any, counts: Counter[str]) -> Task:
    record = place.checked(item, dict)
    turns = _turns(place, place.get(record, "conversation", dict), counts)
    history = History(as_id(str(record.get("sample_id") or place.name)), turns)
    known = {turn.id for turn in turns}
    questions: list[Question] = []
    for number, raw in enumerate(place.get(record, "qa", list), 1):
        here = place.at(f"question {number}")
        qa = here.checked(raw, dict)
        evidence = parse_evidence(here.at("`evidence`").checked(qa.get("evidence", []), list), known)
        _count(evidence, counts)
        questions.append(_question(here, qa, f"{history.name}/{number}", evidence))
    counts.update(conversations=1, episodes=len(turns), questions=len(questions))
    return Task(history, tuple(questions))


def _turns(place: Place, conversation: dict[str, Any], counts: Counter[str]) -> tuple[Turn, ...]:
    numbers = sorted(int(m.group(1)) for key in conversation if (m := _SESSION.fullmatch(key)))
    turns: list[Turn] = []
    for number in numbers:
        here = place.at(f"session_{number}")
        at = _date(here, place.get(conversation, f"session_{number}_date_time", str))
        for raw in place.get(conversation, f"session_{number}", list):
            turns.append(_turn(here.at("a turn"), raw, number, at))
            counts["captions"] += bool(raw.get("blip_caption"))
    if not turns:
        raise place.bad("has no turns in sessions `session_1`, `session_2` and so on.")
    if len({turn.id for turn in turns}) < len(turns):
        raise place.bad("has two turns of one `dia_id`.")
    return tuple(turns)


def _turn(place: Place, raw: Any, session: int, at: datetime) -> Turn:
    record = place.checked(raw, dict)
    caption = record.get("blip_caption")
    text = place.get(record, "text", str) + (f" [shares {caption}]" if caption else "")
    return Turn(
        place.get(record, "dia_id", str), f"D{session}", place.get(record, "speaker", str), role=None, text=text, at=at
    )


def _date(place: Place, text: str) -> datetime:
    try:
        # LoCoMo gives no zone; its times are told as UTC.
        return datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        raise place.bad(f"has {text!r}, which is no date such as 1:56 pm on 8 May, 2023.") from None


def _count(evidence: Evidence, counts: Counter[str]) -> None:
    counts.update(
        evidence_repaired=evidence.repaired,
        evidence_unreadable=evidence.unreadable,
        evidence_pointing_nowhere=evidence.nowhere,
        questions_without_evidence=not evidence.ids,
    )


def _question(place: Place, qa: dict[str, Any], key: str, evidence: Evidence) -> Question:
    category = place.get(qa, "category", int)
    if category not in CATEGORIES:
        raise place.bad(f"has category {category}; there are 1 to 5.")
    wrong = qa.get("adversarial_answer")
    return Question(
        id=key,
        text=place.get(qa, "question", str),
        group=CATEGORIES[category],
        # Some answers are numbers; adversarial questions have none.
        answer=str(qa.get("answer", "")),
        gold=evidence.ids,
        answerable=category != 5,
        skipped=None if evidence.ids else "no evidence",
        wrong_answer=None if wrong is None else str(wrong),
    )
