"""The proof that no message was lost, on real tables."""

import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from contracts.packages import PackageCanceled
from services.cli import proof, proof_report
from services.cli.problems import Problem
from services.cli.proof import Missing, Proof, Standing
from services.runtime.postgres import database
from services.runtime.postgres.database import Pool
from services.runtime.service import installed
from services.tracking.web.api.proofs import Report
from tests.cli.small_api import SmallApi

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
READERS = ("orders", "campaigns", "notifications", "tracking")

EMIT = "INSERT INTO emitted (run, type, count, at) VALUES ($1, $2, $3, $4)"
HANDLE = """
INSERT INTO inbox (source, id, type, received_at, outcome)
SELECT '/relais/packages', $1 || '-' || n, $2, $4, 'accepted' FROM generate_series(0, $3 - 1) AS n
"""
PARK = """
INSERT INTO kept (kind, digest, reason, error, source, id, type, exchange, routing_key, headers,
                  body, kept_at)
VALUES ('parked', 'd', 'dead', 'gave up', '/relais/packages', $1, $2, 'e', 'k', '{}', '', $3)
"""
WAIT = """
INSERT INTO kept (kind, exchange, routing_key, body, kept_at) VALUES ('waiting', 'e', 'k', '', $1)
"""


@dataclass(frozen=True)
class Tables:
    """The databases of every service."""

    pools: dict[str, Pool]

    async def emit(self, run: str, count: int, at: datetime = NOW) -> None:
        """Packages emitted that so many packages were canceled."""
        await self.pools["packages"].execute(EMIT, run, PackageCanceled.TYPE, count, at)

    async def handle(self, service: str, run: str, count: int) -> None:
        """A service handled the first of them."""
        await self.pools[service].execute(HANDLE, run, PackageCanceled.TYPE, count, NOW)

    async def prove(self) -> Proof:
        """The proof of the last hour."""
        return await proof.compare(installed(), self.pools, NOW - timedelta(hours=1))


@pytest.fixture
async def tables(database_of: Callable[[str], Awaitable[str]]) -> AsyncIterator[Tables]:
    """Empty tables of every service."""
    async with AsyncExitStack() as opened:
        pools = {
            name: await opened.enter_async_context(
                database.pool(await database_of(name), "relais test", size=2)
            )
            for name in installed()
        }
        yield Tables(pools)


@pytest.fixture
def database_of(database: Callable[[str], Awaitable[str]]) -> Callable[[str], Awaitable[str]]:
    """The fixture `database` under a name that does not hide the module."""
    return database


@pytest.mark.servers
class TestCompare:
    """What the tables say."""

    async def test_holds_for_tables_where_nothing_happened(self, tables: Tables) -> None:
        """Nothing emitted, nothing missing."""
        assert (await tables.prove()).ok

    async def test_holds_when_every_reader_handled_all(self, tables: Tables) -> None:
        """Each id of a run is in the inbox of each service that reads its type."""
        await tables.emit("run", 3)
        for service in READERS:
            await tables.handle(service, "run", 3)
        found = await tables.prove()
        assert found.ok
        assert found.services["packages"].emitted == 3
        assert found.services["orders"].handled == {"accepted": 3}

    async def test_names_what_one_reader_lacks(self, tables: Tables) -> None:
        """The proof is exact: it names the message that is missing, and where."""
        await tables.emit("run", 3)
        for service in READERS:
            await tables.handle(service, "run", 3 if service != "orders" else 2)
        found = await tables.prove()
        assert not found.ok
        assert found.missing == [Missing("packages", "orders", PackageCanceled.TYPE, "run-2")]

    async def test_asks_only_those_that_read_a_type(self, tables: Tables) -> None:
        """The directory does not care about packages."""
        await tables.emit("run", 1)
        assert {one.reader for one in (await tables.prove()).missing} == set(READERS)

    async def test_counts_all_and_lists_the_first(self, tables: Tables) -> None:
        """A hundred thousand missing messages fill no screen and no memory."""
        await tables.emit("run", 5 * proof.IDS_AT_ONCE)
        found = await tables.prove()
        assert found.services["orders"].missing == 5 * proof.IDS_AT_ONCE
        assert len(found.missing) == proof.LISTED

    async def test_takes_a_parked_message_as_kept(self, tables: Tables) -> None:
        """It is not lost: an operator sees it, and it is listed."""
        await tables.emit("run", 1)
        for service in READERS[1:]:
            await tables.handle(service, "run", 1)
        await tables.pools["orders"].execute(PARK, "run-0", PackageCanceled.TYPE, NOW)
        found = await tables.prove()
        assert found.ok
        assert [row["id"] for row in found.services["orders"].parked] == ["run-0"]

    async def test_does_not_hold_while_something_waits(self, tables: Tables) -> None:
        """A command that waits has neither had its effect nor been refused."""
        await tables.pools["orders"].execute(WAIT, NOW)
        assert not (await tables.prove()).ok

    async def test_looks_no_further_back_than_asked(self, tables: Tables) -> None:
        """What is older may have been cleaned in one service and not yet in another."""
        await tables.emit("old", 1, NOW - timedelta(hours=2))
        assert (await tables.prove()).ok


