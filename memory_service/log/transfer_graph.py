"""The graph's lines of an export: extractions, merges and retractions, by names that mean the same in every namespace.

    {"type": "record", "episode_id": ..., "kind": "graph", "extractor": ..., "payload": {"mentions": [...], "claims": [...]}}
    {"type": "merge", "a": {"name": ...}, "b": {"name": ..., "mention": {"episode_id": ..., "place": 0}}, "is_same": true, ...}
    {"type": "retraction", "fact": {"episode_id": ..., "place": 0}, "claims": [...], "reason": ...}

Ids of entities and facts are made of the namespace's name, so a file names entities by their normalised names (one of several
who share a name also by the mention that tells it apart) and claims by their episode and their place there.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool
from sqlalchemy import Connection

from graph import limits as graph_limits
from graph.errors import InvalidClaim
from graph.model import Claim, Extraction, Mention, Scalar, Source
from graph.planner.arrive import check, mention_rows
from memory_service import wire
from memory_service.instants import EARLIEST, LATEST, to_micros
from memory_service.log.graph import ClaimName, Named, NamedMerge, NamedRetraction, NodeName, extraction_of, words

_MAX_LABEL_CHARS: Final = 128
"""Of types, predicates and rules: what their columns take."""

_MAX_BLOCK_CHARS: Final = 300
_MAX_REASON_CHARS: Final = 1_024
"""As of a merge that is asked for."""

_FIELDS: Final = {made: {field.name for field in fields(made)} for made in (Extraction, Mention, Claim)}
_FIRST, _LAST = to_micros(EARLIEST), to_micros(LATEST)
_MAX_PLACE: Final = graph_limits.MAX_MENTIONS_PER_EPISODE * (graph_limits.MAX_MENTIONS_PER_EPISODE + 1)
"""Mentions and their aliases are numbered on."""

_Place = Annotated[int, Field(ge=0, le=_MAX_PLACE)]
_Reason = Annotated[wire.Text, Field(max_length=_MAX_REASON_CHARS)]


class _ClaimLine(wire.Request):
    episode_id: wire.Id
    place: _Place

    def named(self) -> ClaimName:
        return ClaimName(self.episode_id, self.place)


class _NodeLine(wire.Request):
    name: Annotated[wire.Text, Field(min_length=1, max_length=_MAX_BLOCK_CHARS)]
    mention: _ClaimLine | None = None

    def named(self) -> NodeName:
        return NodeName(self.name, None if self.mention is None else self.mention.named())


class MergeLine(wire.Request):
    type: Literal["merge"]
    a: _NodeLine
    b: _NodeLine
    is_same: StrictBool
    reason: _Reason = ""

    def named(self) -> NamedMerge:
        if self.a == self.b:
            raise ValueError("merges an entity with itself")
        return NamedMerge(self.a.named(), self.b.named(), self.is_same, self.reason)


class RetractionLine(wire.Request):
    type: Literal["retraction"]
    fact: _ClaimLine
    claims: Annotated[list[_ClaimLine], Field(min_length=1)]
    reason: _Reason = ""

    def named(self) -> NamedRetraction:
        return NamedRetraction(self.fact.named(), [claim.named() for claim in self.claims], self.reason)


def word_lines(connection: Connection, namespace: str) -> Iterator[dict[str, Any]]:
    """What people said of the graph, as lines."""
    for named in words(connection, namespace):
        if isinstance(named, NamedRetraction):
            yield {"type": "retraction", **asdict(named)}
        else:
            sides = {side: _node_out(getattr(named, side)) for side in ("a", "b")}
            yield {"type": "merge", **sides, "is_same": named.is_same, "reason": named.reason}


def _node_out(name: NodeName) -> dict[str, Any]:
    return {"name": name.block} | ({} if name.mention is None else {"mention": asdict(name.mention)})


# --- checking ---------------------------------------------------------------------------------------------------------


def read_extraction(payload: dict[str, Any]) -> Extraction:
    """The extraction of a line. Raises ValueError that says what is wrong with it."""
    wire.clean_json(payload)
    _refuse_unknown(payload, Extraction)
    for name, made in (("mentions", Mention), ("claims", Claim)):
        for item in payload.get(name, ()):
            _refuse_unknown(item, made)
    extraction = extraction_of(json.dumps(payload, ensure_ascii=False))
    try:
        check(extraction)
    except InvalidClaim as error:
        raise ValueError(f"cannot be: {error}") from None
    for place, mention in enumerate(extraction.mentions):
        _check_mention(place, mention, len(extraction.mentions))
    for place, claim in enumerate(extraction.claims):
        _check_claim(place, claim)
    return extraction


def _refuse_unknown(value: Any, made: type) -> None:
    unknown = set(value) - _FIELDS[made] if isinstance(value, dict) else set[str]()
    if unknown:
        raise ValueError(f"has the unknown field {min(unknown)[:40]!r} in its {made.__name__.lower()}")


def _check_mention(place: int, mention: Mention, mentions: int) -> None:
    where = f"at mention {place}"
    _check_span(mention, where)
    _check_label(mention.type, "type", where)
    if mention.key is not None and not 0 < len(mention.key) < _MAX_BLOCK_CHARS:
        raise ValueError(f"is wrong {where}: a key has 1 to {_MAX_BLOCK_CHARS - 1} characters")
    if len(mention.aliases) > graph_limits.MAX_MENTIONS_PER_EPISODE:
        raise ValueError(f"is wrong {where}: more than {graph_limits.MAX_MENTIONS_PER_EPISODE} aliases")
    if not all(alias.strip() and len(alias) <= graph_limits.MAX_NAME_CHARS for alias in mention.aliases):
        raise ValueError(f"is wrong {where}: a name has 1 to {graph_limits.MAX_NAME_CHARS} characters")
    if not all(0 <= other < mentions and other != place for other in mention.within):
        raise ValueError(f"is wrong {where}: it lies within a mention that is not there")
    _check_scalars(mention.attributes, where)


def _check_claim(place: int, claim: Claim) -> None:
    where = f"at claim {place}"
    _check_span(claim, where)
    _check_label(claim.predicate, "predicate", where)
    if len(claim.rule) > _MAX_LABEL_CHARS:
        raise ValueError(f"is wrong {where}: a rule has at most {_MAX_LABEL_CHARS} characters")
    if not 0 <= claim.confidence <= 1:
        raise ValueError(f"is wrong {where}: a confidence is between 0 and 1")
    if not all(time is None or _FIRST <= time <= _LAST for time in (claim.valid_at, claim.invalid_at)):
        raise ValueError(f"is wrong {where}: a time beyond the years that are understood")
    _check_scalars(claim.qualifiers, where)


def _check_span(part: Mention | Claim, where: str) -> None:
    if not 0 <= part.start <= part.end:
        raise ValueError(f"is wrong {where}: a span that ends before it begins")


def _check_label(text: str, what: str, where: str) -> None:
    if not 0 < len(text) <= _MAX_LABEL_CHARS:
        raise ValueError(f"is wrong {where}: a {what} has 1 to {_MAX_LABEL_CHARS} characters")


def _check_scalars(values: Mapping[str, Scalar], where: str) -> None:
    if len(values) > graph_limits.MAX_QUALIFIERS:
        raise ValueError(f"is wrong {where}: more than {graph_limits.MAX_QUALIFIERS} values")
    for name, value in values.items():
        if not 0 < len(name) <= _MAX_LABEL_CHARS:
            raise ValueError(f"is wrong {where}: a value's name has 1 to {_MAX_LABEL_CHARS} characters")
        if isinstance(value, str) and len(value) > graph_limits.MAX_LITERAL_CHARS:
            raise ValueError(f"is wrong {where}: a value has at most {graph_limits.MAX_LITERAL_CHARS} characters")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(f"is wrong {where}: an integer beyond 64 bits")


def ends(extraction: Extraction) -> int:
    """Where the last of its spans ends."""
    return max((part.end for part in (*extraction.mentions, *extraction.claims)), default=0)


class Spoken:
    """Whom a file's episodes name and what they claim: merges and retractions may speak of nothing else."""

    def __init__(self, extractions: Sequence[tuple[str, Extraction]]) -> None:
        self._named: dict[str, set[ClaimName]] = defaultdict(set)
        self._claims = {episode_id: len(extraction.claims) for episode_id, extraction in extractions}
        for episode_id, extraction in extractions:
            for row in mention_rows(Source(episode_id, 0, "", "", None, None, 0), extraction, 0):
                self._named[row["block"]].add(ClaimName(episode_id, row["place"]))

    def unknown(self, word: Named) -> str | None:
        """What the word names that nothing in the file does, for people to read."""
        if isinstance(word, NamedMerge):
            for name in (word.a, word.b):
                known = self._named.get(name.block, set())
                if not known or name.mention not in (None, *known):
                    return f"the entity {name.block[:80]!r}"
            return None
        for claim in (word.fact, *word.claims):
            if claim.place >= self._claims.get(claim.episode_id, 0):
                return f"claim {claim.place} of the episode {claim.episode_id!r}"
        return None
