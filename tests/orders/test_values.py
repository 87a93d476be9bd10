"""What a sender puts into an order comes out of the tables and of events as it went in."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import envelope, names
from services.runtime.decision import Answer
from services.runtime.messages import item
from services.runtime.messages.item import Origin
from tests.harness import Harness
from tests.orders.given import edit

pytestmark = pytest.mark.servers

PLACE = "relais.order.place.v1"
ACCEPTED = [
    "true",
    "[false, 0, 0.0, -0, -0.0, null]",
    "[18446744073709551615, -9223372036854775808, 9007199254740993]",
    "[1.0, 1e2, 1E16, 1e20, 123456789012345.0, 0.30000000000000004, 0.10000000000000001]",
    "[1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 1e-7, 1e300]",
    '{"b": 1, "a": {"": []}, "é": "e\\u0301", "\\ud83d\\ude00": "\\u2028\\u202e\\u001b[2J\\u007f"}',
    '{"a": 1, "a": 2}',
    "[" * 30 + "]" * 30,
]
REFUSED = [
    "18446744073709551616",
    "-9223372036854775809",
    "0.1234567890123456789",
    "1e400",
    "1e-400",
    "[" * 40 + "]" * 40,
    '"\\u0000"',
    '"\\ud800"',
]


async def place(orders: Harness, value: str) -> Answer | None:
    """The answer to an order with a parameter that is written like this."""
    raw = json.dumps(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/test",
            "type": PLACE,
            "subject": "ORD1",
            "data": {
                "package_id": "CAT86",
                "entity_id": "OU1",
                "label": "o",
                "parameters": {"value": "VALUE"},
            },
        }
    ).replace('"VALUE"', value)
    origin = Origin(names.COMMANDS, PLACE)
    items = item.read(origin, raw.encode(), orders.service.routes, datetime.now(UTC))
    [answer] = await orders.handle(items)
    return answer


def as_json(value: Any) -> Any:
    """A value that equals another as JSON does: true is not 1, and 1 is 1.0."""
    match value:
        case bool():
            return f"the word {value}"
        case list():
            return [as_json(one) for one in value]
        case dict():
            return {name: as_json(item) for name, item in value.items()}
        case _:
            return value


async def parameters(orders: Harness) -> Any:
    """Those of the one event that has been emitted since, as a reader of any language sees it."""
    [row] = await orders.pool.fetch("DELETE FROM outbox RETURNING body")
    return json.loads(row["body"])["data"]["parameters"]


class TestAParameter:
    """Any JSON value."""

    @pytest.mark.parametrize("value", ACCEPTED)
    async def test_stays_what_it_is(self, orders: Harness, value: str) -> None:
        """In the event, in the table, and in the event that the table's row is made into."""
        await orders.pool.execute("DELETE FROM outbox")
        answer = await place(orders, value)
        assert answer
        assert answer.outcome == "accepted"
        wanted = as_json({"value": json.loads(value)})
        assert as_json(await parameters(orders)) == wanted
        await orders.send(edit(label="again"))
        emitted = await parameters(orders)
        assert as_json(emitted) == wanted
        same = await orders.ask(edit(parameters={"value": json.loads(value)}))
        assert same.outcome == "unchanged"
        assert envelope.read(json.dumps({"a": emitted}).encode())

    @pytest.mark.parametrize("value", REFUSED)
    async def test_is_refused_where_it_cannot(self, orders: Harness, value: str) -> None:
        """The sender is told; nothing is parked."""
        answer = await place(orders, value)
        assert answer
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        [error] = answer.errors
        assert error.field.startswith("data")
        assert await orders.pool.fetchval("SELECT count(*) FROM kept") == 0
