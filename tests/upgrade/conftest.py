"""An installation of an earlier commit, upgraded: its dumps restored, set up, and at work again."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from contracts import client, envelope, names
from contracts.client import Client
from contracts.envelope import Envelope
from infra.local.databases import create_databases
from infra.local.servers import Servers
from infra.local.stack import Stack, environment_for, stack
from services.cli import endpoints, up
from services.cli.demo import environment as demo
from services.runtime import declared

DUMPS = Path(__file__).parent / "dumps"
RELAIS = Path(sys.executable).with_name("relais")
PATIENT = 30.0
"""Seconds that the workers may take for all that they find."""
REPLIES = "upgrade-replies"
"""Where the senders of commands in the dumps wait for their answers."""
MAILBOXES = ("east", "west")
"""Those that the broker of the installation has."""
SETTINGS = {"RELAIS_INBOX_DAYS": "36500"}
"""What the dumps hold is old, and is to be known all the same."""

SHOWN = (("orders", 1), ("packages", 1), ("packages", 3))
"""Parked messages that are looked at one by one."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it printed."""

    code: int
    out: str
    err: str


async def run(environment: Mapping[str, str], *arguments: str, cwd: Path | None = None) -> Ran:
    """Run a command of the command line."""
    process = await asyncio.create_subprocess_exec(
        RELAIS,
        *arguments,
        cwd=cwd,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


@dataclass
class Reader:
    """Reads queues, and remembers what was in them."""

    channel: AbstractChannel
    events: str = field(default_factory=lambda: f"upgrade-{secrets.token_hex(4)}")
    found: dict[str, list[Envelope]] = field(default_factory=dict)

    @property
    def queues(self) -> list[str]:
        """The queues that it declared."""
        return [self.events, REPLIES, *map(names.mailbox, MAILBOXES)]

    async def declare(self) -> None:
        """Make a queue for every event, and those that the broker of the installation has."""
        every = await self.channel.declare_queue(self.events, durable=True)
        await every.bind(names.EVENTS, "#")
        await self.channel.declare_queue(REPLIES, durable=True)
        for name in MAILBOXES:
            mailbox = await self.channel.declare_queue(
                names.mailbox(name),
                durable=True,
                arguments={
                    "x-queue-type": "quorum",
                    "x-max-length": 1_000_000,
                    "x-overflow": "reject-publish",
                },
            )
            await mailbox.bind(names.NOTIFICATIONS, f"{name}.#")

    async def read(self, name: str) -> list[Envelope]:
        """Everything that has come to a queue so far."""
        found = self.found.setdefault(name, [])
        queue = await self.channel.get_queue(name, ensure=False)
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            for element in envelope.read(message.body):
                assert isinstance(element, Envelope)
                found.append(element)
        return found


@dataclass(frozen=True)
class Upgraded:
    """An installation after its upgrade, and what its tables held before."""

    stack: Stack
    reader: Reader
    setup: Ran
    listed: Rows
    """What was parked after the upgrade, before a worker ran."""
    before: Mapping[str, Mapping[str, Rows]]
    folder: Path
    """Where the command line finds the stack."""

    async def relais(self, *arguments: str) -> Ran:
        """Run a command of the command line beside the workers."""
        return await run(self.stack.environment, *arguments, cwd=self.folder)

    async def parked(self) -> Rows:
        """What is parked now."""
        return await parked(self.stack.postgres)

    async def rows(self, service: str, statement: str) -> Rows:
        """Rows from the database of a service."""
        return await fetch(self.stack.postgres[service], statement)

    async def events(self, kind: str, subject: str | None = None) -> list[Envelope]:
        """The events of a kind, about one subject or about any, each id once."""
        found = {e.id: e for e in await self.reader.read(self.reader.events)}
        name = f"relais.{kind}.v1"
        return [e for e in found.values() if e.type == name and subject in (None, e.subject)]

    async def replies(self) -> dict[str, tuple[str, str | None]]:
        """Outcome and code of every answer, by the subject of its command; the last one each."""
        found = await self.reader.read(REPLIES)
        return {e.subject: (e.data["outcome"], e.data["code"]) for e in found if e.data}


async def fetch(url: str, statement: str) -> Rows:
    """Rows of a database."""
    conn = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await conn.fetch(statement)]
    finally:
        await conn.close()


async def restore(service: str, url: str) -> Mapping[str, Rows]:
    """Fill an empty database with a dump; what the test compares with later."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute((DUMPS / f"{service}.sql").read_text())
    finally:
        await conn.close()
    tables = ["outbox", "parked"]
    tables += {"orders": ["orders"], "campaigns": ["processes"]}.get(service, [])
    return {table: await fetch(url, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


PARKED = "SELECT *, body AS raw FROM kept WHERE kind = 'parked' ORDER BY number"


async def parked(databases: Mapping[str, str]) -> Rows:
    """Every parked message; what an earlier version parked, tracking has not heard of."""
    return [
        {"service": service, **row, "body": row["raw"].decode(errors="backslashreplace")}
        for service, url in sorted(databases.items())
        for row in await fetch(url, PARKED)
    ]


@pytest.fixture(scope="package")
async def upgraded(
    amqp_url: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Upgraded]:
    """The installation with one worker of each service; nothing of it is left behind."""
    pair = Servers(amqp_url, postgres_url, ())
    prefix = f"relais_test_{secrets.token_hex(3)}"
    connection = await aio_pika.connect(amqp_url)
    reader = Reader(await connection.channel())
    try:
        databases = create_databases(postgres_url, prefix, declared.names())
        # A service that has come since has an empty database.
        dumped = {s: url for s, url in databases.items() if (DUMPS / f"{s}.sql").exists()}
        before = {service: await restore(service, url) for service, url in dumped.items()}
        environment = environment_for(amqp_url, databases, SETTINGS)
        setup = await run(environment, "setup")
        assert setup.code == 0, setup.err
        listed = await parked(databases)
        await reader.declare()
        state = tmp_path_factory.mktemp("upgrade")
        with stack(
            pair,
            state,
            workers=dict.fromkeys(declared.names(), 1),
            web=1,
            databases=prefix,
            environment=SETTINGS,
        ) as running:
            written = state / endpoints.WRITTEN
            written.parent.mkdir(parents=True)
            facts = await asyncio.to_thread(up.endpoints, running)
            with up.published(written, facts):
                yield Upgraded(running, reader, setup, listed, before, state)
    finally:
        for queue in reader.queues:
            await reader.channel.queue_delete(queue, if_unused=False, if_empty=False)
        await connection.close()
        await demo.clear(pair, prefix, declared.names(), ["north"])


@pytest.fixture
async def upstream(upgraded: Upgraded) -> AsyncIterator[Client]:
    """The publisher whose commands the dumps hold."""
    async with client.connect(upgraded.stack.amqp_url, source="/upstream/erp") as sender:
        yield sender
