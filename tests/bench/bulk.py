"""bulk: rush again, with commands that come a hundred to a message."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from contracts import envelope, names
from services.runtime.amqp.frames import Outgoing
from tests.bench import checkouts, draining, installation, rush
from tests.bench.drain import Load
from tests.bench.figures import Report
from tests.bench.place import Place

TOGETHER = 100


async def bulk(
    here: Place, report: Report, *, runs: int, messages: int, beside: Path | None = None
) -> None:
    """Ours and the bare reading of the same batches, in turns."""
    shapes = {"hot": 1, "spread": max(messages // TOGETHER, 1)}
    sides = checkouts.chosen(beside)
    async with installation.databases_of_each(here, sides) as ones:
        for _ in range(runs):
            for shape, packages in shapes.items():
                await draining.measure(here, report, shape, load(messages, packages), ones)
    for shape in shapes:
        draining.compare(report, shape, sides)
    report.note("The goal is 10,000 a second; a message here is one command of a batch.")


def load(messages: int, packages: int) -> Load:
    """The orders of rush in batches, each of one package."""
    given = rush.load(messages, packages)
    batches: list[Outgoing] = []
    for package in range(packages):
        own = given.messages[package::packages]
        batches += (_batch(own[at : at + TOGETHER]) for at in range(0, len(own), TOGETHER))
    return replace(given, messages=batches)


def _batch(messages: Sequence[Outgoing]) -> Outgoing:
    ((_, body),) = envelope.pack([message.body for message in messages])
    return replace(messages[0], body=body, content_type=names.CLOUDEVENTS_BATCH)
