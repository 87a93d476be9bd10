"""Send one command: check it, publish it, and print its outcome."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from rich.text import Text

from contracts import catalogue, client, envelope, names, numbers
from contracts.envelope import FieldError
from contracts.message import Command, Edit
from contracts.outcomes import CommandOutcome, Outcome
from contracts.sentences import one_line
from services.cli import endpoints
from services.cli.console import console
from services.cli.problems import TRY_AGAIN, UNAVAILABLE, USAGE, Problem


class Invalid(Problem):
    """A command that would be refused as `invalid`; the message lists every error."""

    def __init__(self, kind: str, errors: Sequence[FieldError]) -> None:
        """Takes paths and sentences."""
        lines = [f"  {error.field} {error.message}".rstrip() for error in errors]
        sample = f"contracts/samples/{kind}.json is a sample of a valid one"
        super().__init__("\n".join([f"{kind} is not valid:", *lines, sample]), USAGE)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command is sent; without an id or an actor the client chooses."""

    source: str
    id: str | None
    actor: str | None
    wait: bool
    timeout: float


def command(kind: str, subject: str, data: str | None, fields: Sequence[str]) -> Command:
    """The command that the arguments describe; raises Invalid with every error."""
    model = command_class(kind)
    given, texts = _data(data), _fields(fields)
    if both := sorted(given.keys() & texts.keys()):
        raise Problem(f"{', '.join(both)}: given by --data and by --field; leave one out", USAGE)
    if model.SUBJECT in given or model.SUBJECT in texts:
        where = f"--field {model.SUBJECT}" if model.SUBJECT in texts else "it in --data"
        text = f"{model.SUBJECT} is the SUBJECT argument ({subject}); leave {where} out"
        raise Problem(text, USAGE)
    wanted = _read(model, subject, given, texts)
    if isinstance(wanted, Edit) and not wanted.changes:
        raise Problem(f"no field to change is given; {_fields_of(model)}", USAGE)
    return wanted


def _read(
    model: type[Command], subject: str, given: Mapping[str, Any], texts: Mapping[str, str]
) -> Command:
    values = {name: _parsed(text) for name, text in texts.items()}
    try:
        return model.read(subject, {**given, **values})
    except ValidationError as error:
        # A label may be 5, and a comment true: what is not valid as JSON may be valid as text.
        unfit = {str(e["loc"][0]) for e in error.errors(include_url=False) if len(e["loc"]) == 1}
        unfit -= {name for name, value in values.items() if value is None}
        as_texts = {name: texts[name] for name in unfit & texts.keys()}
    data = {**given, **values, **as_texts}
    try:
        return model.read(subject, data)
    except ValidationError as error:
        errors = envelope.field_errors(error, "data")
        raise Invalid(model.TYPE, [_advised(model, data, e) for e in errors]) from None


def _advised(model: type[Command], data: Mapping[str, Any], error: FieldError) -> FieldError:
    """An error of the contract, with what a person at a terminal can do about it."""
    name = error.field.removeprefix("data.")
    if name == model.SUBJECT:
        return FieldError("subject", error.message)
    advice = ""
    if name in data and name not in model.model_fields:
        near = difflib.get_close_matches(name, _names(model), n=1)
        advice = "; ".join([*(f"perhaps {one}" for one in near), _fields_of(model)])
    elif name not in data and (choices := _choices(model, name)):
        advice = f"one of {', '.join(choices)}"
    return FieldError(error.field, f"{error.message}; {advice}" if advice else error.message)


def _names(model: type[Command]) -> list[str]:
    return [name for name in model.model_fields if name != model.SUBJECT]


def _fields_of(model: type[Command]) -> str:
    fields = ", ".join(_names(model))
    return f"its fields are {fields}" if fields else "it has no fields"


def _choices(model: type[Command], name: str) -> list[str]:
    """The values that a field may have, where they are few and have names."""
    field = model.model_fields.get(name)
    kind = field.annotation if field else None
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return list(kind)
    return [str(value) for value in get_args(kind)] if get_origin(kind) is Literal else []


