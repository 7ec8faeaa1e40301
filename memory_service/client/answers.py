"""From an HTTP answer to a wire model or to the error that it stands for."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from memory_service.client.limits import MAX_SHOWN_CHARS
from memory_service.client.retry import retry_after_s
from memory_service.client.steps import Reply
from memory_service.errors import ProblemError, UnexpectedAnswer, from_problem

M = TypeVar("M", bound=BaseModel)


def checked(reply: Reply) -> Reply:
    """The reply itself when it is good. Raises the ProblemError of any other."""
    if 200 <= reply.status < 300:
        return reply
    raise problem(reply)


def parsed(reply: Reply, model: type[M]) -> M:
    """The reply's body as a wire model. Raises UnexpectedAnswer when something else than the service answered."""
    try:
        return model.model_validate_json(reply.body)
    except ValidationError as error:
        raise UnexpectedAnswer(
            f"{reply.url} answered {reply.status}, but not with the {model.__name__} of this version's contract "
            f"({error.error_count()} fields differ): {_shown(reply.body)!r}. Is base_url (or MEMORY_URL) right?"
        ) from error


def problem(reply: Reply) -> ProblemError:
    """The error that a bad reply stands for, whether or not its body is a problem document."""
    return from_problem(reply.status, _document(reply), retry_after_s(reply.headers))


def _document(reply: Reply) -> dict[str, Any]:
    try:
        body = json.loads(reply.body)
    except ValueError:  # a proxy's page, or text in no encoding
        body = None
    if not isinstance(body, dict) or "type" not in body:
        return {"detail": f"{reply.url} answered HTTP {reply.status}: {_shown(reply.body)}"}
    errors = body.get("errors")
    return {**body, "errors": errors if isinstance(errors, list) else []}


def _shown(body: bytes) -> str:
    return body[:MAX_SHOWN_CHARS].decode("utf-8", errors="replace").strip() or "an empty body"
