"""The whole story, as `./run demo` tells it."""

import asyncio
import json
from typing import Any

import pytest

from tests.system.conftest import RELAIS

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

KEYS = (
    "orders_canceled",
    "campaigns_canceled",
    "processes_stopped",
    "notified",
    "lost",
    "twice",
    "seconds_cancel",
    "ok",
)


async def told(*arguments: str) -> dict[str, Any]:
    """Tell the story on the servers of this session; its result."""
    process = await asyncio.create_subprocess_exec(
        RELAIS,
        "demo",
        "--json",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    result: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return result


@pytest.mark.usefixtures("amqp_url", "postgres_url")
class TestStory:
    """Register, offer, order, cancel, prove; and all of it once more."""

    async def test_proves_right(self) -> None:
        """Every order canceled, every process stopped, every entity told: none lost, none twice."""
        result = await told("--orders", "30", "--entities", "10")
        assert tuple(result) == KEYS
        assert result | {"seconds_cancel": 0} == {
            "orders_canceled": 30,
            "campaigns_canceled": 4,
            "processes_stopped": 16,
            "notified": 25,
            "lost": 0,
            "twice": 0,
            "seconds_cancel": 0,
            "ok": True,
        }

    async def test_proves_right_with_more_orders_than_commands_can_place(self) -> None:
        """Imported orders are canceled like all others, and their entities are told once."""
        result = await told("--orders", "12", "--entities", "2", "--mailboxes", "1")
        assert (result["orders_canceled"], result["notified"], result["ok"]) == (12, 8, True)

    async def test_proves_right_with_several_workers_of_each_service(self) -> None:
        """Two and three workers of one service share its work, and do none of it twice."""
        more = ("--packages-workers", "2", "--orders-workers", "3", "--notifications-workers", "3")
        more += ("--campaigns-workers", "2", "--directory-workers", "2")  # type: ignore[assignment]
        result = await told("--orders", "40", "--entities", "10", *more)
        assert (result["orders_canceled"], result["ok"]) == (40, True)

    async def test_proves_right_where_nobody_ordered(self) -> None:
        """Canceled all the same, and the audience is told."""
        result = await told("--orders", "0", "--entities", "3")
        assert (result["orders_canceled"], result["notified"], result["ok"]) == (0, 11, True)
