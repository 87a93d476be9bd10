"""Take what comes to queues at the moment it comes."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from services.runtime.amqp import broker
from services.runtime.amqp.reader import Delivery


@asynccontextmanager
async def listening(
    amqp_url: str, queues: Sequence[str], take: Callable[[Delivery], None]
) -> AsyncIterator[None]:
    """Hand every delivery to take while the block lasts; nothing is acknowledged, all is gone."""
    async with broker.consuming(amqp_url, "bench listener", take) as channel:
        for queue in queues:
            await channel.basic_consume(queue, _unused, no_ack=True, consumer_tag=queue)
        yield


async def _unused(_: object) -> None:
    """Deliveries are taken out of the stream before they come here."""
