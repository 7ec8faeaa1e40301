"""LongMemEval (arXiv 2410.10813): its S, M and oracle files, and the shared pool that can be made of any of them.

Official format: [{"question_id", "question_type", "question", "answer", "question_date", "haystack_session_ids",
"haystack_dates", "haystack_sessions": [[{"role", "content", "has_answer"?}]], "answer_session_ids"}]

Turn ids are the official scorer's: session id, underscore, place in the session from 1.

The M file is 2.7 GB: a file is read question by question, once to check and count it, then once for each pass over its
tasks, and no more than one question's haystack is held. A pool holds each session once.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from eval.dataset import Dataset, History, Question, Streamed, Task, Turn
from eval.errors import BadData
from eval.readers.files import Place, as_id
from eval.readers.stream import JsonArray

TYPES: Final = (
    "single-session-user",
    "single-session-assistant",
    "single-session-preference",
    "multi-session",
    "temporal-reasoning",
    "knowledge-update",
)
_ABSTENTION: Final = "_abs"


@dataclass(frozen=True, slots=True)
class _Session:
    id: str
    at: datetime
    turns: tuple[Turn, ...]
    gold: tuple[str, ...]
    """User turns with evidence, where this session belongs to the question."""
    content: str
    """Hash of roles and texts: what makes two sessions the same."""


@dataclass(frozen=True, slots=True)
class _Entry:
    question: Question
    sessions: tuple[_Session, ...]


def read_longmemeval(path: Path, *, pool: bool = False) -> Dataset:
    """One namespace for each question, or with `pool` one that holds every session of the file once. Raises BadData."""
    array = JsonArray(path)
    counts: Counter[str] = Counter()
    entries = _entries(path, array, counts)
    if pool:
        tasks = _pooled(entries, counts)
        questions = tuple(question for task in tasks for question in task.questions)
        episodes = sum(len(task.history.turns) for task in tasks)
        counts.update(namespaces=len(tasks))
    else:
        questions, episodes = _surveyed(entries)
        tasks = Streamed(lambda: _again(path, array.sha256), questions)
        counts.update(namespaces=len(questions))
    if len({question.id for question in questions}) < len(questions):
        raise BadData(path, "two items have the same `question_id`.")
    scored = sum(question.skipped is None for question in questions)
    counts.update(questions=len(questions), episodes=episodes, scored=scored)
    name = "longmemeval-pool" if pool else "longmemeval"
    return Dataset(name, path, array.sha256, tasks, dict(counts))


def _entries(path: Path, array: JsonArray, counts: Counter[str]) -> Iterator[_Entry]:
    """The file's questions, one at a time, checked."""
    number = 0
    for number, item in enumerate(array, 1):
        if number == 1 and not (isinstance(item, dict) and "haystack_sessions" in item):
            raise _foreign(path)
        yield _entry(Place(path, f"item {number}"), item, counts)
    if number == 0:
        raise _foreign(path)


def _foreign(path: Path) -> BadData:
    return BadData(path, "is not LongMemEval: it must be a list of objects with `haystack_sessions`.")


def _surveyed(entries: Iterable[_Entry]) -> tuple[tuple[Question, ...], int]:
    """All questions, and the number of episodes."""
    questions: list[Question] = []
    episodes = 0
    for entry in entries:
        questions.append(entry.question)
        episodes += sum(len(session.turns) for session in entry.sessions)
    return tuple(questions), episodes


def _again(path: Path, sha256: str) -> Iterator[Task]:
    """The tasks, in another pass. Raises BadData at its end when it was another file's."""
    array = JsonArray(path)
    for entry in _entries(path, array, Counter()):
        yield _own(entry)
    if array.sha256 != sha256:
        raise BadData(path, "changed while it was read.")


# --- one item ---------------------------------------------------------------------------------------------------------


def _entry(place: Place, item: Any, counts: Counter[str]) -> _Entry:
    record = place.checked(item, dict)
    key = place.get(record, "question_id", str)
    sessions = _sessions(place, record, counts)
    gold = tuple(turn for session in sessions for turn in session.gold)
    abstains = _ABSTENTION in key
    skipped = "abstention" if abstains else None if gold else "no user-side evidence"
    if skipped:
        counts[f"skipped: {skipped}"] += 1
    kind = place.get(record, "question_type", str)
    if kind not in TYPES:
        raise place.bad(f"has question type {kind!r}, which LongMemEval does not have.")
    if "answer" not in record:
        raise place.bad("has no field `answer`.")
    question = Question(
        id=key,
        text=place.get(record, "question", str),
        group=kind,
        answer=str(record["answer"]),
        gold=gold,
        asked_at=_asked_at(place, record, counts),
        answerable=not abstains,
        skipped=skipped,
    )
    return _Entry(question, sessions)


def _asked_at(place: Place, record: dict[str, Any], counts: Counter[str]) -> datetime | None:
    """Some derived files lost a few questions' dates."""
    if record.get("question_date") is None:
        counts["questions without a date"] += 1
        return None
    return place.instant(place.get(record, "question_date", str))


