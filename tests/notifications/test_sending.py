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
from tests.notifications.stage import Post

pytestmark = pytest.mark.servers


class TestNotice:
    """What a mailbox receives is what the contract promises."""

    async def test_carries_what_a_mail_would_show(self, post: Post) -> None:
        """Envelope and data say who, what, when, why and by whom."""
        await post.register("OU1", mailbox="north", label='Agency "Lyon"')
        await post.send(published(audience=["OU9"]))
        await post.send(order(OrderApproved, decision_comment="well done"), actor="p.martin")
        await post.deliver()
        ((letter, notice),) = await post.read("north")
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

    async def test_goes_to_the_mailbox_of_a_gateway(self, post: Post) -> None:
        """Its routing key names the mailbox and the entity."""
        await post.register("OU1", mailbox="north")
        queue = await post.listen(f"{post.mailbox('north')}.entity.OU1")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        assert len(await post.read_queue(queue)) == 1

    async def test_of_an_operator_goes_to_central(self, post: Post) -> None:
        """The operator's label is the one the package gave."""
        operator = f"p-{post.token}"
        queue = await post.listen(names.operator_key(operator))
        assigned = OPERATOR | {"id": operator}
        await post.send(package(PackageRejected, 3, assigned_to=assigned, status="rejected"))
        await post.sweep(wakes.SEND)
        ((_, notice),) = await post.read_queue(queue)
        assert (notice.recipient.type, notice.recipient.label) == ("operator", "Paule Martin")

    async def test_is_announced_as_sent(self, post: Post) -> None:
        """The event is the state of the notification."""
        await post.register("OU1")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        (event,) = await post.desk.events(NotificationSent)
        assert (event.recipient_id, event.channel, event.key) == ("OU1", "mailbox", "CAT86")
        assert (event.kind, event.order_id, event.edition) == ("order_approved", "ORD29", 1)
        assert (event.status, event.attempts, event.error) == ("sent", 1, None)
        ((letter, _),) = await post.read("OU1")
        assert event.notification_id == letter.id


class TestOrder:
    """To one recipient about one package, notices go out in the order of what happened."""

    async def test_is_kept_however_many_wait(self, post: Post) -> None:
        """One is in flight at a time; the next goes when it has arrived."""
        await post.register("OU1")
        decisions = (order(OrderApproved, 2), order(OrderRejected, 3), order(OrderCanceled, 4))
        await post.send(*decisions)
        async with post.desk.work.begin() as tx:
            assert len((await outbound.take(tx.conn, 10, tx.now)).due) == 1
        await post.age(10)
        await post.sweep(wakes.SEND)
        kinds = [notice.kind for _, notice in await post.read("OU1")]
        assert kinds == ["order_approved", "order_rejected", "order_canceled"]

    async def test_waits_for_a_fan_out_that_began_before(self, post: Post) -> None:
        """What happened after a publication is not told before it."""
        await post.register("OU1", "OU2")
        await post.send(published(), order(OrderApproved))
        await post.sweep(wakes.SEND)
        assert await post.read("OU1") == []
        await post.deliver()
        kinds = [notice.kind for _, notice in await post.read("OU1")]
        assert kinds == ["package_available", "order_approved"]

    async def test_does_not_hold_other_packages(self, post: Post) -> None:
        """Another package's notices do not wait."""
        await post.register("OU1")
        await post.send(published(), order(OrderApproved, package_id="CAT87"))
        await post.sweep(wakes.SEND)
        assert len(await post.read("OU1")) == 1


class TestUnknownEntity:
    """An entity may be told of before it is known."""

    async def test_is_told_once_it_is_known(self, post: Post) -> None:
        """Its notice waits for it."""
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        await post.register("OU1")
        await post.age(2)
        await post.sweep(wakes.SEND)
        assert len(await post.read("OU1")) == 1

    async def test_fails_after_a_while(self, post: Post) -> None:
        """After five seconds the notification has failed, and that is announced."""
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        assert [row["status"] for row in await post.rows()] == ["pending"]
        await post.age(5)
        await post.sweep(wakes.SEND)
        (event,) = await post.desk.events(NotificationFailed)
        assert (event.recipient_id, event.error, event.attempts) == ("OU1", "unknown_entity", 0)


class TestOtherChannels:
    """E-mail and webhooks cannot be used yet."""

    async def test_fail_beside_the_mailbox(self, post: Post) -> None:
        """The mailbox is served; each other channel is a failed notification."""
        await post.register("OU1", channels=["mailbox", "email", "webhook"])
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        assert len(await post.read("OU1")) == 1
        failed = await post.desk.events(NotificationFailed)
        assert {(event.channel, event.error) for event in failed} == {
            ("email", "channel_not_available"),
            ("webhook", "channel_not_available"),
        }


