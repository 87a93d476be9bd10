"""What the OpenAPI description says of the answers of lists and of single things."""

from typing import Any

from services.tracking.web import examples


def everywhere() -> dict[int | str, dict[str, Any]]:
    """What any route may answer."""
    return errors(404, 429, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route when something is wrong."""
    return examples.problems(401, 403, 422, *statuses)


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


def made(status: int, description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """An answer of a form that its model describes, with an example."""
    content = {"application/json": {"example": example}}
    return {status: {"description": description, "content": content}}