def _sessions(place: Place, record: dict[str, Any], counts: Counter[str]) -> tuple[_Session, ...]:
    ids = place.get(record, "haystack_session_ids", list)
    dates = place.get(record, "haystack_dates", list)
    bodies = place.get(record, "haystack_sessions", list)
    if not len(ids) == len(dates) == len(bodies):
        raise place.bad(f"has {len(ids)} session ids, {len(dates)} dates and {len(bodies)} sessions.")
    own = {str(session) for session in place.get(record, "answer_session_ids", list)}
    if strays := own - {str(session) for session in ids}:
        counts["evidence sessions that are not in their haystack"] += len(strays)
    seen: Counter[str] = Counter()
    sessions: list[_Session] = []
    for raw, date, body in zip(ids, dates, bodies, strict=True):
        here = place.at(f"session {raw!r}")
        name = as_id(str(raw))
        seen[name] += 1
        if seen[name] > 1:
            counts["session ids that come twice"] += 1
            name = f"{name}~{seen[name]}"
        raw_turns = enumerate(here.checked(body, list), 1)
        told = [_told(here.at(f"turn {number}"), turn) for number, turn in raw_turns]
        counts["empty turns, left out"] += sum(not turn.text.strip() for turn in told)
        sessions.append(_session(name, here.instant(here.checked(date, str)), told, own=str(raw) in own))
    # The oracle file is not in order of time; episodes are told as they happened.
    return tuple(sorted(sessions, key=lambda session: session.at))


@dataclass(frozen=True, slots=True)
class _Told:
    role: str
    text: str
    has_answer: bool


def _told(place: Place, raw: Any) -> _Told:
    record = place.checked(raw, dict)
    role, text = place.get(record, "role", str), place.get(record, "content", str)
    return _Told(role, text, bool(record.get("has_answer")))


def _session(name: str, at: datetime, told: list[_Told], *, own: bool) -> _Session:
    """own: whether it is evidence of the question; turns marked so in other sessions are no evidence here."""
    numbered = [(f"{name}_{number}", turn) for number, turn in enumerate(told, 1) if turn.text.strip()]
    turns = tuple(Turn(key, name, None, t.role, t.text, at, ranks=t.role == "user") for key, t in numbered)
    gold = tuple(key for key, turn in numbered if own and turn.role == "user" and turn.has_answer)
    content = json.dumps([(turn.role, turn.text) for turn in told])
    return _Session(name, at, turns, gold, hashlib.sha256(content.encode()).hexdigest())


# --- namespaces -------------------------------------------------------------------------------------------------------


def _own(entry: _Entry) -> Task:
    turns = tuple(turn for session in entry.sessions for turn in session.turns)
    return Task(History(as_id(entry.question.id), turns), (entry.question,))


def _pooled(entries: Iterable[_Entry], counts: Counter[str]) -> tuple[Task, ...]:
    """One namespace with every session once. A session that comes under several ids or dates keeps those of its evidence."""
    kept: dict[str, _Session] = {}
    asked: list[_Entry] = []
    for entry in entries:
        # Of the entry's own sessions only the evidence is needed further on.
        evidence = tuple(session for session in entry.sessions if session.gold)
        asked.append(_Entry(entry.question, evidence))
        for session in entry.sessions:
            known = kept.get(session.content)
            if known is None or (session.gold and not known.gold):
                kept[session.content] = session
    if not kept:
        return ()
    counts["pool sessions"] = len(kept)
    _rename_clashes(kept)
    turns = [turn for s in sorted(kept.values(), key=lambda session: session.at) for turn in s.turns]
    questions = tuple(replace(entry.question, gold=_gold_in_pool(entry, kept)) for entry in asked)
    return (Task(History("pool", tuple(turns)), questions),)


def _gold_in_pool(entry: _Entry, kept: dict[str, _Session]) -> tuple[str, ...]:
    """The evidence by the pool's ids: the turn at the same place of the same session."""
    gold: list[str] = []
    for session in entry.sessions:
        standing = {turn.id.rpartition("_")[2]: turn.id for turn in kept[session.content].turns}
        gold += [standing[turn.rpartition("_")[2]] for turn in session.gold]
    return tuple(gold)


def _rename_clashes(kept: dict[str, _Session]) -> None:
    """Sessions that differ though they have one id."""
    seen: Counter[str] = Counter()
    for content, session in kept.items():
        seen[session.id] += 1
        if seen[session.id] > 1:
            name = f"{session.id}~p{seen[session.id]}"
            renamed = {turn.id: f"{name}_{turn.id.rpartition('_')[2]}" for turn in session.turns}
            turns = tuple(replace(turn, id=renamed[turn.id], session=name) for turn in session.turns)
            gold = tuple(renamed[turn] for turn in session.gold)
            kept[content] = replace(session, id=name, turns=turns, gold=gold)
