"""People by what they are to the one who speaks: their mentions and the tie."""

from typing import Final

from graph.extraction.notebook import Notebook
from graph.extraction.phrases import Span
from graph.extraction.relatives import TIES, Tie
from graph.extraction.subjects import Subject
from graph.extraction.text import Sentence
from graph.model import Claim

_FOND: Final = frozenset(
    ["lovely", "wonderful", "amazing", "sweet", "dear", "beloved", "good", "new", "best", "close", "closest"]
)
_MANY: Final = frozenset(["friend_of", "colleague_of", "neighbour_of"])
"""Of whom one has several, so that without a name it is not known who is meant."""


def tie_of(subject: Subject) -> Tie | None:
    return TIES.get(subject.role.split()[-1].lower()) if subject.role else None


def mention(notebook: Notebook, subject: Subject, offset: int, sentence: Sentence) -> int | None:
    """Of a named or unnamed relative; an unnamed one is tied to the speaker here, for nothing else tells who it is."""
    if subject.name is not None:
        return notebook.mention(subject.name.text, "Person", subject.name, offset)
    tie = tie_of(subject)
    if tie is not None and tie.predicate in _MANY:
        return None
    role = " ".join(word for word in subject.role.lower().split() if word not in _FOND)
    span = Span(subject.span.end - len(subject.role), subject.span.end, subject.role)
    who = notebook.owned_by_speaker(role, span, offset)
    if who is not None and tie is not None:
        _tell(notebook, who, tie, sentence)
    return who


def _tell(notebook: Notebook, who: int, tie: Tie, sentence: Sentence) -> None:
    """Whom "Maria's sister" is to Maria; a former tie is told by the word and has no date."""
    speaker = notebook.speaker()
    if speaker is None or tie.is_over:
        return
    one, other = (who, speaker) if tie.is_from_other else (speaker, who)
    notebook.claim(Claim(one, tie.predicate, other, start=sentence.start, end=sentence.end, rule="unnamed_ties"))
