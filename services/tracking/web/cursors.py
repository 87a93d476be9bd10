"""Cursors: where a page begins, in a form that only we can write, for one list as it was asked."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Any

import orjson

from services.tracking.queries.keyset import INSTANT, NUMBER, Position, Sort

SEAL = 16
"""Bytes of the signature."""


def write(key: bytes, list: str, position: Position) -> str:
    """A position as a cursor; list is all that the cursor holds for."""
    keys = [k.isoformat() if isinstance(k, datetime) else k for k in position.keys]
    body = orjson.dumps([position.direction, *keys])
    return base64.urlsafe_b64encode(_seal(key, list, body) + body).decode().rstrip("=")


def read(key: bytes, list: str, sort: Sort, cursor: str) -> Position | None:
    """The position of a cursor; None where it is not one that this list has given."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    seal, body = raw[:SEAL], raw[SEAL:]
    if not hmac.compare_digest(seal, _seal(key, list, body)):
        return None
    direction, *keys = orjson.loads(body)
    types = (type for _, type in sort.keys)
    return Position(direction, tuple(map(_value, keys, types)))


def _seal(key: bytes, list: str, body: bytes) -> bytes:
    return hmac.digest(key, list.encode() + b"\0" + body, hashlib.sha256)[:SEAL]


def _value(value: Any, type: str) -> Any:
    match type:
        case _ if value is None:
            return None
        case _ if type == INSTANT:
            return datetime.fromisoformat(value)
        case _ if type == NUMBER:
            return int(value)
        case _:
            return value
