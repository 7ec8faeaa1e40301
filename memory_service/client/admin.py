"""Operations for those who run the service: namespaces, sessions, dead letters, keys, health."""

from collections.abc import Iterable

from memory_service.client import answers, retry
from memory_service.client.base import Requester
from memory_service.client.limits import DEFAULT_ERASURE_S
from memory_service.client.operation import operation
from memory_service.client.requests import JSON_HEADERS, json_body, path
from memory_service.client.steps import Call, Flow
from memory_service.wire import (
    DeadLetterPage,
    Health,
    KeyPage,
    KeyRequest,
    NamespacePage,
    NewKey,
    Scope,
    SessionPage,
)


class AdminOperations(Requester):
    """All of them raise ProblemError subclasses, ConnectionFailed, and ValueError for arguments that cannot be sent.

    `limit` is a page's length, at most 200; a cursor of another list raises InvalidCursor.
    """

    @operation
    def namespaces(self, *, limit: int | None = None, cursor: str | None = None) -> Flow[NamespacePage]:
        """One page of the namespaces that the key may see."""
        return (yield from self._get(NamespacePage, "namespaces", limit=limit, cursor=cursor))

    @operation
    def sessions(self, namespace: str, *, limit: int | None = None, cursor: str | None = None) -> Flow[SessionPage]:
        """One page of a namespace's sessions."""
        return (yield from self._get(SessionPage, "namespaces", namespace, "sessions", limit=limit, cursor=cursor))

    @operation
    def dead_letters(
        self, namespace: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Flow[DeadLetterPage]:
        """One page of the work that was given up, with the reasons."""
        segments = ("namespaces", namespace, "dead-letters")
        return (yield from self._get(DeadLetterPage, *segments, limit=limit, cursor=cursor))

    @operation
    def retry_dead_letter(self, namespace: str, dead_letter_id: str) -> Flow[None]:
        """Puts the work back into the queue. It is not retried. Raises NotFound."""
        yield from self._send(Call("POST", path("namespaces", namespace, "dead-letters", dead_letter_id, "retry")))

    @operation
    def create_key(self, name: str, scopes: Iterable[Scope], namespaces: Iterable[str]) -> Flow[NewKey]:
        """Makes a key; `namespaces` are names, or prefixes that end in `*`. Its secret is shown only here.

        It is not retried: each attempt would make another key.
        """
        fields = {"name": name, "scopes": list(scopes), "namespaces": list(namespaces)}
        body = json_body(KeyRequest.model_validate(fields))
        return (yield from self._ask(Call("POST", path("keys"), body=body, headers=JSON_HEADERS), NewKey))

    @operation
    def keys(self, *, limit: int | None = None, cursor: str | None = None) -> Flow[KeyPage]:
        """One page of keys, the revoked included, without their secrets."""
        return (yield from self._get(KeyPage, "keys", limit=limit, cursor=cursor))

    @operation
    def revoke_key(self, key_id: str) -> Flow[None]:
        """Makes a key useless from now on. Raises NotFound."""
        yield from self._erase(DEFAULT_ERASURE_S, "keys", key_id)

    @operation
    def health(self) -> Flow[Health]:
        """Whether the process lives. It is not retried, as it asks about this moment."""
        return (yield from self._probe("/healthz"))

    @operation
    def ready(self) -> Flow[Health]:
        """Whether the service can answer, and which of its checks say so. It is not retried.

        Raises Unavailable where the service tells it by a problem instead of its checks.
        """
        return (yield from self._probe("/readyz"))

    def _probe(self, probe_path: str) -> Flow[Health]:
        reply = yield from retry.send(Call("GET", probe_path), self._policy)
        media_type = reply.headers.get("content-type", "").partition(";")[0]
        if reply.status == 503 and media_type == "application/json":
            return answers.parsed(reply, Health)  # "no" is an answer here, and its checks say why
        return answers.parsed(answers.checked(reply), Health)
