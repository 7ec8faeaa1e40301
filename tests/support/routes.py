"""Every route of an application, so that a new one cannot be forgotten."""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

Route = tuple[str, str]
"""Method and path template."""


def routes(app: FastAPI) -> set[Route]:
    """All of them, those that the OpenAPI document leaves out too."""
    return set(_routes(app))


def _routes(app: FastAPI) -> Iterator[Route]:
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            if method != "HEAD":
                yield method, context.path
