"""Commands sent over the API, with their outcome."""

from typing import Any

from rich.text import Text

from contracts import names
from contracts.sentences import one_line
from services.cli import api
from services.cli.api import Api, Json
from services.cli.console import console
from services.cli.words import STYLES

WAIT = 10
"""Seconds that an outcome is waited for."""


async def send(kind: str, subject: str, data: dict[str, Any], *, role: str = api.CENTRAL) -> int:
    """Send one command and print its outcome."""
    async with api.connected(role) as connection:
        show(await asked(connection, kind, subject, data))
    return 0


async def asked(connection: Api, kind: str, subject: str, data: dict[str, Any]) -> Json:
    """What became of a command; a refusal is raised as Problem."""
    type_ = names.wire_type(kind)
    envelope = {"specversion": "1.0", "type": type_, "subject": subject, "data": data}
    return await connection.post("/api/commands", envelope, wait=WAIT)


def show(found: Json) -> None:
    """Print an outcome, or where to look for it."""
    out, outcome = console(), found.get("outcome")
    if outcome is None:
        id = found["id"]
        out.print(f"sent, and no outcome within {WAIT} s; `relais why {id}` tells it later")
        return
    message = f": {one_line(found['message'])}" if found.get("message") else ""
    out.print(Text.assemble((outcome, STYLES.get(outcome, "")), message), soft_wrap=True)
