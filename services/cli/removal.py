"""What `relais setup` has made on a broker, and how it is taken off again."""

from collections.abc import Sequence

from aio_pika.abc import AbstractConnection

from contracts import names
from services.runtime.amqp.topology import Reader, surplus


async def remove(connection: AbstractConnection, readers: Sequence[Reader]) -> None:
    """Take everything of Relais off the broker; of the mailboxes just the central one."""
    unrouted = [names.UNROUTED, names.expired(names.UNROUTED)]
    queues = [*unrouted, names.PULSE, names.mailbox(names.CENTRAL)]
    exchanges = [names.COMMANDS, names.EVENTS, names.NOTIFICATIONS, names.UNROUTED]
    for reader in readers:
        dead = names.dead(reader.service)
        queues += [*reader.queues, *await surplus(connection, reader), dead, names.expired(dead)]
        exchanges.append(names.inbound(reader.service))
    async with connection.channel() as channel:
        for queue in queues:
            # Anything else than "as it is" closes the whole connection on a quorum queue.
            await channel.queue_delete(queue, if_unused=False, if_empty=False)
        for exchange in exchanges:
            await channel.exchange_delete(exchange)
