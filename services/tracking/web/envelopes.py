"""A command as a request carries it: its envelope and headers, with every error at once."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from pydantic import ValidationError

from contracts import catalogue, envelope, names, numbers
from contracts.envelope import Broken, Envelope, FieldError, Unreadable
from contracts.message import Command
from contracts.sentences import printable
from services.tracking import commands, settings
from services.tracking.web.problems import Problem, invalid

MOST_BYTES = names.MAX_BODY_BYTES
LONGEST_WAIT, MARGIN = 30.0, 2.0
_ETAG = re.compile(r'"([0-9]{1,10})"')
_WAIT = re.compile(r"wait\s*=\s*\"?([^\s\";,]*)\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A valid command, with what its envelope says besides."""

    id: str
    command: Command
    correlationid: str | None = None
    traceparent: str | None = None


async def body(request: Request, most: int = MOST_BYTES) -> bytes:
    """The body of a request; raises Problem 413 where it is too large, without reading on."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Problem(
                413, "too_large", f"the body has more than {most} bytes, which is the most accepted"
            )
        parts.append(part)
    return b"".join(parts)


def wait(request: Request) -> float:
    """Seconds that a request prefers to wait for the outcome."""
    found = _WAIT.search(",".join(request.headers.getlist("prefer")))
    if found is None:
        return 0.0
    if not found[1].isdigit():
        text = f"must be a whole number of seconds, such as wait=5, not '{printable(found[1])}'"
        raise invalid(FieldError("Prefer", text))
    # An answer that has not begun by then is cut off.
    most = min(LONGEST_WAIT, settings.load().answer_seconds - MARGIN)
    return max(0.0, min(float(found[1][:6]), most))


def read(raw: bytes, headers: "Headers", actor: str) -> Sent:
    """The command of a request; raises Problem 422 that names every error."""
    errors = [*headers.errors]
    element = envelope.read(_completed(raw, headers, errors), exact=True)
    if len(element) != 1:
        raise invalid(FieldError("body", "must be one command; send several to commands/batch"))
    match element[0]:
        case Envelope() as found:
            command = _command(found.type, found.subject, found.data, headers, errors)
            errors += _signature(found, actor)
            if command is not None and not errors:
                return Sent(found.id, command, found.correlationid, found.traceparent)
        case Broken() as broken:
            errors += broken.errors
            _broken_data(broken.raw, headers, errors)
        case Unreadable(errors=()) as unreadable:
            errors.append(FieldError("body", unreadable.reason))
        case Unreadable(raw=known, errors=found):
            errors += found
            _broken_data(numbers.read(known, exact=False)[0], headers, errors)
    raise _refusal(errors)


@dataclass(frozen=True, slots=True)
class Headers:
    """What headers say of a command: its id, and the version it is for."""

    id: str | None
    expected_version: int | None
    errors: tuple[FieldError, ...]

    @classmethod
    def of(cls, request: Request) -> "Headers":
        """Those of a request, with what is wrong with them."""
        errors: list[FieldError] = []
        keys = request.headers.getlist("idempotency-key")
        if len(set(keys)) > 1:
            errors.append(FieldError("Idempotency-Key", "must be given once, not twice"))
        id = keys[0].strip() if keys else None
        # A structured field is quoted: "8e03978e-40d5-43dd-bc93-6894a57f9324".
        if id is not None and len(id) > 1 and id[0] == id[-1] == '"':
            id = id[1:-1]
        if id is not None and not 1 <= len(id) <= 128:
            errors.append(
                FieldError("Idempotency-Key", f"must have 1 to 128 characters, not {len(id)}")
            )
            id = None
        return cls(id, _version(request.headers.getlist("if-match"), errors), tuple(errors))


def id_of(request: Request) -> str:
    """The id that a request without an envelope gives, or a new one; raises Problem 422."""
    headers = Headers.of(request)
    if headers.errors:
        raise invalid(*headers.errors)
    return headers.id or str(uuid.uuid4())


def _version(given: Sequence[str], errors: list[FieldError]) -> int | None:
    if not given:
        return None
    tags = [tag.strip() for tag in ",".join(given).split(",")]
    if len(tags) > 1:
        errors.append(FieldError("If-Match", f"must name one version, not {len(tags)}"))
        return None
    found = _ETAG.fullmatch(tags[0])
    if found is None or not 1 <= int(found[1]) < 2**31:
        what = "a strong ETag" if tags[0].startswith("W/") else "an ETag"
        text = f"must be {what} of one version, such as \"7\", not '{printable(tags[0])}'"
        errors.append(FieldError("If-Match", text))
        return None
    return int(found[1])


def _completed(raw: bytes, headers: Headers, errors: list[FieldError]) -> bytes:
    """The envelope with what may be absent from it; its other bytes are as they came."""
    try:
        # Whatever an envelope can be read from: it names what is odd in it.
        value, _ = numbers.read(raw, exact=False)
    except orjson.JSONDecodeError:
        return raw
    if not isinstance(value, dict):
        return raw
    added: dict[str, Any] = {}
    if "id" not in value:
        added["id"] = headers.id or str(uuid.uuid4())
    elif headers.id is not None and value["id"] != headers.id:
        text = f"must be that of the header Idempotency-Key, '{printable(headers.id)}', or absent"
        errors.append(FieldError("id", text))
    if "source" not in value:
        added["source"] = commands.SOURCE
    if not added:
        return raw
    rest = raw.lstrip()[1:]
    return orjson.dumps(added)[:-1] + (b"," if value else b"") + rest


def _signature(found: Envelope, actor: str) -> list[FieldError]:
    """Who a command is from is known: it need not say it, and cannot say another."""
    errors = []
    if found.source != commands.SOURCE:
        text = f"must be '{commands.SOURCE}' or absent, not '{printable(found.source)}'"
        errors.append(FieldError("source", text))
    if found.actor is not None and found.actor != actor:
        text = f"must be you, '{printable(actor)}', or absent, not '{printable(found.actor)}'"
        errors.append(FieldError("actor", text))
    return errors


def kind_of(type: str, field: str = "type") -> type[Command] | FieldError:
    """The class of a type of command, in its full or its short form."""
    if (kind := catalogue.COMMANDS.get(type)) is not None:
        return kind
    near = names.nearest(type, catalogue.COMMANDS)
    meant = f"; is {near} meant?" if near else ""
    return FieldError(field, f"is no command of Relais: '{printable(type)}'{meant}")


def _command(
    type: str,
    subject: str,
    data: Mapping[str, Any] | None,
    headers: Headers,
    errors: list[FieldError],
) -> Command | None:
    kind = kind_of(type)
    if isinstance(kind, FieldError):
        errors.append(kind)
        return None
    try:
        return kind.read(subject, _expecting(kind, data or {}, headers, errors))
    except ValidationError as error:
        errors += envelope.field_errors(error, "data")
        return None


def _expecting(
    kind: type[Command], data: Mapping[str, Any], headers: Headers, errors: list[FieldError]
) -> Mapping[str, Any]:
    """The data with the version that If-Match names."""
    version = headers.expected_version
    if version is None:
        return data
    if "expected_version" not in kind.model_fields:
        name = names.short_type(kind.TYPE)
        errors.append(FieldError("If-Match", f"is not accepted: {name} has no expected_version"))
        return data
    given = data.get("expected_version")
    if given is not None and given != version:
        text = f"must be that of If-Match, {version}, or absent"
        errors.append(FieldError("data.expected_version", text))
    return {**data, "expected_version": version}


def _broken_data(raw: Mapping[str, Any], headers: Headers, errors: list[FieldError]) -> None:
    """What else is wrong, so that all is said at once."""
    type, data = raw.get("type"), raw.get("data")
    if isinstance(type, str) and isinstance(data, dict | None):
        subject = raw.get("subject")
        given = subject if isinstance(subject, str) else "-"
        found: list[FieldError] = []
        _command(type, given, data, headers, found)
        known = {error.field for error in errors}
        errors += [e for e in found if e.field not in known and not _is_of_subject(type, e)]


def _is_of_subject(type: str, error: FieldError) -> bool:
    kind = catalogue.COMMANDS.get(type)
    return kind is not None and error.field == f"data.{kind.SUBJECT}"


def _refusal(errors: Sequence[FieldError]) -> Problem:
    problem = invalid(*errors)
    if [error.field for error in errors] == ["type"] and "no command" in errors[0].message:
        problem.code = "unknown_type"
    return problem
