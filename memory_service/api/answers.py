"""Answers as they go over the wire: models as JSON, errors as RFC 9457 problems."""

import json
import math
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from memory_service import wire
from memory_service.errors import (
    BadRequest,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ProblemError,
    TooLarge,
    UnsupportedMediaType,
    problem_types,
)

PROBLEM_JSON: Final = "application/problem+json"
_METHODS: Final = ("DELETE", "GET", "POST", "PUT", "PATCH")
_MOST_ERRORS: Final = 20
_BY_STATUS: Final[dict[int, type[ProblemError]]] = {
    400: BadRequest,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    410: Gone,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
}


def answer(model: BaseModel, status: int = 200) -> Response:
    """A model as JSON, serialised once (FastAPI would validate it again first)."""
    return Response(model.model_dump_json(exclude_none=True), status, media_type="application/json")


def problem(error: ProblemError) -> Response:
    """The problem document of an error."""
    body = {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "errors": error.errors,
    }
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    # ASCII: a detail may quote a lone surrogate out of the request, which UTF-8 cannot carry.
    return Response(json.dumps(body), error.status, headers, media_type=PROBLEM_JSON)


def add_problem_handlers(app: FastAPI) -> None:
    """Every error of a route leaves as a problem of the contract."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems that a route may answer."""
    titles = {cls.status: cls.title for cls in reversed(list(problem_types().values()))}
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": titles[status], "content": content} for status in statuses}


COMMON: Final = responses(400, 401, 403, 422, 429, 503)
"""What every authenticated route may answer."""


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error)


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: list[dict[str, Any]] = []
    for found in error.errors():
        item = {"pointer": _pointer(found["loc"]), "detail": found["msg"].removeprefix("Value error, ")}
        # A path's parameter is checked by the key's dependency and by the route: told once.
        if item not in problems:
            problems.append(item)
    first = problems[0]
    detail = f"{first['pointer'] or 'The body'}: {first['detail'].removesuffix('.')}."
    return problem(Invalid(detail, errors=problems[:_MOST_ERRORS]))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Whatever is raised while a body is read reaches us wrapped; what we raised there ourselves is the answer.
    if isinstance(error.__cause__, ProblemError):
        return problem(error.__cause__)
    cls = _BY_STATUS.get(error.status_code, BadRequest if error.status_code < 500 else InternalError)
    response = problem(cls(str(error.detail)))
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_allowed_methods(request))
    return response


def _allowed_methods(request: Request) -> list[str]:
    """All that the path takes, whichever of its routes was tried first (RFC 9110, section 10.2.1)."""
    tried = {method: {**request.scope, "method": method} for method in _METHODS}
    return [m for m, scope in tried.items() if any(r.matches(scope)[0] is Match.FULL for r in request.app.routes)]


def _pointer(location: Sequence[str | int]) -> str:
    """RFC 6901 pointer into the body; parameters are named by where they stand."""
    place, *path = location
    if place == "body":
        # "[key]" is pydantic's mark for a member whose name is wrong, and no part of the document.
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path if part != "[key]")
    return f"{place}:{'/'.join(map(str, path))}"


def add_problem_schema(schema: dict[str, Any]) -> None:
    """Puts the Problem schema into an OpenAPI document, and takes FastAPI's own validation error out."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = wire.Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
