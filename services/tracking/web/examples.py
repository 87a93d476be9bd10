"""Examples for the description of the operations that write."""

from typing import Any

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

_PROBLEMS: dict[int, tuple[str, str, str]] = {
    401: ("Nobody is signed in", "unauthorized", "this needs a token"),
    403: ("Not allowed", "forbidden", "ou3 (local) may not send package.cancel; central may"),
    404: ("Not known, or not yours", "unknown_package", "package CAT99 is not known"),
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
    413: ("Too large", "too_large", "the body has more than 1048576 bytes"),
    422: ("Not valid; every error is named", "invalid", "data.comment is required"),
    429: ("Too much at once", "too_many_requests", "too many requests; try again in 5 s"),
    503: (
        "RabbitMQ or Postgres is away",
        "unavailable",
        "RabbitMQ at 127.0.0.1:5672 does not confirm package.cancel",
    ),
}


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
    schema = {"type": "object", "required": ["status", "code", "detail", "errors"]}
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
