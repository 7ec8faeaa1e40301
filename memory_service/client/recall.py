"""Operations that read memory: search, context, notes."""

from collections.abc import Iterable
from typing import TypeVar, Unpack

from pydantic import BaseModel

from memory_service.client.arguments import SearchFilters
from memory_service.client.base import Requester
from memory_service.client.operation import operation
from memory_service.client.requests import JSON_HEADERS, given, json_body, path
from memory_service.client.steps import Call, Flow
from memory_service.wire import (
    ContextRequest,
    ContextResponse,
    MultiSearchRequest,
    Note,
    NotePage,
    SearchRequest,
    SearchResponse,
)

M = TypeVar("M", bound=BaseModel)


class RecallOperations(Requester):
    """All of them raise ProblemError subclasses, ConnectionFailed, and ValueError for arguments that cannot be sent."""

    @operation
    def search(
        self, namespace: str, query: str, *, limit: int = 10, explain: bool = False, **filters: Unpack[SearchFilters]
    ) -> Flow[SearchResponse]:
        """The `limit` results nearest to the query, best first, each with its sources. Raises NotCaughtUp.

        `explain` adds each result's part scores. A namespace that does not exist has no results.
        """
        fields = given(query=query, limit=limit, explain=explain, **filters)
        request = SearchRequest.model_validate(fields)
        return (yield from self._consult(request, SearchResponse, "namespaces", namespace, "search"))

    @operation
    def search_many(
        self,
        namespaces: Iterable[str],
        query: str,
        *,
        limit: int = 10,
        explain: bool = False,
        **filters: Unpack[SearchFilters],
    ) -> Flow[SearchResponse]:
        """As `search`, over several namespaces at once (at most 32), in one order."""
        fields = given(namespaces=list(namespaces), query=query, limit=limit, explain=explain, **filters)
        request = MultiSearchRequest.model_validate(fields)
        return (yield from self._consult(request, SearchResponse, "search"))

    @operation
    def context(
        self,
        namespace: str,
        query: str,
        *,
        token_budget: int,
        limit: int = 50,
        **filters: Unpack[SearchFilters],
    ) -> Flow[ContextResponse]:
        """Text for a prompt, of at most `token_budget` tokens of the tokenizer it names, with its citations.

        `limit` bounds the results it is packed from.
        """
        fields = given(query=query, token_budget=token_budget, limit=limit, **filters)
        request = ContextRequest.model_validate(fields)
        return (yield from self._consult(request, ContextResponse, "namespaces", namespace, "context"))

    @operation
    def note(self, namespace: str, note_id: str) -> Flow[Note]:
        """One note. Raises NotFound."""
        return (yield from self._get(Note, "namespaces", namespace, "notes", note_id))

    @operation
    def notes(self, namespace: str, *, limit: int | None = None, cursor: str | None = None) -> Flow[NotePage]:
        """One page of notes; `limit` is at most 200. Raises InvalidCursor."""
        return (yield from self._get(NotePage, "namespaces", namespace, "notes", limit=limit, cursor=cursor))

    def _consult(self, request: BaseModel, model: type[M], *segments: str) -> Flow[M]:
        # A POST, yet safe to repeat: it only reads.
        call = Call("POST", path(*segments), body=json_body(request), headers=JSON_HEADERS, repeatable=True)
        return (yield from self._ask(call, model))
