"""Records of a business as entities and facts, by a declared mapping: keys, foreign keys, timestamps.

docs/extraction.md has an example.

A mapping is JSON. Nothing of it is code, so it can be shown, checked and kept with the data it describes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from graph import limits
from graph.errors import InvalidMapping
from graph.model import AnyJson, Claim, Extraction, Mention, Precision, Scalar, Source
from graph.predicates import predicate as predicate_named

Record = Mapping[str, AnyJson]
_Path = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARS)]
_Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReferenceMapping(_Strict):
    """A foreign key: the entity that another table's record is."""

    field: _Path
    type: _Name = "Thing"
    key_type: _Name
    """Of the key: "customer" makes "customer:42"."""
    name: _Path | None = None
    """A field with the other's name, or a template; the key itself where the record has none."""


class FactMapping(_Strict):
    """A claim about the record's entity. Either `field` names a literal, or `reference` another entity."""

    predicate: _Name
    field: _Path | None = None
    reference: ReferenceMapping | None = None
    qualifiers: dict[_Name, _Path] = Field(default_factory=dict[str, str], max_length=limits.MAX_QUALIFIERS)
    valid_at: _Path | None = None
    invalid_at: _Path | None = None

    @model_validator(mode="after")
    def _has_one_object(self) -> "FactMapping":
        if (self.field is None) == (self.reference is None):
            raise ValueError("exactly one of field and reference")
        return self


class EntityMapping(_Strict):
    type: _Name
    key: _Path
    """The field of the primary key."""
    key_type: _Name | None = None
    """Before the colon of the key; the type in small letters where it is not given."""
    name: _Path
    """A field, or a template: "Order {id}"."""
    attributes: tuple[_Path, ...] = Field(default=(), max_length=64)


class ChildMapping(_Strict):
    """Facts for each element of a list, read within the element: an order's lines."""

    list: _Path
    facts: tuple[FactMapping, ...] = Field(min_length=1, max_length=64)


class TableMapping(_Strict):
    match: dict[str, Scalar] = Field(min_length=1, max_length=16)
    """Fields of the record or of its metadata that must be equal."""
    entity: EntityMapping
    facts: tuple[FactMapping, ...] = Field(default=(), max_length=64)
    children: tuple[ChildMapping, ...] = Field(default=(), max_length=16)


class RecordMapping(_Strict):
    """All tables; a record is read by the first that it matches."""

    tables: tuple[TableMapping, ...] = Field(min_length=1, max_length=256)


