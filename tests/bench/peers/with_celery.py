"""Celery, tuned: processes, late acknowledgement, no results, a quorum queue."""

import sys

from celery import Celery
from kombu import Queue

from tests.bench import orders
from tests.bench.peers import blocking
from tests.bench.peers.effect import AMQP_URL, AT_ONCE

QUEUE = "bench.celery"

app = Celery("bench", broker=AMQP_URL)
app.conf.update(
    task_queues=[Queue(QUEUE, queue_arguments={"x-queue-type": "quorum"})],
    task_default_queue=QUEUE,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=AT_ONCE,
    worker_enable_remote_control=False,
    worker_detect_quorum_queues=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="place")
def place(body: str) -> None:
    """Handle one message."""
    blocking.handle(body.encode())


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        place.delay(orders.place(number, 1).body.decode())
