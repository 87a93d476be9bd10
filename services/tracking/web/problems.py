"""Answers when something is wrong: problem+json (RFC 9457) that names everything at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from contracts.envelope import FieldError
from contracts.sentences import printable, sentence

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Something is wrong with a request; detail is a sentence for a person.

    code is one word for a program; errors name fields; more are members besides, such as present.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        """See the class."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.more = more

    def response(self) -> Response:
        """The answer."""
        body = {
            "type": "about:blank",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "errors": [{"field": e.field, "message": e.message} for e in self.errors],
            **self.more,
        }
        return JSONResponse(body, self.status, self.headers, media_type=MEDIA_TYPE)


def invalid(*errors: FieldError) -> Problem:
    """422: what a request says cannot be taken; each field with a sentence."""
    detail = "; ".join(f"{error.field} {error.message}" for error in errors)
    return Problem(422, "invalid", detail, errors)


def install(app: FastAPI) -> None:
    """Let an app answer with problems, whoever finds the fault."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        accepted = sorted(_parameters(request))
        errors = (_error(one, accepted) for one in error.errors())
        return invalid(*errors, *repeated(request)).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed"}
        code = codes.get(error.status_code, "refused")
        headers = dict(error.headers) if error.headers else None
        return Problem(error.status_code, code, str(error.detail), headers=headers).response()


def repeated(request: Request) -> list[FieldError]:
    """What is wrong with the names of the query: a parameter is given once."""
    times = Counter(name for name, _ in request.query_params.multi_items())
    return [
        FieldError(printable(name), f"is given {n} times, must be given once")
        for name, n in times.items()
        if n > 1
    ]


NAMES_UNKNOWN = "names_unknown_parameters"
"""The attribute of a dependency that says itself which parameters it does not know."""


def check_names(request: Request) -> None:
    """Refuse parameters that a route does not have: one that is mistyped would say nothing.

    Where a route asks for filters, these say it, together with all else that is wrong.
    """
    needs = request.scope["route"].dependant.dependencies
    if not request.query_params or any(hasattr(one.call, NAMES_UNKNOWN) for one in needs):
        return
    accepted = sorted(_parameters(request))
    unknown = [name for name in request.query_params if name not in accepted]
    if errors := [_unknown(name, accepted) for name in unknown] + repeated(request):
        raise invalid(*errors)


def _unknown(name: str, accepted: Sequence[str]) -> FieldError:
    known = f"those are {', '.join(accepted)}" if accepted else "there are none"
    return FieldError(printable(name), f"is not a parameter here; {known}")


def _parameters(request: Request) -> set[str]:
    """The names that the query of this route may have, as the description of the API says."""
    path = getattr(request.scope.get("route"), "path_format", None)
    described = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}


def _error(error: Any, accepted: Sequence[str]) -> FieldError:
    where, *path = error["loc"]
    field = ".".join(map(str, path)) or str(where)
    if where == "query" and error["type"] == "extra_forbidden":
        return _unknown(field, accepted)
    return FieldError(field, sentence(error))