class TestMoment:
    """The start of the window."""

    @pytest.mark.parametrize(
        ("text", "ago"),
        [("90s", timedelta(seconds=90)), ("1.5h", timedelta(minutes=90)), ("7d", timedelta(7))],
    )
    def test_may_be_a_time_ago(self, text: str, ago: timedelta) -> None:
        """Short words for short windows."""
        assert proof.moment(text, NOW) == NOW - ago

    def test_may_be_a_time(self) -> None:
        """The wire's way to write one."""
        assert proof.moment("2026-11-23T09:00:00Z", NOW) == NOW

    @pytest.mark.parametrize(
        "text",
        [
            "yesterday",
            "2026-11-23",
            "2026-11-23T09:00:00",
            "5",
            "9999999999d",
            "2999-01-01T00:00:00Z",
        ],
    )
    def test_must_be_one_of_both(self, text: str) -> None:
        """The error shows what would be accepted."""
        with pytest.raises(Problem, match="30m"):
            proof.moment(text)


def shown(found: Proof) -> list[str]:
    """The lines that a terminal of 80 columns shows of a proof."""
    out = Console(width=80, record=True, quiet=False, file=io.StringIO())
    proof_report.show(found, out)
    return out.export_text().splitlines()


class TestTable:
    """A proof as people see it."""

    def test_fits_a_terminal(self) -> None:
        """The name of every column and each parked message stand on one line."""
        row = {"number": 12, "type": PackageCanceled.TYPE, "reason": "failed", "error": "x" * 4000}
        standings = {name: Standing(parked=[row | {"id": "y" * 128}]) for name in installed()}
        lines = shown(Proof(NOW, standings))
        assert lines[0].split()[-1] == "queued"
        assert "parked: notifications 12: package.canceled, failed" in lines
        assert max(map(len, lines)) <= 80

    def test_names_what_is_left_where_and_what_to_do(self) -> None:
        """Something that waits is of use only with the service that it waits for."""
        lines = shown(Proof(NOW, {"orders": Standing(queued=1), "packages": Standing()}))
        assert "  orders: 1 queued; is a worker of orders running?" in lines
        assert not any(line.startswith("  packages:") for line in lines)


class TestAKeptProof:
    """`relais proof --keep`."""

    async def test_is_what_the_api_takes(self, small: SmallApi) -> None:
        """However much is parked: what is posted has a limit."""
        small.answer("/api/proofs", {"proof_id": "P1"})
        row = {"number": 1, "type": PackageCanceled.TYPE, "reason": "failed", "error": "x" * 4000}
        found = Proof(NOW, {"orders": Standing(parked=[row] * 20_000, waiting=1)})

        assert await proof_report._keep(found) == "P1"

        ((method, path, _, body),) = small.asked
        assert (method, path) == ("POST", "/api/proofs")
        assert not Report.model_validate(body).ok
        assert len(json.dumps(body)) < 1_000_000
