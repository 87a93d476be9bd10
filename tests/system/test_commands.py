"""The command line beside a running stack."""

import asyncio
import json
import os
import signal
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from contracts.client import Client
from contracts.packages import CancelPackage
from infra.local.stack import Stack, is_ready
from services.runtime import declared
from tests.eventually import eventually
from tests.system import given
from tests.system.conftest import RELAIS, Ran

pytestmark = pytest.mark.servers

Relais = Callable[..., Awaitable[Ran]]
CAMPAIGN = json.dumps({"label": "Spring", "kind": "template", "distribution_level": "local"})


class TestSend:
    """`relais send`."""

    async def test_tells_that_a_command_was_accepted(self, relais: Relais) -> None:
        """Exit code 0, and the version that the thing has now."""
        ran = await relais("send", "campaign.create", "TPL1", "--data", CAMPAIGN)
        assert (ran.code, "accepted: TPL1, version 1" in ran.out) == (0, True)

    async def test_tells_that_nothing_had_to_change(self, relais: Relais) -> None:
        """Unchanged is no failure."""
        await relais("send", "campaign.create", "TPL2", "--data", CAMPAIGN)
        ran = await relais("send", "campaign.reinitialize", "TPL2", "--json")
        assert (ran.code, json.loads(ran.out)["outcome"]) == (0, "unchanged")

    async def test_tells_why_a_command_was_refused(self, relais: Relais) -> None:
        """Exit code 1, with the code and the sentence."""
        await relais("send", "campaign.create", "TPL3", "--data", CAMPAIGN)
        ran = await relais("send", "campaign.create", "TPL3", "--data", CAMPAIGN)
        assert ran.code == 1
        assert "refused (already_exists)" in ran.out

    async def test_is_the_same_command_under_the_same_id(self, relais: Relais) -> None:
        """Sending again after a doubt has no second effect, and the same answer."""
        arguments = ("send", "campaign.create", "TPL4", "--data", CAMPAIGN, "--id", "once")
        first, again = [await relais(*arguments, "--json") for _ in range(2)]
        assert first.out == again.out
        assert json.loads(again.out)["outcome"] == "accepted"

    async def test_sends_nothing_that_is_not_valid(self, relais: Relais) -> None:
        """Exit code 64, and every error on standard error."""
        ran = await relais("send", "campaign.create", "TPL5", "--field", "kind=reference")
        assert (ran.code, ran.out) == (64, "")
        assert "data.label is required" in ran.err
        assert "data.distribution_level is required" in ran.err

    async def test_does_not_wait_where_nobody_cares(
        self, relais: Relais, count: Callable[..., Awaitable[int]]
    ) -> None:
        """The command has its effect all the same."""
        ran = await relais("send", "campaign.create", "TPL6", "--data", CAMPAIGN, "--no-wait")
        assert ran.code == 0
        created = "SELECT count(*) FROM campaigns WHERE campaign_id = 'TPL6'"
        await eventually(lambda: count("campaigns", created))


