"""Bodies in JSON: what is read has to be kept and sent on, so what cannot be is refused by name."""

from collections.abc import Iterator
from typing import Any

import orjson

from contracts import numbers
from contracts.envelope import FieldError
from contracts.sentences import printable
from services.tracking.web.problems import invalid

OF_ENVELOPES = frozenset({"/api/commands", "/api/commands/check"})
"""Whose bodies are envelopes, which say themselves what is wrong with each field."""
LEVELS = 250
"""As deep as an envelope may be; no more than so much can be written again."""

Path = tuple[str | int, ...]


def check(method: str, path: str, body: bytes) -> None:
    """Refuse a body that no JSON of ours could say again; raises Problem 422.

    The framework reads with another reader, which takes numbers, halves of characters and depths
    that neither Postgres nor RabbitMQ does.
    """
    if not body or method == "GET" or not path.startswith("/api/") or path in OF_ENVELOPES:
        return
    if errors := faults(body):
        raise invalid(*errors[:100])


def faults(body: bytes) -> list[FieldError]:
    """What is wrong with a body in JSON, field by field."""
    try:
        value, rounded = numbers.read(body, exact=True)
        errors = [_error(one.path, f"must be {numbers.HELD}, not {one.text}") for one in rounded]
        if b"\\u" in body:
            errors += (_error(path, message) for path, message in _odd(value, ()))
    except orjson.JSONDecodeError as error:
        return [FieldError("body", f"is not JSON in UTF-8: {error}")]
    except RecursionError:
        return [_too_deep()]
    return errors or ([] if _is_writable(value) else [_too_deep()])


def _odd(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts that can be stored nowhere, names of fields among them."""
    match value:
        case str() if "\0" in value:
            yield path, "must not contain NUL"
        case str() if not value.isascii() and not _is_writable(value):
            yield path, "must be text without half of a character"
        case dict():
            for name, item in value.items():
                yield from _odd(name, (*path, name))
                yield from _odd(item, (*path, name))
        case list():
            for at, item in enumerate(value):
                yield from _odd(item, (*path, at))


def _error(path: Path, message: str) -> FieldError:
    name = ".".join(printable(str(part)) for part in path)
    return FieldError(name or "body", message if len(message) <= 200 else f"{message[:197]}...")


def _too_deep() -> FieldError:
    return FieldError("body", f"must have at most {LEVELS} levels")


def _is_writable(value: Any) -> bool:
    try:
        orjson.dumps([[[[value]]]])  # room to be put into something else
    except orjson.JSONEncodeError:
        return False
    return True
