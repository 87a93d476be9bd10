"""The cancel of a package: everybody concerned is told once, and then it is reported."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from contracts.cancellation import CancellationProgressed, PackageEntitiesNotified
from contracts.directory import EntityDeactivated, EntityUpdated
from contracts.message import Body
from contracts.orders import OrderApproved
from contracts.packages import PackageEdited
from services.notifications import sending, sweeps, wakes
from services.notifications.jobs import JOBS as FAN_OUTS
from services.runtime.tables import jobs
from tests.notifications.given import (
    canceled,
    entity,
    order,
    orders_report,
    pack,
    package,
    published,
)
from tests.notifications.harness import (
    BrokerHarness,
    fan_out_by_sweep,
    only_report,
    recipients,
)

pytestmark = pytest.mark.servers

REFUSED_JUST_NOW = """
UPDATE notifications n
SET attempts = 6, error = 'mailbox_full', next_try_at = now() + interval '1 hour'
FROM happenings h WHERE h.happening_id = n.happening_id AND h.kind = 'package_available'
"""


class TestWhoIsTold:
    """A cancel tells each entity concerned once."""

    async def test_audience_and_entities_with_orders(self, broker_harness: BrokerHarness) -> None:
        """Each of the audience, and each entity with an order, gets one package_canceled."""
        await broker_harness.register("OU1", "OU2", "OU3", mailbox="north")
        await broker_harness.send(published())
        await broker_harness.deliver()
        await broker_harness.read("north")
        await broker_harness.send(canceled(), pack(["OU1", "OU3", "OU3"]), orders_report(3))
        await broker_harness.deliver()
        assert await broker_harness.counted(["north"]) == {
            ("package_canceled", "OU1"): 1,
            ("package_canceled", "OU2"): 1,
            ("package_canceled", "OU3"): 1,
        }
        assert await only_report(broker_harness) == (3, 0, 0)

    async def test_never_published_only_entities_with_orders(
        self, broker_harness: BrokerHarness
    ) -> None:
        """Nobody else has heard of it."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(canceled(published_at=None), pack(["OU2"]), orders_report(1))
        await broker_harness.deliver()
        assert await broker_harness.counted(["north"]) == {("package_canceled", "OU2"): 1}
        assert await only_report(broker_harness) == (1, 0, 0)

    async def test_without_audience_who_is_active(self, broker_harness: BrokerHarness) -> None:
        """A deactivated entity is told only if it had an order."""
        await broker_harness.register("OU1", "OU2", "OU3", mailbox="north")
        await broker_harness.send(
            entity(
                EntityDeactivated,
                "OU2",
                version=2,
                active=False,
                mailbox=broker_harness.mailbox("north"),
            ),
            entity(
                EntityDeactivated,
                "OU3",
                version=2,
                active=False,
                mailbox=broker_harness.mailbox("north"),
            ),
        )
        await broker_harness.send(canceled(audience=None), pack(["OU3"]), orders_report(1))
        await broker_harness.deliver()
        assert set(await broker_harness.counted(["north"])) == {
            ("package_canceled", "OU1"),
            ("package_canceled", "OU3"),
        }

    async def test_deactivated_entities_of_the_audience_too(
        self, broker_harness: BrokerHarness
    ) -> None:
        """The audience was told of the package, and is told of its end."""
        await broker_harness.register("OU1", "OU2", mailbox="north", active=False)
        await broker_harness.send(canceled(), orders_report())
        await broker_harness.deliver()
        assert len(await broker_harness.read("north")) == 2

    async def test_of_a_local_package_nobody(self, broker_harness: BrokerHarness) -> None:
        """Its part is done with zeros, without waiting for orders."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(canceled(distribution_level="local"))
        await broker_harness.deliver()
        assert await broker_harness.read("north") == []
        assert await only_report(broker_harness) == (0, 0, 0)

    async def test_of_two_editions_each_once(self, broker_harness: BrokerHarness) -> None:
        """A second life of the package is canceled like the first."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        for edition, version in ((1, 5), (2, 9)):
            await broker_harness.send(
                canceled(version, edition=edition), orders_report(edition=edition)
            )
            await broker_harness.deliver()
        letters = await broker_harness.read("north")
        assert len({letter.id for letter, _ in letters}) == len(letters) == 4
        assert [report.edition for report in await broker_harness.reports()] == [1, 2]


