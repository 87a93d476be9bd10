"""Events as a newer service would write them: more fields, and members of enumerations."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import orjson
from pydantic import BaseModel

from contracts import samples

NEW = "brand_new"
OPEN = ("parameters", "counts")
Path = tuple[str | int, ...]


def data(wire_type: str) -> Any:
    """The data of a golden sample."""
    return orjson.loads(samples.sample(wire_type)).get("data", {})


def subject(wire_type: str) -> str:
    """The subject of a golden sample."""
    return str(orjson.loads(samples.sample(wire_type))["subject"])


def with_fields(value: Any) -> Any:
    """The same with a field more in every object, but those that hold whatever names."""
    if isinstance(value, list):
        return [with_fields(item) for item in value]
    if not isinstance(value, dict):
        return value
    grown = {name: item if name in OPEN else with_fields(item) for name, item in value.items()}
    return grown | {NEW: {NEW: [1, None]}}


def members(kind: type[BaseModel], value: Any) -> Iterator[Path]:
    """Where in the data of a model there are members of enumerations."""
    for name, field in kind.model_fields.items():
        if isinstance(value, dict) and name in value:
            for path in _members(field.annotation, value[name]):
                yield (name, *path)


def _members(annotation: Any, value: Any) -> Iterator[Path]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        if isinstance(value, str):
            yield ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from members(annotation, value)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            for argument in get_args(annotation):
                for path in _members(argument, item):
                    yield (at, *path)
    else:
        for argument in get_args(annotation):
            yield from _members(argument, value)


def replaced(value: Any, path: Path, by: Any = NEW) -> Any:
    """The same with another value at a path."""
    if not path:
        return by
    first, *rest = path
    copy = value.copy()
    copy[first] = replaced(value[first], tuple(rest), by)
    return copy


def versions(kind: type[BaseModel], wire_type: str) -> Iterator[tuple[str, Any]]:
    """What a newer service might make of a golden sample, each with a name."""
    usual = data(wire_type)
    yield "fields", with_fields(usual)
    for path in members(kind, usual):
        yield ".".join(map(str, path)), replaced(usual, path)
