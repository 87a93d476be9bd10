"""What no lane took: it is kept, and its sender is told."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.runtime.messages.item import DRAIN, Item
from tests.harness import Harness
from tests.runtime.given import handle, item_of, items_of, kept, plain
from tests.runtime.probe import Add
from tests.runtime.then import events, rows

pytestmark = pytest.mark.servers

STRANGE = "relais.probe.strange.v1"


class TestAnUnknownType:
    """A command that no lane takes is kept, and its sender is told."""

    async def test_is_parked_and_refused(self, harness: Harness) -> None:
        """With the type in the sentence, about the thing that it was about."""
        body = plain(type="relais.package.cancle.v1", subject="CAT86")

        (answer,) = await handle(
            harness,
            *items_of(
                harness,
                body,
                routing_key="relais.package.cancle.v1",
                source=DRAIN,
            ),
        )

        assert answer is not None
        assert answer.code == "unknown_type"
        assert "relais.package.cancle.v1" in (answer.message or "")
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unknown_type"]
        (refused,) = await events(harness, "command.refused")
        assert refused.envelope.subject == "CAT86"

    @pytest.mark.parametrize(
        ("claimed", "meant"),
        [
            ("package.cancel", "relais.package.cancel.v1"),
            ("relais.package.cancel", "relais.package.cancel.v1"),
            ("Package.Cancle", "relais.package.cancel.v1"),
            ("relais.package.cancel.v2", "relais.package.cancel.v1"),
            ("relais.order.placed.v1", "relais.order.place.v1"),
        ],
    )
    async def test_is_told_what_may_be_meant(
        self, harness: Harness, claimed: str, meant: str
    ) -> None:
        """The prefix and the version are easily forgotten."""
        body = plain(type=claimed)

        (answer,) = await handle(
            harness, *items_of(harness, body, routing_key=claimed, source=DRAIN)
        )

        assert answer is not None
        assert (answer.message or "").endswith(f"; perhaps {meant!r} is meant")

    @pytest.mark.parametrize("claimed", ["mailbox.purge", "package.delete", "order.create"])
    async def test_is_not_told_to_send_something_else(self, harness: Harness, claimed: str) -> None:
        """Who deletes a package does not mean to create one, nor to reject it."""
        type_ = f"relais.{claimed}.v1"
        items = items_of(harness, plain(type=type_), routing_key=type_, source=DRAIN)

        (answer,) = await handle(harness, *items)

        assert answer is not None
        assert answer.message == f"no service reads messages of type {type_!r}"

    async def test_that_is_only_misrouted_is_invalid(self, harness: Harness) -> None:
        """Its type is right, and nobody needs to look at it: the routing key is not."""
        body = plain(type="relais.package.cancel.v1", subject="CAT86", time="bad")

        (answer,) = await handle(
            harness, *items_of(harness, body, routing_key="cancel", source=DRAIN)
        )

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert [error.field for error in answer.errors] == ["time", "type"]
        assert "and the routing key 'cancel'; make them the same" in (answer.message or "")
        assert not await rows(harness, "parked")


class TestWhatIsDrained:
    """It is kept unhandled, and known again."""

    def unknown(self, harness: Harness, **more: Any) -> Sequence[Item]:
        """A command of a type that nobody reads."""
        return items_of(
            harness, plain(type=STRANGE, **more), routing_key=STRANGE, source=DRAIN, reply_to="r"
        )

    async def test_of_an_unknown_type_is_refused_once(self, harness: Harness) -> None:
        """However often it is delivered or sent."""
        for _ in range(2):
            found = await handle(harness, *self.unknown(harness), *self.unknown(harness))
            assert [answer and answer.code for answer in found] == ["unknown_type"] * 2

        assert len(await events(harness, "command.refused")) == 1
        assert len(await events(harness, "message.parked")) == 1
        assert len(await rows(harness, "parked")) == 1

    async def test_under_a_used_id_is_refused(self, harness: Harness) -> None:
        """As what it is: a second use."""
        await handle(harness, item_of(harness, Add(thing_id="A", note="n"), "1"))
        (answer,) = await handle(harness, *self.unknown(harness))
        assert answer is not None
        assert answer.code == "id_reused"

    async def test_is_new_again_once_it_is_sent_again(self, harness: Harness) -> None:
        """Whoever reads its type by now handles it, and answers where its sender asked."""
        await handle(harness, *self.unknown(harness))
        await harness.pool.execute("DELETE FROM outbox; UPDATE kept SET retry_at = now()")

        await kept(harness).retry(harness.work)

        assert not await rows(harness, "inbox")
        (sent,) = [row for row in await rows(harness, "outbox") if row["type"] == STRANGE]
        assert sent["reply_to"] == "r"
        (released,) = await events(harness, "message.released")
        assert released.data["how"] == "handled"
