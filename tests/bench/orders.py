"""The orders that everybody handles, ours and peers alike; knows nothing but the standard library.

A body has about 500 bytes.
"""

import json
from dataclasses import dataclass

TYPE = "relais.order.place.v1"
SOURCE = "/bench"
COMMENT = "Please deliver the posters to the back entrance before the shop opens in the morning."


@dataclass(frozen=True, slots=True)
class Place:
    """One order.place as it travels."""

    id: str
    package_id: str
    entity_id: str
    body: bytes


def place(number: int, packages: int) -> Place:
    """The order of this number, dealt out over the packages; each is of an entity of its own."""
    package_id, entity_id = f"CAT{number % packages}", f"OU{number}"
    id = f"place-{number}"
    envelope = {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": TYPE,
        "subject": f"ORD{number}",
        "time": "2026-11-23T09:00:00Z",
        "datacontenttype": "application/json",
        "partitionkey": package_id,
        "actor": "m.durand",
        "data": {
            "package_id": package_id,
            "entity_id": entity_id,
            "label": f"Order {number} of the spring campaign",
            "comment": COMMENT,
            "parameters": {"copies": 250, "format": "A2", "paper": "matt"},
        },
    }
    body = json.dumps(envelope, separators=(",", ":")).encode()
    return Place(id, package_id, entity_id, body)
