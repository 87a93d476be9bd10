"""Answers to questions for one thing: its state with its version as ETag, or 304."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Header
from fastapi.responses import Response
from pydantic import BaseModel

from services.tracking.queries.filters import Asked
from services.tracking.web.problems import Problem

IfNoneMatch = Annotated[
    str | None, Header(description="ETags that the caller has; 304 where one is the present.")
]


class Nothing(Asked):
    """A request without parameters."""


def answer(body: BaseModel, version: object, known: str | None) -> Response:
    """The present state of a thing, unless the caller has it."""
    tag = f'"{quote(str(version), safe="")}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known is not None and _has(known, tag):
        return Response(status_code=304, headers=headers)
    return Response(body.model_dump_json(), media_type="application/json", headers=headers)


def _has(known: str, tag: str) -> bool:
    return known.strip() == "*" or tag in (
        one.strip().removeprefix("W/") for one in known.split(",")
    )


def missing(kind: str, id: object) -> Problem:
    """404: unknown, or not for the caller to see."""
    return Problem(404, "not_found", f"there is no {kind} '{id}', or it is not yours to see")
