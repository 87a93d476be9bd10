"""Cancels and a reinitialization that an earlier commit left half-way are ended, once."""

import json
from collections import Counter

import pytest

from contracts.client import Client
from contracts.packages import CancelPackage
from tests.eventually import eventually
from tests.upgrade.conftest import PATIENT, Rows, Upgraded

# The first of them waits until the installation is restored, set up and at work.
pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

COUNTS = {
    "CAT1": {
        "orders": {"canceled": 34, "already_final": 6},
        "campaigns": {"campaigns": 1, "processes_stopped": 6, "too_late": 2},
        "notifications": {"notified": 43, "superseded": 1, "failed": 0},
    },
    "CAT7": {
        "orders": {"canceled": 1, "already_final": 0},
        "campaigns": {"campaigns": 1, "processes_stopped": 2, "too_late": 0},
        "notifications": {"notified": 2, "superseded": 1, "failed": 1},
    },
}


class TestCancels:
    """Cancels that were under way."""

    @pytest.mark.parametrize("package", COUNTS)
    async def test_complete_with_everything_counted_once(
        self, upgraded: Upgraded, package: str
    ) -> None:
        """What was done before the upgrade and what was done after it add up."""
        kind = "package.cancellation_completed"
        await eventually(lambda: upgraded.events(kind, package), timeout=PATIENT)
        [completed] = await upgraded.events(kind, package)
        assert completed.data is not None
        assert {name: completed.data[name] for name in COUNTS[package]} == COUNTS[package]
        [ledger] = await upgraded.rows(
            "packages", f"SELECT * FROM cancellations WHERE package_id = '{package}'"
        )
        assert ledger["completed_at"] is not None
        assert json.loads(ledger["orders"]) == COUNTS[package]["orders"]

    async def test_are_followed_to_their_end(self, upgraded: Upgraded) -> None:
        """`relais watch` ends with exit code 0, and says the counts."""
        ran = await upgraded.relais("watch", "CAT1")
        assert (ran.code, "the cancel of CAT1 is complete" in ran.out) == (0, True)
        assert "campaigns: 1 canceled, 6 processes stopped, 2 too late" in ran.out

    async def test_cancel_each_order_once(self, upgraded: Upgraded) -> None:
        """One that was canceled before stays as it was; each of the rest changes once."""
        await _completed(upgraded)
        was = {row["order_id"]: row for row in upgraded.before["orders"]["orders"]}
        rows = await upgraded.rows("orders", "SELECT * FROM orders WHERE package_id = 'CAT1'")
        assert Counter(row["status"] for row in rows) == {"canceled": 37, "rejected": 3}
        changed = [row["order_id"] for row in rows if row != was[row["order_id"]]]
        assert len(changed) == 18
        assert all(
            row["version"] == was[row["order_id"]]["version"] + 1
            for row in rows
            if row["order_id"] in changed
        )

    async def test_say_of_each_order_once_that_it_was_canceled(self, upgraded: Upgraded) -> None:
        """Those of the first piece were told of before the dump."""
        await _completed(upgraded)
        packs = await upgraded.events("orders.canceled", "CAT1")
        told = Counter(order["order_id"] for pack in packs for order in (pack.data or {})["orders"])
        assert (len(told), set(told.values())) == (26, {1})

    async def test_stop_each_process_once(self, upgraded: Upgraded) -> None:
        """One that had ended stays as it was."""
        await _completed(upgraded)
        was = _processes(upgraded.before["campaigns"]["processes"])
        now = _processes(await upgraded.rows("campaigns", "SELECT * FROM processes"))
        assert {id: now[id] for id in was if was[id][0] in ("finished", "failed")} == {
            ("OP1", "DM1"): was["OP1", "DM1"],
            ("OP1", "DM2"): was["OP1", "DM2"],
        }
        stopped = {id: state for id, state in now.items() if id[0] == "OP1" and id[1] > "DM2"}
        assert stopped == {
            id: ("stopped", was[id][1] + (was[id][0] != "stopped")) for id in stopped
        }
        assert len(stopped) == 6

    async def test_let_the_campaign_of_a_new_edition_return(self, upgraded: Upgraded) -> None:
        """A reinitialization that campaigns had not begun is done."""
        await eventually(lambda: upgraded.events("campaign.reinitialized", "OP2"), timeout=PATIENT)
        statement = "SELECT status FROM campaigns WHERE campaign_id = 'OP2'"
        assert await upgraded.rows("campaigns", statement) == [{"status": "being_edited"}]
        now = _processes(await upgraded.rows("campaigns", "SELECT * FROM processes"))
        assert [state for id, (state, _) in now.items() if id[0] == "OP2"] == ["pending"] * 3

    async def test_are_not_done_again(self, upgraded: Upgraded, upstream: Client) -> None:
        """The cancel of an older edition is known by its id, and harms the new one in nothing."""
        command = CancelPackage(package_id="CAT2", comment="supplier withdrew")
        outcome = await upstream.ask(command, id="package.cancel-CAT2", actor="m.durand")
        assert (outcome.outcome, outcome.version) == ("accepted", 4)
        statement = "SELECT status, edition FROM packages WHERE package_id = 'CAT2'"
        [package] = await upgraded.rows("packages", statement)
        assert package == {"status": "being_edited", "edition": 2}
        assert await upgraded.events("package.canceled", "CAT2") == []
        assert await upgraded.events("package.cancellation_completed", "CAT2") == []


async def _completed(upgraded: Upgraded) -> None:
    kind = "package.cancellation_completed"
    await eventually(lambda: upgraded.events(kind, "CAT1"), timeout=PATIENT)


def _processes(rows: Rows) -> dict[tuple[str, str], tuple[str, int]]:
    return {(r["campaign_id"], r["process_id"]): (r["status"], r["version"]) for r in rows}
