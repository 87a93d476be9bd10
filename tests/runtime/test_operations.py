"""Whom a command about the work of a service is for: every one gets it, and one answers."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from contracts import names
from contracts.operations import (
    RequestSnapshot,
    RetryParked,
)
from services.runtime.messages import operations, passes
from services.runtime.messages.item import DRAIN
from services.runtime.service import Service, installed_names
from tests.harness import Harness
from tests.runtime.given import handle, items_of, kept, plain
from tests.runtime.probe import Add
from tests.runtime.telling import telling
from tests.runtime.then import events, outbox_envelopes, rows

pytestmark = pytest.mark.servers


def sent(harness: Harness, body: bytes, type_: str, **more: Any) -> Any:
    """One operation as it comes from a lane."""
    return items_of(harness, body, routing_key=type_, reply_to="r", **more)


def operation(type_: str, subject: str, data: Any) -> bytes:
    """The JSON of an operation."""
    return plain(id=uuid.uuid4().hex, type=type_, subject=subject, data=data)


class TestWhomAnOperationIsFor:
    """Every service gets each of them, and one answers."""

    BROKEN = operation(RetryParked.TYPE, "orders", {"nubmers": [1]})

    @pytest.mark.parametrize("central", [False, True])
    async def test_is_not_the_service_of_another_name(
        self, harness: Harness, central: bool
    ) -> None:
        """No answer, no place in the inbox, no event: neither of a good one nor of a broken one."""
        telling(harness, *([names.UNROUTED] if central else []))
        good = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        for body in (good, good, self.BROKEN):
            assert await handle(harness, *sent(harness, body, RetryParked.TYPE)) == [None]
        for table in ("inbox", "outbox", "kept"):
            assert await rows(harness, table) == []

    @pytest.mark.parametrize(
        "body",
        [
            operation(RetryParked.TYPE, "ordres", {"numbers": [1]}),
            operation(RetryParked.TYPE, "all", {"numbers": [1]}),
            operation(RetryParked.TYPE, "no id!", {"numbers": [1]}),
            operation(RequestSnapshot.TYPE, "ordres", {"request_id": "r"}),
            operation(RequestSnapshot.TYPE, "all", {"requets_id": "r"}),
            operation(Add.TYPE, "A", {"note": "n"}),
        ],
    )
    async def test_is_one_service_where_nobody_is_named(
        self, harness: Harness, body: bytes
    ) -> None:
        """The one that reads what is unrouted refuses it, all others leave it alone."""
        claimed = orjson.loads(body)["type"]
        type_ = claimed if claimed != Add.TYPE else RetryParked.TYPE
        assert await handle(harness, *sent(harness, body, type_)) == [None]
        assert await rows(harness, "inbox") == []

        telling(harness, names.UNROUTED)
        (answer,) = await handle(harness, *sent(harness, body, type_))
        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert len(await events(harness, "command.refused")) == 1

    async def test_is_said_with_the_names_of_services(self, harness: Harness) -> None:
        """Whoever misspelt one finds the right one."""
        telling(harness, names.UNROUTED)
        answer = await harness.ask(RetryParked(service="ordres", numbers=[1]))
        *others, last = sorted(installed_names())
        sentence = f"subject must be one of {', '.join(others)} or {last}, not 'ordres'"
        assert (answer.message, answer.errors[0].field) == (sentence, "subject")
        answer = await harness.ask(RequestSnapshot(service="ordres", request_id="r"))
        assert "or all, not 'ordres'" in (answer.message or "")

    async def test_is_one_where_nothing_can_be_read(self, harness: Harness) -> None:
        """It is parked once."""
        await handle(harness, *sent(harness, b"{", RetryParked.TYPE))
        assert await rows(harness, "kept") == []
        telling(harness, names.UNROUTED)
        await handle(harness, *sent(harness, b"{", RetryParked.TYPE))
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unreadable"]

    async def test_is_every_one_where_all_are_asked(self, harness: Harness) -> None:
        """Each begins; the sender hears from one, also when it asks again."""
        telling(harness)
        body = operation(RequestSnapshot.TYPE, "all", {"request_id": "r"})
        again = operation(RequestSnapshot.TYPE, "all", {"request_id": "r"})
        for one in (body, body, again):
            items = sent(harness, one, RequestSnapshot.TYPE)
            assert await handle(harness, *items) == [None]
        await harness.sweep(operations.SWEEP)
        assert [one.kind for one in await outbox_envelopes(harness)] == ["snapshot.completed"]

        telling(harness, names.UNROUTED)
        third = operation(RequestSnapshot.TYPE, "all", {"request_id": "r2"})
        (answer,) = await handle(harness, *sent(harness, third, RequestSnapshot.TYPE))
        assert answer is not None
        assert answer.outcome == "accepted"

    async def test_is_left_to_the_drain_where_no_lane_took_it(self, harness: Harness) -> None:
        """Before `relais setup` nobody reads it: it is kept, and its sender told."""
        telling(harness, names.UNROUTED)
        body = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        (answer,) = await handle(harness, *sent(harness, body, RetryParked.TYPE, source=DRAIN))
        assert answer is not None
        assert answer.code == "unknown_type"

    async def test_is_found_out_by_the_version_that_reads_it(self, harness: Harness) -> None:
        """What an older one has parked as unread is let go, and said to be."""
        body = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        reads: Service = harness.service
        object.__setattr__(reads, "routes", {Add.TYPE: Add})
        try:
            (item,) = items_of(harness, body, routing_key=RetryParked.TYPE)
            old = replace(item, received_at=datetime.now(UTC) - timedelta(hours=1))
            # An older version knows nothing of operations.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(operations, "OPERATIONS", {})
                patch.setattr(passes, "read_elsewhere", lambda _: frozenset())
                await handle(harness, old)
        finally:
            harness.service = replace(reads)
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unread"]
        await kept(harness).measure(harness.work)
        assert await kept(harness).retry(harness.work)
        assert await rows(harness, "parked") == []
        assert [one.data["how"] for one in await events(harness, "message.released")] == ["handled"]
