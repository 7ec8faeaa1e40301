"""What has been read of an episode so far: mentions, each once, and claims about them."""

from dataclasses import dataclass, field, replace

from graph import limits
from graph.extraction import places
from graph.extraction.phrases import Span
from graph.model import Claim, Extraction, Mention, Source

THING = "Thing"


@dataclass(slots=True)
class Notebook:
    """Collects within the limits of an episode; what comes after them is left out."""

    source: Source
    mentions: list[Mention] = field(default_factory=list[Mention])
    claims: list[Claim] = field(default_factory=list[Claim])
    _places: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def speaker_name(self) -> str:
        return (self.source.speaker or self.source.role or "user").strip()[: limits.MAX_NAME_CHARS] or "user"

    def speaker(self) -> int | None:
        """The one who says "I"."""
        return self._mention(Mention(self.speaker_name, "Person", is_self=True))

    def owned_by_speaker(self, role: str, span: Span, offset: int, type: str = "Person") -> int | None:
        """Someone without a name: "Maria's sister"."""
        return self.mention(f"{self.speaker_name}'s {role}", type, span, offset)

    def mention(self, name: str, type: str, span: Span, offset: int) -> int | None:
        """Its index; None where it has no name that can be kept, or there are too many."""
        name = " ".join(name.split()).strip(" \"'.,")
        if not name or len(name) > limits.MAX_NAME_CHARS:
            return None
        return self._mention(Mention(name, type, offset + span.start, offset + span.end))

    def place(self, span: Span, offset: int) -> int | None:
        """A town with its country, or any other place."""
        name = span.text
        home = places.country_of_town(name) if places.country(name) is None else None
        index = self.mention(name, "Place", span, offset)
        if not home or index is None:
            return index
        within = self._mention(Mention(home, "Place", offset + span.start, offset + span.start))
        if within is not None and within != index and not self.mentions[index].within:
            self.mentions[index] = replace(self.mentions[index], within=(within,))
        return index

    def _mention(self, new: Mention) -> int | None:
        key = "" if new.is_self else new.name.casefold()
        if not new.is_self and key == self.speaker_name.casefold() and "" in self._places:
            key = ""
        known = self._places.get(key)
        if known is not None:
            if self.mentions[known].type == THING and new.type != THING:
                self.mentions[known] = replace(self.mentions[known], type=new.type)
            return known
        if len(self.mentions) == limits.MAX_MENTIONS_PER_EPISODE:
            return None
        self._places[key] = len(self.mentions)
        self.mentions.append(new)
        return len(self.mentions) - 1

    def claim(self, new: Claim) -> None:
        """Kept once; what two rules say of one fact is told together."""
        if new.subject == new.object:
            return
        for place, each in enumerate(self.claims):
            if replace(new, qualifiers=each.qualifiers, start=each.start, end=each.end, rule=each.rule) == each:
                self.claims[place] = replace(each, qualifiers={**new.qualifiers, **each.qualifiers})
                return
        if len(self.claims) < limits.MAX_CLAIMS_PER_EPISODE:
            self.claims.append(new)

    def extraction(self) -> Extraction:
        return Extraction(tuple(self.mentions), tuple(self.claims))
