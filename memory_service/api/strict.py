"""Requests read strictly: what two readers would understand differently, or what would be ignored, is refused."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import Response

from memory_service.api.security import admit
from memory_service.errors import BadRequest, Invalid


class StrictRoute(APIRoute):
    """A route that needs a key, takes no query parameter but its own, and whose body is JSON in the sense of RFC 8259: in UTF-8,
    without a member named twice, without NaN and infinities.

    The key is looked at before anything is read: without one, nobody can have the service parse a body.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        known = _parameters(self.dependant)

        async def strict(request: Request) -> Response:
            admit(request)
            _refuse_unknown(request, known)
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


def _parameters(dependant: Dependant) -> set[str]:
    """Names of the query parameters that a route and its dependencies read."""
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*(_parameters(dependency) for dependency in dependant.dependencies))


def _refuse_unknown(request: Request, known: set[str]) -> None:
    """A mistyped filter that is ignored answers more than was asked for."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        problems = [{"pointer": f"query:{name[:100]}", "detail": "is no parameter here"} for name in unknown[:20]]
        raise Invalid(f"There is no parameter {unknown[0][:100]!r} here.", errors=problems)


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body())


def read_json(body: bytes) -> Any:
    """The value of a body. Raises BadRequest that says what is wrong with it."""
    try:
        # Decoded here: json.loads would take UTF-16 and UTF-32 too, which RFC 8259 rules out.
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _bad(f"{error.msg} (character {error.pos})") from None
    except UnicodeDecodeError as error:
        raise _bad(f"it is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _bad("it is nested too deeply") from None
    except ValueError:
        # Python reads no integer of more digits than sys.get_int_max_str_digits() from text: it takes quadratic time.
        raise _bad("it holds an integer of too many digits") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in members if names.count(name) > 1)
        raise _bad(f"an object names its member {twice[:100]!r} twice, and only one could be kept")
    return members


def _no_number(constant: str) -> NoReturn:
    raise _bad(f"{constant} is no number of JSON's")


def _bad(what: str) -> BadRequest:
    return BadRequest(f"The body is not JSON: {what}.", errors=[{"pointer": "", "detail": what}])
