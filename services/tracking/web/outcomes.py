"""What became of a command, as an answer over HTTP."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse, Response

from contracts.envelope import FieldError
from contracts.message import to_json
from services.runtime.service import Row
from services.tracking.web.problems import Problem

CONFLICT = 409
STATUS: dict[str, int] = {
    "invalid": 422,
    "unknown_type": 422,
    "field_locked": 422,
    "too_many_documents": 422,
    "forbidden": 403,
    "version_conflict": 412,
    "unknown_package": 404,
    "unknown_order": 404,
    "unknown_campaign": 404,
    "unknown_entity": 404,
    "unknown_process": 404,
}
"""The HTTP status of a refusal, by its code; of any other it is 409."""


def status_of(code: str | None) -> int:
    """The HTTP status of a refusal with this code."""
    return STATUS.get(code or "", CONFLICT)


def state(row: Row) -> dict[str, Any]:
    """A command as its resource shows it."""
    version = row["version"]
    if version is None and row["outcome"] == "accepted":
        version = row.get("seen_version")
    return {
        "id": row["command_id"],
        "type": row["type"],
        "subject": row["subject"],
        "state": row["state"],
        "outcome": row["outcome"],
        "code": row["code"],
        "message": row["message"],
        "version": version,
        "errors": row["errors"],
        "batch_id": row["batch_id"],
        "created_at": row["created_at"],
        "due_at": row["due_at"],
        "sent_at": row["sent_at"],
        "decided_at": row["decided_at"],
        "visible_at": row["visible_at"],
    }


def answer(body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Response:
    """A JSON answer with moments in it."""
    return Response(to_json(body), status, dict(headers), media_type=JSONResponse.media_type)


def refusal(row: Row, present: Mapping[str, Any] | None) -> Problem:
    """A refused command; present is what its subject is now."""
    errors = [FieldError(e["field"], e["message"]) for e in row["errors"] or ()]
    code = row["code"] or "refused"
    more: dict[str, Any] = {"command_id": row["command_id"]}
    if present is not None:
        more["present"] = present
    headers = {"Location": location(row["command_id"])}
    return Problem(status_of(code), code, row["message"] or code, errors, headers, **more)


def location(id: str) -> str:
    """Where a command is to be looked at."""
    return f"/api/commands/{id}"