def load_mapping(text: str) -> RecordMapping:
    """Raises InvalidMapping, which says at which place what is wrong."""
    try:
        return RecordMapping.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise InvalidMapping(f"No JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the mapping"
        raise InvalidMapping(f"{place}: {first['msg']}.") from error


@dataclass(frozen=True, slots=True)
class RecordExtractor:
    """Reads records by a mapping."""

    mapping: RecordMapping

    @property
    def name(self) -> str:
        return "records/1"

    def extract(self, source: Source, record: Record, metadata: Record) -> Extraction:
        """Nothing where no table matches; raises InvalidMapping where the record does not fit the one that does."""
        table = next((each for each in self.mapping.tables if _matches(each, record, metadata)), None)
        if table is None:
            return Extraction((), ())
        reader = _Reader(source)
        reader.read(table, record)
        return Extraction(tuple(reader.mentions), tuple(reader.claims))


def _matches(table: TableMapping, record: Record, metadata: Record) -> bool:
    return all(wanted in (_value(record, path), _value(metadata, path)) for path, wanted in table.match.items())


def _value(record: AnyJson, path: str) -> AnyJson:
    """What stands at a dotted path; None where nothing does. A key that has a dot itself is found as it is."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    for part in path.split("."):
        if not isinstance(record, Mapping) or part not in record:
            return None
        record = record[part]
    return record


@dataclass(slots=True)
class _Reader:
    """Collects what one record says. The record's own entity is the first mention."""

    source: Source
    mentions: list[Mention] = field(default_factory=list[Mention])
    claims: list[Claim] = field(default_factory=list[Claim])

    def read(self, table: TableMapping, record: Record) -> None:
        self.mentions.append(_entity(table.entity, record))
        for fact in table.facts:
            self._claim(fact, record, fact.predicate)
        for child in table.children:
            for element in _elements(record, child):
                for fact in child.facts:
                    self._claim(fact, element, f"{child.list}: {fact.predicate}")

    def _claim(self, fact: FactMapping, record: Record, place: str) -> None:
        target = self._reference(fact.reference, record) if fact.reference else _text(record, fact.field or "")
        if target is None:
            return
        if len(self.claims) == limits.MAX_CLAIMS_PER_EPISODE:
            raise InvalidMapping(f"{place}: a record may make at most {limits.MAX_CLAIMS_PER_EPISODE} facts.")
        begins, precision = _moment(record, fact.valid_at)
        ends, _ = _moment(record, fact.invalid_at)
        if begins is not None and ends is not None and ends < begins:
            raise InvalidMapping(f"{fact.invalid_at} is before {fact.valid_at}.")
        self.claims.append(
            Claim(
                0,
                fact.predicate,
                target,
                valid_at=begins,
                invalid_at=ends,
                basis="observed" if begins is None and ends is None else "unbounded" if begins is None else "stated",
                precision=precision,
                qualifiers=_scalars(record, fact.qualifiers),
                end=len(self.source.text),
                rule=f"records:{predicate_named(fact.predicate).name}",
            )
        )

    def _reference(self, reference: ReferenceMapping, record: Record) -> int | None:
        value = _value(record, reference.field)
        if value is None:
            return None
        key = f"{reference.key_type}:{_scalar(value, reference.field)}"
        for index, mention in enumerate(self.mentions):
            if mention.key == key:
                return index
        if len(self.mentions) == limits.MAX_MENTIONS_PER_EPISODE:
            raise InvalidMapping(
                f"{reference.field}: a record may name at most {limits.MAX_MENTIONS_PER_EPISODE} entities."
            )
        name = _named(record, reference.name) if reference.name else None
        self.mentions.append(Mention(name or key, reference.type, key=key))
        return len(self.mentions) - 1


def _entity(entity: EntityMapping, record: Record) -> Mention:
    value = _value(record, entity.key)
    if value is None:
        raise InvalidMapping(f"{entity.key}: the record has no key there.")
    key = f"{entity.key_type or entity.type.lower()}:{_scalar(value, entity.key)}"
    attributes = {path.rsplit(".", 1)[-1]: path for path in entity.attributes}
    return Mention(_named(record, entity.name) or key, entity.type, key=key, attributes=_scalars(record, attributes))


def _named(record: Record, template: str) -> str | None:
    """A field's text, or a template with its fields put in; None where a field is missing."""
    if "{" not in template:
        text = _text(record, template)
    else:
        values = {path: _text(record, path) for path in _PLACE.findall(template)}
        if None in values.values():
            return None
        text = _PLACE.sub(lambda match: values[match[1]] or "", template)
    if text is not None and len(text) > limits.MAX_NAME_CHARS:
        raise InvalidMapping(f"{template}: a name may have at most {limits.MAX_NAME_CHARS} characters.")
    return text


def _text(record: Record, path: str) -> str | None:
    """The field as text; None where it is missing, null or blank."""
    value = _value(record, path)
    if value is None:
        return None
    text = str(_scalar(value, path)).strip()
    if len(text) > limits.MAX_LITERAL_CHARS:
        raise InvalidMapping(f"{path}: a value may have at most {limits.MAX_LITERAL_CHARS} characters.")
    return text or None


def _scalar(value: AnyJson, path: str) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        raise InvalidMapping(f"{path}: text, a number or true or false is needed, not {type(value).__name__}.")
    return value


def _scalars(record: Record, paths: Mapping[str, str]) -> dict[str, Scalar]:
    found = {name: (_value(record, path), path) for name, path in paths.items()}
    return {name: _scalar(value, path) for name, (value, path) in found.items() if value is not None}


def _elements(record: Record, child: ChildMapping) -> Iterator[dict[str, Any]]:
    """Those of the list, each with the record's own fields behind its own, so that a fact may name either."""
    elements = _value(record, child.list)
    if elements is None:
        return
    if not isinstance(elements, list) or not all(isinstance(each, Mapping) for each in elements):
        raise InvalidMapping(f"{child.list}: a list of objects is needed.")
    for each in elements:
        yield {**record, **each}


def _moment(record: Record, path: str | None) -> tuple[int | None, Precision]:
    """Microseconds, and how exact. A day is in UTC; a time without an offset is refused, for it could be any of 26 hours."""
    value = None if path is None else _value(record, path)
    if path is None or value is None:
        return None, "instant"
    try:
        if isinstance(value, str) and len(value) == len("2024-03-15"):
            day = date.fromisoformat(value)
            return _micros(datetime(day.year, day.month, day.day, tzinfo=UTC)), "day"
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise InvalidMapping(f"{path}: {value!r} is no ISO 8601 time.") from error
    if moment.utcoffset() is None:
        raise InvalidMapping(f"{path}: {value!r} has no offset from UTC; write it as {value}Z or with +01:00.")
    return _micros(moment), "instant"


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
