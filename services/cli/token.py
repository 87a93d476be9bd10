"""API tokens: make, list and withdraw them, in tracking's own database."""

import asyncio
import json
import re
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from services.cli.failures import guarded

app = typer.Typer()
tokens_app = typer.Typer(
    no_args_is_help=True, help="Make, list and withdraw what programs send to the HTTP API."
)
app.add_typer(tokens_app, name="token")

UNITS = {"h": "hours", "d": "days"}

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]
RoleName = Annotated[str, typer.Option(help="central, local, reviewer, operations or viewer.")]
Entity = Annotated[
    str | None, typer.Option(help="The entity of the role local; no other role has one.")
]


@tokens_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Who uses it: the actor of the commands it sends.")],
    role: RoleName,
    entity: Entity = None,
    ends: Annotated[
        str | None, typer.Option(help="When it ends: in 90d or 12h, or a time with its offset.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Withdraw the other tokens of this name.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Make a token and print its secret, which is shown this once and kept nowhere."""

    async def work() -> int:
        from services.cli import accounts
        from services.tracking.web import tokens

        who = accounts.caller(name, role, entity)
        ends_at = moment(ends)
        async with accounts.database() as conn, conn.transaction():
            made = await tokens.add(conn, who, ends_at, replaces=replace)
        if as_json:
            print(json.dumps({"token_id": made.token_id, "token": made.secret}))
            return 0
        print(made.secret)
        accounts.remark(
            f"token {made.token_id} of {name}, role {role}; this is the only time it is shown; "
            f"`relais token withdraw {made.token_id}` ends it"
        )
        return 0

    return _awaited(work())


@tokens_app.command("list")
def list_(as_json: Json = False) -> int:
    """List the tokens there are, without their secrets."""

    async def work() -> int:
        from services.cli import accounts
        from services.tracking.web import tokens

        async with accounts.database() as conn:
            rows = [dict(row) for row in await tokens.list_(conn)]
        columns = ("token_id", "name", "role", "entity", "state", "ends_at", "last_used_at")
        accounts.show(rows, columns, as_json=as_json, none="no token; `relais token add` makes one")
        return 0

    return _awaited(work())


@tokens_app.command("withdraw")
def withdraw(
    token: Annotated[str, typer.Argument(help="Its id as `token list` shows it, or a name.")],
) -> int:
    """Withdraw a token, or all of one name; within seconds nobody is let in by it."""

    async def work() -> int:
        from services.cli import accounts
        from services.cli.problems import Problem
        from services.tracking.web import tokens

        async with accounts.database() as conn:
            ended = await tokens.withdraw(conn, token)
        if not ended:
            raise Problem(
                f"no valid token has the id or the name {token!r}; `relais token list` shows them"
            )
        print(f"withdrawn: {', '.join(ended)}")
        return 0

    return _awaited(work())


def moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """The end of a token: so long from now, or an RFC 3339 time; raises Problem."""
    from services.cli.problems import USAGE, Problem

    if text is None:
        return None
    now = now or datetime.now(UTC)
    try:
        if span := re.fullmatch(r"(\d+)([hd])", text):
            found = now + timedelta(**{UNITS[span[2]]: int(span[1])})
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = datetime.min
    if found.tzinfo is None or found <= now:
        raise Problem(
            f"--ends {text!r} must be a time from now, such as 12h or 90d, "
            "or a time to come with its offset, such as 2036-11-23T09:00:00Z",
            USAGE,
        )
    return found


def _awaited(work: Coroutine[Any, Any, int]) -> int:
    return guarded(lambda: asyncio.run(work))
