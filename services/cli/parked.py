"""Parked messages: what services could not handle, listed, shown, retried, replaced, discarded."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from rich.padding import Padding
from rich.text import Text

from contracts import names
from contracts.sentences import one_line
from services.cli import endpoints
from services.cli.console import console
from services.cli.problems import UNAVAILABLE, USAGE, Problem
from services.runtime import declared
from services.runtime.messages import outbox, relay
from services.runtime.messages import parked as operated
from services.runtime.postgres import database
from services.runtime.postgres.database import Connection, Row
from services.runtime.tables.transaction import NOW, Transaction

LIST = """
SELECT number, reason, error, type, source, id, kept_at AS parked_at, retry_at
FROM kept WHERE kind = 'parked' AND ($1::text IS NULL OR reason = $1) ORDER BY number LIMIT $2
"""


async def list_(service: str | None, reason: str | None, limit: int, *, as_json: bool) -> int:
    """Print what is parked, oldest first, per service at most limit."""
    found: list[dict[str, Any]] = []
    reasons: set[str] = set()
    for name, url in _databases(service).items():
        async with _connected(name, url) as conn:
            rows = await conn.fetch(LIST, reason, limit)
            reasons |= await _reasons(conn)
        found += [{"service": name, **dict(row)} for row in rows]
    if as_json:
        print(json.dumps(found, default=_plain))
    elif found:
        _print_list(found)
    else:
        print(_none(reason, reasons))
    return 0


REASONS = "SELECT DISTINCT reason FROM kept WHERE kind = 'parked'"


async def _reasons(conn: Connection) -> set[str]:
    return {row["reason"] for row in await conn.fetch(REASONS)}


def _none(reason: str | None, reasons: Iterable[str]) -> str:
    """Why nothing was found: perhaps the reason asked for is misspelt."""
    here = ", ".join(sorted(reasons))
    if here and reason:
        return f"nothing is parked with reason {reason!r}; the reasons here are {here}"
    return "nothing is parked"


def _print_list(found: Sequence[dict[str, Any]]) -> None:
    out = console()
    for row in found:
        reason = f"{row['reason']}, retry asked" if row["retry_at"] else row["reason"]
        what = f"{row['service']} {row['number']}  {row['parked_at']:%Y-%m-%d %H:%M}Z  {reason}"
        out.print(f"{what}  {one_line(names.short_type(row['type'] or '-'))}", soft_wrap=True)
        error = f"{row['id']}: {row['error']}" if row["id"] else row["error"]
        out.print(Padding(Text(one_line(_cut(error, 200)), "dim"), (0, 0, 0, 4), expand=False))
    out.print(
        "look at one with `relais parked show SERVICE NUMBER`, then retry or discard it",
    )


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


SHOWN = 4_000
"""Characters of one field that are shown to a person."""
SHOW = "SELECT *, kept_at AS parked_at FROM kept WHERE kind = 'parked' AND number = $1"
DIGESTS = frozenset({"digest", "content"})


async def show(service: str, number: int, *, as_json: bool) -> int:
    """Print every field of one parked message."""
    [(name, url)] = _databases(service).items()
    async with _connected(name, url) as conn:
        row = await conn.fetchrow(SHOW, number)
    if row is None:
        raise _missing(service, [number])
    fields = {name: value for name, value in row.items() if name not in DIGESTS}
    if as_json:
        print(json.dumps({"service": service, **fields}, default=_plain))
        return 0
    for field, value in fields.items():
        if value is not None:
            # What it says begins no line: it might look like a field.
            print(f"{field}: {_beginning(_shown(value))}".replace("\n", "\n    "))
    return 0


def _beginning(text: str) -> str:
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n... {len(text):,} characters in all; --json prints them"


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return _pretty(value)
    return str(_plain(value) if isinstance(value, datetime) else value)


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="backslashreplace")


def _plain(value: Any) -> str:
    match value:
        case bytes():
            return value.decode(errors="backslashreplace")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return str(value)


RETRY = """
UPDATE kept SET retry_at = now(), comment = $3
WHERE kind = 'parked'
  AND ($1::bigint[] IS NULL OR number = ANY ($1)) AND ($2::text IS NULL OR reason = $2)
