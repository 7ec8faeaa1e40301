"""Deep Memory Retrieval (MemGPT, arXiv 2310.08560, section 3.1): the MSC-Self-Instruct file, JSON Lines.

Each line: {"previous_dialogs": [{"dialog": [{"text"}], "time_num", "time_unit"}], "dialog": [{"id": "Speaker 1", "text"}],
"self_instruct": {"B": question, "A": answer}, "personas", ...}. Five sessions: four previous ones and the present. Turns of
previous sessions alternate between the speakers, Speaker 1 first, and carry no name. The question is Speaker 2's.

There are no dates. Sessions are told a day apart, so that their order is kept; nothing in the questions asks for a date.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from eval.dataset import Dataset, History, Question, Task, Turn
from eval.errors import BadData
from eval.readers.files import Place, parse_json_lines, read_bytes, sha256

_SPEAKERS: Final = ("Speaker 1", "Speaker 2")
_FIRST_DAY: Final = datetime(2023, 1, 1, 12, tzinfo=UTC)


def read_dmr(path: Path) -> Dataset:
    """Raises BadData."""
    data = read_bytes(path)
    if data.lstrip()[:1] != b"{":
        raise BadData(path, "is not MSC-Self-Instruct: it must be JSON Lines of objects with `self_instruct`.")
    counts: Counter[str] = Counter()
    tasks = tuple(
        _task(place, record, f"dmr-{number}", counts)
        for number, (place, record) in enumerate(parse_json_lines(path, data), 1)
    )
    return Dataset("dmr", path, sha256(data), tasks, dict(counts))


def _task(place: Place, record: dict[str, Any], key: str, counts: Counter[str]) -> Task:
    if "self_instruct" not in record:
        raise place.bad("has no field `self_instruct`: this is not MSC-Self-Instruct.")
    pair = place.get(record, "self_instruct", dict)
    here = place.at("`self_instruct`")
    turns = _turns(place, record, counts)
    question = Question(
        id=key,
        text=here.get(pair, "B", str),
        group="deep memory retrieval",
        answer=here.get(pair, "A", str),
        gold=(),
    )
    counts.update(questions=1, episodes=len(turns))
    return Task(History(key, turns), (question,))


def _turns(place: Place, record: dict[str, Any], counts: Counter[str]) -> tuple[Turn, ...]:
    previous = place.get(record, "previous_dialogs", list)
    dialogs = [place.at(f"previous dialog {n}").checked(raw, dict) for n, raw in enumerate(previous, 1)]
    dialogs.append({"dialog": place.get(record, "dialog", list)})
    turns: list[Turn] = []
    for number, dialog in enumerate(dialogs, 1):
        here = place.at(f"session {number}")
        for index, raw in enumerate(here.get(dialog, "dialog", list)):
            told = here.at(f"turn {index + 1}").checked(raw, dict)
            text = here.at(f"turn {index + 1}").get(told, "text", str)
            if not text.strip():
                counts["empty turns, left out"] += 1
                continue
            speaker = str(told.get("id") or _SPEAKERS[index % 2])
            at = _FIRST_DAY + timedelta(days=number - 1, minutes=index)
            turns.append(Turn(f"s{number}_{index + 1}", f"s{number}", speaker, None, text, at))
    if not turns:
        raise place.bad("has no turns.")
    return tuple(turns)