class TestMovedMailbox:
    """An entity may move to another mailbox while a notice waits."""

    async def test_is_told_where_it_reads_now(self, post: Post) -> None:
        """The mailbox of the moment of sending counts."""
        await post.register("OU1", mailbox="north")
        await post.send(order(OrderApproved))
        await post.send(entity(EntityUpdated, "OU1", version=2, mailbox=post.mailbox("south")))
        await post.open_mailboxes()
        await post.sweep(wakes.SEND)
        assert await post.read("north") == []
        assert len(await post.read("south")) == 1


class TestFullMailbox:
    """A mailbox without room refuses what comes."""

    async def test_is_tried_again_until_there_is_room(self, post: Post) -> None:
        """Each refusal is a try; nothing is announced before the end."""
        await post.register("OU1", mailbox="north")
        await post.fill("north")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        (row,) = await post.rows()
        assert (row["status"], row["attempts"], row["error"]) == ("pending", 1, "mailbox_full")
        await post.lose("north")
        await post.pool.execute("UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'")
        await post.open_mailboxes()
        await post.age(2)
        await post.sweep(wakes.SEND)
        assert len(await post.read("north")) == 1
        (event,) = await post.desk.events(NotificationSent)
        assert event.attempts == 2

    async def test_leaves_it_failed_after_eight_tries(self, post: Post) -> None:
        """It is kept, and announced."""
        await post.register("OU1", mailbox="north")
        await post.fill("north")
        await post.send(order(OrderApproved))
        for _ in range(8):
            await post.sweep(wakes.SEND)
            await post.age(4000)
        (event,) = await post.desk.events(NotificationFailed)
        assert (event.attempts, event.error) == (8, "mailbox_full")
        assert [row["status"] for row in await post.rows()] == ["failed"]

    async def test_puts_off_what_comes_behind(self, post: Post) -> None:
        """A later notice for the same recipient counts as tried with it, and goes after it."""
        await post.register("OU1", mailbox="north")
        await post.fill("north")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        await post.send(order(OrderCanceled, 3))
        await post.sweep(wakes.SEND)
        first, second = await post.rows()
        assert (second["attempts"], second["error"]) == (1, "waits_for_an_earlier_one")
        assert first["next_try_at"] == second["next_try_at"]
        await post.lose("north")
        await post.pool.execute("UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'")
        await post.open_mailboxes()
        await post.age(2)
        await post.sweep(wakes.SEND)
        kinds = [notice.kind for _, notice in await post.read("north")]
        assert kinds == ["order_approved", "order_canceled"]


