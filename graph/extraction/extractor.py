"""The extractor of rules: sentences, their clauses, the rules that their verbs call, and what these say as claims."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from graph.extraction import clauses as clause_reader
from graph.extraction import kin, names, text
from graph.extraction.clauses import Clause
from graph.extraction.notebook import Notebook
from graph.extraction.port import TimeFinder, no_times
from graph.extraction.pronouns import Antecedents
from graph.extraction.rules import catalogue
from graph.extraction.rules.base import Reading, Said
from graph.extraction.settle import settle
from graph.extraction.subjects import Subject
from graph.extraction.text import Sentence
from graph.extraction.times import Times
from graph.model import Extraction, Source
from graph.resolution.givennames import is_given_name
from graph.resolution.names import name_key

NAME: Final = "rules/1"
_SILENT_ROLES: Final = frozenset(["assistant", "system", "tool", "function", "developer"])
"""What they say are suggestions and results, and no facts about anybody."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_NOTHING: Final = Extraction((), ())


@dataclass(frozen=True, slots=True)
class RuleExtractor:
    """Reads what people say of themselves and of those they name. Without a `TimeFinder` nothing is dated."""

    find_times: TimeFinder = no_times

    @property
    def name(self) -> str:
        return NAME

    def extract(self, source: Source) -> Extraction:
        """Claims of what the episode asserts, and mentions of those it names. Never raises for what a text says."""
        if source.role is not None and source.role.lower() in _SILENT_ROLES:
            return _NOTHING
        plain = text.plain(source.text)
        notebook = Notebook(source)
        people = Antecedents()
        for sentence in text.sentences(plain):
            _read_sentence(notebook, sentence, self.find_times, people)
            people.next_sentence()
            if sentence.is_order_to_write and sentence.text.endswith((":", '"')):
                break
        return notebook.extraction()


def _read_sentence(notebook: Notebook, sentence: Sentence, find_times: TimeFinder, people: Antecedents) -> None:
    words = frozenset(_WORD.findall(sentence.text.lower()))
    if not sentence.is_question and not sentence.is_order_to_write and not words.isdisjoint(catalogue.TRIGGERS):
        writer = _Writer(notebook, sentence, Times(sentence.text, notebook.source.occurred_at, find_times))
        for clause in clause_reader.clauses(sentence):
            people.note(clause.subject)
            meant = people.resolve(clause.subject) if clause.subject.kind == "pronoun" else clause.subject
            if meant is not None:
                writer.read(meant, clause)
        for rule in catalogue.OF_SENTENCES:
            if not words.isdisjoint(rule.triggers):
                for subject, clause, said in rule.read(sentence):
                    writer.write(subject, clause, said, rule.name)
    for mention in names.mentioned(sentence):
        if mention.type == "Place":
            notebook.place(mention.span, sentence.start)
        else:
            notebook.mention(mention.span.text, mention.type, mention.span, sentence.start)


@dataclass(slots=True)
class _Writer:
    """Turns what rules say of one sentence into claims."""

    notebook: Notebook
    sentence: Sentence
    times: Times

    def read(self, subject: Subject, clause: Clause) -> None:
        is_unsure = (
            subject.kind == "name"
            and "'s " not in subject.span.text
            and not is_given_name(name_key(subject.span.text).split(" ")[0])
        )
        for rule, said in _said(self.sentence.text, clause):
            if not (is_unsure and rule in catalogue.OF_OTHERS_TOO):
                self.write(subject, clause, said, rule)

    def write(self, subject: Subject, clause: Clause | None, said: Said, rule: str) -> None:
        placed = settle(said, clause, self.times, self.notebook.source.occurred_at)
        if placed is None:
            return
        who = self._subject(subject)
        if who is None:
            return
        target = self._object(said, subject)
        if said.object is not None and target is None:
            return
        one, other = (target, who) if said.is_from_other and isinstance(target, int) else (who, target)
        self.notebook.claim(
            replace(
                placed,
                subject=one,
                object=other,
                qualifiers=said.qualifiers,
                start=self.sentence.start,
                end=self.sentence.end,
                rule=rule,
            )
        )

    def _subject(self, subject: Subject) -> int | None:
        offset = self.sentence.start
        if subject.kind in ("self", "own"):
            return self.notebook.speaker()
        if subject.kind == "relative":
            return kin.mention(self.notebook, subject, offset, self.sentence)
        if subject.kind == "further" and subject.name is not None:
            words = " ".join(subject.name.text.split()[1:])
            return self.notebook.owned_by_speaker(words, subject.name, offset)
        if subject.name is not None:
            return self.notebook.mention(subject.name.text, "Person", subject.name, self.sentence.start)
        return None

    def _object(self, said: Said, subject: Subject) -> int | str | None:
        span = said.object
        if said.kind == "speaker":
            return self.notebook.speaker()
        if span is None:
            return None
        match said.kind:
            case "literal":
                return " ".join(span.text.split())
            case "place":
                return self.notebook.place(span, self.sentence.start)
            case "organization" if span.text.islower() and subject.kind == "self":
                # "The gym" is not everybody's.
                return self.notebook.owned_by_speaker(span.text, span, self.sentence.start, "Organization")
            case "role" | "animal":
                return self.notebook.owned_by_speaker(span.text, span, self.sentence.start, _TYPES[said.kind])
            case _:
                return self.notebook.mention(span.text, _TYPES[said.kind], span, self.sentence.start)


_TYPES: Final = {
    "organization": "Organization",
    "person": "Person",
    "role": "Person",
    "pet": "Animal",
    "animal": "Animal",
}


def _said(sentence: str, clause: Clause) -> Iterator[tuple[str, Said]]:
    """What the rules read, each with the rule's name."""
    if clause.verb is None:
        yield from ((rule.name, said) for rule in catalogue.OF_OWNERS for said in rule.read(sentence, clause))
        return
    reading = Reading(sentence, clause, clause.verb)
    for rule in catalogue.BY_VERB.get(clause.verb.form, ()):
        yield from ((rule.name, said) for said in rule.read(reading))
