"""The REST contract of the graph: entities, facts with two times each, and what can be asked of them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from memory_service import limits
from memory_service.instants import Instant
from memory_service.wire import Id, Name, Request, Response, Text, clean_json


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank")
    return value


def _scalar(value: Any) -> Any:
    """Runs before pydantic tries one type after the other, so that there is one error."""
    if not isinstance(value, str | bool | int | float):
        raise ValueError("must be a string, a number or a boolean")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("is an integer beyond 64 bits")
    return value


Scalar = Annotated[str | bool | int | float, BeforeValidator(_scalar)]
Attributes = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=128)], Scalar],
    BeforeValidator(clean_json),
    Field(max_length=limits.MAX_FACT_QUALIFIERS),
]
Predicate = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,127}$")]
Words = Annotated[Text, Field(min_length=1, max_length=limits.MAX_FACT_VALUE_CHARS), AfterValidator(_not_blank)]


class EntityRef(Response):
    id: str
    name: str


class Entity(Response):
    """Someone or something. `id` is that of the entity it is part of now, if it was merged."""

    id: str
    namespace: str
    name: str
    type: str
    aliases: list[str]
    attributes: dict[str, JsonValue] = Field(default_factory=dict)
    summary: str = ""
    """What is believed of it now, in a few sentences taken from its facts."""
    first_known_at: Instant
    created_at: Instant
    """Since when it is believed to be as it is told here."""
    expired_at: Instant | None = None


class EntityPage(Response):
    items: list[Entity]
    next_cursor: str | None = None


class Closing(Response):
    """Why a fact ends."""

    rule: Literal["successor", "corrected", "ended", "stated"]
    episode_id: str


class Fact(Response):
    """A fact as it is, or was, believed. True in the world in [valid_at, invalid_at); believed in [created_at, expired_at)."""

    id: str
    subject: EntityRef
    predicate: str
    object: EntityRef | None = None
    value: str | None = None
    """The literal, where the object is no entity."""
    text: str
    sentence: str
    """What its first source says."""
    qualifiers: dict[str, JsonValue] = Field(default_factory=dict)
    valid_at: Instant | None = None
    """None: since when is not known, or does not matter."""
    invalid_at: Instant | None = None
    valid_at_basis: Literal["stated", "observed", "unbounded"]
    """Whether a source names the start, or it is when it was first said."""
    valid_at_precision: Literal["instant", "day", "month", "year"]
    created_at: Instant
    expired_at: Instant | None = None
    confidence: float
    episode_ids: list[str]
    extractor: str
    """The rule that read it."""
    closed_by: Closing | None = None


class FactPage(Response):
    items: list[Fact]
    next_cursor: str | None = None


class Neighbour(Entity):
    distance: int


class Neighbourhood(Response):
    entities: list[Neighbour]
    facts: list[Fact]
    is_complete: bool
    """False where a limit left something out."""


class Path(Response):
    entities: list[EntityRef]
    facts: list[Fact]


class Paths(Response):
    items: list[Path]
    is_complete: bool
    """False where the search gave up: there may be shorter or further paths."""


class Change(Response):
    at: Instant
    kind: Literal["believed", "expired"]
    fact: Fact


class ChangePage(Response):
    items: list[Change]
    next_cursor: str | None = None


class Community(Response):
    """Entities that belong together."""

    id: str
    name: str
    summary: str
    members: list[EntityRef]
    fact_ids: list[str]
    episode_ids: list[str]


class CommunityPage(Response):
    items: list[Community]
    next_cursor: str | None = None


class EntityIn(Request):
    """An entity by its id, or by its name as a text would name it."""

    id: Id | None = None
    name: Annotated[Name, Field(max_length=limits.MAX_ENTITY_NAME_CHARS)] | None = None
    type: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,127}$")] = "Thing"
    attributes: Attributes | None = None

    @model_validator(mode="after")
    def _one_handle(self) -> "EntityIn":
        if (self.id is None) == (self.name is None):
            raise ValueError("needs either an id or a name")
        return self


class FactIn(Request):
    """A fact that somebody states. It is stored as an episode of its own, which can be erased like any other."""

    subject: EntityIn
    predicate: Predicate
    object: EntityIn | None = None
    value: Words | None = None
    stance: Literal["asserts", "ends", "denies"] = "asserts"
    valid_at: Instant | None = None
    """When it began, or when it ended for `ends`; without it, it holds since it was said."""
    invalid_at: Instant | None = None
    qualifiers: Attributes | None = None
    sentence: Words | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    occurred_at: Instant | None = None
    """When it was said. Default: now."""
    session_id: Id | None = None
    id: Id | None = None
    """Of the episode."""

    @model_validator(mode="after")
    def _is_possible(self) -> "FactIn":
        if self.object is not None and self.value is not None:
            raise ValueError("takes an object or a value, not both")
        if self.stance == "asserts" and self.object is None and self.value is None:
            raise ValueError("needs an object or a value")
        if self.valid_at is not None and self.invalid_at is not None and self.invalid_at < self.valid_at:
            raise ValueError("ends before it begins")
        return self


class FactsIn(Request):
    facts: Annotated[list[FactIn], Field(min_length=1, max_length=limits.MAX_BATCH_FACTS)]


class FactReceipt(Response):
    episode_id: str
    fact_ids: list[str]
    """Facts that it is a source of now; none for what only ends or denies."""


class FactsResponse(Response):
    facts: list[FactReceipt]
    seq: int


class RetractRequest(Request):
    reason: Annotated[Text, Field(max_length=1024)] = ""


class MergeRequest(Request):
    entity_id: Id
    """The other one."""
    reason: Annotated[Text, Field(max_length=1024)] = ""


class GraphWritten(Response):
    seq: int
    entity_ids: list[str] = Field(default_factory=list)
    """After a merge the one that both are now; after its undoing the two."""
