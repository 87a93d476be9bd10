"""Every bench runs through, on sizes that say nothing of speed."""

import os
from collections.abc import Iterator

import pytest
from rich.console import Console

from tests.bench import drain, fanout, hop, latency, limits, rush
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
        with place() as here:
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
        assert report.ratios().keys() == {
            "command to event p50 / naive p50",
            "command to event p99 / naive p99",
            "command to event p50 / 2 hops and 1 commit p50",
            "cancel to last notice p50 / 3 hops and 3 commits p50",
            "cancel to completion p50 / 5 hops and 5 commits p50",
        }

    async def test_of_limits_times_each_part(self, here: Place, report: Report) -> None:
        """Publishing, reading, steps, transactions, updates and bodies."""
        await limits.limits(here, report, runs=1, messages=1_000, rows=100)
        assert len(report.figures()) == 15
        assert all(figure.median > 0 for figure in report.figures().values())


def _nothing_to_install() -> None:
    from tests.bench.peering import Uninstallable

    raise Uninstallable("no network")
