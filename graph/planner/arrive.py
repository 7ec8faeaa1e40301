"""What an extractor says of an episode, checked and turned into the ledger's rows."""

import json
from collections.abc import Sequence
from typing import Any

from graph import limits
from graph.errors import InvalidClaim
from graph.ids import assertion_id
from graph.ledger.rows import evidence_json, scalars_json
from graph.model import Claim, Extraction, Mention, Source
from graph.predicates import INVERSES, Predicate, predicate
from graph.resolution.evidence import Evidence
from graph.resolution.names import name_key
from graph.temporal.assertion import literal_key

Row = dict[str, Any]


def check(extraction: Extraction) -> None:
    """Raises InvalidClaim for what cannot be; nothing of the episode is kept then."""
    if len(extraction.mentions) > limits.MAX_MENTIONS_PER_EPISODE:
        raise InvalidClaim(
            f"{len(extraction.mentions)} mentions; at most {limits.MAX_MENTIONS_PER_EPISODE} an episode."
        )
    if len(extraction.claims) > limits.MAX_CLAIMS_PER_EPISODE:
        raise InvalidClaim(f"{len(extraction.claims)} claims; at most {limits.MAX_CLAIMS_PER_EPISODE} an episode.")
    for mention in extraction.mentions:
        if not mention.name.strip() or len(mention.name) > limits.MAX_NAME_CHARS:
            raise InvalidClaim(f"A name must have 1 to {limits.MAX_NAME_CHARS} characters, not {len(mention.name)}.")
    for place, claim in enumerate(extraction.claims):
        _check_claim(place, claim, len(extraction.mentions))


def _check_claim(place: int, claim: Claim, mentions: int) -> None:
    """Handles that name nothing are errors, never guesses (ground rule 10)."""
    if not 0 <= claim.subject < mentions:
        raise InvalidClaim(f"Claim {place}: no mention {claim.subject}.")
    if isinstance(claim.object, int) and not 0 <= claim.object < mentions:
        raise InvalidClaim(f"Claim {place}: no mention {claim.object}.")
    if isinstance(claim.object, str) and not 0 < len(claim.object.strip()) <= limits.MAX_LITERAL_CHARS:
        raise InvalidClaim(f"Claim {place}: a literal must have 1 to {limits.MAX_LITERAL_CHARS} characters.")
    if len(claim.qualifiers) > limits.MAX_QUALIFIERS:
        raise InvalidClaim(f"Claim {place}: {len(claim.qualifiers)} qualifiers; at most {limits.MAX_QUALIFIERS}.")
    if claim.object is None and (claim.stance == "asserts" or predicate(claim.predicate).cardinality == "accumulating"):
        raise InvalidClaim(f"Claim {place}: {claim.stance} {claim.predicate} needs an object.")
    if None not in (claim.valid_at, claim.invalid_at) and claim.invalid_at < claim.valid_at:  # type: ignore[operator]
        raise InvalidClaim(f"Claim {place}: it ends before it begins.")


def mention_rows(source: Source, extraction: Extraction, recorded_at: int) -> list[Row]:
    """A row for each mention, and one for each further name that the text gives it."""
    rows = [
        _mention_row(source, recorded_at, mention)
        | {"place": place, "evidence": evidence_json(_evidence(place, extraction))}
        for place, mention in enumerate(extraction.mentions)
    ]
    for place, mention in enumerate(extraction.mentions):
        for alias in mention.aliases:
            plain = Mention(alias, mention.type)
            evidence = evidence_json(Evidence(mention.type))
            row = _mention_row(source, recorded_at, plain) | {"place": len(rows), "evidence": evidence}
            rows.append(row | {"alias_of": place})
    return rows


def _mention_row(source: Source, recorded_at: int, mention: Mention) -> Row:
    key = name_key(mention.name)
    return {
        "episode_seq": source.seq,
        "episode_id": source.id,
        "session_id": source.session_id,
        "occurred_at": source.occurred_at,
        "recorded_at": recorded_at,
        "block": key if mention.key is None else f"#{mention.key}",
        "name_key": key,
        "name": " ".join(mention.name.split()),
        "type": mention.type,
        "is_self": mention.is_self,
        "alias_of": None,
        "attributes": scalars_json(mention.attributes) if mention.attributes else None,
        "node_id": "",
    }


