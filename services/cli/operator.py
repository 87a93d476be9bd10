"""Operators who sign in with a password: their accounts, in tracking's own database."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.failures import guarded
from services.cli.token import Entity, Json, RoleName

if TYPE_CHECKING:
    from services.runtime.postgres.database import Connection

app = typer.Typer()
operators_app = typer.Typer(
    no_args_is_help=True,
    help="Make, list and disable the accounts of people who sign in with a password.",
)
app.add_typer(operators_app, name="operator")

Name = Annotated[str, typer.Argument(help="Who: the actor of the commands they send.")]


@operators_app.command("add")
def add(name: Name, role: RoleName, entity: Entity = None) -> int:
    """Make an account; the password is asked for, or read from standard input."""

    async def work() -> int:
        from services.cli import accounts
        from services.cli.problems import Problem
        from services.tracking.web import operators

        who = accounts.caller(name, role, entity)
        async with accounts.database() as conn:
            if not await operators.add(conn, who, password()):
                raise Problem(
                    f"{name} has an account already; `relais operator password {name}` changes "
                    "its password"
                )
        print(f"{name} can sign in, with the role {role}")
        return 0

    return _awaited(work())


@operators_app.command("list")
def list_(as_json: Json = False) -> int:
    """List the accounts there are."""

    async def work() -> int:
        from services.cli import accounts
        from services.tracking.web import operators

        async with accounts.database() as conn:
            rows = [dict(row) for row in await operators.list_(conn)]
        columns = ("name", "role", "entity", "created_at", "last_sign_in_at", "disabled_at")
        none = "no account; `relais operator add NAME --role central` makes one"
        accounts.show(rows, columns, as_json=as_json, none=none)
        return 0

    return _awaited(work())


@operators_app.command("disable")
def disable(name: Name) -> int:
    """Let somebody sign in no more; who is signed in is out within seconds."""
    from services.tracking.web import operators

    return _changed(name, lambda conn: operators.disable(conn, name), "can sign in no more")


@operators_app.command("enable")
def enable(name: Name) -> int:
    """Let somebody who was disabled sign in again."""
    from services.tracking.web import operators

    return _changed(name, lambda conn: operators.enable(conn, name), "can sign in")


@operators_app.command("password")
def change_password(name: Name) -> int:
    """Give an account another password; who is signed in with the old one is out."""
    from services.tracking.web import operators

    def change(conn: "Connection") -> Awaitable[bool]:
        return operators.set_password(conn, name, password())

    return _changed(name, change, "has another password")


def password() -> str:
    """A password from the person at the terminal, twice, or the first line of standard input."""
    from services.cli.problems import USAGE, Problem
    from services.tracking.web import operators

    if sys.stdin.isatty():
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not operators.SHORTEST <= len(given) <= operators.LONGEST:
        raise Problem(
            f"the password has {len(given)} characters; "
            f"{operators.SHORTEST} to {operators.LONGEST} are accepted",
            USAGE,
        )
    return given


def _changed(name: str, change: Callable[["Connection"], Awaitable[bool]], told: str) -> int:
    async def work() -> int:
        from services.cli import accounts
        from services.cli.problems import Problem

        async with accounts.database() as conn:
            if not await change(conn):
                raise Problem(
                    f"{name} has no account; `relais operator list` shows those there are"
                )
        print(f"{name} {told}")
        return 0

    return _awaited(work())


def _awaited(work: Coroutine[Any, Any, int]) -> int:
    return guarded(lambda: asyncio.run(work))
