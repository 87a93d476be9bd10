"""Sending, over a real broker: each notice once, in order, and what could not be delivered."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts import names
from contracts.directory import EntityUpdated
from contracts.notifications import (
    NotificationFailed,
    NotificationSent,
    NotificationSuperseded,
)
from contracts.orders import OrderApproved, OrderCanceled, OrderRejected
from contracts.packages import PackageRejected
from services.notifications import delivery, domain, outbound, sending, wakes
from services.notifications.domain import Key
from services.notifications.sending import send
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.amqp.publisher import Publisher
from tests.eventually import eventually
from tests.notifications.given import OPERATOR, canceled, entity, order, package, published
from tests.notifications.harness import BrokerHarness

pytestmark = pytest.mark.servers


class TestNotice:
    """What a mailbox receives is what the contract promises."""

    async def test_carries_what_a_mail_would_show(self, broker_harness: BrokerHarness) -> None:
        """Envelope and data say who, what, when, why and by whom."""
        await broker_harness.register("OU1", mailbox="north", label='Agency "Lyon"')
        await broker_harness.send(published(audience=["OU9"]))
        await broker_harness.send(
            order(OrderApproved, decision_comment="well done"), actor="p.martin"
        )
        await broker_harness.deliver()
        ((letter, notice),) = await broker_harness.read("north")
        id = domain.ids_of(Key(notice.kind, "ORD29", 1, "2"))("entity", "OU1", "mailbox")
        assert (letter.id, letter.type) == (id, "relais.notification.order_approved.v1")
        assert (letter.source, letter.subject) == ("/relais/notifications", "OU1")
        assert (letter.partitionkey, letter.actor) == ("CAT86", "p.martin")
        assert letter.causationid is not None
        assert letter.time == notice.happened_at == order(OrderApproved).changed_at
        assert notice.notification_id == id
        assert (notice.recipient.id, notice.recipient.label) == ("OU1", 'Agency "Lyon"')
        assert (
            notice.text
            == "Your order Windows for Lyon (ORD29) was approved by p.martin: well done."
        )
        assert notice.package is not None
        assert notice.package.label == "Spring windows"
        assert notice.order is not None
        assert (notice.order.order_id, notice.comment) == ("ORD29", "well done")

    async def test_goes_to_the_mailbox_of_a_gateway(self, broker_harness: BrokerHarness) -> None:
        """Its routing key names the mailbox and the entity."""
        await broker_harness.register("OU1", mailbox="north")
        queue = await broker_harness.listen(f"{broker_harness.mailbox('north')}.entity.OU1")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read_queue(queue)) == 1

    async def test_of_an_operator_goes_to_central(self, broker_harness: BrokerHarness) -> None:
        """The operator's label is the one the package gave."""
        operator = f"p-{broker_harness.token}"
        queue = await broker_harness.listen(names.operator_key(operator))
        assigned = OPERATOR | {"id": operator}
        await broker_harness.send(
            package(PackageRejected, 3, assigned_to=assigned, status="rejected")
        )
        await broker_harness.sweep(wakes.SEND)
        ((_, notice),) = await broker_harness.read_queue(queue)
        assert (notice.recipient.type, notice.recipient.label) == ("operator", "Paule Martin")

    async def test_is_announced_as_sent(self, broker_harness: BrokerHarness) -> None:
        """The event is the state of the notification."""
        await broker_harness.register("OU1")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        (event,) = await broker_harness.inner.events(NotificationSent)
        assert (event.recipient_id, event.channel, event.key) == ("OU1", "mailbox", "CAT86")
        assert (event.kind, event.order_id, event.edition) == ("order_approved", "ORD29", 1)
        assert (event.status, event.attempts, event.error) == ("sent", 1, None)
        ((letter, _),) = await broker_harness.read("OU1")
        assert event.notification_id == letter.id