def command_class(kind: str) -> type[Command]:
    """The command of a type, short (`package.cancel`) or in full."""
    if found := catalogue.COMMANDS.get(names.wire_type(names.short_type(kind))):
        return found
    known = sorted(names.short_type(name) for name in catalogue.COMMANDS)
    if near := difflib.get_close_matches(kind.lower(), known, n=3):
        raise Problem(f"there is no command {kind!r}; perhaps {', '.join(near)}", USAGE)
    nouns = [", ".join(of) for _, of in groupby(known, lambda name: name.partition(".")[0])]
    raise Problem("\n  ".join([f"there is no command {kind!r}; there are", *nouns]), USAGE)


def _data(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = _json(text)
    except ValueError as error:
        raise Problem(f"--data is not JSON: {error}", USAGE) from None
    if not isinstance(value, dict):
        raise Problem('--data must be a JSON object, such as {"comment": "withdrawn"}', USAGE)
    return value


def _fields(given: Sequence[str]) -> dict[str, str]:
    pairs = [_field(text) for text in given]
    if twice := sorted(name for name, n in Counter(name for name, _ in pairs).items() if n > 1):
        raise Problem(f"{', '.join(twice)}: given by --field more than once; leave one out", USAGE)
    return dict(pairs)


def _field(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise Problem(f"--field {text!r} must be name=value, such as comment=withdrawn", USAGE)
    return name, value


def _parsed(text: str) -> Any:
    try:
        return _json(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    """The value of a JSON text; raises ValueError, or Problem where it would be another inside."""
    value, rounded = numbers.read(text.encode(), exact=True)
    if not rounded:
        return value
    if isinstance(value, dict | list):
        at = ".".join(map(str, rounded[0].path))
        raise Problem(f"{at} must be {numbers.HELD}, not {rounded[0].text}", USAGE)
    return text


MOST = {"id": 128, "source": 128, "actor": 256}
"""Characters that the envelope has room for."""


def check(manner: Manner) -> None:
    """Raise Problem where a value is longer than the envelope allows."""
    for name, most in MOST.items():
        value = getattr(manner, name)
        if value is not None and not 1 <= len(value) <= most:
            text = f"--{name} must have 1 to {most} characters, not {len(value)}; or leave it out"
            raise Problem(text, USAGE)


async def send(wanted: Command, manner: Manner, *, as_json: bool) -> int:
    """Send a command and print its outcome; the exit code says whether it was refused."""
    check(manner)
    stack = endpoints.find()
    async with client.connect(stack.amqp_url, source=manner.source) as sender:
        try:
            if not manner.wait:
                id = await sender.send(wanted, id=manner.id, actor=manner.actor)
                _print_sent(wanted, id, as_json)
                return 0
            outcome = await sender.ask(
                wanted, id=manner.id, actor=manner.actor, timeout=manner.timeout
            )
        except client.NoOutcome as error:
            raise Problem(f"{error}; is a worker of its service running?", TRY_AGAIN) from None
        except client.NotSent as error:
            raise Problem(str(error), UNAVAILABLE) from None
    _print_outcome(outcome, as_json)
    return 0 if outcome.outcome in (Outcome.ACCEPTED, Outcome.UNCHANGED) else 1


def _print_sent(wanted: Command, id: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"command_id": id, "command_type": wanted.wire_type}))
    else:
        print(f"sent {wanted.wire_type} {id}; not waiting for its outcome")


STYLE = {
    Outcome.ACCEPTED: "green",
    Outcome.UNCHANGED: "yellow",
    Outcome.REFUSED: "red",
    Outcome.PARKED: "red",
}


def _print_outcome(outcome: CommandOutcome, as_json: bool) -> None:
    if as_json:
        print(outcome.data_json().decode())
        return
    out = console()
    color = STYLE.get(outcome.outcome, "magenta")
    version = f", version {outcome.version}" if outcome.version else ""
    code = f" ({outcome.code})" if outcome.code else ""
    out.print(Text.assemble((outcome.outcome, color), f"{code}: {outcome.about}{version}"))
    errors = [f"{error.field} {error.message}".strip() for error in outcome.errors or ()]
    # Of an invalid command the message is nothing but its errors; they stand below, one by one.
    if outcome.message and outcome.message != "; ".join(errors):
        out.print(one_line(outcome.message), soft_wrap=True)
    for error in errors:
        out.print(one_line(f"  {error}"), soft_wrap=True)
    out.print(Text(one_line(f"command {outcome.command_id}"), "dim"), soft_wrap=True)
