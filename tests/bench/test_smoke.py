"""Every bench runs through, on sizes that say nothing of speed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from infra.local import stack
from infra.local.errors import Misconfigured
from tests.bench import (
    cost,
    drain,
    fanout,
    growth,
    hop,
    latency,
    limits,
    projection,
    rush,
    scale,
    start,
)
from tests.bench.figures import Report
from tests.bench.place import Place, place

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    """Servers of their own: benches take whole exchanges off, and other tests need theirs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RELAIS_")]:
            patch.delenv(name)
        patch.setattr(drain, "QUIET_SECONDS", 0.0)
        patch.setattr(cost, "IDLE_SECONDS", 1.0)
        patch.setenv("RELAIS_LANES", "2")
        with place(durable=False) as here:
            yield here


@pytest.fixture
def report() -> Report:
    """A report that nobody reads."""
    return Report("smoke", Console(quiet=True))


class TestABench:
    """What each measures, and what it is compared with."""

    async def test_of_rush_compares_ours_with_reading_and_a_naive_worker(
        self, here: Place, report: Report, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Hot and spread have their limit; peers that are not installed are left out."""
        monkeypatch.setattr("tests.bench.peering.install", _nothing_to_install)
        await rush.rush(here, report, runs=1, messages=60, peer_messages=20)
        assert report.ratios().keys() == {
            "hot / hot read only",
            "hot / hot limit by processor time",
            "spread / spread read only",
            "spread / spread limit by processor time",
            "hot / naive",
        }

    async def test_of_hop_edits_packages(self, here: Place, report: Report) -> None:
        """One edit of each package."""
        await hop.hop(here, report, runs=1, messages=50)
        assert report.ratios().keys() == {
            "edits / edits read only",
            "edits / edits limit by processor time",
        }

    async def test_of_fanout_compares_a_cancel_with_its_floor(
        self, here: Place, report: Report
    ) -> None:
        """Each size has its floor, and each larger one is compared with the one before."""
        await fanout.fanout(here, report, runs=1, sizes=[20, 40], entities=10, mailboxes=2)
        assert report.ratios().keys() == {
            "cancel of 20 / floor of 20",
            "cancel of 40 / floor of 40",
            "cancel of 40 / cancel of 20",
        }

    async def test_of_latency_compares_lone_commands_with_single_steps(
        self, here: Place, report: Report
    ) -> None:
        """Commands with a naive worker, cancels with as many hops and commits."""
        await latency.latency(here, report, runs=1, commands=3, cancels=2)
        assert report.figures()["cancel transactions"].median > 1
        assert report.figures()["cancel publishes"].median > 1
        statements = report.figures()["cancel statements"].median
        assert statements > 2 * report.figures()["cancel transactions"].median
        assert report.ratios().keys() == {
            "command to event p50 / naive p50",
            "command to event p99 / naive p99",
            "command to event p50 / 2 hops and 1 commit p50",
            "cancel to last notice p50 / 3 hops and 3 commits p50",
            "cancel to completion p50 / 5 hops and 5 commits p50",
        }

    async def test_of_projection_times_full_lanes_a_rush_and_a_cancel(
        self, here: Place, report: Report
    ) -> None:
        """Rows a second of three kinds, and how far behind the model is."""
        await projection.projection(here, report, runs=1, rows=60, orders=40, messages=60)
        assert report.figures().keys() >= {
            "single events",
            "packs of orders",
            "mix",
            "lag beside a rush p99",
            "behind a cancel of 40",
        }

    async def test_of_growth_compares_full_tables_with_empty_ones(
        self, here: Place, report: Report
    ) -> None:
        """Both of rush and of a cancel, and of one whose orders lie far apart."""
        sizes = growth.Sizes(
            orders_in_table=400,
            rows=2_000,
            messages=60,
            orders=20,
            entities=10,
            mailboxes=2,
            scatter=True,
        )
        await growth.growth(here, report, sizes, runs=1)
        assert report.ratios().keys() == {
            "hot, full tables / hot, empty tables",
            "cancel of 20, full tables / cancel of 20, empty tables",
            "cancel of 20, scattered / cancel of 20, full tables",
        }

    async def test_of_scale_compares_several_workers_with_one(
        self, here: Place, report: Report
    ) -> None:
        """Where the broker spreads lanes; where it does not, the bench says what it needs."""
        try:
            await scale.require_spreading(here)
        except Misconfigured as refused:
            pytest.skip(str(refused))
        await scale.scale(
            here, report, runs=1, messages=20_000, counts=[1, 2], delay=0.001, lanes=16
        )
        assert "2 workers / 2 workers, linear" in report.ratios()

    async def test_of_start_times_every_service_and_a_stop_under_load(
        self, here: Place, report: Report
    ) -> None:
        """From the command to ready, and from SIGTERM to the end."""
        await start.start(here, report, runs=1, messages=10_000)
        assert report.figures().keys() == {
            "packages to ready",
            "orders to ready",
            "campaigns to ready",
            "directory to ready",
            "notifications to ready",
            "tracking to ready",
            "drain under load",
        }

    async def test_of_hop_takes_another_checkout_beside_ours(
        self, here: Place, report: Report, tmp_path: Path
    ) -> None:
        """Its own command sets it up and runs its worker; ours stands for it here."""
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/bin/relais").symlink_to(*stack.RELAIS)
        await hop.hop(here, report, runs=1, messages=50, beside=tmp_path)
        assert "edits / edits_beside" in report.ratios()

    async def test_of_limits_times_each_part(self, here: Place, report: Report) -> None:
        """Publishing, reading, steps, transactions, updates and bodies."""
        await limits.limits(here, report, runs=1, messages=1_000, rows=100)
        assert len(report.figures()) == 15
        assert all(figure.median > 0 for figure in report.figures().values())


def _nothing_to_install() -> None:
    from tests.bench.peering import Uninstallable

    raise Uninstallable("no network")