class TestOrder:
    """To one recipient about one package, notices go out in the order of what happened."""

    async def test_is_kept_however_many_wait(self, broker_harness: BrokerHarness) -> None:
        """One is in flight at a time; the next goes when it has arrived."""
        await broker_harness.register("OU1")
        decisions = (order(OrderApproved, 2), order(OrderRejected, 3), order(OrderCanceled, 4))
        await broker_harness.send(*decisions)
        async with broker_harness.inner.work.begin() as tx:
            assert len((await outbound.take(tx.conn, 10, tx.now)).due) == 1
        await broker_harness.age(10)
        await broker_harness.sweep(wakes.SEND)
        kinds = [notice.kind for _, notice in await broker_harness.read("OU1")]
        assert kinds == ["order_approved", "order_rejected", "order_canceled"]

    @pytest.mark.usefixtures("by_sweep")
    async def test_waits_for_a_fan_out_that_began_before(
        self, broker_harness: BrokerHarness
    ) -> None:
        """What happened after a publication is not told before it."""
        await broker_harness.register("OU1", "OU2")
        await broker_harness.send(published(), order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        assert await broker_harness.read("OU1") == []
        await broker_harness.deliver()
        kinds = [notice.kind for _, notice in await broker_harness.read("OU1")]
        assert kinds == ["package_available", "order_approved"]

    @pytest.mark.usefixtures("by_sweep")
    async def test_does_not_hold_other_packages(self, broker_harness: BrokerHarness) -> None:
        """Another package's notices do not wait."""
        await broker_harness.register("OU1")
        await broker_harness.send(published(), order(OrderApproved, package_id="CAT87"))
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("OU1")) == 1


class TestUnknownEntity:
    """An entity may be told of before it is known."""

    async def test_is_told_once_it_is_known(self, broker_harness: BrokerHarness) -> None:
        """Its notice waits for it."""
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.register("OU1")
        await broker_harness.age(2)
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("OU1")) == 1

    async def test_fails_after_a_while(self, broker_harness: BrokerHarness) -> None:
        """After five seconds the notification has failed, and that is announced."""
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        assert [row["status"] for row in await broker_harness.rows()] == ["pending"]
        await broker_harness.age(5)
        await broker_harness.sweep(wakes.SEND)
        (event,) = await broker_harness.inner.events(NotificationFailed)
        assert (event.recipient_id, event.attempts) == ("OU1", 0)
        assert (event.error or "").startswith("unknown_entity: OU1 is not registered; register it")


class TestOtherChannels:
    """E-mail and webhooks cannot be used yet, nor what a newer service knows."""

    async def test_fail_beside_the_mailbox(self, broker_harness: BrokerHarness) -> None:
        """The mailbox is served; each other channel is a failed notification."""
        channels = ["mailbox", "email", "webhook", "fax"]
        await broker_harness.register("OU1", channels=channels)
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("OU1")) == 1
        failed = await broker_harness.inner.events(NotificationFailed)
        assert {(event.channel, event.error) for event in failed} == {
            ("email", "channel_not_available"),
            ("webhook", "channel_not_available"),
            ("fax", "channel_not_available"),
        }


class TestMovedMailbox:
    """An entity may move to another mailbox while a notice waits."""

    async def test_is_told_where_it_reads_now(self, broker_harness: BrokerHarness) -> None:
        """The mailbox of the moment of sending counts."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.send(
            entity(EntityUpdated, "OU1", version=2, mailbox=broker_harness.mailbox("south"))
        )
        await broker_harness.open_mailboxes()
        await broker_harness.sweep(wakes.SEND)
        assert await broker_harness.read("north") == []
        assert len(await broker_harness.read("south")) == 1


class TestFullMailbox:
    """A mailbox without room refuses what comes."""

    async def test_is_tried_again_until_there_is_room(self, broker_harness: BrokerHarness) -> None:
        """Each refusal is a try; nothing is announced before the end."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"], row["error"]) == ("pending", 1, "mailbox_full")
        await broker_harness.lose("north")
        await broker_harness.pool.execute(
            "UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'"
        )
        await broker_harness.open_mailboxes()
        await broker_harness.age(2)
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("north")) == 1
        (event,) = await broker_harness.inner.events(NotificationSent)
        assert event.attempts == 2

    async def test_leaves_it_failed_after_eight_tries(self, broker_harness: BrokerHarness) -> None:
        """It is kept, and announced."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(order(OrderApproved))
        for _ in range(8):
            await broker_harness.sweep(wakes.SEND)
            await broker_harness.age(4000)
        (event,) = await broker_harness.inner.events(NotificationFailed)
        assert (event.attempts, event.error) == (8, "mailbox_full")
        assert [row["status"] for row in await broker_harness.rows()] == ["failed"]

    async def test_puts_off_what_comes_behind(self, broker_harness: BrokerHarness) -> None:
        """A later notice for the same recipient counts as tried with it, and goes after it."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.send(order(OrderCanceled, 3))
        await broker_harness.sweep(wakes.SEND)
        first, second = await broker_harness.rows()
        assert (second["attempts"], second["error"]) == (1, "waits_for_an_earlier_one")
        assert first["next_try_at"] == second["next_try_at"]
        await broker_harness.lose("north")
        await broker_harness.pool.execute(
            "UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'"
        )
        await broker_harness.open_mailboxes()
        await broker_harness.age(2)
        await broker_harness.sweep(wakes.SEND)
        kinds = [notice.kind for _, notice in await broker_harness.read("north")]
        assert kinds == ["order_approved", "order_canceled"]


