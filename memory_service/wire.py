"""The REST contract v1 as types: what the server validates, what the SDK returns, what OpenAPI shows.

Requests refuse unknown fields; answers ignore them, so that an older SDK reads a newer server.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from memory_service import limits
from memory_service.instants import Instant

EpisodeKind = Literal["message", "text", "json"]
EpisodeStatus = Literal["stored", "indexed", "enriched", "dead"]
ResultType = Literal["episode", "note", "fact", "entity", "community"]
Scope = Literal["read", "write", "admin"]


def _clean_text(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds a NUL byte")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds a lone surrogate, which is no Unicode text") from None
    return value


def _json_depth(value: Any) -> int:
    """Depth of nesting, counted without recursion: the limit is what keeps recursion safe elsewhere."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        if depth > limits.MAX_JSON_DEPTH:
            break
        if isinstance(node, dict):
            stack.extend((child, depth + 1) for child in node.values())
        elif isinstance(node, list):
            stack.extend((child, depth + 1) for child in node)
    return deepest


def no_dot_segment(value: str) -> str:
    """HTTP clients and proxies fold `.` and `..` in paths: a DELETE of the episode `..` would become its namespace's."""
    if value in (".", ".."):
        raise ValueError("must not be `.` or `..`, which paths fold away")
    return value


def clean_json(value: Any) -> Any:
    """Runs before pydantic walks the value, so that the error names the field and not a place within."""
    if _json_depth(value) > limits.MAX_JSON_DEPTH:
        raise ValueError(f"is nested deeper than {limits.MAX_JSON_DEPTH} levels")
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            _clean_text(node)
        elif isinstance(node, dict):
            stack.extend(node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, float) and not math.isfinite(node):
            raise ValueError("holds NaN or an infinity, which JSON has not")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _scalar(value: Any) -> Any:
    """Runs before pydantic tries one type after the other, so that there is one error."""
    if isinstance(value, dict | list):
        raise ValueError("must be a string, a number, a boolean or null")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("is an integer beyond 64 bits, which no value equals")
    return clean_json(value)


Text = Annotated[str, AfterValidator(_clean_text)]
Id = Annotated[str, Field(pattern=f"^{limits.ID_PATTERN}$"), AfterValidator(no_dot_segment)]
NamespacePattern = Annotated[str, Field(pattern=rf"^(\*|{limits.ID_PATTERN}\*?)$")]
Name = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARS), AfterValidator(_clean_text)]
_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": limits.MAX_NAME_CHARS}
OneOrMore = Annotated[
    list[Name],
    BeforeValidator(_as_list),
    Field(max_length=limits.MAX_FILTER_VALUES, min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                _NAME_SCHEMA,
                {"type": "array", "items": _NAME_SCHEMA, "minItems": 1, "maxItems": limits.MAX_FILTER_VALUES},
            ]
        }
    ),
]
"""One value, or several of which any will do."""

Scalar = Annotated[str | bool | int | float | None, BeforeValidator(_scalar)]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    model_config = ConfigDict(extra="ignore")


# --- episodes -----------------------------------------------------------------------------------------------------


class EpisodeIn(Request):
    """One conversation turn, document or structured record to remember."""

    kind: EpisodeKind = "message"
    content: Annotated[JsonValue, BeforeValidator(clean_json)]
    """Text for `message` and `text`; an object or a list for `json`."""
    id: Id | None = None
    role: Name | None = None
    speaker: Name | None = None
    occurred_at: Instant | None = None
    session_id: Id | None = None
    metadata: Annotated[dict[str, JsonValue] | None, BeforeValidator(clean_json)] = None

    @field_validator("content")
    @classmethod
    def _content_fits_kind(cls, content: JsonValue, info: ValidationInfo) -> JsonValue:
        kind = info.data.get("kind")  # validated before; absent when it is wrong itself
        if kind == "json":
            if not isinstance(content, dict | list) or not content:
                raise ValueError("must be an object or a list that is not empty, for kind json")
        elif kind is not None and (not isinstance(content, str) or not content.strip()):
            raise ValueError(f"must be text that is not empty, for kind {kind}")
        return content


class AppendRequest(Request):
    episodes: Annotated[list[EpisodeIn], Field(min_length=1, max_length=limits.MAX_BATCH_EPISODES)]
    session_id: Id | None = None
    """For the episodes that name none; without both, the session is `default`."""


class EpisodeReceipt(Response):
    id: str
    seq: int
    status: EpisodeStatus


class AppendResponse(Response):
    episodes: list[EpisodeReceipt]
    seq: int
    """Pass it as `min_seq` to read your own writes."""


class Episode(Response):
    id: str
    namespace: str
    session_id: str
    kind: EpisodeKind
    role: str | None = None
    speaker: str | None = None
    content: JsonValue
    occurred_at: Instant
    recorded_at: Instant
    metadata: dict[str, JsonValue] = {}
    seq: int
    status: EpisodeStatus


class StatusResponse(Response):
    id: str
    seq: int
    status: EpisodeStatus
    attempts: int = 0
    reason: str | None = None
    """Why it is dead, or why the last attempt failed."""


class EpisodePage(Response):
    items: list[Episode]
    next_cursor: str | None = None


