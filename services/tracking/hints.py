"""What whoever looks at a thing is told, so that they look again: hints, which may be lost."""

import asyncio

import orjson

from contracts import names
from contracts.campaigns import CampaignEvent, ProcessEvent
from contracts.cancellation import CancellationEvent
from contracts.directory import EntityEvent
from contracts.message import Event
from contracts.notifications import NotificationEvent
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.orders import OrderEvent, OrdersEvent
from contracts.outcomes import MessageParked, MessageReleased
from contracts.packages import PackageEvent
from services.runtime.service import Outgoing, Sweep, Work

EXCHANGE = "relais.hints"
NAME = "hints"
MOST = 500
"""Topics in one hint; where more have changed, it is `*`: anything may have."""
ANYTHING = "*"
PAUSE = 0.1
"""Seconds between two hints of one process."""

waiting: set[str] = set()
"""The topics that this process has yet to publish."""


def topics(event: Event, causationid: str | None) -> list[str]:
    """What an event changes, such as `package:CAT86`, and the lists that it is in."""
    found: list[str]
    match event:
        case WorkerSeen():
            return ["workers"]
        case SnapshotCompleted():
            return ["rebuild"]
        case PackageEvent() | CancellationEvent():
            found = ["packages", f"package:{event.package_id}"]
        case OrderEvent():
            found = ["orders", f"order:{event.order_id}", f"entity:{event.entity_id}"]
            found.append(f"package:{event.package_id}")
        case OrdersEvent():
            found = ["orders", f"package:{event.package_id}"]
        case CampaignEvent() | ProcessEvent():
            found = ["campaigns", f"campaign:{event.campaign_id}"]
        case EntityEvent():
            found = ["entities", f"entity:{event.entity_id}"]
        case NotificationEvent():
            found = ["notifications"]
            if event.package_id:
                found.append(f"package:{event.package_id}")
        case MessageParked() | MessageReleased():
            found = ["parked"]
        case _:
            found = []
    return [*found, "commands", f"command:{causationid}"] if causationid else found


async def _publish(work: Work) -> bool:
    """Publish what has changed since the last hint."""
    if not waiting:
        return False
    found = sorted(waiting) if len(waiting) <= MOST else [ANYTHING]
    waiting.clear()
    hint = Outgoing(
        exchange=EXCHANGE,
        routing_key="",
        body=orjson.dumps({"topics": found}),
        type="hint",
        message_id="",
        content_type="application/json",
        app_id=names.source(work.service),
        mandatory=False,
        persistent=False,
    )
    await work.publisher.publish([hint])
    await asyncio.sleep(PAUSE)
    return bool(waiting)


SWEEP = Sweep(NAME, _publish)
