"""Sentences of a text, and the text written so that patterns need to know one apostrophe."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.limits import MAX_EXTRACTED_CHARS, MAX_EXTRACTED_SENTENCES, MAX_SENTENCE_CHARS

_SAME_LENGTH: Final = str.maketrans("’‘ʼ´`“”„«»―‑−\u00a0\u202f\u2009\t", "'''''\"\"\"\"\"—--    ")
"""What is typed for apostrophes, quotes, dashes and spaces: character for character, so that places stay."""

_END: Final = re.compile(r"[.!?…]+[\"')\]]{0,3}\s+|[。！？｡]|\n+")
_ABBREVIATED: Final = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|prof|jr|sr|vs|etc|e\.g|i\.e|no|mt|ft)|\b[A-Za-z])\.\s+$", re.IGNORECASE
)
_LOOK_BACK: Final = 12
"""Characters before a full stop that tell an abbreviation."""


_TASK: Final = re.compile(
    r"(?:(?:can|could) you |please |now |ok |okay |hi,? |hey,? |kindly )*(?:write|draft|rewrite|"
    r"re-write|rephrase|paraphrase|translate|proofread|summari[sz]e|"
    r"edit|correct|improve|compose|generate|create|continue|complete|act as|pretend|imagine|role-?play|"
    r"you are|i want you to|"
    r"suppose|here is (?:my|the|a)|here's (?:my|the|a)|fix|convert|turn|analy[sz]e)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, with its place in the episode's text."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_order_to_write(self) -> bool:
        """Whether what follows is a text that is to be worked on, or a part to be played."""
        return _TASK.match(self.text) is not None

    @property
    def is_question(self) -> bool:
        return self.text.rstrip("\"') ").endswith(("?", "？"))


def plain(text: str) -> str:
    """As many characters as may be read, each in its plain form. Places in it are places in the text."""
    head = text[:MAX_EXTRACTED_CHARS]
    return head.replace("\t", " ") if head.isascii() else head.translate(_SAME_LENGTH)


def sentences(text: str) -> Iterator[Sentence]:
    """Those of a plain text that are no longer than people write them."""
    start = count = 0
    for end in _ends(text):
        own = text[start:end]
        stripped = own.strip()
        if stripped and len(stripped) <= MAX_SENTENCE_CHARS:
            yield Sentence(start + len(own) - len(own.lstrip()), stripped)
            count += 1
        start = end
        if count == MAX_EXTRACTED_SENTENCES:
            return


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        is_short = match[0].startswith(".") and _ABBREVIATED.search(text, max(0, match.end() - _LOOK_BACK), match.end())
        if not is_short or "\n" in match[0]:
            yield match.end()
    yield len(text)
