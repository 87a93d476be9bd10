"""The transaction of a peer: exactly ours, one message at a time.

An inbox row, an order and an outbox row; no rule is checked and no event is published.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

AMQP_URL = os.environ.get("BENCH_AMQP_URL", "amqp://localhost")
POSTGRES_URL = os.environ.get("BENCH_POSTGRES_URL", "postgresql://localhost")
AT_ONCE = 32
"""Messages, and connections to the database, that a peer works with at the same time."""

ADD_INBOX = """
INSERT INTO inbox (source, id, type, received_at, outcome, version)
VALUES ($1, $2, $3, clock_timestamp(), 'accepted', 1) ON CONFLICT DO NOTHING
"""
ADD_ORDER = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, comment, parameters, status,
                    version, approval_deadline, placed_at, changed_at, changed_by)
VALUES ($1, $2, 1, $3, $4, $5, $6, 'ordered', 1, $7, $8, $9, $10)
"""
ADD_OUTBOX = """
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                    content_type, mandatory, body, taken_until)
VALUES ('relais.events', 'relais.order.placed.v1', 'relais.order.placed.v1', $1, $2, $3,
        'application/cloudevents+json', true, $4, now() + interval '5 s')
RETURNING id
"""

Statement = tuple[str, tuple[Any, ...]]


def effect(body: bytes) -> list[Statement]:
    """The statements of one message, with their values; the last one stores the event."""
    command = orjson.loads(body)
    data, now = command["data"], datetime.now(UTC)
    order_id, package_id, actor = command["subject"], data["package_id"], command["actor"]
    deadline = now + timedelta(days=3)
    event_id = f"placed-{command['id']}"
    order = (
        order_id,
        package_id,
        data["entity_id"],
        data["label"],
        data["comment"],
        orjson.dumps(data["parameters"]).decode(),
        deadline,
        now,
        now,
        actor,
    )
    event = _event(command, event_id, deadline, now)
    return [
        (ADD_INBOX, (command["source"], command["id"], command["type"])),
        (ADD_ORDER, order),
        (ADD_OUTBOX, (event_id, command["id"], package_id, event)),
    ]


def _event(command: dict[str, Any], id: str, deadline: datetime, now: datetime) -> bytes:
    state = {
        **command["data"],
        "order_id": command["subject"],
        "edition": 1,
        "documents": None,
        "status": "ordered",
        "version": 1,
        "campaign_id": None,
        "approval_deadline": deadline,
        "placed_at": now,
        "approved_at": None,
        "available_at": None,
        "canceled_at": None,
        "changed_at": now,
        "changed_by": command["actor"],
        "decision_comment": None,
    }
    envelope = {
        "specversion": "1.0",
        "id": id,
        "source": "/relais/orders",
        "type": "relais.order.placed.v1",
        "subject": command["subject"],
        "time": now,
        "datacontenttype": "application/json",
        "partitionkey": command["partitionkey"],
        "correlationid": command["id"],
        "causationid": command["id"],
        "actor": command["actor"],
        "data": state,
    }
    return orjson.dumps(envelope, option=orjson.OPT_UTC_Z)


def positional(statement: str) -> str:
    """The statement for drivers that write %s; its values are named in order."""
    return re.sub(r"\$\d+", "%s", statement)
