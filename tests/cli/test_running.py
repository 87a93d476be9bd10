"""`relais run` before its worker works."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.cli.problems import MISCONFIGURED
from tests.eventually import eventually
from tests.infra.processes import program

RELAIS = str(Path(sys.executable).with_name("relais"))


def run(**environment: str) -> AbstractAsyncContextManager[Process]:
    """`relais run orders` with nothing but these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return program(RELAIS, "run", "orders", env=kept | environment, stdout=PIPE, stderr=PIPE)


class TestAStart:
    """Nothing has begun that would have to be finished."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_is_ended_by_a_signal_while_a_server_says_nothing(
        self, number: signal.Signals
    ) -> None:
        """In order: with exit code 0, and without a traceback."""
        joined = asyncio.Event()
        over = asyncio.Event()

        async def be_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            joined.set()
            await over.wait()
            writer.close()

        silent = await asyncio.start_server(be_silent, "127.0.0.1", 0)
        url = f"postgresql://u:p@127.0.0.1:{silent.sockets[0].getsockname()[1]}/d"
        async with (
            silent,
            run(RELAIS_AMQP_URL="amqp://nowhere/", RELAIS_ORDERS_POSTGRES_URL=url) as one,
        ):
            await eventually(joined.is_set, timeout=30)
            one.send_signal(number)
            out, err = await one.communicate()
            over.set()

        assert (one.returncode, err) == (0, b"")
        assert b"stopped" in out

    async def test_is_refused_with_a_setting_that_is_none(self) -> None:
        """As one that makes no sense."""
        async with run(RELAIS_AMQP_URL="amqp://nowhere/", RELAIS_LANE="16") as one:
            _, err = await one.communicate()

        assert one.returncode == MISCONFIGURED
        assert b"RELAIS_LANE is no setting; did you mean RELAIS_LANES?" in err
