"""Publishing in batches on a real broker that takes, returns, refuses, hangs and dies."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import aiormq
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.abc import ChannelFrame
from pamqp import commands as spec
from pamqp.common import FieldTable

from services.runtime.amqp import broker
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.amqp.publisher import Publisher
from tests.eventually import eventually
from tests.faults.proxy import Proxy, proxied
from tests.runtime.environment import recording_queue
from tests.runtime.probe import TOKEN

pytestmark = pytest.mark.servers

NUMBERS = itertools.count()
Declare = Callable[..., Awaitable[str]]


def message(queue: str, id: object, body: bytes = b"{}", key: str | None = None) -> Outgoing:
    """A message straight into a queue."""
    return Outgoing("", queue, body, "t", str(id), "application/json", "/test", "", key)


def messages(queue: str, count: int) -> list[Outgoing]:
    """So many messages, numbered."""
    return [message(queue, n) for n in range(count)]


@pytest.fixture
async def admin(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    """A channel to declare and delete with."""
    async with broker.connected(amqp_url, "probe test") as connection:
        yield await connection.channel()


@pytest.fixture
async def declare(admin: AbstractChannel) -> AsyncIterator[Declare]:
    """Declares a queue of this test, with arguments."""
    made = []

    async def queue(**arguments: int | str) -> str:
        name = f"probe_{TOKEN}.publishing.{next(NUMBERS)}"
        named: FieldTable = {key.replace("_", "-"): value for key, value in arguments.items()}
        made.append(await admin.declare_queue(name, durable=True, arguments=named))
        return name

    yield queue
    for one in made:
        await one.delete(if_unused=False, if_empty=False)


@pytest.fixture
async def proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    """A way to the broker that can be cut."""
    async with proxied(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def publisher(proxy: Proxy) -> AsyncIterator[Publisher]:
    """A publisher that goes by way of the proxy."""
    publisher = Publisher(proxy.url, "probe test publisher")
    yield publisher
    proxy.release()
    await publisher.close()


async def received(amqp_url: str, queue: str, count: int) -> list[str]:
    """The ids of so many messages of a queue, in order."""
    async with recording_queue(amqp_url, queue) as recorder:
        await eventually(lambda: len(recorder.deliveries) >= count)
    return [delivery.properties["message_id"] for delivery in recorder.deliveries]


class TestABatch:
    """What is published at once arrives as it was."""

    @pytest.mark.parametrize("count", [1, 200, 201, 2_500])
    async def test_arrives_whole_and_in_order(
        self, publisher: Publisher, declare: Declare, amqp_url: str, count: int
    ) -> None:
        """One write or many, nothing is lost, doubled or overtaken."""
        queue = await declare()

        published = await publisher.publish(messages(queue, count))

        assert published.clean
        assert await received(amqp_url, queue, count) == [str(n) for n in range(count)]

    async def test_may_be_empty(self, publisher: Publisher) -> None:
        """Nothing to say needs no broker."""
        assert (await publisher.publish([])).clean
        assert publisher._channel is None

    async def test_keeps_bodies_of_any_size(
        self, publisher: Publisher, declare: Declare, amqp_url: str
    ) -> None:
        """Empty, of one frame exactly, and of many frames."""
        queue = await declare()
        frame = 131_072 - 8
        bodies = [bytes([n]) * size for n, size in enumerate((0, 1, frame, frame + 1, 1_048_576))]

        await publisher.publish([message(queue, n, body) for n, body in enumerate(bodies)])

        async with recording_queue(amqp_url, queue) as recorder:
            await eventually(lambda: len(recorder.deliveries) == len(bodies))
        assert [delivery.body for delivery in recorder.deliveries] == bodies

    async def test_keeps_every_property(
        self, publisher: Publisher, declare: Declare, amqp_url: str
    ) -> None:
        """Also texts that are not ASCII, in the header that order is kept by too."""
        queue = await declare()
        sent = Outgoing("", queue, b"{}", "té", "ïd", "a/b", "/äpp", "cörr", "clé 🗝")

        await publisher.publish([sent])

        async with recording_queue(amqp_url, queue) as recorder:
            await eventually(lambda: recorder.deliveries)
        (got,) = recorder.deliveries
        assert got.properties == {
            "content_type": "a/b",
            "correlation_id": "cörr",
            "message_id": "ïd",
            "type": "té",
            "app_id": "/äpp",
        }
        assert got.headers() == {"partitionkey": "clé 🗝"}

    async def test_tells_which_were_returned(self, publisher: Publisher, declare: Declare) -> None:
        """An unroutable message is named by its index, the others are taken."""
        queue = await declare()
        batch = messages(queue, 450)
        for at in (0, 7, 449):
            batch[at] = message("nobody.reads.this", at)

        published = await publisher.publish(batch)

        assert published.returned == {0, 7, 449}
        assert not published.nacked

    async def test_tells_which_were_refused(self, publisher: Publisher, declare: Declare) -> None:
        """A queue that is full and rejects takes the first few and no more."""
        roomy, full = await declare(), await declare(x_max_length=3, x_overflow="reject-publish")
        batch = [message(full if n % 2 else roomy, n) for n in range(12)]

        published = await publisher.publish(batch)

        assert published.nacked == {7, 9, 11}
        assert not published.returned

    async def test_does_not_mix_with_another(
        self, publisher: Publisher, declare: Declare, amqp_url: str
    ) -> None:
        """Two published at once are each confirmed for their own, though writes take turns."""
        roomy, full = await declare(), await declare(x_max_length=0, x_overflow="reject-publish")
        good, bad = messages(roomy, 900), messages(full, 900)
        await publisher.open()

        first, second, third = await asyncio.gather(
            publisher.publish(good), publisher.publish(bad), publisher.publish(good)
        )

        assert first.clean
        assert third.clean
        assert second.nacked == set(range(900))

    async def test_that_cannot_be_written_harms_no_other(
        self, publisher: Publisher, declare: Declare
    ) -> None:
        """A text too long for its property is an error of ours; the next publish is right."""
        queue = await declare(x_max_length=1, x_overflow="reject-publish")

        with pytest.raises(ValueError, match="at most 255 bytes"):
            await publisher.publish([message(queue, 0), message(queue, "x" * 256)])

        published = await publisher.publish(messages(queue, 3))
        assert published.nacked >= {1, 2}


class TestABrokerThatFails:
    """A publish ends in PublishFailed, and the next one works."""

    async def test_closes_the_channel(self, publisher: Publisher, declare: Declare) -> None:
        """An exchange that is not there closes the channel in the middle of a batch."""
        queue = await declare()
        batch = messages(queue, 300)
        batch[100] = Outgoing("probe.no.such.exchange", "x", b"", "t", "x", "c", "/test")

        with pytest.raises(PublishFailed):
            await publisher.publish(batch)

        assert (await publisher.publish(messages(queue, 300))).clean

    async def test_closes_the_connection(
        self, publisher: Publisher, declare: Declare, proxy: Proxy
    ) -> None:
        """As it does to whoever breaks the protocol, or when it is shut down."""
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        proxy.hold(down=True, up=False)
        failing = asyncio.create_task(publisher.publish(messages(queue, 300)))
        connection = publisher._connection
        assert connection is not None
        await connection.write_queue.put(ChannelFrame.marshall(999, [spec.Basic.Ack(1)]))
        proxy.release()

        with pytest.raises(PublishFailed):
            await failing

        assert (await publisher.publish(messages(queue, 300))).clean

    async def test_is_cut_off(self, publisher: Publisher, declare: Declare, proxy: Proxy) -> None:
        """All that waited for confirms are told, and each may publish again at once."""
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        proxy.hold(down=True, up=False)
        waiting = [asyncio.create_task(publisher.publish(messages(queue, 300))) for _ in range(4)]
        await asyncio.wait(waiting, timeout=0.05)

        proxy.cut()
        proxy.release()

        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in failed] == [PublishFailed] * 4
        again = await asyncio.gather(*(publisher.publish(messages(queue, 300)) for _ in range(4)))
        assert all(published.clean for published in again)

    async def test_is_not_there(self, publisher: Publisher, declare: Declare, proxy: Proxy) -> None:
        """Nobody listens, then somebody does again."""
        queue = await declare()
        proxy.refuse()

        with pytest.raises(PublishFailed):
            await publisher.publish(messages(queue, 1))

        await proxy.accept()
        assert (await publisher.publish(messages(queue, 1))).clean

    @pytest.mark.parametrize("down", [False, True])
    async def test_no_longer_reads(
        self,
        publisher: Publisher,
        declare: Declare,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
        down: bool,
    ) -> None:
        """Blocked by an alarm, or at the other end of a dead line: it times out and heals."""
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 0.2)
        monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.1)
        proxy.hold(up=True, down=down)

        with pytest.raises(PublishFailed, match="TimeoutError"):
            await publisher.publish([message(queue, n, b"x" * 1_000_000) for n in range(20)])

        monkeypatch.undo()
        proxy.cut()
        proxy.release()
        assert (await publisher.publish(messages(queue, 300))).clean

    async def test_opens_no_connection(
        self,
        publisher: Publisher,
        declare: Declare,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A server that accepts and says nothing does not hold a publish up for ever."""
        queue = await declare()
        monkeypatch.setattr("services.runtime.amqp.publisher.OPEN_TIMEOUT", 0.2)
        proxy.hold()

        with pytest.raises(PublishFailed):
            await publisher.publish(messages(queue, 1))

        monkeypatch.undo()
        proxy.release()
        assert (await publisher.publish(messages(queue, 1))).clean


