"""The messages we publish, and the frames they travel in.

Encoding a publish here, in one join, costs a tenth of what objects for its three frames cost.
"""

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from services.runtime.decision import plain

FRAME_END = b"\xce"

_frame = Struct(">BHI").pack
_header = Struct(">HHQH").pack
_long = Struct(">I").pack
_BASIC = 60
_PUBLISH = b"\x00\x3c\x00\x28\x00\x00"
# content type, headers, delivery mode, correlation id, message id, type, app id
_FLAGS = (15, 13, 12, 10, 7, 5, 3)
_REPLY_TO = 1 << 9
_PROPERTIES = sum(1 << bit for bit in _FLAGS)


@plain(frozen=True, slots=True)
class Outgoing:
    """One AMQP message to publish; partitionkey becomes a header.

    One that is not persistent may be lost with the broker.
    """

    exchange: str
    routing_key: str
    body: bytes
    type: str
    message_id: str
    content_type: str
    app_id: str
    correlation_id: str = ""
    partitionkey: str | None = None
    mandatory: bool = True
    reply_to: str | None = None
    persistent: bool = True


@dataclass(frozen=True, slots=True)
class Published:
    """What the broker said of a batch: the indexes it returned as unroutable or refused to take.

    Of those for a queue that does not answer it said nothing.
    """

    returned: frozenset[int] = frozenset()
    nacked: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()

    @property
    def clean(self) -> bool:
        """Whether every message was taken."""
        return not (self.returned or self.nacked or self.silent)


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise ValueError(f"an AMQP short string has at most 255 bytes, not {len(encoded)}: {text}")
    return bytes((len(encoded),)) + encoded


@lru_cache(maxsize=4096)
def _publish_frame(exchange: str, routing_key: str, mandatory: bool, number: int) -> bytes:
    payload = _PUBLISH + _short(exchange) + _short(routing_key) + (b"\x01" if mandatory else b"\0")
    return _frame(1, number, len(payload)) + payload + FRAME_END


def _headers(partitionkey: str | None) -> bytes:
    if partitionkey is None:
        return b"\0\0\0\0"
    value = partitionkey.encode()
    entry = b"\x0cpartitionkeyS" + _long(len(value)) + value
    return _long(len(entry)) + entry


def encode(message: Outgoing, number: int, limit: int) -> bytes:
    """The frames of one publish: method, header and as many body frames as it takes."""
    body = message.body
    properties = b"".join(
        (
            _header(_BASIC, 0, len(body), _PROPERTIES | (_REPLY_TO if message.reply_to else 0)),
            _short(message.content_type),
            _headers(message.partitionkey),
            b"\x02" if message.persistent else b"\x01",
            _short(message.correlation_id),
            _short(message.reply_to) if message.reply_to else b"",
            _short(message.message_id),
            _short(message.type),
            _short(message.app_id),
        )
    )
    frames = [
        _publish_frame(message.exchange, message.routing_key, message.mandatory, number),
        _frame(2, number, len(properties)) + properties + FRAME_END,
    ]
    for at in range(0, len(body), limit):
        part = body[at : at + limit]
        frames += (_frame(3, number, len(part)), part, FRAME_END)
    return b"".join(frames)
