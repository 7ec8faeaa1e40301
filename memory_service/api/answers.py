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
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return problem(
            BadRequest("The body is not JSON.", errors=[{"pointer": "", "detail": str(found[0].get("ctx", ""))[:200]}])
        )
    problems = [{"pointer": _pointer(e["loc"]), "detail": e["msg"].removeprefix("Value error, ")} for e in found[:20]]
    first = problems[0]
    return problem(Invalid(f"{first['pointer'] or 'The body'}: {first['detail']}.".replace("..", "."), errors=problems))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    cls = _BY_STATUS.get(error.status_code, BadRequest if error.status_code < 500 else InternalError)
    return problem(cls(str(error.detail)))


def _pointer(location: Sequence[str | int]) -> str:
    """RFC 6901 pointer into the body; parameters are named by where they stand."""
    place, *path = location
    if place == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return f"{place}:{'/'.join(map(str, path))}"


def add_problem_schema(schema: dict[str, Any]) -> None:
    """Puts the Problem schema into an OpenAPI document, and takes FastAPI's own validation error out."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = wire.Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