class TestALongLine:
    """Many may stand behind one that had to wait."""

    async def test_takes_no_place_of_what_it_waits_for(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though all that are due before it, at once, stand behind it."""
        monkeypatch.setattr(sending, "TAKEN", 3)
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.send(
            *(order(OrderCanceled, n, order_id=f"ORD{n}") for n in range(10, 20))
        )
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.lose("north")
        await broker_harness.pool.execute(
            "UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'"
        )
        await broker_harness.open_mailboxes()
        await broker_harness.pool.execute(
            "UPDATE notifications SET next_try_at = now() - attempts * interval '1 s'"
        )
        await broker_harness.pool.execute(
            "UPDATE notifications SET next_try_at = now() WHERE happening_id ="
            " (SELECT min(happening_id) FROM notifications)"
        )
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("north")) == 11


class TestLostMailbox:
    """A mailbox may be taken off the broker."""

    async def test_is_declared_again(self, broker_harness: BrokerHarness) -> None:
        """What was returned is tried again once the mailbox is back."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.lose("north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"], row["error"]) == ("pending", 1, "mailbox_gone")
        await broker_harness.sweep(wakes.MAILBOXES, wakes.SEND)
        assert len(await broker_harness.read("north")) == 1

    async def test_harms_no_other(self, broker_harness: BrokerHarness) -> None:
        """Only what the broker returned has failed its try."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.register("OU2", mailbox="south")
        await broker_harness.lose("north")
        await broker_harness.send(published())
        await broker_harness.deliver()
        assert [(r["recipient_id"], r["status"]) for r in await broker_harness.rows()] == [
            ("OU1", "pending"),
            ("OU2", "sent"),
        ]


class TestBrokerAway:
    """A broker that is away costs time and nothing else."""

    async def test_burns_no_attempt(self, broker_harness: BrokerHarness) -> None:
        """The same id goes again as soon as the broker is back."""
        await broker_harness.register("OU1")
        await broker_harness.send(order(OrderApproved))
        nowhere = replace(
            broker_harness.inner.work, publisher=Publisher("amqp://127.0.0.1:1", "test")
        )
        with pytest.raises(PublishFailed):
            await send(nowhere)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"]) == ("pending", 0)
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("OU1")) == 1


class TestSlowBroker:
    """A broker may take longer than a lease runs."""

    async def test_leaves_the_rounds_to_their_holder(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease is renewed, and nobody else sends the same meanwhile."""
        monkeypatch.setattr(outbound, "LEASE", timedelta(seconds=2))
        await broker_harness.register("OU1")
        await broker_harness.send(order(OrderApproved))
        slow = Slow(broker_harness.inner.work.publisher)
        sending_ = asyncio.create_task(send(replace(broker_harness.inner.work, publisher=slow)))
        held_until = await eventually(lambda: self._held_until(broker_harness))
        assert held_until is not None
        await eventually(lambda: self._is_held_beyond(broker_harness, held_until))
        assert await send(broker_harness.inner.work), "it looks again soon"
        assert not await broker_harness.read("OU1")
        slow.go.set()
        await sending_
        assert len(await broker_harness.read("OU1")) == 1

    async def _held_until(self, broker_harness: BrokerHarness) -> datetime | None:
        until: datetime | None = await broker_harness.pool.fetchval(
            "SELECT taken_until FROM rounds WHERE holder IS NOT NULL"
        )
        return until

    async def _is_held_beyond(self, broker_harness: BrokerHarness, moment: datetime) -> bool:
        until = await self._held_until(broker_harness)
        return until is not None and until > moment


class Slow(Publisher):
    """Publishes when it is told to."""

    def __init__(self, publisher: Publisher) -> None:
        """Nothing goes yet."""
        self.go = asyncio.Event()
        self._inner = publisher

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None] | None = None
    ) -> Published:
        """Wait, and then publish."""
        await self.go.wait()
        return await self._inner.publish(messages, queues)


