"""The kinds of value that fields of messages have, each with its limits."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a day or an hour that does not exist
    raise ValueError(
        "must be an RFC 3339 time with an offset and at most 6 decimals, "
        "such as 2026-11-23T09:00:00Z"
    )


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _storable(value: Any, depth: int = 0) -> Any:
    """Postgres keeps neither NUL in text nor unbounded nesting; say so before it does."""
    if depth > 32:
        raise ValueError("must not be nested deeper than 32 levels")
    match value:
        case str() if "\x00" in value:
            raise ValueError("must not contain NUL")
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


_ID = r"^[A-Za-z0-9_-]{1,64}$"

Id = Annotated[str, StringConstraints(pattern=_ID)]
"""The id of a package, order, campaign, process, entity, operator or mailbox."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment in UTC; on the wire RFC 3339 with an offset."""

Text = Annotated[str, AfterValidator(_storable)]
Label = Annotated[Text, StringConstraints(min_length=1, max_length=200), AfterValidator(_not_blank)]
OptionalComment = Annotated[Text, StringConstraints(max_length=4000)]
Comment = Annotated[OptionalComment, AfterValidator(_not_blank)]
"""A comment where one is required: not blank."""

Json = Annotated[dict[str, Any], AfterValidator(_storable)]
Whole = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Flag = Annotated[bool, Field(strict=True)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
