"""What every list takes: how much of it, from where on, and what its own filters extend."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.envelope import FieldError
from contracts.fields import Instant

LARGEST = 200

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Search = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Yes = Literal["true"]


class Asked(BaseModel):
    """What a request may ask for; what is not among it is refused by its name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Paging(Asked):
    """How much of a list, and from where on."""

    limit: Annotated[int, Field(ge=1, le=LARGEST, description="Rows of a page.")] = 50
    cursor: Annotated[
        str | None,
        Field(max_length=1000, description="`next` or `prev` of a page with the same filters."),
    ] = None


class Dated(Paging):
    """A list by moments, of which a range may be asked for."""

    since: Annotated[
        Instant | None,
        Field(alias="from", description="From this moment on, of the date that is sorted by."),
    ] = None
    until: Annotated[
        Instant | None, Field(alias="to", description="Before this moment, of the same date.")
    ] = None


class Unserved(Exception):
    """A list cannot be had so; errors say what can be had."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{e.field} {e.message}" for e in errors))
        self.errors = errors


def chosen(sort: str | None, offered: Sequence[str], where: str) -> str:
    """The order of a list, the first that is offered unless one is named; raises Unserved."""
    if sort is None:
        return offered[0]
    if sort not in offered:
        one_of = f"one of {', '.join(offered)}" if len(offered) > 1 else offered[0]
        raise Unserved(FieldError("sort", f"must be {one_of} {where}, not '{sort}'"))
    return sort


def pattern(text: str) -> str:
    """A text as LIKE finds it anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
