"""The CloudEvents envelope: reading and writing the bodies of AMQP messages.

A body is one envelope, or a JSON array of them (the CloudEvents batch format).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from contracts.fields import Id, Instant, Text
from contracts.names import MAX_BATCH_ELEMENTS, MAX_BODY_BYTES

_Identity = Annotated[Text, StringConstraints(min_length=1, max_length=128)]
_Attribute = Annotated[Text, StringConstraints(max_length=256)]


class Envelope(BaseModel):
    """One message as it crosses a boundary; unknown attributes are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: _Identity
    source: _Identity
    type: Annotated[Text, StringConstraints(min_length=1, max_length=128)]
    subject: Id
    time: Instant | None = None
    datacontenttype: Literal["application/json"] | None = None
    partitionkey: _Attribute | None = None
    correlationid: _Attribute | None = None
    causationid: _Attribute | None = None
    actor: _Attribute | None = None
    traceparent: _Attribute | None = None
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its path, and a sentence."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An element that is no valid envelope, but says who sent it."""

    source: str
    id: str
    raw: dict[str, Any]
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A body, or an element of one, of which not even the sender can be told."""

    reason: str
    raw: bytes
    id: str | None = None


Element = Envelope | Broken | Unreadable


def read(body: bytes) -> list[Element]:
    """Read a body in either format; never raises, says what each element is."""
    if len(body) > MAX_BODY_BYTES:
        return [Unreadable(f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES}", body)]
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return [Unreadable(f"the body is not JSON in UTF-8: {error}", body)]
    if not isinstance(value, list):
        return [_element(value, body)]
    if not 1 <= len(value) <= MAX_BATCH_ELEMENTS:
        reason = f"the array has {len(value)} elements; 1 to {MAX_BATCH_ELEMENTS} are accepted"
        return [Unreadable(reason, body)]
    return [_element(item, None) for item in value]


def _element(value: Any, body: bytes | None) -> Element:
    try:
        return Envelope.model_validate(value)
    except ValidationError as error:
        return _broken(value, body, error)


def _broken(value: Any, body: bytes | None, error: ValidationError) -> Element:
    raw = orjson.dumps(value) if body is None else body
    if not isinstance(value, dict):
        return Unreadable(f"a message is a JSON object, not {_kind(value)}", raw)
    errors = field_errors(error)
    unsigned = [e for e in errors if e.field in ("id", "source")]
    if unsigned:
        identity = value.get("id")
        reason = "; ".join(f"{e.field} {e.message}" for e in unsigned)
        return Unreadable(reason, raw, identity if isinstance(identity, str) else None)
    return Broken(value["source"], value["id"], value, errors)


def field_errors(error: ValidationError, prefix: str = "") -> tuple[FieldError, ...]:
    """Each error of a validation as a path and a sentence with the value it met."""
    found = []
    for detail in error.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in detail["loc"])
        field = f"{prefix}.{path}" if prefix and path else prefix or path
        found.append(FieldError(field, _sentence(detail["type"], detail["msg"], detail["input"])))
    return tuple(found)


def _sentence(kind: str, message: str, value: Any) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input ")
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return text if text.startswith("is ") else "is not a field of this message"
    return f"{text}, not {_shown(value)}"


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else f"'{value}'"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: Any) -> str:
    return {
        type(None): "null",
        bool: "a boolean",
        str: "a string",
        list: "an array",
    }.get(type(value), "a number")


def write(
    *,
    id: str,
    source: str,
    type: str,
    subject: str,
    data_json: bytes | None,
    time: datetime | None = None,
    partitionkey: str | None = None,
    correlationid: str | None = None,
    causationid: str | None = None,
    actor: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """One envelope as JSON; attributes that are None are left out."""
    attributes: dict[str, Any] = {"specversion": "1.0", "id": id, "source": source}
    attributes |= {"type": type, "subject": subject}
    optional: Mapping[str, Any] = {
        "time": time,
        "partitionkey": partitionkey,
        "correlationid": correlationid,
        "causationid": causationid,
        "actor": actor,
        "traceparent": traceparent,
    }
    attributes |= {name: value for name, value in optional.items() if value is not None}
    if data_json is not None:
        attributes["datacontenttype"] = "application/json"
        attributes["data"] = orjson.Fragment(data_json)
    return orjson.dumps(attributes, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def pack(envelopes: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Pack envelopes of one type and key into as few bodies as the limits allow, in order.

    Returns (number of envelopes, body) pairs; one envelope alone stays a plain object.
    """
    bodies: list[tuple[int, bytes]] = []
    run: list[bytes] = []
    size = 2
    for envelope in envelopes:
        if run and (len(run) == MAX_BATCH_ELEMENTS or size + len(envelope) + 1 > MAX_BODY_BYTES):
            bodies.append(_body(run))
            run, size = [], 2
        run.append(envelope)
        size += len(envelope) + 1
    if run:
        bodies.append(_body(run))
    return bodies


def _body(run: list[bytes]) -> tuple[int, bytes]:
    return (1, run[0]) if len(run) == 1 else (len(run), b"[" + b",".join(run) + b"]")
