"""One element of an AMQP message on its way through a worker."""

import hashlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import ValidationError

from contracts import envelope, names
from contracts.envelope import Broken, Element, Envelope, FieldError, Unreadable
from contracts.message import Body
from contracts.outcomes import NO_SUBJECT
from contracts.sentences import printable
from services.runtime.amqp.reader import Delivery
from services.runtime.decision import Cause, Identity, cause_of, plain
from services.runtime.service import Routes


class Source(NamedTuple):
    """Where an item comes from; number is that of the row where it is kept.

    identity is what a kept message is handled under.  comment and replaced are what an operator
    asked for who retries it, and asked the command that said so, where one did.
    """

    kind: Literal["lane", "waiting", "line", "retry", "drain"]
    number: int = 0
    identity: Identity | None = None
    comment: str | None = None
    replaced: bool = False
    asked: Cause | None = None


LANE = Source("lane")
DRAIN = Source("drain")
"""The queue of what no lane took."""


@plain(frozen=True, slots=True)
class Origin:
    """How a message came: what its sender asked of the broker.

    One that overtakes others has a priority, on a broker that heeds it.
    """

    exchange: str
    routing_key: str
    reply_to: str | None = None
    correlation_id: str | None = None
    message_id: str | None = None
    overtakes: bool = False
    headers: Callable[[], dict[str, Any]] = dict

    @property
    def is_command(self) -> bool:
        """Whether somebody may wait for an answer."""
        return self.exchange == names.COMMANDS


@plain(frozen=True, slots=True)
class Item:
    """One element: what it says, how it was sent, and where it comes from.

    body is None when it is broken; errors then say why.  sent are the bytes it came in, None where
    it shared them with others.  identity is its source and id, None where not even those can be
    read.  received_at is when it was kept; what comes from a lane is received as it is decided.
    digested is the content of a valid envelope: it is read while the database works, and decided
    while that waits.
    """

    origin: Origin
    element: Element
    body: Body | None
    errors: tuple[FieldError, ...]
    sent: bytes | None
    received_at: datetime | None
    identity: Identity | None
    source: Source = LANE
    digested: bytes | None = None

    @property
    def is_kept(self) -> bool:
        """Whether we keep it in a row, and the broker no longer holds it."""
        return self.source.number > 0

    @property
    def is_unread(self) -> bool:
        """Whether its type is not read by this version of the service; one that is newer may."""
        whole = isinstance(self.element, Envelope) and self.body is None and not self.errors
        return whole and self.source.kind != "drain"

    def is_copy(self, routes: Routes, elsewhere: AbstractSet[str]) -> bool:
        """Whether another service reads it, and has it too: the headers CC and BCC copy it to us.

        It belongs to who reads its routing key; where nobody does, to who reads its type, and
        then to the reader of the first key of its CC.
        """
        copied = self.origin.headers().get("CC")
        keys = self.origin.routing_key, self.type, *(copied if isinstance(copied, list) else ())
        read = (key for key in keys if key in routes or key in elsewhere)
        return next(read, None) in elsewhere

    @property
    def id(self) -> str | None:
        """The id it gives itself, where that can be read."""
        return self.element.id

    @property
    def key(self) -> str:
        """What its order is kept by; empty where that cannot be read."""
        match self.element:
            case Envelope(partitionkey=str(key)):
                return key
            case _:
                return self.body.key if self.body is not None else ""

    @property
    def correlationid(self) -> str | None:
        """What it belongs to: itself, where it does not say."""
        return getattr(self.element, "correlationid", None) or self.id

    @property
    def cause(self) -> Cause:
        """What the events that it causes hand on."""
        if isinstance(self.element, Envelope):
            return cause_of(self.element)
        id = self.element.id if isinstance(self.element, Broken) else None
        return Cause(correlationid=id, causationid=id)

    @property
    def subject(self) -> str:
        """What it is about, where that can be read."""
        match self.element:
            case Envelope(subject=subject):
                return subject
            case Broken(raw={"subject": str(subject)}, errors=errors):
                return NO_SUBJECT if any(e.field == "subject" for e in errors) else subject
            case _:
                return NO_SUBJECT

    @property
    def type(self) -> str:
        """The wire name it claims, else that of its routing key."""
        match self.element:
            case Envelope(type=claimed):
                return claimed
            case Broken(raw={"type": str(claimed)}):
                return printable(claimed)
            case _:
                return self.origin.routing_key[:128]

    @property
    def content(self) -> bytes:
        """A digest of what it says: type, subject and data, as JSON values."""
        return self.digested or _content(self.element)

    def used_again(self) -> "Item":
        """The same with an identity of its own, since its source and id name another message."""
        source, id = self.identity or ("", "")
        return replace(self, identity=(source, f"{id} again as {self.content.hex()}"))

    @property
    def raw(self) -> bytes:
        """The bytes to keep it as; written anew where it came with others."""
        if self.sent is not None:
            return self.sent
        match self.element:
            case Envelope() as valid:
                return valid.model_dump_json(exclude_none=True).encode()
            case Broken(raw=value):
                return orjson.dumps(value)
            case Unreadable(raw=raw):
                return raw

    @property
    def digest(self) -> str:
        """A name for this very message, also where it has none of its own."""
        drained = "unknown_type" if self.source.kind == "drain" else None
        named = f"{self.origin.message_id}|{self.origin.routing_key}|{drained}|"
        return hashlib.sha256(named.encode() + self.raw).hexdigest()


