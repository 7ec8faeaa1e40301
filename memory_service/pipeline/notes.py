"""Notes without an LLM (A-MEM, arXiv 2502.12110, section 3.1): keywords, tags, a context sentence, importance, links.

Everything here is a pure function of a turn, the turns before it, and the notes before it, so that a note made again is the
same note.
"""

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from memory_service import limits
from memory_service.log.records import Link, NotePayload
from retrieval.analysis import is_spaceless, terms
from retrieval.names import find_names

_KEYWORD_CHARS: Final = 4_000
"""yake's cost grows with the square of the text; what a long text is about is said early."""

_CONTEXT_CHARS: Final = 120
_MIN_SIMILARITY: Final = 0.45
"""Cosine below which MiniLM neighbours are no longer about the same thing (docs/notes.md shows how it was chosen)."""

_QUESTION: Final = re.compile(r"\?\s*$|\?\s")
_PLAN: Final = re.compile(
    r"\b(?:going to|gonna|will|planning|plan to|plans? for|next (?:week|month|year)|tomorrow|hoping to)\b", re.I
)
_PREFERENCE: Final = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:really |also |absolutely )*(?:love|like|prefer|hate|enjoy|adore|can't stand)\b|\bfavou?rite\b",
    re.I,
)
_CHANGE: Final = re.compile(
    r"\b(?:moved|moving|quit|resigned|started|starting|joined|left|cancelled|canceled|changed|switched|engaged|married|divorced|"
    r"graduated|adopted|bought|sold|no longer|used to)\b",
    re.I,
)
_NUMBER: Final = re.compile(r"\d")
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Turn:
    """An episode as a note maker sees it."""

    id: str
    seq: int
    session_id: str
    speaker: str | None
    role: str | None
    text: str
    occurred_at: datetime
    has_time: bool

    @property
    def who(self) -> str:
        return self.speaker or self.role or "Someone"


@dataclass(frozen=True, slots=True)
class Related:
    """An earlier note that may be linked. `similarity` is a cosine, None where it was found by a name alone."""

    episode_id: str
    seq: int
    similarity: float | None
    names: frozenset[str]


class NoteMaker(Protocol):
    """The port: turns in, what the notes say out."""

    @property
    def name(self) -> str:
        """Extractor and version, kept with every record."""
        ...

    def make(self, turn: Turn, before: Sequence[Turn], related: Sequence[Related]) -> NotePayload:
        """One note. `before` are the session's turns just before it, nearest last."""
        ...


class DeterministicNoteMaker:
    """Keywords by yake (Campos et al. 2020), tags and importance by rule, context from the turns before."""

    name = "deterministic/1"

    def make(self, turn: Turn, before: Sequence[Turn], related: Sequence[Related]) -> NotePayload:
        names = find_names(turn.text)
        keywords = extract_keywords(turn.text)
        tags = _tags(turn, names)
        return NotePayload(
            context=_context(turn, before, keywords),
            keywords=keywords,
            tags=tags,
            importance=_importance(turn, names, tags),
            links=_links(names, related),
        )


def extract_keywords(text: str) -> list[str]:
    """The most telling words and pairs of words, best first."""
    if not any(c.isalpha() for c in text):
        return []
    text = text[:_KEYWORD_CHARS]
    if is_spaceless(text):
        # yake finds no words there: the most frequent pairs of characters stand for them.
        counts = Counter(term for term in terms(text) if len(term) > 1)
        return sorted(counts, key=lambda term: (-counts[term], term))[: limits.MAX_KEYWORDS]
    found = dict.fromkeys(keyword.lower() for keyword, _score in _yake().extract_keywords(text))
    return list(found)[: limits.MAX_KEYWORDS]


def _yake() -> Any:
    """One extractor per thread: it keeps state between calls."""
    if not hasattr(_local, "yake"):
        # Half a second, which a start must not wait for.
        import yake

        _local.yake = yake.KeywordExtractor(lan="en", n=2, dedupLim=0.8, top=limits.MAX_KEYWORDS)
    return _local.yake


def _tags(turn: Turn, names: Sequence[str]) -> list[str]:
    rules = (
        ("question", bool(_QUESTION.search(turn.text))),
        ("plan", bool(_PLAN.search(turn.text))),
        ("preference", bool(_PREFERENCE.search(turn.text))),
        ("change", bool(_CHANGE.search(turn.text))),
        ("time", turn.has_time),
        ("number", bool(_NUMBER.search(turn.text))),
    )
    kinds = [tag for tag, holds in rules if holds]
    return (kinds + [f"name:{name}" for name in names])[: limits.MAX_TAGS]


def _context(turn: Turn, before: Sequence[Turn], keywords: Sequence[str]) -> str:
    """One sentence: who, when, about what, and what it follows."""
    day = f"{turn.occurred_at:%d %B %Y}".lstrip("0")
    sentence = f"{turn.who} on {day}"
    if keywords:
        sentence += f", about {', '.join(keywords[:3])}"
    previous = next((t for t in reversed(before) if t.text.strip()), None)
    if previous is not None:
        verb = "answering" if _QUESTION.search(previous.text) and previous.who != turn.who else "after"
        sentence += f", {verb} {previous.who}: “{_shortened(previous.text)}”"
    return sentence + "."


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= _CONTEXT_CHARS:
        return flat
    return flat[:_CONTEXT_CHARS].rsplit(" ", 1)[0] + " …"


def _importance(turn: Turn, names: Sequence[str], tags: Sequence[str]) -> float:
    """In [0, 1]: telling words, names, numbers, changes and times weigh; small talk has little of any."""
    words = len(set(terms(turn.text[:_KEYWORD_CHARS])))
    score = 0.4 * min(1.0, words / 20)
    score += 0.15 * min(2, len(names))
    score += 0.1 * sum(tag in tags for tag in ("change", "plan", "preference", "time", "number"))
    if "question" in tags:
        score *= 0.6
    return round(min(1.0, score), 3)


def _links(names: Sequence[str], related: Sequence[Related]) -> list[Link]:
    """The nearest by similarity, then by shared names; each kind apart, strongest first, ties by age then id."""
    own = frozenset(name.lower() for name in names)
    similar = [
        Link(r.episode_id, "similar", round(r.similarity, 3))
        for r in related
        if r.similarity is not None and r.similarity >= _MIN_SIMILARITY
    ]
    shared = [
        Link(r.episode_id, "shared_name", round(len(own & r.names) / len(own | r.names), 3))
        for r in related
        if own & r.names
    ]
    strongest = [
        sorted(links, key=lambda k: (-k.weight, k.episode_id))[: limits.MAX_LINKS] for links in (similar, shared)
    ]
    return strongest[0] + strongest[1]
