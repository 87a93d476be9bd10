"""Messages that an earlier commit parked are kept, and handled when somebody asks for it."""

import json
from collections import Counter
from functools import partial
from typing import Any

import aio_pika
import pytest

from contracts import names
from tests.eventually import eventually
from tests.upgrade.conftest import PATIENT, SHOWN, Upgraded

# The first of them waits until the installation is restored, set up and at work.
pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

LATER = "2100-01-01T00:00:00Z"
LEFT = {
    "campaigns": 1,
    "directory": 1,
    "notifications": 1,
    "orders": 4,
    "packages": 3,
}
"""Parked messages of the dumps."""


class TestSetup:
    """`relais setup` on databases of an earlier commit."""

    def test_says_what_it_did_to_each(self, upgraded: Upgraded) -> None:
        """Each of the five is named, and was not taken for an empty one."""
        assert upgraded.setup.code == 0
        assert all(f"{service}: database" in upgraded.setup.out for service in LEFT)
        assert "0001" not in upgraded.setup.out

    def test_leaves_parked_messages_as_they_were(self, upgraded: Upgraded) -> None:
        """The same numbers, reasons and errors as before, asked for again or not."""
        before = [
            {"service": service, **row}
            for service, tables in sorted(upgraded.before.items())
            for row in tables["parked"]
        ]
        assert Counter(row["service"] for row in before) == LEFT
        assert [_listed(row) for row in upgraded.listed] == [_listed(row) for row in before]

    @pytest.mark.parametrize(("service", "number"), SHOWN)
    def test_keeps_the_bodies_of_parked_messages(
        self, upgraded: Upgraded, service: str, number: int
    ) -> None:
        """Byte by byte, also of what cannot be read, and with the trace of what failed."""
        [was] = [row for row in upgraded.before[service]["parked"] if row["number"] == number]
        [now] = [
            row for row in upgraded.listed if (row["service"], row["number"]) == (service, number)
        ]
        assert now["body"] == was["body"].decode(errors="backslashreplace")
        assert (now["traceback"] or "") == (was["traceback"] or "")
        assert [now[field] for field in ROUTE] == [was[field] for field in ROUTE]
        assert (now["reason"] == "failed") == (now["traceback"] is not None)


ROUTE = ("exchange", "routing_key", "reply_to", "correlation_id", "message_id")
LISTED = ("service", "number", "reason", "error", "type", "source", "id")


def _listed(row: dict[str, Any]) -> tuple[object, ...]:
    """What a list says of a parked message; last, whether somebody has asked to retry it."""
    return *(row[field] for field in LISTED), row["retry_at"] is not None


class TestParked:
    """Messages that were parked."""

    async def test_are_handled_where_that_was_asked_before(self, upgraded: Upgraded) -> None:
        """The wish to retry one is kept over the upgrade."""
        await eventually(lambda: upgraded.events("order.placed", "ORD-P2"), timeout=PATIENT)

    async def test_are_handled_when_retried(self, upgraded: Upgraded) -> None:
        """By number, by reason and all of a service; its sender is answered."""
        for service, data in (
            ("orders", {"numbers": [1, 4]}),
            ("packages", {"numbers": [3]}),
            ("campaigns", {"all_of": {"reason": "failed", "until": LATER}}),
            ("directory", {"all_of": {"until": LATER}}),
        ):
            ran = await upgraded.relais("send", "parked.retry", service, "--data", json.dumps(data))
            assert ran.code == 0, ran.err
        for kind, subject in (
            ("order.placed", "ORD-P1"),
            ("order.placed", "ORD-P3"),
            ("order.approved", "ORD-A"),
            ("process.finished", "OP3"),
            ("entity.updated", "E44"),
        ):
            await eventually(partial(upgraded.events, kind, subject), timeout=PATIENT)

        async def answered() -> bool:
            return (await upgraded.replies()).get("ORD-P1") == ("accepted", None)

        await eventually(answered, timeout=PATIENT)

    async def test_stay_where_nobody_asked(self, upgraded: Upgraded) -> None:
        """Under their numbers, and one that is parked now gets a number of its own."""
        async with await aio_pika.connect(upgraded.stack.amqp_url) as connection:
            exchange = await (await connection.channel()).get_exchange(names.COMMANDS)
            await exchange.publish(aio_pika.Message(b"{"), "relais.package.cancel.v1")

        async def listed() -> bool:
            found = [(row["service"], row["number"]) for row in await upgraded.parked()]
            assert found[:-1] == [
                ("notifications", 1),
                ("orders", 3),
                ("packages", 1),
                ("packages", 2),
            ]
            assert found[-1][0] == "packages"
            assert found[-1][1] > 3
            return True

        await eventually(listed, timeout=PATIENT)