def _evidence(index: int, extraction: Extraction) -> Evidence:
    """What the episode says of a mention that can tell it from others of its name."""
    mention = extraction.mentions[index]
    constants: dict[str, set[str]] = {}
    intervals: set[tuple[str, str, int, int]] = set()
    for claim in extraction.claims:
        if claim.subject != index or claim.object is None or claim.stance != "asserts":
            continue
        kind = predicate(claim.predicate)
        value = _object_name(claim, extraction.mentions)
        if kind.identifies:
            constants.setdefault(kind.name, set()).add(name_key(value))
        elif kind.cardinality == "functional" and claim.basis == "stated" and claim.invalid_at and claim.valid_at:
            intervals.add((kind.name, name_key(value), claim.valid_at, claim.invalid_at))
    return Evidence(
        type=mention.type,
        constants={name: frozenset(values) for name, values in constants.items()},
        intervals=frozenset(intervals),
        keys=frozenset() if mention.key is None else frozenset({mention.key}),
    )


def _object_name(claim: Claim, mentions: Sequence[Mention]) -> str:
    return mentions[claim.object].name if isinstance(claim.object, int) else claim.object or ""


def assertion_rows(namespace: str, source: Source, extraction: Extraction, recorded_at: int) -> list[Row]:
    """A row for each claim; inverses are turned round."""
    return [
        _assertion_row(namespace, source, extraction, recorded_at, place) for place in range(len(extraction.claims))
    ]


def _assertion_row(namespace: str, source: Source, extraction: Extraction, recorded_at: int, place: int) -> Row:
    claim = extraction.claims[place]
    subject, name, target = _turned(claim)
    kind = predicate(name)
    text = extraction.mentions[target].name if isinstance(target, int) else target or ""
    valid_at, invalid_at, basis = _placed_in_time(claim, kind, source.occurred_at)
    within = extraction.mentions[target].within if isinstance(target, int) else ()
    return {
        "id": assertion_id(namespace, source.id, place),
        "episode_seq": source.seq,
        "place": place,
        "episode_id": source.id,
        "occurred_at": source.occurred_at,
        "recorded_at": recorded_at,
        "retracted_at": None,
        "subject_place": subject,
        "object_place": target if isinstance(target, int) else None,
        "subject_node": "",
        "object_node": None,
        "within": json.dumps(list(within)),
        "predicate": name,
        "object_text": " ".join(text.split()),
        "literal_key": "" if isinstance(target, int) else literal_key(text),
        "stance": claim.stance,
        "valid_at": valid_at,
        "invalid_at": invalid_at,
        "basis": basis,
        "precision": claim.precision,
        "qualifiers": scalars_json(claim.qualifiers),
        "sentence": source.text[claim.start : claim.end],
        "confidence": claim.confidence,
        "rule": claim.rule,
    }


def _turned(claim: Claim) -> tuple[int, str, int | str | None]:
    """A claim of an inverse, told the other way: "Ana is a child of Rui" is kept as "Rui is a parent of Ana"."""
    inverse = INVERSES.get(claim.predicate)
    if inverse is None or not isinstance(claim.object, int):
        return claim.subject, claim.predicate, claim.object
    return claim.object, inverse, claim.subject


def _placed_in_time(claim: Claim, kind: Predicate, occurred_at: int) -> tuple[int | None, int | None, str]:
    """When the claim holds. What names no start is true when it was said; what has ended has a start that is not known."""
    if kind.cardinality == "constant":
        return None, None, "unbounded"
    if claim.valid_at is not None:
        return claim.valid_at, claim.invalid_at, "observed" if claim.basis == "observed" else "stated"
    if claim.stance == "asserts" and (claim.basis == "unbounded" or claim.invalid_at is not None):
        return None, claim.invalid_at, "unbounded"
    return occurred_at, claim.invalid_at, "observed"