class Session(Response):
    id: str
    episodes: int
    first_occurred_at: Instant
    last_occurred_at: Instant


class SessionPage(Response):
    items: list[Session]
    next_cursor: str | None = None


class Namespace(Response):
    name: str
    episodes: int
    seq: int
    created_at: Instant


class NamespacePage(Response):
    items: list[Namespace]
    next_cursor: str | None = None


# --- notes --------------------------------------------------------------------------------------------------------


class NoteLink(Response):
    note_id: str
    kind: Literal["similar", "shared_name"]
    weight: float


class Note(Response):
    """A Zettel (A-MEM, arXiv 2502.12110, section 3.1)."""

    id: str
    episode_ids: list[str]
    content: str
    context: str
    keywords: list[str]
    tags: list[str]
    links: list[NoteLink]
    importance: float
    revision: int
    created_at: Instant
    extractor: str


class NotePage(Response):
    items: list[Note]
    next_cursor: str | None = None


# --- search and context -------------------------------------------------------------------------------------------


class Filters(Request):
    types: Annotated[list[ResultType], Field(min_length=1)] | None = None
    as_of: Instant | None = None
    """The moment the question is asked from: relative times in the query are read from here. Default: now."""
    known_at: Instant | None = None
    """Hide all that was recorded later."""
    after: Instant | None = None
    """Only episodes that occurred at or after this."""
    before: Instant | None = None
    """Only episodes that occurred before this."""
    session_id: OneOrMore | None = None
    role: OneOrMore | None = None
    speaker: OneOrMore | None = None
    metadata: Annotated[dict[Text, Scalar], Field(max_length=16)] | None = None
    """Equal values at top-level keys."""
    min_seq: Annotated[int, Field(ge=0, le=2**62)] | None = None


Query = Annotated[str, Field(min_length=1, max_length=limits.MAX_QUERY_CHARS), AfterValidator(_clean_text)]


class SearchRequest(Filters):
    query: Query
    limit: Annotated[int, Field(ge=1, le=limits.MAX_SEARCH_RESULTS)] = 10
    explain: bool = False


class MultiSearchRequest(SearchRequest):
    namespaces: Annotated[list[Id], Field(min_length=1, max_length=limits.MAX_SEARCH_NAMESPACES)]


class Span(Response):
    """Characters [start, end) of the episode's searchable text."""

    start: int
    end: int


class NoteBrief(Response):
    id: str
    context: str
    keywords: list[str]
    tags: list[str]


class SearchResult(Response):
    type: ResultType
    id: str
    namespace: str
    text: str
    score: float
    episode_ids: list[str]
    """In order of relevance."""
    session_id: str | None = None
    role: str | None = None
    speaker: str | None = None
    occurred_at: Instant | None = None
    valid_at: Instant | None = None
    invalid_at: Instant | None = None
    span: Span | None = None
    note: NoteBrief | None = None
    explain: dict[str, float] | None = None


class Usage(Response):
    embedding_tokens: int = 0
    llm_calls: int = 0
    llm_tokens: int = 0
    took_ms: float = 0.0


class SearchResponse(Response):
    results: list[SearchResult]
    seq: int
    """Everything up to here was searched."""
    usage: Usage


class ContextRequest(Filters):
    query: Query
    token_budget: Annotated[int, Field(ge=16, le=limits.MAX_TOKEN_BUDGET)]
    limit: Annotated[int, Field(ge=1, le=limits.MAX_SEARCH_RESULTS)] = 50


class Citation(Response):
    marker: str
    """As it stands in the context, for example "[1]"."""
    episode_id: str
    namespace: str
    session_id: str
    speaker: str | None = None
    occurred_at: Instant
    span: Span
    score: float


class Decision(Response):
    action: Literal["skip", "recall"]
    reasons: list[str]


class ContextResponse(Response):
    context: str
    tokens: int
    tokenizer: str
    citations: list[Citation]
    decision: Decision
    usage: Usage
    seq: int


# --- operations ---------------------------------------------------------------------------------------------------


class DeadLetter(Response):
    id: str
    episode_id: str
    stage: str
    attempts: int
    reason: str
    dead_at: Instant


class DeadLetterPage(Response):
    items: list[DeadLetter]
    next_cursor: str | None = None


class ImportResponse(Response):
    episodes: int
    records: int
    skipped: int
    """Lines whose episode was there already with the same fields."""
    seq: int


class ErasureResponse(Response):
    """An erasure that no answer shows any more, but whose old pages are not yet overwritten. DELETE again until 204."""

    pending: str


class KeyRequest(Request):
    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1)]
    namespaces: Annotated[list[NamespacePattern], Field(min_length=1, max_length=limits.MAX_FILTER_VALUES)]
    """Namespace names, or prefixes that end in `*`; `*` alone is all."""


class Key(Response):
    id: str
    name: str
    scopes: list[Scope]
    namespaces: list[str]
    created_at: Instant
    revoked_at: Instant | None = None


class NewKey(Key):
    secret: str
    """Shown once; only its hash is kept."""


class KeyPage(Response):
    items: list[Key]
    next_cursor: str | None = None


class Problem(Response):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] = []


class Health(Response):
    status: Literal["ok", "starting", "degraded"]
    checks: dict[str, str] = {}
