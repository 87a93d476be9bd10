"""The base of every message body: a pydantic model that knows its wire name and its subject."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import orjson
import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from contracts.envelope import FieldError

ABSENT: Any = None
"""The default of a required field in an edit: absent is unchanged, null is refused."""


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
        if not cls.SUBJECT_IN_DATA:
            given = {**(data or {}), cls.SUBJECT: subject}
            return cast(Self, cls.__pydantic_validator__.validate_python(given))
        body = cast(Self, cls.__pydantic_validator__.validate_python(data or {}))
        if body.subject != subject:
            raise _other_subject(cls, subject, body.subject)
        return body

    def data_json(self) -> bytes:
        """The data of the envelope as JSON."""
        exclude = None if self.SUBJECT_IN_DATA else {self.SUBJECT}
        return self.__pydantic_serializer__.to_json(self, exclude=exclude)

    @property
    def wire_type(self) -> str:
        """The wire name of this message."""
        return self.TYPE

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

    @classmethod
    def read(cls, subject: str, data: Mapping[str, Any] | None) -> Self:
        """Read the body of an envelope; raises pydantic.ValidationError with every error."""
        if data and cls.SUBJECT in data:
            raise _subject_in_data(cls, data)
        # Given here, not in the values inside, because events share these and ignore what is new.
        given = {**(data or {}), cls.SUBJECT: subject}
        return cast(Self, cls.__pydantic_validator__.validate_python(given, extra="forbid"))

    def data_json(self) -> bytes:
        """The data of the envelope as JSON; what was not given is left out."""
        return self.__pydantic_serializer__.to_json(
            self, exclude={self.SUBJECT}, exclude_unset=True
        )


class Edit(Command):
    """A command whose absent fields mean unchanged; ADDRESS are those that name what to edit."""

    ADDRESS: ClassVar[frozenset[str]]

    @property
    def model_fields_set(self) -> set[str]:
        """The fields to change: those given, without the address."""
        return self.__pydantic_fields_set__ - self.ADDRESS

    @property
    def changes(self) -> dict[str, Any]:
        """The new values of the fields to change; null clears."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Event(Body):
    """A fact, in the past tense; unknown fields are ignored, so that events may grow."""


StateT = TypeVar("StateT", bound=BaseModel)


class StateEvent(Event, Generic[StateT]):
    """An event that is the whole state of its subject, and perhaps a field or two besides."""

    STATE: ClassVar[type[BaseModel]]

    @classmethod
    def of(cls, state: StateT, **changes: Any) -> Self:
        """The event of a state with these changes; values are taken as valid, names are not."""
        values = state.__dict__
        if type(state) is not cls.STATE:
            # An event is a state too; what it has besides is its own.
            values = {name: values[name] for name in cls.STATE.model_fields}
        values = {**values, **_extras(cls), **changes}
        if len(values) != len(_fields(cls)):
            unknown = sorted(changes.keys() - _fields(cls))
            raise TypeError(f"{cls.__name__} has no fields {unknown}")
        return _built(cls, values)

    def data_json(self) -> bytes:
        """The data of the envelope as JSON."""
        return to_json(self.__dict__)

    @property
    def state(self) -> StateT:
        """The state that the event leaves behind."""
        values = self.__dict__.copy()
        for name in _extras(type(self)):
            del values[name]
        return cast(StateT, _built(self.STATE, values))


ModelT = TypeVar("ModelT", bound=BaseModel)


@cache
def _extras(cls: type[StateEvent[Any]]) -> dict[str, Any]:
    """The fields that a state event has besides its state, with their defaults."""
    return {
        name: field.get_default()
        for name, field in cls.model_fields.items()
        if name not in cls.STATE.model_fields
    }


@cache
def _fields(cls: type[BaseModel]) -> set[str]:
    """The names of all fields; one set for all events of a class, which nobody may change."""
    return set(cls.model_fields)


def _built(cls: type[ModelT], values: dict[str, Any]) -> ModelT:
    # What model_construct does, without its walk over the fields: all values are there.
    model = cls.__new__(cls)
    object.__setattr__(model, "__dict__", values)
    object.__setattr__(model, "__pydantic_fields_set__", _fields(cls))
    object.__setattr__(model, "__pydantic_extra__", None)
    object.__setattr__(model, "__pydantic_private__", None)
    return model


def same(one: Any, two: Any) -> bool:
    """Whether two values are the same JSON: true is not 1, 1 is 1.0, the order of keys is none."""
    if one != two:
        return False
    match one:
        case dict():
            return all(same(value, two[name]) for name, value in one.items())
        case list():
            return all(map(same, one, two))
        case _:
            return isinstance(one, bool) == isinstance(two, bool)


def differing(state: BaseModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of these values that the state does not have."""
    return {name: value for name, value in values.items() if not same(getattr(state, name), value)}


def to_json(values: Any) -> bytes:
    """Plain values as JSON, as pydantic writes them but faster; it writes the models among them."""
    return orjson.dumps(values, default=_inner_json, option=orjson.OPT_UTC_Z)


HEAVY_BYTES = 980_000
"""What the large fields of a state may take: every event carries it whole, and a message holds
1 MiB."""


def too_heavy(
    terms: BaseModel, heavy: Collection[str], changed: Collection[str]
) -> FieldError | None:
    """Why a state with these large fields fits into no event, said of the largest that changed."""
    touched = sorted(set(heavy).intersection(changed))
    if not touched:
        return None
    values = {name: getattr(terms, name) for name in sorted(heavy)}
    size = len(to_json(values))
    if size <= HEAVY_BYTES:
        return None
    field = max(touched, key=lambda name: len(to_json(values[name])))
    text = f"makes {', '.join(values)} take {size} bytes in all; at most {HEAVY_BYTES} are accepted"
    return FieldError(f"data.{field}", text)


def _inner_json(value: Any) -> orjson.Fragment:
    return orjson.Fragment(pydantic_core.to_json(value))


def _other_subject(cls: type[Body], subject: str, met: str) -> ValidationError:
    sentence = "must be the subject of the envelope, '{subject}'"
    error = PydanticCustomError("subject", sentence, {"subject": subject})
    return ValidationError.from_exception_data(
        cls.__name__, [InitErrorDetails(type=error, loc=(cls.SUBJECT,), input=met)]
    )


def _subject_in_data(cls: type[Command], data: Mapping[str, Any]) -> ValidationError:
    """The refusal of a subject in the data, beside whatever else is wrong with it."""
    given = dict(data)
    error = PydanticCustomError("subject_in_data", "is the subject of the envelope")
    errors = [InitErrorDetails(type=error, loc=(cls.SUBJECT,), input=given.pop(cls.SUBJECT))]
    try:
        cls.read("-", given)
    except ValidationError as others:
        errors += [
            InitErrorDetails(type=e["type"], loc=e["loc"], input=e["input"], ctx=e.get("ctx", {}))
            for e in others.errors(include_url=False)
        ]
    return ValidationError.from_exception_data(cls.__name__, errors)
