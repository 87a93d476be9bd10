"""Numbers of JSON that would come out as other numbers than they came in.

The reader that is fast rounds what neither 64 bits nor a double can hold, and refuses a whole body
for a number that is too large.  A look at its digits tells whether a body can have one at all; the
few that can are read once more by the reader that is slow.
"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import orjson

HELD = "a number that 64 bits or a double can hold"
_CLASSES = bytes.maketrans(b"0123456789.E", b"00000000000e")
_LONG, _SMALL = b"0" * 16, b"e-000"
"""Fewer digits, and a larger exponent, are always held."""
_BEFORE, _AFTER = b":,[- \t\r\n", b",]} \t\r\n"
"""What stands beside a number, and seldom beside such digits in a text."""
_LONGEST = 800
"""Characters of a number that are looked at; no double takes as many."""


class Rounded(NamedTuple):
    """A number that cannot be held: where it stands, and how it is written."""

    path: tuple[str | int, ...]
    text: str


class _Written(str):
    """A number as it is written."""


def read(body: bytes, *, exact: bool) -> tuple[Any, list[Rounded]]:
    """The value of a JSON text and, where that is asked for, what was rounded in it.

    Raises orjson.JSONDecodeError.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _read_large(body, error)
    return value, _rounded(body) if exact and _is_suspect(body.translate(_CLASSES)) else []


def _is_suspect(classes: bytes) -> bool:
    """Whether a body, its digits and points made alike, may have a number that is not held."""
    at = classes.find(_LONG)
    while at >= 0:
        if classes[at - 1] in _BEFORE:
            return True
        at = classes.find(_LONG, at + len(_LONG))
    at = classes.find(_SMALL)
    while at >= 0:
        end = at + len(_SMALL)
        while classes[end : end + 1] == b"0":
            end += 1
        if classes[at - 1] == _LONG[0] and classes[end : end + 1] in _AFTER:
            return True
        at = classes.find(_SMALL, end)
    return False


def _read_large(body: bytes, error: orjson.JSONDecodeError) -> tuple[Any, list[Rounded]]:
    """The same where it may be no more than a number that is too large, or half a character."""
    try:
        value = _read(body, lambda text: int(text) if _is_whole(text) else float(text), float)
    except (ValueError, RecursionError):
        raise error from None
    return value, _rounded(body)


def _rounded(body: bytes) -> list[Rounded]:
    try:
        value = _read(
            body,
            lambda text: 0 if _is_whole(text) else _Written(text),
            lambda text: 0 if _is_held(text) else _Written(text),
        )
    except RecursionError:
        return []  # it is refused for its depth
    return list(_find(value, ()))


def _read(body: bytes, whole: Callable[[str], Any], other: Callable[[str], Any]) -> Any:
    return json.loads(body.decode(), parse_int=whole, parse_float=other, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_whole(text: str) -> bool:
    return len(text) <= 20 and -(2**63) <= int(text) < 2**64


def _is_held(text: str) -> bool:
    """Whether it is how a double is written: as short as can be, or with 17 digits."""
    if len(text) > _LONGEST:
        return False
    value = float(text)
    forms = (repr(value), f"{value:.17g}")
    try:
        return text in forms or Decimal(text) in map(Decimal, forms)
    except InvalidOperation:
        return False  # an exponent of 19 digits


def _find(value: Any, path: tuple[str | int, ...]) -> Iterator[Rounded]:
    match value:
        case _Written():
            yield Rounded(path, value)
        case dict():
            for name, item in value.items():
                yield from _find(item, (*path, name))
        case list():
            for at, item in enumerate(value):
                yield from _find(item, (*path, at))
