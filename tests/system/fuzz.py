"""Messages that are wrong in every way a publisher may think of, by chance and reproducible."""

import json
import uuid
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from contracts import catalogue, names, samples

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    10**400,
    2**63,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "é" * 200,
    "x" * 5_000,
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999Z",
    "2026-11-25",
    "NaN",
    [],
    {},
    [[]],
    {"": None},
    ["OU1", "OU1", None, 7],
    {"id": "'; DROP TABLE orders; --"},
]
BODIES = [
    b"",
    b" ",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"[null]",
    b"[[]]",
    b"[" * 2_000,
    b'{"a":' * 2_000,
    b"[" * 500 + b"]" * 500,
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b'{"specversion":"1.0"',
    b'{"id":NaN}',
    b"<package/>",
    bytes(range(256)),
]
HEADERS: list[dict[str, Any]] = [
    {},
    {"partitionkey": 5},
    {"partitionkey": "k" * 300},
    {"partitionkey": ""},
    {"x-death": "never"},
    {"x-death": [{"exchange": 7, "routing-keys": []}]},
    {"x-delivery-count": 10**6},
    {"x-delivery-count": "many"},
    {"a": {"b": {"c": [1, {"d": None}]}}},
    {"b": bytearray(b"\xff\x00")},
]


@dataclass(frozen=True)
class Sent:
    """One AMQP message."""

    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)

    @property
    def is_command(self) -> bool:
        """Whether an answer may be asked for."""
        return self.exchange == names.COMMANDS


def messages(seed: int, count: int) -> Iterator[Sent]:
    """So many, the same for the same seed; some turn out to be right."""
    chance = Random(seed)
    commands, events = sorted(catalogue.COMMANDS), sorted(catalogue.EVENTS)
    for _ in range(count):
        is_command = chance.random() < 0.7
        type_ = chance.choice(commands if is_command else events)
        yield Sent(
            names.COMMANDS if is_command else names.EVENTS,
            type_,
            _body(chance, type_),
            chance.choice(HEADERS),
        )


def _body(chance: Random, type_: str) -> bytes:
    match chance.randrange(10):
        case 0:
            return chance.choice(BODIES)
        case 1:
            return chance.randbytes(chance.randrange(300))
        case 2:
            whole = _text(_envelope(chance, type_))
            return whole[: chance.randrange(len(whole))]
        case 3:
            return json.dumps(_envelope(chance, type_)).encode("utf-16")
        case 4:
            several = [_broken(chance, type_) for _ in range(chance.randrange(1, 20))]
            return _text(several)
        case _:
            return _text(_broken(chance, type_))


def _text(value: object) -> bytes:
    return json.dumps(value).encode()


def _envelope(chance: Random, type_: str) -> dict[str, Any]:
    """A sample under an id of its own."""
    envelope: dict[str, Any] = json.loads(samples.sample(type_))
    return envelope | {"id": str(uuid.UUID(int=chance.getrandbits(128))), "source": "/fuzz"}


def _broken(chance: Random, type_: str) -> dict[str, Any]:
    """A sample of which a few parts are odd, missing or too much."""
    envelope = _envelope(chance, type_)
    for _ in range(chance.randrange(1, 4)):
        data = envelope.get("data")
        place = data if isinstance(data, dict) and chance.random() < 0.7 else envelope
        key = chance.choice([*place, "coment"])
        if chance.random() < 0.3:
            place.pop(key, None)
        else:
            odd = deepcopy(chance.choice(ODD))
            # Two under one id would be one message.
            is_id = place is envelope and key == "id" and isinstance(odd, str)
            place[key] = f"{odd}{envelope['id']}" if is_id else odd
    return envelope