class TestABrokerThatIsSlow:
    """It confirms, only late."""

    async def test_is_waited_for_while_it_moves(
        self,
        publisher: Publisher,
        declare: Declare,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The whole batch may take much longer than a broker may say nothing."""
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 1.0)
        proxy.delay(0.2)

        large = [message(queue, n, b"x" * 10_000) for n in range(100)]
        assert (await publisher.publish(large, [queue] * 100)).clean

        assert proxy.accepted == 1


class TestApart:
    """Each message on a channel of its own."""

    async def test_tells_what_the_broker_said_of_each(
        self, publisher: Publisher, declare: Declare
    ) -> None:
        """In their order: taken, refused, returned."""
        queue = await declare()
        full = await declare(x_max_length=0, x_overflow="reject-publish")
        batch = [message(queue, 1), message(full, 2), message("probe.no.such.queue", 3)]

        taken, refused, returned = await publisher._isolation._publish_apart(batch)

        assert taken is not None
        assert taken.clean
        assert refused == Published(nacked=frozenset({0}))
        assert returned == Published(returned=frozenset({0}))


class TestAPublishThatIsCanceled:
    """Its confirms no longer count from where we think."""

    async def test_leaves_the_next_one_right(
        self, publisher: Publisher, declare: Declare, proxy: Proxy
    ) -> None:
        """The channel is thrown away, and the next batch counts its own confirms."""
        full = await declare(x_max_length=0, x_overflow="reject-publish")
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        proxy.hold(down=True, up=False)
        canceled = asyncio.create_task(publisher.publish(messages(full, 300)))
        await asyncio.wait({canceled}, timeout=0.05)

        canceled.cancel()
        proxy.release()

        with pytest.raises(asyncio.CancelledError):
            await canceled
        assert publisher._channel is None
        published = await publisher.publish([*messages(queue, 5), *messages(full, 5)])
        assert published.nacked == {5, 6, 7, 8, 9}

    async def test_tells_the_others_that_they_failed(
        self,
        publisher: Publisher,
        declare: Declare,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """They were on the same channel; they are not canceled themselves."""
        monkeypatch.setattr(aiormq.Connection, "READER_CLOSE_TIMEOUT", 0.1)
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        proxy.hold(down=True, up=False)
        canceled, other = (
            asyncio.create_task(publisher.publish(messages(queue, 300))) for _ in range(2)
        )
        await asyncio.wait({canceled, other}, timeout=0.05)

        canceled.cancel()

        with pytest.raises(PublishFailed):
            await other


class TestAPublisher:
    """It holds one connection, and throws away only its own."""

    async def test_spares_the_channel_of_its_successor(
        self, publisher: Publisher, declare: Declare, proxy: Proxy
    ) -> None:
        """A failure told late does not close the connection that was opened meanwhile."""
        queue = await declare()
        await publisher.publish(messages(queue, 1))
        first = publisher._channel
        assert first is not None
        await publisher.close()
        await publisher.publish(messages(queue, 1))

        publisher.forget(first)

        second = publisher._channel
        assert second is not None
        assert not second.is_closed