class TestCrash:
    """A worker may die between the broker's confirm and the record of it."""

    async def test_sends_the_same_id_again(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reader deletes the repeat by its id; the table says sent once."""
        await broker_harness.register("OU1")
        await broker_harness.send(order(OrderApproved))

        async def die(*_: Any) -> None:
            raise ConnectionError("the worker died")

        with monkeypatch.context() as patch:
            patch.setattr(sending, "_record", die)
            with pytest.raises(ConnectionError):
                await send(broker_harness.inner.work)
        await broker_harness.age(6)
        await broker_harness.sweep(wakes.SEND)
        letters = await broker_harness.read("OU1")
        assert len(letters) == 2
        assert len({letter.id for letter, _ in letters}) == 1
        assert len(await broker_harness.inner.events(NotificationSent)) == 1

    async def test_of_another_worker_is_not_recorded_twice(
        self, broker_harness: BrokerHarness
    ) -> None:
        """Of two that hold the same notification, the first to record it announces it."""
        await broker_harness.register("OU1")
        await broker_harness.send(order(OrderApproved))
        work = broker_harness.inner.work
        held = []
        for _ in range(2):
            async with work.begin() as tx:
                held.append(await outbound.take(tx.conn, 10, tx.now))
            await broker_harness.age(6)
        for one in held:
            async with work.publishing() as tx:
                await outbound.release(tx.conn, one)
                sent = [delivery.sent(due, tx.now) for due in one.due]
                await sending._record(tx, sent)
        assert len(await broker_harness.inner.events(NotificationSent)) == 1


class TestManyWorkers:
    """Several senders at once share the work."""

    async def test_send_each_once(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No notice goes out twice, and the cancel counts each once."""
        monkeypatch.setattr(sending, "TAKEN", 7)
        ids = [f"OU{number}" for number in range(100)]
        await broker_harness.register(*ids, mailbox="north")
        await broker_harness.send(canceled(audience=ids))
        await broker_harness.fan_out()
        await asyncio.gather(*(broker_harness.sweep(wakes.SEND) for _ in range(3)))
        assert sorted(n.recipient.id for _, n in await broker_harness.read("north")) == sorted(ids)
        row = await broker_harness.pool.fetchrow("SELECT expected, tried, sent FROM cancels")
        assert row is not None
        assert tuple(row) == (100, 100, 100)


class TestSuperseded:
    """A package that is canceled is no longer offered to anybody."""

    @pytest.mark.parametrize("level", ["collaborative_simple", "local"])
    async def test_drops_what_was_not_sent(self, broker_harness: BrokerHarness, level: str) -> None:
        """A package_available still pending is dropped, announced and counted."""
        await broker_harness.register("OU1", "OU2")
        await broker_harness.send(published(distribution_level=level))
        await broker_harness.fan_out()
        await broker_harness.send(canceled(distribution_level=level))
        await broker_harness.deliver()
        dropped = {row["recipient_id"] for row in await broker_harness.rows(status="superseded")}
        assert dropped == {"OU1", "OU2"}
        kinds = {notice.kind for _, notice in await broker_harness.read("OU1")}
        assert kinds == (set() if level == "local" else {"package_canceled"})

    async def test_is_announced(self, broker_harness: BrokerHarness) -> None:
        """The event tells which notification it was."""
        await broker_harness.register("OU1", "OU2")
        await broker_harness.send(published())
        await broker_harness.fan_out()
        await broker_harness.send(canceled())
        await broker_harness.deliver()
        events = await broker_harness.inner.events(NotificationSuperseded)
        assert [(event.kind, event.recipient_id) for event in events] == [
            ("package_available", "OU1"),
            ("package_available", "OU2"),
        ]

    async def test_drops_what_waits_for_another_try_at_once(
        self, broker_harness: BrokerHarness
    ) -> None:
        """Whoever could not be told of the package is told of its cancel without waiting."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(published(audience=["OU1"]))
        for _ in range(4):
            await broker_harness.deliver()
            await broker_harness.age(300)
        await broker_harness.deliver()
        await broker_harness.lose("north")
        await broker_harness.pool.execute(
            "UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'"
        )
        await broker_harness.open_mailboxes()
        await broker_harness.pool.execute(
            "UPDATE notifications SET next_try_at = now() + interval '1 hour'"
        )
        await broker_harness.send(canceled(audience=["OU1"]))
        await broker_harness.deliver()
        assert [notice.kind for _, notice in await broker_harness.read("north")] == [
            "package_canceled"
        ]
