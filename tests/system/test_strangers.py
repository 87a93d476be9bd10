"""What strangers write into every field of a message reaches no terminal as they wrote it."""

import asyncio
import csv
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from typing import Any

import aio_pika
import orjson
import pytest

from contracts import catalogue, names, samples
from contracts.sentences import visible
from infra.local.stack import Stack
from tests.eventually import eventually
from tests.system.conftest import Ran

pytestmark = pytest.mark.servers

STRANGE = "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\r\u202e\u2066\u2028\u200f\nforged: [red]x[/] [/]"
OBEYED = re.compile(r"(?m)^forged")

Relais = Callable[..., Awaitable[Ran]]


def strange(value: Any) -> Any:
    """A value with the stranger's text wherever a text may be."""
    match value:
        case str():
            return f"{value[:20]}{STRANGE}"
        case list():
            return [strange(item) for item in value]
        case dict():
            return {name: strange(item) for name, item in value.items()} | {STRANGE: STRANGE}
        case _:
            return value


def messages() -> list[tuple[str, bytes, dict[str, Any]]]:
    """Routing keys, bodies and properties: each field strange in turn, and all of them."""
    made = []
    properties = {
        "reply_to": STRANGE,
        "correlation_id": STRANGE,
        "message_id": STRANGE,
        "app_id": STRANGE,
        "type": STRANGE,
        "content_type": STRANGE,
        "headers": {STRANGE: STRANGE, names.PARTITION_KEY: STRANGE},
    }
    for wire_type in catalogue.COMMANDS:
        good = orjson.loads(samples.sample(wire_type))
        changed = [good | {name: strange(value)} for name, value in good.items()]
        odd = [good | {"id": STRANGE, "source": STRANGE, "data": strange(good.get("data", {}))}]
        made += [(wire_type, orjson.dumps(body), properties) for body in changed + odd]
    made.append(("relais.order.place.v1", STRANGE.encode(), properties))
    made.append((f"nothing.{STRANGE}"[:200], STRANGE.encode(), properties))
    body = orjson.loads(samples.sample("relais.package.cancel.v1")) | {"id": STRANGE}
    made.append(("nothing.known", orjson.dumps(body | {"type": STRANGE}), properties))
    return made


@pytest.fixture(scope="module")
async def sent(running: Stack) -> AsyncIterator[int]:
    """All of them have been published; how many."""
    connection = await aio_pika.connect(running.amqp_url)
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(names.COMMANDS, ensure=False)
        made = messages()
        for key, body, properties in made:
            message = aio_pika.Message(body, delivery_mode=2, **properties)
            await exchange.publish(message, key)
        yield len(made)


def is_harmless(ran: Ran) -> bool:
    """Whether a terminal that shows this does nothing, and nobody takes a forged line for one."""
    text = ran.out + ran.err
    if ran.out.startswith("entity_id,"):
        # A file that programs read: a cell may have line breaks, within its quotes.
        text = "\n".join(" ".join(row).replace("\n", " ") for row in csv.reader(StringIO(ran.out)))
    return visible(text) == text and not OBEYED.search(text)


async def parked(relais: Relais) -> list[dict[str, Any]]:
    """What is parked, once it is."""
    found: list[dict[str, Any]] = []

    async def look() -> bool:
        found[:] = json.loads((await relais("parked", "list", "--json")).out)
        return {"unreadable", "unknown_type"} <= {one["reason"] for one in found}

    await eventually(look, timeout=30)
    return found


class TestTheCommandLine:
    """Every command that prints something of a message."""

    async def test_lists_and_shows_what_is_parked(self, relais: Relais, sent: int) -> None:
        """For people and as JSON, whose values stay what they are."""
        assert sent > 100
        found = await parked(relais)
        assert any(STRANGE in (one["message_id"] or "") for one in found)
        shown = {one["reason"]: ("show", one["service"], str(one["number"])) for one in found}
        names_of = [("list",), *shown.values()]
        ran = await asyncio.gather(
            *(relais("parked", *name, *form) for name in names_of for form in ((), ("--json",)))
        )
        assert [one for one in ran if not is_harmless(one)] == []
        assert all("u001b[2J" in one.out for one in ran)

    async def test_proves_and_discards(self, relais: Relais, sent: int) -> None:
        """With the names of messages in their lines."""
        found = await parked(relais)
        ran = [await relais("proof", "--wait", "0"), await relais("proof", "--wait", "0", "--json")]
        for service in {one["service"] for one in found}:
            discard = ("parked", "discard", service, "--all", "--comment", "strange")
            ran += [await relais(*discard), await relais(*discard, "--yes")]
        assert [one for one in ran if not is_harmless(one)] == []

    async def test_sends_and_tells(self, relais: Relais) -> None:
        """What it is given it may have from others."""
        label = f"label={STRANGE}"
        ran = await asyncio.gather(
            relais("send", "entity.register", "OU_S", "--field", label, "--id", STRANGE),
            relais("send", "entity.register", "OU_S", "--field", label, "--json"),
            relais("send", "entity.update", "OU_S", "--field", f"email={STRANGE}"),
            relais("send", "entity.update", STRANGE, "--field", label),
            relais("watch", STRANGE),
            relais("show", STRANGE),
            relais("why", STRANGE),
            relais("entities"),
            relais("entities", "--csv"),
            relais("entities", "-q", STRANGE),
            relais(STRANGE),
        )
        assert [one for one in ran if not is_harmless(one)] == []

    async def test_logs_no_control(self, running: Stack, sent: int) -> None:
        """Logs are read on terminals too."""
        logs = [path.read_bytes() for paths in running.log_paths.values() for path in paths]
        assert any(logs)
        assert all(visible(log.decode()) == log.decode() for log in logs)