@pytest.mark.usefixtures("both_ways")
class TestReport:
    """The part of notifications in a cancel is reported once, when each has been tried."""

    async def test_waits_for_the_report_of_orders(self, broker_harness: BrokerHarness) -> None:
        """As long as orders may still be canceled nobody knows who is concerned."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(canceled())
        await broker_harness.deliver()
        assert len(await broker_harness.read("north")) == 2
        assert await broker_harness.reports() == []
        await broker_harness.send(orders_report())
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (2, 0, 0)

    async def test_waits_for_each_order_that_was_reported(
        self, broker_harness: BrokerHarness
    ) -> None:
        """A report that overtakes a pack does not end the cancel."""
        await broker_harness.register("OU1", "OU2", "OU3", mailbox="north")
        await broker_harness.send(canceled(), orders_report(3), pack(["OU1", "OU2"]))
        await broker_harness.deliver()
        assert await broker_harness.reports() == []
        await broker_harness.send(pack(["OU3"], first=3))
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (3, 0, 0)

    async def test_waits_for_the_fan_out(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever has not been added yet is waited for."""
        fan_out_by_sweep(monkeypatch, piece=1)
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(canceled(), orders_report())
        await broker_harness.add_piece()
        await broker_harness.sweep(wakes.SEND, wakes.CANCELS)
        assert await broker_harness.reports() == []
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (2, 0, 0)

    async def test_counts_what_could_not_be_delivered(self, broker_harness: BrokerHarness) -> None:
        """Unknown entities, other channels and a first try that failed count as failed."""
        await broker_harness.register("OU1", channels=["mailbox", "email"])
        await broker_harness.register("OU2", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(canceled(audience=["OU1", "OU2", "OU9"]), orders_report())
        await broker_harness.deliver()
        assert await broker_harness.reports() == []
        await broker_harness.age(5)
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (1, 0, 3)

    async def test_counts_what_was_dropped(self, broker_harness: BrokerHarness) -> None:
        """Offers that had not been sent are superseded, and the cancel is told instead."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(published())
        await broker_harness.fan_out()
        await broker_harness.send(canceled(), orders_report())
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (2, 2, 0)

    async def test_of_a_local_package_counts_what_was_dropped(
        self, broker_harness: BrokerHarness
    ) -> None:
        """It has left the list: whoever was not told of it yet is not told any more."""
        await broker_harness.send(published(distribution_level="local"))
        await broker_harness.fan_out()
        await broker_harness.send(canceled(distribution_level="local"))
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (0, 2, 0)

    async def test_waits_for_what_is_dropped(self, broker_harness: BrokerHarness) -> None:
        """An offer that is still to be dropped is not forgotten in the count."""
        await broker_harness.send(published(distribution_level="local"))
        await broker_harness.fan_out()
        await broker_harness.send(canceled(distribution_level="local"))
        await broker_harness.sweep(jobs.SWEEP, wakes.CANCELS)
        assert await broker_harness.reports() == []
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (0, 2, 0)

    async def test_is_not_held_open_by_what_failed_before(
        self, broker_harness: BrokerHarness
    ) -> None:
        """An entity whose mailbox takes nothing is behind with its order; the cancel goes on."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.fill("north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.deliver()
        await broker_harness.send(canceled(audience=["OU1"]), orders_report())
        await broker_harness.deliver()
        assert await only_report(broker_harness) == (0, 0, 1)

    async def test_is_not_held_open_by_an_offer_whose_try_ended_late(
        self, broker_harness: BrokerHarness
    ) -> None:
        """It was refused while the cancel came in, and is not due again for an hour."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.send(published(audience=["OU1"]))
        await broker_harness.fan_out()
        await broker_harness.send(canceled(audience=["OU1"]), orders_report())
        await broker_harness.fan_out()
        await broker_harness.pool.execute(REFUSED_JUST_NOW)
        # The look at the cancel makes the offer due, and the next one finds it dropped.
        await broker_harness.deliver()
        await broker_harness.deliver()
        _, superseded, _ = await only_report(broker_harness)
        assert superseded == 1

    async def test_tells_how_far_it_is(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Progress at the start, and with each piece that was sent."""
        monkeypatch.setattr(sending, "TAKEN", 2)
        await broker_harness.register("OU1", "OU2", "OU3", mailbox="north")
        await broker_harness.send(canceled(audience=["OU1", "OU2", "OU3"]), orders_report())
        await broker_harness.deliver()
        progress = await broker_harness.inner.events(CancellationProgressed)
        assert [(event.done, event.expected) for event in progress] == [(0, 3), (2, 3), (3, 3)]

    async def test_follows_the_last_word_about_its_cause(
        self, broker_harness: BrokerHarness
    ) -> None:
        """Report and notices hand on what the cancel itself handed on."""
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.send(pack(["OU1"]), source="/relais/orders")
        await broker_harness.send(canceled(audience=["OU1"]), id="the-cancel", actor="m.durand")
        await broker_harness.send(orders_report(1))
        await broker_harness.deliver()
        ((letter, notice),) = await broker_harness.read("north")
        assert (letter.causationid, letter.actor) == ("the-cancel", "m.durand")
        assert notice.comment == "supplier withdrew"
        emitted = await broker_harness.inner.emitted()
        (report,) = [one for one in emitted if isinstance(one.body, PackageEntitiesNotified)]
        assert report.envelope.causationid == "the-cancel"


def story(package_id: str, mailbox: str) -> list[Body]:
    """What notifications hears of one package that is published, widened and canceled."""
    wide = ["OU1", "OU2", "OU3", "OU4"]
    return [
        published(4, package_id=package_id, audience=wide[:3]),
        package(PackageEdited, 5, package_id=package_id, audience=wide),
        entity(EntityUpdated, "OU2", version=2, mailbox=mailbox, label="New"),
        canceled(6, package_id=package_id, audience=wide),
        pack(["OU1", "OU5"], package_id=package_id),
        pack(["OU5", "OU6", "OU2"], first=3, package_id=package_id),
        orders_report(5, package_id=package_id),
    ]


FAN_OUT = jobs.sweep(FAN_OUTS).run
CONCERNED = [f"OU{number}" for number in range(1, 7)]


def shuffled(events: list[Body], chance: random.Random) -> Iterator[tuple[Body, str]]:
    """The events in any order, some of them twice, each with its id."""
    numbered = [(event, f"{chance.random()}") for event in events]
    repeated = numbered + chance.sample(numbered, 3)
    chance.shuffle(repeated)
    yield from repeated


class TestAnyOrder:
    """Repeats, reordering and sweeps in between change nothing of who is told."""

    async def test_tells_each_once_and_reports_right(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the order: one cancel each, offers only before it, and one true report."""
        monkeypatch.setattr(jobs, "PIECE", 2)
        monkeypatch.setattr(jobs, "SMALLEST_PIECE", 2)
        monkeypatch.setattr(sending, "TAKEN", 2)
        await broker_harness.register(*CONCERNED, mailbox="north")
        for seed in range(30):
            # Nobody, some or all of an audience are added in the transaction of the event.
            monkeypatch.setattr(jobs, "FIRST_PIECES", (0, 2, 500)[seed % 3])
            chance = random.Random(seed)
            package_id = f"CAT{seed}"
            for event, id in shuffled(story(package_id, broker_harness.mailbox("north")), chance):
                await broker_harness.send(event, id=f"{seed}-{id}")
                for sweep in chance.choices(
                    [FAN_OUT, sending.send, sweeps.end_cancels], k=chance.randrange(4)
                ):
                    await sweep(broker_harness.inner.work)
            await self._check(broker_harness, package_id, seed)

    async def _check(self, broker_harness: BrokerHarness, package_id: str, seed: int) -> None:
        await broker_harness.age(2)
        await broker_harness.deliver()
        letters = [notice for _, notice in await broker_harness.read("north")]
        canceled_at = {n.recipient.id: i for i, n in enumerate(letters) if "cancel" in n.kind}
        offers = [(i, n.recipient.id) for i, n in enumerate(letters) if "avail" in n.kind]
        told = Counter((notice.kind, notice.recipient.id) for notice in letters)
        assert sorted(canceled_at) == CONCERNED, f"seed {seed}"
        assert set(told.values()) == {1}, f"seed {seed}"
        assert all(at < canceled_at[id] for at, id in offers), f"seed {seed}"
        dropped = await broker_harness.rows(package_id=package_id, status="superseded")
        assert set(recipients(dropped)).isdisjoint(id for _, id in offers), f"seed {seed}"
        assert await only_report(broker_harness) == (6, len(dropped), 0), f"seed {seed}"
