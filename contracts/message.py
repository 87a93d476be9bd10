"""The base of every message body: a pydantic model that knows its wire name and its subject."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

ABSENT: Any = None
"""The default of a required field in an edit: absent is unchanged, null is refused."""


class Value(BaseModel):
    """A value inside a message; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Body(BaseModel):
    """What a message says: the data of its envelope, with the envelope's subject as one field.

    TYPE is the wire name, SUBJECT the field that the envelope's subject fills, KEY the field
    that order is kept by.  Where the data repeats the subject, SUBJECT_IN_DATA is true.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str]
    KEY: ClassVar[str]
    SUBJECT_IN_DATA: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Order is kept by the subject unless the class says otherwise."""
        super().__init_subclass__(**options)
        if "SUBJECT" in cls.__dict__ and "KEY" not in cls.__dict__:
            cls.KEY = cls.SUBJECT

    @classmethod
    def read(cls, subject: str, data: Mapping[str, Any] | None) -> Self:
        """Read the body of an envelope; raises pydantic.ValidationError with every error."""
        if cls.SUBJECT_IN_DATA:
            return cls.model_validate(data)
        if data and cls.SUBJECT in data and cls.model_config.get("extra") == "forbid":
            raise _unexpected(cls.__name__, cls.SUBJECT, data[cls.SUBJECT])
        return cls.model_validate({**(data or {}), cls.SUBJECT: subject})

    def data_json(self) -> bytes:
        """The data of the envelope as JSON."""
        exclude = None if self.SUBJECT_IN_DATA else {self.SUBJECT}
        return self.__pydantic_serializer__.to_json(self, exclude=exclude)

    @property
    def subject(self) -> str:
        """The id of the thing that the message is about."""
        return str(getattr(self, self.SUBJECT))

    @property
    def key(self) -> str:
        """The partition key: messages of one key reach a service in the order published."""
        return str(getattr(self, self.KEY))


class Command(Body):
    """A wish, in the imperative; an unknown field is refused, so that a typo never passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    SUBJECT_IN_DATA: ClassVar[bool] = False


class Event(Body):
    """A fact, in the past tense; unknown fields are ignored, so that events may grow."""


def _unexpected(title: str, field: str, value: Any) -> ValidationError:
    error = PydanticCustomError("extra_forbidden", "is the subject of the envelope, not data")
    return ValidationError.from_exception_data(
        title, [InitErrorDetails(type=error, loc=(field,), input=value)]
    )