class TestWatch:
    """`relais watch`."""

    async def test_ends_with_the_cancel(self, relais: Relais, upstream: Client) -> None:
        """Also where it began after the cancel was complete."""
        await given.published(upstream, "CAT1", ["OU1"])
        await given.done(upstream, CancelPackage(package_id="CAT1", comment="withdrawn"))
        for _ in range(2):
            ran = await relais("watch", "CAT1")
            assert ran.code == 0
            assert "campaigns: 1 canceled, 1 processes stopped, 0 too late" in ran.out
            assert "the cancel of CAT1 is complete" in ran.out

    async def test_names_whom_the_cancel_did_not_reach(
        self, relais: Relais, upstream: Client
    ) -> None:
        """By the reason, some of each: complete does not mean that everybody knows."""
        await given.published(upstream, "CAT3", [f"OU40{n}" for n in range(7)])
        await given.done(upstream, CancelPackage(package_id="CAT3", comment="withdrawn"))
        ran = await relais("watch", "CAT3")
        assert ran.code == 0
        assert ran.out.count("(unknown_entity: OU40") == 5
        assert "and 2 more: relais notifications list --failed --package CAT3" in ran.out

    async def test_ends_where_there_is_no_such_package(self, relais: Relais) -> None:
        """A slip in an id is no cancel to wait for."""
        ran = await relais("watch", "CAT404")
        assert (ran.code, ran.out) == (1, "")
        assert "there is no package CAT404" in ran.err

    async def test_ends_with_the_api(self, running: Stack, beside: Path, upstream: Client) -> None:
        """It waits for no news that can no longer come, and says what is lost."""
        await given.published(upstream, "CAT5", ["OU1"])
        process = await asyncio.create_subprocess_exec(
            RELAIS, "watch", "CAT5", cwd=beside, env=running.environment, stdout=PIPE, stderr=PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        told = asyncio.create_task(process.communicate())

        async def ended() -> bool:
            # It is started again at once, and may be back before anybody has looked.
            running.kill("web", 1)
            return told.done()

        await eventually(ended, timeout=30)
        _, err = await told
        assert process.returncode == 69
        assert b"no API answers" in err
        await eventually(lambda: is_ready(running.worker("web", 1).port), timeout=60)

    async def test_refuses_what_can_be_no_package(self, relais: Relais) -> None:
        """Nobody waits for ever for a slip of the pen."""
        ran = await relais("watch", "a b")
        assert (ran.code, ran.out) == (64, "")
        assert "'a b' is no id of a package" in ran.err

    async def test_ends_in_order_with_ctrl_c(
        self, running: Stack, beside: Path, upstream: Client
    ) -> None:
        """Nobody who has seen enough gets a traceback."""
        await given.published(upstream, "CAT4", ["OU1"])
        process = await asyncio.create_subprocess_exec(
            RELAIS, "watch", "CAT4", cwd=beside, env=running.environment, stdout=PIPE, stderr=PIPE
        )
        assert process.stdout is not None
        assert b"CAT4 has no cancel yet" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert (process.returncode, err) == (130, b"")


class TestDemo:
    """`relais demo`."""

    async def test_leaves_a_broker_alone_that_has_a_relais(
        self, relais: Relais, upstream: Client
    ) -> None:
        """It would take its messages, so it says what to do instead, and does nothing."""
        ran = await relais("demo", "--json")
        assert (ran.code, ran.out) == (69, "")
        assert "give the demo a virtual host of its own" in ran.err
        await given.done(upstream, given.campaign("OP-after"))


class TestProof:
    """`relais proof`."""

    async def test_holds_for_a_stack_at_work(self, relais: Relais, upstream: Client) -> None:
        """Exit code 0, and a table that says for each service what it emitted and handled."""
        await given.published(upstream, "CAT2", ["OU1"])
        ran = await relais("proof", "--since", "1h", "--json")
        found = json.loads(ran.out)
        assert (ran.code, found["ok"], found["missing"]) == (0, True, [])
        assert found["services"]["packages"]["emitted"] >= 3
        assert "proved" in (await relais("proof")).out


class TestSetup:
    """`relais setup`."""

    async def test_may_be_repeated_beside_running_workers(self, relais: Relais) -> None:
        """Nothing is done twice, and the broker's version is told."""
        ran = await relais("setup")
        assert ran.code == 0
        assert ran.out.count("up to date") == len(declared.names())
        assert "broker: RabbitMQ" in ran.out


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with nothing but these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return subprocess.run(
        [RELAIS, *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


class TestRun:
    """`relais run`, where it cannot."""

    def test_knows_the_services(self) -> None:
        """Exit code 64 for a name that is none."""
        ran = run("run", "order")
        assert ran.returncode == 64
        assert f"there are {', '.join(declared.names())}" in ran.stderr

    def test_names_the_setting_that_is_missing(self) -> None:
        """Exit code 78: starting again will not help."""
        ran = run("run", "orders")
        assert (ran.returncode, "RELAIS_AMQP_URL" in ran.stderr) == (78, True)

    def test_names_the_server_that_is_away(self) -> None:
        """Exit code 69: starting again later may help."""
        ran = run(
            "run", "orders", RELAIS_AMQP_URL="amqp://nowhere", RELAIS_ORDERS_POSTGRES_URL=NOWHERE
        )
        assert ran.returncode == 69
        assert "Traceback" not in ran.stderr

    def test_wants_the_schema_it_was_written_for(self, running: Stack, postgres_url: str) -> None:
        """Exit code 69 and the command that helps, on a database without tables."""
        ran = run(
            "run",
            "orders",
            RELAIS_AMQP_URL=running.amqp_url,
            RELAIS_ORDERS_POSTGRES_URL=postgres_url,
        )
        assert (ran.returncode, "relais setup" in ran.stderr) == (69, True)
