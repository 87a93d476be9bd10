"""Parked messages: what services could not handle, listed, shown, retried, replaced, discarded."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.padding import Padding
from rich.text import Text

from contracts import names
from contracts.sentences import one_line
from services.cli import api, commands
from services.cli.api import Api, Json
from services.cli.console import console
from services.cli.problems import TRY_AGAIN, USAGE, Problem
from services.cli.words import cell

PATH = "/api/parked"
AT_ONCE = 1_000
"""Numbers in one command."""


async def list_(service: str | None, reason: str | None, limit: int, *, as_json: bool) -> int:
    """Print what is parked, oldest first."""
    async with api.connected(api.OPERATIONS) as connection:
        found = await _matching(connection, service, reason, limit)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    elif found:
        _print_list(found)
    else:
        print(_none(service, reason))
    return 0


async def _matching(
    connection: Api, service: str | None, reason: str | None, limit: int | None
) -> list[Json]:
    filters = {"service": service, "reason": reason, "sort": "oldest"}
    return [item async for item in connection.items(PATH, filters, limit)]


def _none(service: str | None, reason: str | None) -> str:
    where = f" by {service}" if service else ""
    why = f" with reason {reason!r}" if reason else ""
    return f"nothing is parked{where}{why}"


def _print_list(found: Sequence[Json]) -> None:
    out = console()
    for row in found:
        what = f"{row['service']} {row['number']}  {cell(row['parked_at'])}Z  {row['reason']}"
        out.print(f"{what}  {one_line(names.short_type(row['type'] or '-'))}", soft_wrap=True)
        error = f"{row['message_id']}: {row['error']}" if row["message_id"] else str(row["error"])
        out.print(Padding(Text(one_line(_cut(error, 200)), "dim"), (0, 0, 0, 4), expand=False))
    out.print("look at one with `relais parked show SERVICE NUMBER`, then retry or discard it")


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


SHOWN = 4_000
"""Characters of one field that are shown to a person."""


async def show(service: str, number: int, *, as_json: bool) -> int:
    """Print every field of one parked message."""
    async with api.connected(api.OPERATIONS) as connection:
        found = await _one(connection, service, number)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for name, value in found.items():
        if value is not None:
            text = _pretty(value) if name == "body" else str(value)
            # What it says begins no line: it might look like a field.
            print(f"{name}: {_beginning(text)}".replace("\n", "\n    "))
    return 0


async def _one(connection: Api, service: str, number: int) -> Json:
    found = await connection.find(f"{PATH}/{quote(service, safe='')}/{number}")
    if found is None:
        raise _missing(service, [number])
    return found


def _beginning(text: str) -> str:
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n... {len(text):,} characters in all; --json prints them"


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


async def retry(
    service: str,
    numbers: Sequence[int],
    *,
    all_: bool,
    reason: str | None,
    comment: str | None = None,
) -> int:
    """Have a service handle parked messages again; what fails again is parked again."""
    _check_chosen(numbers, all_, reason)
    async with api.connected(api.OPERATIONS) as connection:
        for chosen in await _commands(connection, numbers, reason):
            data = {**chosen, **({"comment": comment} if comment else {})}
            commands.show(await commands.asked(connection, "parked.retry", service, data))
    return 0


async def replace(service: str, number: int, path: Path, comment: str) -> int:
    """Have a service handle another envelope in place of a parked message."""
    data = {"number": number, "body": _content(path), "comment": comment}
    return await commands.send("parked.replace", service, data, role=api.OPERATIONS)


def _content(path: Path) -> str:
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return raw.decode()
    except UnicodeDecodeError:
        raise Problem(f"{path} is no envelope: it is not UTF-8", USAGE) from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}", USAGE) from None


async def discard(
    service: str,
    numbers: Sequence[int],
    *,
    all_: bool,
    reason: str | None,
    yes: bool,
    comment: str,
) -> int:
    """Give parked messages up, with the reason why; lists them and asks, unless yes."""
    _check_chosen(numbers, all_, reason)
    async with api.connected(api.OPERATIONS) as connection:
        if not yes:
            rows = await _chosen(connection, service, numbers, reason)
            if not rows:
                print(_none(service, reason))
                return 0
            if not await _is_confirmed(service, rows):
                print("nothing discarded")
                return 1
            # What has come since was not agreed to.
            numbers = [row["number"] for row in rows]
        for chosen in await _commands(connection, numbers, reason):
            data = {**chosen, "comment": comment}
            commands.show(await commands.asked(connection, "parked.discard", service, data))
    return 0


async def _chosen(
    connection: Api, service: str, numbers: Sequence[int], reason: str | None
) -> list[Json]:
    if not numbers:
        return await _matching(connection, service, reason, None)
    return [await _one(connection, service, number) for number in numbers]


async def _commands(
    connection: Api, numbers: Sequence[int], reason: str | None
) -> list[dict[str, Any]]:
    """What each command names: numbers, at most so many at once, or all that there are now."""
    if numbers:
        starts = range(0, len(numbers), AT_ONCE)
        return [{"numbers": list(numbers[at : at + AT_ONCE])} for at in starts]
    # The clock of who asks may be another than that of who parked.
    until = (await connection.get(PATH, limit=1))["as_of"]
    if until is None:
        raise Problem("the API has heard of no worker yet; try again in some seconds", TRY_AGAIN)
    return [{"all_of": {"until": until, **({"reason": reason} if reason else {})}}]


def _check_chosen(numbers: Sequence[int], all_: bool, reason: str | None) -> None:
    """Raise Problem where nothing is chosen, or twice."""
    if numbers and (all_ or reason):
        raise Problem("give either numbers, or --all or --reason, not both", USAGE)
    if not (numbers or all_ or reason):
        raise Problem("choose messages by numbers, --reason REASON or --all", USAGE)


async def _is_confirmed(service: str, rows: Sequence[Json]) -> bool:
    if not sys.stdin.isatty():
        raise Problem("there is no terminal to confirm on; give --yes to discard them", USAGE)
    for row in rows:
        print(f"  {_named(service, row)}: {one_line(_cut(str(row['error'])))}")
    answer = await _asked(f"discard {len(rows)} for good? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}


async def _asked(question: str) -> str:
    """The line that a person answers; read without a thread, which Ctrl-C would wait for."""
    print(question, end="", flush=True)
    loop = asyncio.get_running_loop()
    is_there = asyncio.Event()
    loop.add_reader(sys.stdin, is_there.set)
    try:
        await is_there.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()


def _named(service: str, row: Json) -> str:
    what = f"{row['type'] or 'a message'} {row['message_id'] or ''}".strip()
    return one_line(f"{service} {row['number']}: {what} ({row['reason']})")


def _missing(service: str, numbers: Sequence[int]) -> Problem:
    listed = ", ".join(str(number) for number in numbers)
    return Problem(f"{service} has no parked message {listed}; see `relais parked list`")
