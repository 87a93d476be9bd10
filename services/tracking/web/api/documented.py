"""What the OpenAPI description says of answers: examples, and every error with its own."""

from typing import Any

from services.tracking.web import problems

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "Something is wrong with a request (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail", "errors"],
}


_EXAMPLES: dict[int, tuple[str, str, list[tuple[str, str]]]] = {
    401: ("unauthorized", "this needs a token", []),
    403: ("forbidden", "a local operator sees only what is of its own entity, OU3", []),
    404: ("not_found", "there is no package 'CAT86', or it is not yours to see", []),
    406: ("not_acceptable", "Accept must be one of application/json, text/csv, ...", []),
    409: ("conflict", "CAT86 is canceled already", []),
    429: ("too_many_requests", "this token has asked too often; wait for a second", []),
    412: ("version_conflict", "view late-in-spring has version 3, not 2; look at it again", []),
    422: (
        "invalid",
        "limit must be at most 200, not 500",
        [("limit", "must be at most 200, not 500")],
    ),
    503: ("unavailable", "RabbitMQ does not answer; try again in a moment", []),
}


def everywhere() -> dict[int | str, dict[str, Any]]:
    """What any route may answer."""
    return errors(404, 429, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route when something is wrong."""
    return {status: _error(status) for status in (401, 403, 422, *statuses)}


def _error(status: int) -> dict[str, Any]:
    code, detail, fields = _EXAMPLES[status]
    example = {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"field": field, "message": message} for field, message in fields],
    }
    content = {problems.MEDIA_TYPE: {"schema": PROBLEM, "example": example}}
    return {"description": detail, "content": content}


def listed(item: dict[str, Any], counts: dict[str, int | str]) -> dict[int | str, dict[str, Any]]:
    """The answers of a list: a page, or all of it as CSV or NDJSON; item is an example."""
    text = {"schema": {"type": "string"}}
    content = {
        "application/json": {"example": _page(item, counts, "9hY3m2Gz")},
        "text/csv": {**text, "example": ",".join(item)},
        "application/x-ndjson": text,
    }
    return {200: {"description": "A page of the list, or all of it.", "content": content}}


def listed_at_once(
    item: dict[str, Any], counts: dict[str, int | str]
) -> dict[int | str, dict[str, Any]]:
    """The answers of a list that is one page."""
    content = {"application/json": {"example": _page(item, counts, None)}}
    return {200: {"description": "All of the list.", "content": content}}


def _page(item: dict[str, Any], counts: dict[str, int | str], next: str | None) -> dict[str, Any]:
    return {
        "items": [item],
        "next": next,
        "prev": None,
        "counts": counts,
        "as_of": "2026-11-23T14:02:31Z",
        "behind": 0.2,
    }


def one(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The answers of a single thing: it, or 304 where it is as the caller has it."""
    headers = {"ETag": {"description": "Its version.", "schema": {"type": "string"}}}
    content = {"application/json": {"example": example}}
    return {
        200: {"description": "The present state.", "content": content, "headers": headers},
        304: {"description": "It is as If-None-Match says."},
    }
