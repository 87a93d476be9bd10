"""The kinds of value that fields of messages have, each with its limits."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DEEPEST = 32

T = TypeVar("T")


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a day, an hour or an offset that does not exist
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise ValueError(
        "must be an RFC 3339 time with an offset and at most 6 decimals, "
        "such as 2026-11-23T09:00:00Z"
    )


def _without_nul(value: str) -> str:
    # Postgres keeps no NUL in text; say so before it does.
    if "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


def _written(value: str) -> str:
    if value.isspace() or not value:
        raise ValueError("must not be blank")
    return _without_nul(value)


def _storable(value: Any, depth: int = 0) -> Any:
    """Postgres keeps neither NUL in text nor unbounded nesting; say so before it does."""
    if depth > _DEEPEST:
        raise ValueError(f"must not be nested deeper than {_DEEPEST} levels")
    match value:
        case str():
            _without_nul(value)
        case dict():
            for key, item in value.items():
                _storable(key, depth + 1)
                _storable(item, depth + 1)
        case list():
            for item in value:
                _storable(item, depth + 1)
        case _:
            pass
    return value


def or_none(value: T) -> T | None:
    """An empty list or object says nothing: null."""
    return value or None


def _distinct(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The id of a package, order, campaign, process, entity, operator or mailbox."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment in UTC; on the wire RFC 3339 with an offset."""

Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Prose = Annotated[Text, StringConstraints(max_length=4000)]
Url = Annotated[Text, StringConstraints(min_length=1, max_length=2000)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=320)]
WebhookUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00]+$", max_length=2000)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_written)]
OptionalComment = Annotated[Text, StringConstraints(max_length=4000)]
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
