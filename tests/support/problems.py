"""What every refusal must look like: RFC 9457, with a type that the service knows."""

import json
from typing import Any

import httpx2

from memory_service.errors import PROBLEM_PREFIX, ProblemError, problem_types

TYPES = {cls.slug: cls for cls in problem_types().values()}


def problem_of(response: httpx2.Response) -> dict[str, Any]:
    """The problem document of a refusal, whose form is checked."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    assert media_type == "application/problem+json", f"{response.status_code} {media_type}: {response.text[:300]}"
    body = json.loads(response.content)
    slug = body["type"].removeprefix(PROBLEM_PREFIX)
    assert slug in TYPES, f"unknown problem type {body['type']!r}"
    assert body["status"] == response.status_code == TYPES[slug].status
    assert body["title"] == TYPES[slug].title
    assert body["detail"], "a problem says what is wrong"
    assert all(set(e) >= {"pointer", "detail"} for e in body["errors"])
    return body


def refused(
    response: httpx2.Response, kind: type[ProblemError], pointer: str | None = None, says: str = ""
) -> dict[str, Any]:
    """Asserts that the response is this problem, points to this place and says this; returns the document."""
    body = problem_of(response)
    assert body["type"] == PROBLEM_PREFIX + kind.slug, body
    if pointer is not None:
        assert pointer in [e["pointer"] for e in body["errors"]], body
    assert says in body["detail"] + json.dumps(body["errors"]), body
    return body
