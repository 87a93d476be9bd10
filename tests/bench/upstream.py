"""Commands as an upstream system sends them."""

from contracts import envelope, names
from contracts.message import Command
from services.runtime.amqp.frames import Outgoing
from tests.bench import orders

ACTOR = "m.durand"


def outgoing(command: Command, id: str) -> Outgoing:
    """One command in a message of its own."""
    body = envelope.write(
        id=id,
        source=orders.SOURCE,
        type=command.wire_type,
        subject=command.subject,
        data_json=command.data_json(),
        partitionkey=command.key,
        actor=ACTOR,
    )
    return Outgoing(
        exchange=names.COMMANDS,
        routing_key=command.wire_type,
        body=body,
        type=command.wire_type,
        message_id=id,
        content_type=names.CLOUDEVENT,
        app_id=orders.SOURCE,
        partitionkey=command.key,
    )


def order(number: int, packages: int) -> Outgoing:
    """The order of this number, to whoever handles orders."""
    return _order(number, packages, names.COMMANDS, orders.TYPE)


def order_to(queue: str, number: int) -> Outgoing:
    """The order of this number, straight into a queue."""
    return _order(number, 1, "", queue)


def _order(number: int, packages: int, exchange: str, routing_key: str) -> Outgoing:
    placed = orders.place(number, packages)
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=placed.body,
        type=orders.TYPE,
        message_id=placed.id,
        content_type=names.CLOUDEVENT,
        app_id=orders.SOURCE,
        partitionkey=placed.package_id,
    )
