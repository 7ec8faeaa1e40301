"""Whom "he" and "she" mean: the one person that was the subject just before, and nobody where there might be two."""

from dataclasses import dataclass
from typing import Final

from graph.extraction.subjects import Subject
from graph.extraction.words import word_set

_HERS: Final = word_set(
    "mother mom mum mommy mummy mama stepmother stepmom daughter stepdaughter sister half-sister "
    "stepsister sis wife girlfriend gf "
    "fiancée fiancee ex-wife ex-girlfriend aunt auntie niece grandmother grandma granny nana "
    "granddaughter mother-in-law "
    "sister-in-law daughter-in-law godmother goddaughter great-aunt great-grandmother"
)
_HIS: Final = word_set(
    "father dad daddy papa stepfather stepdad son stepson brother half-brother stepbrother bro husband "
    "hubby boyfriend bf fiancé "
    "fiance ex-husband ex-boyfriend uncle nephew grandfather grandpa grandad granddad grandson "
    "father-in-law brother-in-law "
    "son-in-law godfather godson great-uncle great-grandfather"
)


@dataclass(slots=True)
class Antecedents:
    """The third persons that were subjects in this sentence and the one before."""

    before: Subject | None = None
    """The only one of the sentence before."""
    last: Subject | None = None
    """The only one of this sentence so far."""
    are_several: bool = False

    def note(self, subject: Subject) -> None:
        if subject.kind not in ("relative", "name", "further"):
            return
        if self.last is not None and self.last.span.text != subject.span.text:
            self.are_several = True
        self.last = subject

    def next_sentence(self) -> None:
        self.before = None if self.are_several else self.last
        self.last, self.are_several = None, False

    def resolve(self, pronoun: Subject) -> Subject | None:
        """None where nobody is named near, two are, or the only one is a he and is called she."""
        found = self.last or self.before
        if found is None or self.are_several:
            return None
        role = found.role.split()[-1].lower() if found.role else ""
        others = _HIS if pronoun.span.text.lower() == "she" else _HERS
        return None if role in others else found
