"""Run the tests on a broker and a database of their own."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.fresh import fresh
from infra.local.servers import Servers, servers, unwinding
from services.cli.children import run_attached
from services.cli.up import report

PLACE = Path(__file__).parents[2] / ".local/test"


class TestsFailed(Exception):
    """Leaves the folder of the run in place, logs and all."""


def test(arguments: Sequence[str]) -> int:
    """Run pytest, by default over the whole suite in two processes, and return its exit code."""
    code = 1
    try:
        with (
            unwinding(),
            fresh(PLACE, report) as state,
            servers(state, durable=False, report=report) as pair,
        ):
            sys.stdout.flush()
            urls = {"RELAIS_AMQP_URL": pair.amqp_url, "RELAIS_POSTGRES_URL": pair.postgres_url}
            chosen = arguments or at_once(pair)
            # With the reason for each test that is skipped.
            pytest = [sys.executable, "-m", "pytest", "-rs", *chosen]
            code = run_attached(pytest, {**os.environ, **urls})
            if code:
                raise TestsFailed
    except TestsFailed:
        print(f"The servers' logs are in {PLACE}.")
    return code


def at_once(pair: Servers) -> list[str]:
    """Return what lets pytest use as many processes as the broker has virtual hosts for them."""
    return ["-n", str(len(pair.vhosts))] if pair.vhosts else []
