"""Values that messages of several owners contain."""

from enum import StrEnum
from typing import Annotated, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticKnownError

from contracts.fields import Email, Id, Name, Url, or_none


class OpenEnum(StrEnum):
    """An enumeration that grows: a word that a newer service knows is a member as well.

    Readers of events pass it on; a command takes Known members only.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not (isinstance(value, str) and 1 <= len(value) <= 64 and value.isprintable()):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        """A copy is made by value: one that is new has no name to be found by."""
        return type(self), (self._value_,)


EnumT = TypeVar("EnumT", bound=OpenEnum)


def _known(member: EnumT) -> EnumT:
    members = list(type(member))
    if member in members:
        return member
    *others, last = (f"'{one}'" for one in members)
    raise PydanticKnownError("enum", {"expected": f"{', '.join(others)} or {last}"})


Known = Annotated[EnumT, AfterValidator(_known)]
"""A member of an enumeration that this version knows."""


class Value(BaseModel):
    """A value inside a message; unknown fields are ignored, except when a command is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Document(Value):
    """A document that goes with a package or an order."""

    name: Name
    url: Url


class Operator(Value):
    """A person who reviews, is assigned or is told."""

    id: Id
    label: Name
    email: Email | None = None


Documents: TypeAlias = (
    Annotated[list[Document], Field(max_length=100), AfterValidator(or_none)] | None
)
Operators: TypeAlias = (
    Annotated[list[Operator], Field(max_length=100), AfterValidator(or_none)] | None
)
