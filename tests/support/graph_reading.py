"""What the rules read in a text, in the words that a test is written in."""

from datetime import UTC, datetime
from typing import Final

from graph.extraction import RuleExtractor
from graph.model import Claim, Extraction, Source
from tests.support.graph_times import times_in

SAID_AT: Final = datetime(2024, 3, 15, 9, tzinfo=UTC)
"""A Friday."""


def source(text: str, speaker: str | None = "Maria", role: str | None = "user") -> Source:
    return Source("e1", 1, "s1", text, speaker, role, micros(SAID_AT))


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def extracted(text: str, speaker: str | None = "Maria", role: str | None = "user") -> Extraction:
    return RuleExtractor(times_in).extract(source(text, speaker, role))


def read(text: str) -> set[str]:
    """Each claim as "subject predicate object", the speaker as "I", with "no longer" or "never" before what is not so."""
    found = extracted(text)
    return {_sentence(claim, found) for claim in found.claims}


def _sentence(claim: Claim, found: Extraction) -> str:
    target = _name(claim.object, found) if isinstance(claim.object, int) else claim.object or "whoever"
    is_over = claim.stance == "ends" or claim.invalid_at is not None
    stance = "never " if claim.stance == "denies" else "no longer " if is_over else ""
    return f"{_name(claim.subject, found)} {stance}{claim.predicate} {target}"


def _name(index: int, found: Extraction) -> str:
    mention = found.mentions[index]
    return "I" if mention.is_self else mention.name
