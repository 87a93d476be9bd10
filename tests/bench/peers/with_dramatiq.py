"""Dramatiq, tuned: its processes and threads share the cores; its queues are classic ones."""

import sys

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.bench import orders
from tests.bench.peers import blocking
from tests.bench.peers.effect import AMQP_URL

QUEUE = "bench.dramatiq"

broker = RabbitmqBroker(url=AMQP_URL)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=QUEUE, actor_name="place")
def place(body: str) -> None:
    """Handle one message."""
    blocking.handle(body.encode())


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        place.send(orders.place(number, 1).body.decode())
