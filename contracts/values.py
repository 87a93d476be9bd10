"""Values that messages of several owners contain."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.fields import Email, Id, Label, Name, Url, or_none


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
    label: Label
    email: Email | None = None


Documents: TypeAlias = (
    Annotated[list[Document], Field(max_length=100), AfterValidator(or_none)] | None
)
Operators: TypeAlias = (
    Annotated[list[Operator], Field(max_length=100), AfterValidator(or_none)] | None
)
