"""What the OpenAPI description shows: examples of bodies and answers, and every problem."""

from typing import Any

from fastapi import Body

from services.tracking.web.problems import MEDIA_TYPE

_MOMENT = "2026-11-23T14:02:41.512Z"

CANCEL = {
    "specversion": "1.0",
    "type": "relais.package.cancel.v1",
    "subject": "CAT86",
    "data": {"comment": "supplier withdrew"},
}
_STATE = {
    "id": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "type": "relais.package.cancel.v1",
    "subject": "CAT86",
    "state": "decided",
    "outcome": "accepted",
    "code": None,
    "message": None,
    "version": 8,
    "errors": None,
    "batch_id": None,
    "created_at": _MOMENT,
    "due_at": _MOMENT,
    "sent_at": _MOMENT,
    "decided_at": _MOMENT,
    "visible_at": _MOMENT,
}


def body(example: Any, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request body in JSON, with an example."""
    content = {"schema": schema or {"type": "object"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def given(example: Any) -> Any:
    """A request body that is a model, with an example."""
    return Body(openapi_examples={"usual": {"value": example}})


def shown(description: str, example: Any) -> dict[str, Any]:
    """An answer in JSON, with an example."""
    return {
        "description": description,
        "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
    }


_ENVELOPE = {
    "type": "object",
    "required": ["specversion", "type", "subject"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 128},
        "source": {"const": "/relais/tracking"},
        "type": {"type": "string"},
        "subject": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
_HEADERS = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": text,
        "example": example,
    }
    for name, text, example in (
        ("Idempotency-Key", "the id of the command", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("If-Match", "the version that the command is for", '"7"'),
        ("Prefer", "seconds to wait for the outcome, at most 30", "wait=5"),
    )
]
COMMAND = {**body(CANCEL, _ENVELOPE), "parameters": _HEADERS}
OUTCOME = shown("What became of it", _STATE)
ACCEPTED = shown(
    "Where to look what becomes of it",
    {
        **_STATE,
        **dict.fromkeys(("outcome", "version", "decided_at", "visible_at")),
        "state": "sent",
    },
)
CHECKED = shown(
    "What would become of it",
    {
        "type": "relais.package.cancel.v1",
        "subject": "CAT86",
        "outcome": "unchanged",
        "code": None,
        "message": "package CAT86 is canceled already, changed last at 2026-11-23T14:02:41Z",
        "version": 8,
        "errors": [],
        "as_of": _MOMENT,
    },
)

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
_PROBLEMS: dict[int, tuple[str, str, str]] = {
    401: ("Nobody is known by this", "unauthorized", "there is no token and nobody is signed in"),
    403: ("Not allowed", "forbidden", "package.cancel is for central; ou3 has the role local"),
    404: (
        "Not known, or not yours",
        "not_found",
        "there is no package 'CAT99', or it is not yours",
    ),
    406: ("No such form", "not_acceptable", "Accept must be one of application/json, text/csv"),
    409: (
        "Not as it is now",
        "wrong_status",
        "package CAT86 is canceled; package.publish is accepted from approved",
    ),
    412: (
        "Changed meanwhile",
        "version_conflict",
        "package CAT86 has version 8, not 7; read it again and decide again",
    ),
    413: ("Too large", "body_too_large", "the body has 9,000,000 bytes; at most 2,097,152 are"),
    422: ("Not valid; every error is named", "invalid", "limit must be at most 200, not '500'"),
    429: ("Too much at once", "too_many_requests", "this caller asks more than 100 times a second"),
    503: (
        "RabbitMQ or Postgres is away",
        "unavailable",
        "RabbitMQ at 127.0.0.1:5672 does not confirm package.cancel",
    ),
}
"""By status: what it means, and an example of a code and a sentence."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, each with an example."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    description, code, detail = _PROBLEMS[status]
    field, _, message = detail.partition(" ")
    example = {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"field": field, "message": message}] if status == 422 else [],
    }
    content = {MEDIA_TYPE: {"schema": PROBLEM, "example": example}}
    return {"description": description, "content": content}
