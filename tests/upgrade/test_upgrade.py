"""What an earlier commit had accepted, and not published or decided yet, is not lost."""

import json

import pytest

from contracts import names
from contracts.client import Client
from contracts.orders import PlaceOrder
from tests.eventually import eventually
from tests.upgrade.conftest import PATIENT, REPLIES, Upgraded

# The first of them waits until the installation is restored, set up and at work.
pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class TestOutbox:
    """What was committed and never published."""

    async def test_is_published_under_its_ids(self, upgraded: Upgraded) -> None:
        """Every row of every service, answers as well."""
        rows = [row for tables in upgraded.before.values() for row in tables["outbox"]]
        ids = {row["message_id"] for row in rows}
        assert len(ids) == len(rows) > 30

        async def missing() -> set[str]:
            found = await upgraded.reader.read(upgraded.reader.events)
            replies = await upgraded.reader.read(REPLIES)
            return ids - {e.id for e in [*found, *replies]}

        async def is_empty() -> bool:
            left = await missing()
            assert not left, left
            return True

        await eventually(is_empty, timeout=PATIENT)

    async def test_makes_known_what_it_tells_of(self, upgraded: Upgraded, upstream: Client) -> None:
        """An entity and a package that nobody had heard of: the one orders the other."""
        await eventually(lambda: upgraded.events("notification.sent", "E50"), timeout=PATIENT)
        [notice] = await upgraded.reader.read(names.mailbox("north"))
        assert (notice.type, notice.subject) == ("relais.notification.package_available.v1", "E50")
        order = PlaceOrder(order_id="ORD-4", package_id="CAT4", entity_id="E50", label="New")
        outcome = await upstream.ask(order)
        assert (outcome.outcome, outcome.version) == ("accepted", 1)


class TestWaiting:
    """Commands that waited for what they name."""

    async def test_are_decided_and_answered(self, upgraded: Upgraded) -> None:
        """Accepted where it had come meanwhile, else refused, as nothing more is waited for."""
        expected = {
            "ORD-W0": ("refused", "unknown_package"),
            "ORD-W1": ("accepted", None),
            "ORD-W2": ("refused", "unknown_package"),
            "CAT8": ("accepted", None),
            "CAT9": ("refused", "unknown_campaign"),
        }

        async def answered() -> bool:
            found = await upgraded.replies()
            assert {subject: found.get(subject) for subject in expected} == expected
            return True

        await eventually(answered, timeout=PATIENT)
        orders = "SELECT status FROM orders WHERE order_id = 'ORD-W1'"
        assert await upgraded.rows("orders", orders) == [{"status": "ordered"}]
        packages = "SELECT status FROM packages WHERE package_id = 'CAT8'"
        assert await upgraded.rows("packages", packages) == [{"status": "being_edited"}]

    @pytest.mark.parametrize(
        ("subject", "code"),
        [
            ("ORD-W3", "unknown_entity"),
            ("ORD-405", "unknown_order"),
            ("OP405", "unknown_campaign"),
        ],
    )
    async def test_are_refused_where_nobody_asked(
        self, upgraded: Upgraded, subject: str, code: str
    ) -> None:
        """Then an event says so."""
        await eventually(lambda: upgraded.events("command.refused", subject), timeout=PATIENT)
        [refused] = await upgraded.events("command.refused", subject)
        assert (refused.data or {})["code"] == code


class TestProof:
    """`relais proof`, over the time before the upgrade and after it."""

    async def test_holds(self, upgraded: Upgraded) -> None:
        """Nothing is missing, nothing is left to do, and no worker died."""
        ran = await upgraded.relais("proof", "--since", "1970-01-02T00:00:00Z", "--json")
        found = json.loads(ran.out)
        assert (ran.code, found["ok"], found["missing"]) == (0, True, [])
        assert found["services"]["orders"]["emitted"] > 78
        assert upgraded.stack.restart_count == 0