RETURNING number
"""


async def retry(
    service: str,
    numbers: Sequence[int],
    *,
    all_: bool,
    reason: str | None,
    comment: str | None = None,
) -> int:
    """Ask the service to handle parked messages again; its workers do so within a second."""
    chosen = _chosen(numbers, all_, reason)
    [(name, url)] = _databases(service).items()
    async with _connected(name, url) as conn:
        done = {row["number"] for row in await conn.fetch(RETRY, chosen, reason, comment)}
        reasons = await _reasons(conn)
    if lacking := sorted(set(numbers) - done):
        raise _missing(service, lacking)
    if not done:
        print(f"{service}: {_none(reason, reasons)}")
        return 0
    print(
        f"{service}: {len(done)} to be retried by its workers; what fails again is parked again, "
        "see `relais parked list`"
    )
    return 0


async def replace(service: str, number: int, path: Path, comment: str | None) -> int:
    """Ask the service to handle another envelope in place of a parked message."""
    body = _content(path)
    [(name, url)] = _databases(service).items()
    async with _connected(name, url) as conn:
        try:
            found = await operated.replace(conn, number, body, comment)
        except operated.NotOne as error:
            raise Problem(f"{path} is no envelope: {error}", USAGE) from None
    if not found:
        raise _missing(service, [number])
    print(f"{service}: {number} to be handled as replaced by its workers")
    return 0


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}", USAGE) from None


TO_DISCARD = """
SELECT number, type, source, id, reason, error FROM kept
WHERE kind = 'parked'
  AND ($1::bigint[] IS NULL OR number = ANY ($1)) AND ($2::text IS NULL OR reason = $2)
ORDER BY number
"""
TOGETHER = 100
"""Messages discarded in one transaction: each may be large."""


async def discard(
    service: str,
    numbers: Sequence[int],
    *,
    all_: bool,
    reason: str | None,
    yes: bool,
    comment: str | None = None,
) -> int:
    """Delete parked messages for good, list them and answer their senders; asks unless yes."""
    chosen = _chosen(numbers, all_, reason)
    [(name, url)] = _databases(service).items()
    async with _connected(name, url) as conn:
        rows = await conn.fetch(TO_DISCARD, chosen, reason)
        if lacking := sorted(set(numbers) - {row["number"] for row in rows}):
            raise _missing(service, lacking)
        if not rows:
            print(f"{service}: {_none(reason, await _reasons(conn))}")
            return 0
        if not yes and not await _is_confirmed(service, rows):
            print("nothing discarded")
            return 1
        for at in range(0, len(rows), TOGETHER):
            chunk = rows[at : at + TOGETHER]
            deleted = await _discard(conn, service, [row["number"] for row in chunk], comment)
            for row in chunk:
                what = "discarded" if row["number"] in deleted else "being retried, left alone:"
                print(f"{what} {_named(service, row)}")
    return 0


async def _discard(
    conn: Connection, service: str, numbers: Sequence[int], comment: str | None
) -> set[int]:
    async with conn.transaction():
        tx = Transaction(conn, await conn.fetchval(NOW))
        deleted = await operated.discard(tx, service, numbers, comment)
        stored = await outbox.store(names.source(service), tx)
        # We do not publish it: a worker is to do so at once.
        await conn.execute(relay.RELEASE, [row.id for row in stored])
    return deleted


def _chosen(numbers: Sequence[int], all_: bool, reason: str | None) -> list[int] | None:
    """The numbers, or None for every one; raises Problem where nothing is chosen."""
    if numbers and (all_ or reason):
        raise Problem("give either numbers, or --all or --reason, not both", USAGE)
    if numbers or all_ or reason:
        return list(numbers) or None
    raise Problem("choose messages by numbers, --reason REASON or --all", USAGE)


async def _is_confirmed(service: str, rows: Sequence[Row]) -> bool:
    if not sys.stdin.isatty():
        raise Problem("there is no terminal to confirm on; give --yes to discard them", USAGE)
    for row in rows:
        print(f"  {_named(service, row)}: {one_line(_cut(row['error']))}")
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


def _named(service: str, row: Row) -> str:
    what = f"{row['type'] or 'a message'} {row['id'] or ''}".strip()
    sender = f" from {row['source']}" if row["source"] else ""
    return one_line(f"{service} {row['number']}: {what}{sender} ({row['reason']})")


def _missing(service: str, numbers: Sequence[int]) -> Problem:
    listed = ", ".join(str(number) for number in numbers)
    return Problem(f"{service} has no parked message {listed}; see `relais parked list`", 1)


def _databases(service: str | None) -> dict[str, str]:
    """The databases of one service or of all."""
    known = declared.names()
    if service is None:
        return endpoints.find(*known).postgres
    if service not in known:
        raise Problem(f"there is no service {service!r}; there are {', '.join(known)}", USAGE)
    return {service: endpoints.find(service).postgres[service]}


@asynccontextmanager
async def _connected(service: str, url: str) -> AsyncIterator[Connection]:
    try:
        async with database.connect(url, "relais parked") as conn:
            yield conn
    except asyncpg.UndefinedTableError:
        raise Problem(
            f"{service}: its database is empty; run `relais setup`", UNAVAILABLE
        ) from None
