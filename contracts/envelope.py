"""The CloudEvents envelope: reading and writing the bodies of AMQP messages.

A body is one envelope, or a JSON array of them (the CloudEvents batch format).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError

from contracts import numbers
from contracts.fields import Attribute, Id, Identity, Instant, JsonType
from contracts.names import MAX_BATCH_ELEMENTS, MAX_BODY_BYTES
from contracts.sentences import printable, sentence, shown

_MAX_ERRORS = 100
# orjson reads 1,024 levels and writes 254; what was read must be kept somewhere.
_NESTING = 250


class Envelope(BaseModel):
    """One message as it crosses a boundary; unknown attributes are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Identity
    source: Identity
    type: Identity
    subject: Id
    time: Instant | None = None
    datacontenttype: JsonType | None = None
    partitionkey: Attribute | None = None
    correlationid: Attribute | None = None
    causationid: Attribute | None = None
    actor: Attribute | None = None
    traceparent: Attribute | None = None
    data: InstanceOf[dict[str, Any]] | None = None


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
    """A body, or an element of one, of which not even the sender can be told.

    errors are all of an envelope that lacks a valid source or id.
    """

    reason: str
    raw: bytes
    id: str | None = None
    errors: tuple[FieldError, ...] = ()


class TooLarge(ValueError):
    """An envelope that no body can hold."""


Element = Envelope | Broken | Unreadable

_validate = Envelope.__pydantic_validator__.validate_python