def _content(element: Element) -> bytes:
    match element:
        case Envelope(type=type_, subject=subject, data=data):
            return _digest([type_, subject, data or None])
        case Broken(raw=raw):
            return _digest([raw.get("type"), raw.get("subject"), raw.get("data") or None])
        case Unreadable(raw=raw):
            return _digest(raw.hex())


def _digest(value: Any) -> bytes:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if b".0" in text or b"e+1" in text:
        # 1.0, 1e16 and the like may be whole numbers, which others write without a point.
        text = orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).digest()


def _whole(value: Any) -> Any:
    """The same JSON value with each whole number as one."""
    match value:
        case dict():
            return {key: _whole(inner) for key, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case float() if value.is_integer() and abs(value) < 2**63:
            return int(value)
        case _:
            return value


def read(
    origin: Origin,
    body: bytes,
    routes: Routes,
    received_at: datetime | None = None,
    source: Source = LANE,
) -> list[Item]:
    """Each element of an AMQP message; never raises."""
    elements = envelope.read(body, exact=origin.is_command)
    sent = body if len(elements) == 1 and not body.lstrip().startswith(b"[") else None
    items = []
    for element in elements:
        parsed, errors = (None, ()) if source.kind == "drain" else _parse(origin, element, routes)
        identity = None if isinstance(element, Unreadable) else (element.source, element.id)
        identity = source.identity or identity
        digested = None if parsed is None else _content(element)
        items.append(
            Item(origin, element, parsed, errors, sent, received_at, identity, source, digested)
        )
    return items


def origin_of(delivery: Delivery, *, heeds_priority: bool = False) -> Origin:
    """What a delivery says of its sender's wishes, on a broker that heeds a priority or not."""
    stated = delivery.properties.get
    exchange, routing_key = _route(delivery)
    return Origin(
        exchange=exchange,
        routing_key=_text(routing_key) or "",
        reply_to=_text(stated("reply_to")),
        correlation_id=_text(stated("correlation_id")),
        message_id=_text(stated("message_id")),
        overtakes=heeds_priority and stated("priority", "0") != "0",
        headers=delivery.headers,
    )


def _route(delivery: Delivery) -> tuple[str, str]:
    """Where it was published; what the broker has taken off a lane says so in its headers."""
    if not delivery.exchange and b"-death" in delivery.table:
        headers = delivery.headers()
        deaths = headers.get("x-death")
        for death in deaths if isinstance(deaths, list) else ():
            match death:
                case {"exchange": str(exchange), "routing-keys": [str(key), *_]} if exchange:
                    return exchange, key
        if first := headers.get("x-first-death-exchange"):
            # A stream of RabbitMQ 3 keeps no more of it.
            return str(first), _claimed_type(delivery.body)
    return delivery.exchange, delivery.routing_key


def _claimed_type(body: bytes) -> str:
    """The type of a message, or of the first of a batch; empty where that cannot be read."""
    for element in envelope.read(body):
        match element:
            case Envelope(type=claimed) | Broken(raw={"type": str(claimed)}):
                return claimed
    return ""


def _text(stated: str | None) -> str | None:
    """A property, as far as a column of text can keep it and a message can carry it again."""
    return names.short(stated.replace("\x00", "")) or None if stated else None


def _parse(
    origin: Origin, element: Element, routes: Routes
) -> tuple[Body | None, tuple[FieldError, ...]]:
    """The body where all is well, else every error at once."""
    match element:
        case Unreadable(reason=reason, errors=errors):
            return None, errors or (FieldError("", reason),)
        case Broken(raw=value, errors=errors):
            known = tuple(f"{error.field}." for error in errors)
            more = _data_errors(value, routes.get(origin.routing_key))
            # Of one place one error is enough.
            return None, errors + tuple(
                e for e in more if not any(_overlap(f"{e.field}.", field) for field in known)
            )
        case Envelope(type=claimed) if claimed != origin.routing_key:
            return None, (misrouted(origin, claimed),)
        case Envelope() if origin.overtakes and origin.is_command:
            message = "must not be set: it lets a command overtake others of its key"
            return None, (FieldError("priority", message),)
        case Envelope(type=claimed, subject=subject, data=data):
            body = routes.get(claimed)
            if body is None:
                return None, ()
            try:
                return body.read(subject, data), ()
            except ValidationError as error:
                return None, envelope.field_errors(error, "data")


def _overlap(one: str, two: str) -> bool:
    return one.startswith(two) or two.startswith(one)


def misrouted(origin: Origin, claimed: str) -> FieldError:
    """The error of a message whose type is not its routing key."""
    key = origin.routing_key
    return FieldError("type", f"is {claimed!r}, and the routing key {key!r}; make them the same")


def _data_errors(value: dict[str, Any], body: type[Body] | None) -> tuple[FieldError, ...]:
    data = value.get("data")
    if body is None or not isinstance(data, dict | None):
        return ()
    subject = value.get("subject")
    try:
        body.read(subject if isinstance(subject, str) else "-", data)
    except ValidationError as error:
        errors = envelope.field_errors(error, "data")
        # The subject is judged with the envelope.
        return tuple(e for e in errors if e.field != f"data.{body.SUBJECT}")
    return ()
