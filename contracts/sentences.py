"""What a refusal says to the person who reads it: what is accepted, and the value that was met."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import ErrorDetails

from contracts.fields import PATTERNS

_ACCEPTED = {
    "string_type": "must be text",
    "string_unicode": "must be text without half of a character",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be {what}",
    "enum": "must be one of {options}",
    "literal_error": "must be one of {options}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing_size": "must be a whole number of usual size",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "too_long": "must have at most {max_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "dataclass_type": "must be an object",
    "is_instance_of": "must be an object",
}
"""By pydantic's kind of error what would be accepted; the value met is added."""

_WHOLE = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this message",
    "subject_in_data": "is the subject of the envelope, and not given in the data as well",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
"""The same where there is no value to add."""

_LONGEST = 80


def sentence(detail: ErrorDetails) -> str:
    """One error of pydantic as a sentence that continues the name of its field."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _WHOLE:
        return _WHOLE[kind]
    if kind not in _ACCEPTED:
        return _own(detail["msg"].removeprefix("Value error, "), value)
    accepted = _ACCEPTED[kind].format(
        **context, what=PATTERNS.get(context.get("pattern", "")), options=_options(context)
    )
    return f"{accepted}, not {len(value) if kind.endswith('too_long') else shown(value)}"


def _own(text: str, value: Any) -> str:
    """The sentence of a validator of ours; what must be something is something else."""
    return f"{text}, not {shown(value)}" if text.startswith("must be ") else text


def shown(value: Any) -> str:
    """A value as JSON says it, short and without anything that cannot be stored or printed."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case int() | float():
            return str(value)
        case list():
            return "a list"
        case _:
            return "an object"


def moment(at: datetime) -> str:
    """A moment, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def last_change(at: datetime, by: str | None) -> str:
    """When something was changed last, and by whom where that is known."""
    who = f" by {printable(by)}" if by else ""
    return f"changed last at {moment(at)}{who}"


def printable(text: str) -> str:
    """A text that was met, cut short, its control characters escaped."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return cut if cut.isprintable() else repr(cut)[1:-1]


_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What moves a cursor, ends a line, turns the direction of text or cannot be seen at all."""


def visible(text: str) -> str:
    """A text that a terminal shows and does not obey: controls as JSON escapes them.

    Line feeds and tabs stay.
    """
    return text if text.isascii() and text.isprintable() else _CONTROLS.sub(_escaped, text)


def one_line(text: str) -> str:
    """The same for text within a line, which it cannot end."""
    return visible(text).replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _quoted(text: str) -> str:
    return f"'{printable(text)}'"


def _options(context: Mapping[str, Any]) -> str:
    # Of the members of an enum a Literal shows the name as well: <Kind.TEMPLATE: 'template'>.
    return re.sub(r"<[^:]*: ([^>]*)>", r"\1", str(context.get("expected", ""))).replace("'", "")