class TestALongLine:
    """Many may stand behind one that had to wait."""

    async def test_takes_no_place_of_what_it_waits_for(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though all that are due before it, at once, stand behind it."""
        monkeypatch.setattr(sending, "TAKEN", 3)
        await post.register("OU1", mailbox="north")
        await post.fill("north")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        await post.send(*(order(OrderCanceled, n, order_id=f"ORD{n}") for n in range(10, 20)))
        await post.sweep(wakes.SEND)
        await post.lose("north")
        await post.pool.execute("UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'")
        await post.open_mailboxes()
        await post.pool.execute(
            "UPDATE notifications SET next_try_at = now() - attempts * interval '1 s'"
        )
        await post.pool.execute(
            "UPDATE notifications SET next_try_at = now() WHERE happening_id ="
            " (SELECT min(happening_id) FROM notifications)"
        )
        await post.sweep(wakes.SEND)
        assert len(await post.read("north")) == 11


class TestLostMailbox:
    """A mailbox may be taken off the broker."""

    async def test_is_declared_again(self, post: Post) -> None:
        """What was returned is tried again once the mailbox is back."""
        await post.register("OU1", mailbox="north")
        await post.lose("north")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        (row,) = await post.rows()
        assert (row["status"], row["attempts"], row["error"]) == ("pending", 1, "mailbox_gone")
        await post.sweep(wakes.MAILBOXES, wakes.SEND)
        assert len(await post.read("north")) == 1

    async def test_harms_no_other(self, post: Post) -> None:
        """Only what the broker returned has failed its try."""
        await post.register("OU1", mailbox="north")
        await post.register("OU2", mailbox="south")
        await post.lose("north")
        await post.send(published())
        await post.deliver()
        assert [(r["recipient_id"], r["status"]) for r in await post.rows()] == [
            ("OU1", "pending"),
            ("OU2", "sent"),
        ]


class TestBrokerAway:
    """A broker that is away costs time and nothing else."""

    async def test_burns_no_attempt(self, post: Post) -> None:
        """The lease runs out, and the same id goes again."""
        await post.register("OU1")
        await post.send(order(OrderApproved))
        nowhere = replace(post.desk.work, publisher=Publisher("amqp://127.0.0.1:1", "test"))
        with pytest.raises(PublishFailed):
            await send(nowhere)
        assert not await send(post.desk.work)
        (row,) = await post.rows()
        assert (row["status"], row["attempts"]) == ("pending", 0)
        await post.age(6)
        await post.sweep(wakes.SEND)
        assert len(await post.read("OU1")) == 1


class TestSlowBroker:
    """A broker may take longer than a lease runs."""

    async def test_leaves_the_rounds_to_their_holder(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease is renewed, and nobody else sends the same meanwhile."""
        monkeypatch.setattr(outbound, "LEASE", timedelta(seconds=2))
        await post.register("OU1")
        await post.send(order(OrderApproved))
        slow = Slow(post.desk.work.publisher)
        sending_ = asyncio.create_task(send(replace(post.desk.work, publisher=slow)))
        held_until = await eventually(lambda: self._held_until(post))
        assert held_until is not None
        await eventually(lambda: self._is_held_beyond(post, held_until))
        assert not await send(post.desk.work)
        slow.go.set()
        await sending_
        assert len(await post.read("OU1")) == 1

    async def _held_until(self, post: Post) -> datetime | None:
        until: datetime | None = await post.pool.fetchval(
            "SELECT taken_until FROM rounds WHERE holder IS NOT NULL"
        )
        return until

    async def _is_held_beyond(self, post: Post, moment: datetime) -> bool:
        until = await self._held_until(post)
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
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reader deletes the repeat by its id; the table says sent once."""
        await post.register("OU1")
        await post.send(order(OrderApproved))

        async def die(*_: Any) -> None:
            raise ConnectionError("the worker died")

        with monkeypatch.context() as patch:
            patch.setattr(sending, "_record", die)
            with pytest.raises(ConnectionError):
                await send(post.desk.work)
        await post.age(6)
        await post.sweep(wakes.SEND)
        letters = await post.read("OU1")
        assert len(letters) == 2
        assert len({letter.id for letter, _ in letters}) == 1
        assert len(await post.desk.events(NotificationSent)) == 1

    async def test_of_another_worker_is_not_recorded_twice(self, post: Post) -> None:
        """Of two that hold the same notification, the first to record it announces it."""
        await post.register("OU1")
        await post.send(order(OrderApproved))
        work = post.desk.work
        held = []
        for _ in range(2):
            async with work.begin() as tx:
                held.append(await outbound.take(tx.conn, 10, tx.now))
            await post.age(6)
        for one in held:
            async with work.publishing() as tx:
                await outbound.release(tx.conn, one)
                sent = [delivery.sent(due, tx.now) for due in one.due]
                await sending._record(tx, sent)
        assert len(await post.desk.events(NotificationSent)) == 1


class TestManyWorkers:
    """Several senders at once share the work."""

    async def test_send_each_once(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        """No notice goes out twice, and the cancel counts each once."""
        monkeypatch.setattr(sending, "TAKEN", 7)
        ids = [f"OU{number}" for number in range(100)]
        await post.register(*ids, mailbox="north")
        await post.send(canceled(audience=ids))
        await post.fan_out()
        await asyncio.gather(*(post.sweep(wakes.SEND) for _ in range(3)))
        assert sorted(n.recipient.id for _, n in await post.read("north")) == sorted(ids)
        row = await post.pool.fetchrow("SELECT expected, tried, sent FROM cancels")
        assert row is not None
        assert tuple(row) == (100, 100, 100)


class TestSuperseded:
    """A package that is canceled is no longer offered to anybody."""

    @pytest.mark.parametrize("level", ["collaborative_simple", "local"])
    async def test_drops_what_was_not_sent(self, post: Post, level: str) -> None:
        """A package_available still pending is dropped, announced and counted."""
        await post.register("OU1", "OU2")
        await post.send(published(distribution_level=level))
        await post.fan_out()
        await post.send(canceled(distribution_level=level))
        await post.deliver()
        dropped = {row["recipient_id"] for row in await post.rows(status="superseded")}
        assert dropped == {"OU1", "OU2"}
        kinds = {notice.kind for _, notice in await post.read("OU1")}
        assert kinds == (set() if level == "local" else {"package_canceled"})

    async def test_is_announced(self, post: Post) -> None:
        """The event tells which notification it was."""
        await post.register("OU1", "OU2")
        await post.send(published())
        await post.fan_out()
        await post.send(canceled())
        await post.deliver()
        events = await post.desk.events(NotificationSuperseded)
        assert [(event.kind, event.recipient_id) for event in events] == [
            ("package_available", "OU1"),
            ("package_available", "OU2"),
        ]

    async def test_drops_what_waits_for_another_try_at_once(self, post: Post) -> None:
        """Whoever could not be told of the package is told of its cancel without waiting."""
        await post.register("OU1", mailbox="north")
        await post.fill("north")
        await post.send(published(audience=["OU1"]))
        for _ in range(4):
            await post.deliver()
            await post.age(300)
        await post.deliver()
        await post.lose("north")
        await post.pool.execute("UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'")
        await post.open_mailboxes()
        await post.pool.execute("UPDATE notifications SET next_try_at = now() + interval '1 hour'")
        await post.send(canceled(audience=["OU1"]))
        await post.deliver()
        assert [notice.kind for _, notice in await post.read("north")] == ["package_canceled"]
