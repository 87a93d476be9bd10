"""What whoever looks at a thing is told, so that they look again: hints, which may be lost."""

import asyncio
from collections.abc import Callable
from typing import Any

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
from services.tracking.families import Families

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
    found = _TOPICS[type(event)](event)
    if causationid and found not in (_WORKERS, _REBUILD):
        return [*found, "commands", f"command:{causationid}"]
    return found


def _of_order(event: OrderEvent) -> list[str]:
    order, entity = f"order:{event.order_id}", f"entity:{event.entity_id}"
    return ["orders", order, entity, f"package:{event.package_id}"]


def _of_notification(event: NotificationEvent) -> list[str]:
    own = [f"package:{event.package_id}"] if event.package_id else []
    return ["notifications", *own]


_WORKERS, _REBUILD = ["workers"], ["rebuild"]
_TOPICS: Families[Callable[[Any], list[str]]] = Families(
    {
        WorkerSeen: lambda _: _WORKERS,
        SnapshotCompleted: lambda _: _REBUILD,
        PackageEvent: lambda e: ["packages", f"package:{e.package_id}"],
        CancellationEvent: lambda e: ["packages", f"package:{e.package_id}"],
        OrderEvent: _of_order,
        OrdersEvent: lambda e: ["orders", f"package:{e.package_id}"],
        CampaignEvent: lambda e: ["campaigns", f"campaign:{e.campaign_id}"],
        ProcessEvent: lambda e: ["campaigns", f"campaign:{e.campaign_id}"],
        EntityEvent: lambda e: ["entities", f"entity:{e.entity_id}"],
        NotificationEvent: _of_notification,
        MessageParked: lambda _: ["parked"],
        MessageReleased: lambda _: ["parked"],
        object: lambda _: [],
    }
)


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
