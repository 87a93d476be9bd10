"""The kinds of value that fields of messages have, each with its limits."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, TypeVar
from unicodedata import category

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_DEEPEST = 32

_ID = r"^[A-Za-z0-9_-]{1,64}$"
_EMAIL = r"^[^@\s\x00]+@[^@\s\x00]+$"
_WEBHOOK = r"^https?://[^\s\x00]+$"
_LANGUAGE = r"^[A-Za-z0-9-]{2,35}$"
_JSON = r"^(?i-u)application/([a-z0-9.+-]+\+)?json( *;[ -~]*)?$"

PATTERNS = {
    _ID: "an id of 1 to 64 of A-Z a-z 0-9 _ -",
    _EMAIL: "an e-mail address",
    _WEBHOOK: "an http or https address",
    _LANGUAGE: "a language tag such as fr or pt-BR",
    _JSON: "a JSON content type such as application/json",
}
"""What a text of each pattern is, for the sentence of a refusal."""

T = TypeVar("T")


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            given = datetime.fromisoformat(value.upper())
        except ValueError:
            pass  # a day, an hour or an offset that does not exist
        else:
            return _within_limits(given).astimezone(UTC)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    raise ValueError(
        "must be an RFC 3339 time with an offset and at most 6 decimals, "
        "such as 2026-11-23T09:00:00Z"
    )


def _within_limits(given: datetime) -> datetime:
    # The first and the last moments that Python knows mean minus and plus infinity to the driver
    # of the database, and another zone's clock reads what it cannot hold.
    if EARLIEST <= given <= LATEST:
        return given
    raise ValueError("must be from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z")


def _without_nul(value: str) -> str:
    # Postgres keeps no NUL in text; say so before it does.
    if "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


_INK = re.compile(r"[!-~]")
_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zs", "Zl", "Zp"})
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol that look like nothing."""


def _seen(character: str) -> bool:
    return category(character) not in _UNSEEN and character not in _FILLERS


def _written(value: str) -> str:
    if not _INK.search(value) and not any(map(_seen, value)):
        raise ValueError("must not be blank")
    return _without_nul(value)


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    # Postgres keeps neither NUL in text nor unbounded nesting, and JSON makes null of what is no
    # number.  Seldom can a value have any of these, and its JSON says so in a tenth of the time
    # that the walk takes.
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        _walk(value, 1)
        raise ValueError(f"must hold nothing but JSON: {error}") from error
    deep = text.count(b"{") + text.count(b"[") > _DEEPEST
    if deep or b"\\u0000" in text or b"null" in text:
        _walk(value, 1)
    return value


def _walk(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"must not be nested deeper than {_DEEPEST} levels")
    match value:
        case str():
            _without_nul(value)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise ValueError(f"must have texts as keys, not {key!r}")
                _without_nul(key)
                _walk(item, depth + 1)
        case list():
            for item in value:
                _walk(item, depth + 1)
        case int() if not -(2**63) <= value < 2**64:
            raise ValueError("must hold no whole number beyond 64 bits")
        case float() if not math.isfinite(value):
            raise ValueError(f"must hold no {value}, which is no number of JSON")
        case _:
            pass


def or_none(value: T) -> T | None:
    """An empty list or object says nothing: null."""
    return value or None


def _distinct(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


# Limits stand before this everywhere: after it pydantic would check them in Python.
_NUL_FREE = AfterValidator(_without_nul)

Id = Annotated[str, StringConstraints(pattern=_ID)]
"""The id of a package, order, campaign, process, entity, operator or mailbox."""

Identity = Annotated[str, StringConstraints(min_length=1, max_length=128), _NUL_FREE]
"""The id or the source of a message, or its type."""

Attribute = Annotated[str, StringConstraints(max_length=256), _NUL_FREE]
"""An optional attribute of an envelope."""

JsonType = Annotated[str, StringConstraints(pattern=_JSON)]

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment in UTC; on the wire RFC 3339 with an offset, between 1970 and 9999."""

Text = Annotated[str, _NUL_FREE]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), _NUL_FREE]
Prose = Annotated[str, StringConstraints(max_length=4000), _NUL_FREE]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000), _NUL_FREE]
Email = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=320)]
WebhookUrl = Annotated[str, StringConstraints(pattern=_WEBHOOK, max_length=2000)]
Language = Annotated[str, StringConstraints(pattern=_LANGUAGE)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_written)]
"""The name that a command gives to something; in a state it is a Name, whatever is blank today."""
OptionalComment = Annotated[str, StringConstraints(max_length=4000), _NUL_FREE]
Comment = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_written)]
"""A comment where one is required: not blank."""

Parameters: TypeAlias = (
    Annotated[dict[str, Any], AfterValidator(_storable), AfterValidator(or_none)] | None
)
Whole = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Flag = Annotated[bool, Field(strict=True)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]

Audience = Annotated[list[Id], Field(min_length=1, max_length=50_000), AfterValidator(_distinct)]
"""The entities that a package is limited to; an id given twice counts once."""