def read(body: bytes, *, exact: bool = False) -> list[Element]:
    """Read a body in either format; never raises, says what each element is.

    exact is for commands: an element is broken where a number of its data cannot be held.
    """
    if len(body) > MAX_BODY_BYTES:
        return [Unreadable(f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES}", body)]
    try:
        value, rounded = numbers.read(body, exact=exact)
    except orjson.JSONDecodeError as error:
        return [Unreadable(f"the body is not JSON in UTF-8: {error}", body)]
    elements = value if isinstance(value, list) else [value]
    if not 1 <= len(elements) <= MAX_BATCH_ELEMENTS:
        reason = f"the array has {len(elements)} elements; 1 to {MAX_BATCH_ELEMENTS} are accepted"
        return [Unreadable(reason, body)]
    # A short body cannot be deep, and most are short; half a character has to be escaped.
    is_odd = (len(body) > 2 * _NESTING or b"\\u" in body) and not _writable(value)
    read_one = _odd if is_odd else _element
    found = [read_one(element, body) for element in elements]
    return _broken_by(rounded, found, elements) if rounded and exact else found


def _element(value: Any, body: bytes) -> Element:
    try:
        envelope: Envelope = _validate(value)
    except ValidationError as error:
        return _broken(value, body, field_errors(error))
    return envelope


def _broken(value: Any, body: bytes, errors: tuple[FieldError, ...]) -> Element:
    raw = orjson.dumps(value) if body[:64].lstrip().startswith(b"[") else body
    if not isinstance(value, dict):
        return Unreadable(f"a message is a JSON object, not {shown(value)}", raw)
    unsigned = [e for e in errors if e.field in ("id", "source")]
    if unsigned:
        reason = "; ".join(f"{e.field} {e.message}" for e in unsigned)
        read = {"id", "source"} - {e.field for e in unsigned}
        if "source" in read:
            reason += f"; its source is {shown(value['source'])}"
        return Unreadable(reason, raw, value["id"] if "id" in read else None, errors)
    return Broken(value["source"], value["id"], value, errors)


def _odd(value: Any, body: bytes) -> Element:
    """An element of a body that could be read and never written again, less what is odd in it."""
    if _writable(value):
        return _element(value, body)
    if not isinstance(value, dict):
        return Unreadable(f"a message is a JSON object, not {shown(value)}", body)
    kept = {name: item for name, item in value.items() if _writable([item])}
    message = f"must have at most {_NESTING} levels and no half of a character"
    odd = {name: FieldError(printable(name), message) for name in value if name not in kept}
    element = _element(kept, body)
    found = () if isinstance(element, Envelope) else element.errors
    # What is odd is missing in what is kept, and no sentence may be about that.
    others = (e for e in found if e.field.partition(".")[0] not in odd)
    broken = _broken(kept, body, (*odd.values(), *others))
    return replace(broken, raw=body) if isinstance(broken, Unreadable) else broken


def _broken_by(
    rounded: Sequence[numbers.Rounded], found: Sequence[Element], values: Sequence[Any]
) -> list[Element]:
    """The elements, broken where a number of their data would not come out as it came in."""
    errors: list[tuple[FieldError, ...]] = [() for _ in found]
    for path, text in rounded:
        at, inside = (path[0], path[1:]) if isinstance(path[0], int) else (0, path)
        if inside and inside[0] == "data" and len(errors[at]) < _MAX_ERRORS:
            errors[at] += (
                FieldError(_path("", inside), f"must be {numbers.HELD}, not {printable(text)}"),
            )
    pairs = zip(found, errors, values, strict=True)
    return [_more_broken(one, more, value) if more else one for one, more, value in pairs]


def _more_broken(element: Element, errors: tuple[FieldError, ...], value: Any) -> Element:
    match element:
        case Envelope(source=source, id=id):
            return Broken(source, id, value, errors)
        case Broken():
            return replace(element, errors=element.errors + errors)
        case Unreadable():
            return element


def _writable(value: Any) -> bool:
    try:
        orjson.dumps([[[[value]]]])  # room to be put into something else
    except orjson.JSONEncodeError:
        return False
    return True


def field_errors(error: ValidationError, prefix: str = "") -> tuple[FieldError, ...]:
    """Each error of a validation as a path and a sentence with the value it met."""
    details = error.errors(include_url=False)
    found = [
        FieldError(_path(prefix, detail["loc"]), sentence(detail))
        for detail in details[:_MAX_ERRORS]
    ]
    if len(details) > _MAX_ERRORS:
        more = len(details) - _MAX_ERRORS
        found.append(FieldError(prefix, f"has {more} more errors, not listed"))
    return tuple(found)


def _path(prefix: str, location: tuple[int | str, ...]) -> str:
    parts = ([prefix] if prefix else []) + [printable(str(part)) for part in location]
    return ".".join(parts)


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
    """One envelope as JSON; attributes that are None, and data that is empty, are left out."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
    }
    if time is not None:
        attributes["time"] = time
    if partitionkey is not None:
        attributes["partitionkey"] = partitionkey
    if correlationid is not None:
        attributes["correlationid"] = correlationid
    if causationid is not None:
        attributes["causationid"] = causationid
    if actor is not None:
        attributes["actor"] = actor
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    if data_json is not None and data_json != b"{}":
        attributes["datacontenttype"] = "application/json"
        attributes["data"] = orjson.Fragment(data_json)
    return orjson.dumps(attributes, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def pack(envelopes: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Pack envelopes of one type and key into as few bodies as the limits allow, in order.

    Returns (number of envelopes, body) pairs; one envelope alone stays a plain object.
    Raises TooLarge when one envelope is larger than a body may be.
    """
    bodies: list[tuple[int, bytes]] = []
    run: list[bytes] = []
    size = 1
    for envelope in envelopes:
        if len(envelope) > MAX_BODY_BYTES:
            raise TooLarge(f"an envelope has {len(envelope)} bytes; at most {MAX_BODY_BYTES}")
        if run and (len(run) == MAX_BATCH_ELEMENTS or size + len(envelope) + 1 > MAX_BODY_BYTES):
            bodies.append(_body(run))
            run, size = [], 1
        run.append(envelope)
        size += len(envelope) + 1
    if run:
        bodies.append(_body(run))
    return bodies


def _body(run: list[bytes]) -> tuple[int, bytes]:
    return (1, run[0]) if len(run) == 1 else (len(run), b"[" + b",".join(run) + b"]")
