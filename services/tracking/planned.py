"""Sends what is due: planned commands, and those whose process ended before they were sent."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from contracts import client
from contracts.client import NoBroker, NotSent
from services.runtime.service import Connection, Row, Sweep, Work, broker
from services.tracking import commands
from services.tracking.commands import SOURCE
from services.tracking.queries import preview
from services.tracking.queries.preview import Figures

NAME = "planned"
MOST = 500
"""Commands in one piece."""
PATIENCE = 20.0
"""Seconds that RabbitMQ has to take them, less than the lease."""


async def _send(work: Work) -> bool:
    """Take some that are due, and send them outside of any transaction.

    Whatever ends in between, they are sent again with the same ids, which has no second effect.
    """
    async with work.begin() as tx:
        due = await commands.take_due(tx.conn, MOST)
        if not due:
            return False
        rows = await _without_drifted(tx.conn, due)
        await commands.taken(tx.conn, [row["command_id"] for row in rows])
    if rows:
        await _publish(work, rows)
    return len(due) == MOST


async def _without_drifted(conn: Connection, due: Sequence[Row]) -> list[Row]:
    """Those that still do what was shown to who planned them; the others are withdrawn.

    One that was being sent may have had its effect already: it is not looked at again.
    """
    kept = []
    for row in due:
        then = row["preview"]
        if row["state"] == "planned" and then is not None:
            shown = Figures(**then)
            now = await preview.figures(conn, shown.package_id)
            if now is not None and preview.has_drifted(shown, now):
                text = f"not sent: {preview.drift(shown, now)}"
                await commands.withdraw(conn, row["command_id"], text)
                continue
        kept.append(row)
    return kept


async def _publish(work: Work, rows: Sequence[Row]) -> None:
    """Publish in order, those of one sender and correlation together."""
    left = Counter(row["command_id"] for row in rows)
    try:
        async with client.connect(work.amqp_url, source=SOURCE) as sender:
            for (actor, correlation), run in groupby(rows, _attributes):
                some = list(run)
                ids = [row["command_id"] for row in some]
                await sender.send_many(
                    [commands.command_of(row) for row in some],
                    ids=ids,
                    timeout=PATIENCE,
                    actor=actor,
                    correlationid=correlation,
                )
                await commands.sent(work.pool, ids)
                left -= Counter(ids)
    except (NoBroker, NotSent) as error:
        await commands.not_sent(work.pool, list(left), f"not sent yet: {error}")
        raise broker.Unavailable(str(error)) from error


def _attributes(row: Row) -> tuple[str | None, str | None]:
    return row["actor"], row["correlationid"]


SWEEP = Sweep(NAME, _send)
