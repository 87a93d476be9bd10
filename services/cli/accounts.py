"""What the commands of tokens and of operators have in common."""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rich.table import Table

from services.cli import endpoints
from services.cli.console import console
from services.cli.problems import USAGE, Problem
from services.runtime.postgres import database as postgres
from services.runtime.postgres.database import Connection
from services.tracking.web import names
from services.tracking.web.roles import Caller, Role

SERVICE = "tracking"


@asynccontextmanager
async def database() -> AsyncIterator[Connection]:
    """A connection to the database of tracking."""
    async with connected(endpoints.find(SERVICE).postgres[SERVICE]) as conn:
        yield conn


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection to a database of tracking that is known."""
    async with postgres.pool(url, "relais accounts", size=1) as pool, pool.acquire() as conn:
        yield conn


def caller(name: str, role: str, entity: str | None) -> Caller:
    """Who somebody is to be; raises Problem where that makes no sense."""
    roles = [one.value for one in Role]
    if role not in roles:
        raise Problem(f"--role {role!r} must be one of {', '.join(roles)}", USAGE)
    if not names.is_name(name):
        raise Problem(f"the name {name!r} must be {names.FORM}", USAGE)
    if role == Role.REVIEWER and not names.is_id(name):
        raise Problem(
            f"the name of a reviewer is what packages and entities name: {names.ID}", USAGE
        )
    if (role == Role.LOCAL) != (entity is not None):
        told = "needs --entity, such as --entity OU3" if entity is None else "has no --entity"
        raise Problem(f"the role {role} {told}; only a local operator belongs to one", USAGE)
    if entity is not None and not names.is_id(entity):
        raise Problem(f"--entity {entity!r} must be {names.ID}", USAGE)
    return Caller(name, Role(role), entity)


def show(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, none: str
) -> None:
    """Print rows, as JSON or as a table of some columns."""
    if as_json:
        print(json.dumps(rows, default=lambda at: at.isoformat()))
        return
    if not rows:
        remark(none)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.removesuffix("_at").replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_text(row[column]) for column in columns))
    console().print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value)


def remark(sentence: str) -> None:
    """Tell a person something beside the output."""
    print(sentence, file=sys.stderr)
