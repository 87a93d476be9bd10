"""The commands that run Relais, send to it and watch it: their arguments.

The work is imported by the command that needs it, so that a worker starts without the rest.
"""

import asyncio
import getpass
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import guarded

app = typer.Typer()
parked_app = typer.Typer(
    no_args_is_help=True,
    help="List, show, retry, replace and discard messages that services could not handle.",
)
app.add_typer(parked_app, name="parked")

# More than any table will count to, and short enough for the columns of a help.
LAST_NUMBER = 10**15

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]
ServiceName = Annotated[str, typer.Argument(help="The name of a service, such as orders.")]
Number = Annotated[int, typer.Argument(min=1, max=LAST_NUMBER, help="As `parked list` shows it.")]
Numbers = Annotated[
    list[int] | None,
    typer.Argument(min=1, max=LAST_NUMBER, help="Numbers as `parked list` shows them."),
]
All = Annotated[bool, typer.Option("--all", help="Every parked message of the service.")]
Reason = Annotated[
    str | None,
    typer.Option(
        help="Those of one reason: failed, invalid, unreadable, unknown_type, unread, id_reused or "
        "crashed."
    ),
]
Comment = Annotated[str | None, typer.Option(help="Why; it is kept with what becomes of it.")]
Reasoned = Annotated[str, typer.Option("--comment", help="Why; it is kept, and required.")]


@app.command()
def setup(
    services: Annotated[
        list[str] | None,
        typer.Argument(help="Some services; without them, all that are installed."),
    ] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for the servers.")
    ] = 0,
) -> int:
    """Make the tables, exchanges and queues that the installed services need; safe to repeat."""
    from services.cli import setup as work

    return guarded(lambda: asyncio.run(work.setup(services or [], wait)))


@app.command()
def run(service: ServiceName) -> int:
    """Run one worker until SIGTERM or Ctrl-C; it finishes the work it has begun."""
    # Until the worker listens itself there is nothing to finish.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from services.cli import running

    return guarded(lambda: running.run(service))


@app.command()
def serve(service: Annotated[str, typer.Argument(help="Whose.")] = "tracking") -> int:
    """Serve the HTTP API until SIGTERM or Ctrl-C; any number may run beside each other."""
    from services.cli import running

    return guarded(lambda: running.serve(service))


@app.command()
def send(
    type: Annotated[str, typer.Argument(help="Short, such as package.cancel, or in full.")],
    subject: Annotated[str, typer.Argument(help="The id of what it is about, such as CAT86.")],
    data: Annotated[str | None, typer.Option(help="The data as one JSON object.")] = None,
    field: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="One field; may be repeated.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="The user on whose behalf it is sent.")] = None,
    id: Annotated[
        str | None, typer.Option(help="The same id again is the same command, done once.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The source in its envelope; /cli/YOU by default.")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for its outcome.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for its outcome.")] = 30,
    as_json: Json = False,
) -> int:
    """Check a command, send it, and print its outcome.

    Exit code 0: accepted or unchanged; 1: refused or parked; 64: not valid, nothing was sent.
    """
    from services.cli import send as work

    signed = f"/cli/{_user()}" if source is None else source
    manner = work.Manner(signed, id, actor, not no_wait, timeout)

    def do() -> int:
        wanted = work.command(type, subject, data, field or [])
        return asyncio.run(work.send(wanted, manner, as_json=as_json))

    return guarded(do)


@app.command()
def config(service: ServiceName, as_json: Json = False) -> int:
    """Show the settings that a worker would start with, and where each comes from."""
    from services.cli import config as work

    return guarded(lambda: work.config(service, as_json=as_json))


@app.command()
def proof(
    since: Annotated[
        str, typer.Option(help="The start of the window: 90s, 30m, 24h, 7d ago, or a time.")
    ] = "24h",
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long to wait for messages that are on their way."
        ),
    ] = 10,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it where the HTTP API shows proofs, too.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Prove that every message of a window was handled once by every service that reads it.

    Exit code 0 only when nothing is missing and nothing is left to be done.
    """
    from services.cli import proof_report as work

    return guarded(lambda: work.report(since, wait=wait, as_json=as_json, keep=keep))


@parked_app.command("list")
def parked_list(
    service: Annotated[str | None, typer.Argument(help="One service; without it, all.")] = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> int:
    """List parked messages, oldest first."""
    from services.cli import parked

    return _awaited(parked.list_(service, reason, limit, as_json=as_json))


@parked_app.command("show")
def parked_show(service: ServiceName, number: Number, as_json: Json = False) -> int:
    """Show one parked message: why it is parked, its headers and its body."""
    from services.cli import parked

    return _awaited(parked.show(service, number, as_json=as_json))


@parked_app.command("retry")
def parked_retry(
    service: ServiceName,
    numbers: Numbers = None,
    all_: All = False,
    reason: Reason = None,
    comment: Comment = None,
) -> int:
    """Let the service handle parked messages again."""
    from services.cli import parked

    chosen = parked.retry(service, numbers or [], all_=all_, reason=reason, comment=comment)
    return _awaited(chosen)


@parked_app.command("replace")
def parked_replace(
    service: ServiceName,
    number: Number,
    file: Annotated[Path, typer.Argument(help="The envelope as it should be, or - for stdin.")],
    comment: Reasoned,
) -> int:
    """Let the service handle another envelope in place of a parked message."""
    from services.cli import parked

    return _awaited(parked.replace(service, number, file, comment))


@parked_app.command("discard")
def parked_discard(
    service: ServiceName,
    comment: Reasoned,
    numbers: Numbers = None,
    all_: All = False,
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> int:
    """Delete parked messages for good, list them, and answer their senders."""
    from services.cli import parked

    chosen = parked.discard(
        service, numbers or [], all_=all_, reason=reason, yes=yes, comment=comment
    )
    return _awaited(chosen)


def _awaited(work: Coroutine[None, None, int]) -> int:
    return guarded(lambda: asyncio.run(work))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
