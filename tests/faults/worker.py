"""A worker with crash points: `python -m tests.faults.worker run orders --kill-at ...`.

The product has no hooks for tests.  This wraps functions of it from outside; the n-th call of one
ends the process as kill -9 or a stop does.  --piece makes the pieces of sweeps small, so
that little work has many of them; --lease shortens the wait for what a dead worker held.
"""

import argparse
import functools
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any

from contracts import names
from contracts.operations import WorkerSeen
from services.cli import app, running
from services.runtime import worker
from services.runtime.amqp.channel import BatchChannel
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.publisher import Publisher
from services.runtime.decision import Decision, Received
from services.runtime.messages import outbox
from services.runtime.messages.consumer import Consumer
from services.runtime.service import Service, Work
from services.runtime.tables import jobs

PIECES = {
    "orders": ("jobs.PACK",),
    "campaigns": ("jobs.CAMPAIGNS",),
    "notifications": ("sending.TAKEN",),
}
"""What bounds a piece of a sweep besides jobs.PIECE, per service."""

LEASES = {"notifications": ("outbound.LEASE",)}
"""How long what a worker has taken is its own, besides the outbox."""

When = Callable[..., Any]
Hit = Callable[[], None]


@dataclass
class Trigger:
    """Sends this process a signal at the n-th hit."""

    hits_left: int
    number: signal.Signals

    def hit(self) -> None:
        """Count one hit."""
        self.hits_left -= 1
        if self.hits_left == 0:
            os.kill(os.getpid(), self.number)


def always(*_: Any) -> bool:
    """Every call is a hit."""
    return True


def never(*_: Any) -> bool:
    """No call is a hit."""
    return False


def wrap(owner: Any, name: str, hit: Hit, *, before: When = never, after: When = never) -> None:
    """Hit before or after each call of an async function for which the condition holds."""
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        if before(*arguments):
            hit()
        result = await original(*arguments, **named)
        if after(*arguments):
            hit()
        return result

    setattr(owner, name, wrapped)


def located(service: str, path: str) -> tuple[Any, str]:
    """A module of a service and the name of something that is there."""
    module, _, name = path.partition(".")
    found = import_module(f"services.{service}.{module}")
    assert hasattr(found, name), f"services.{service}.{path} has moved"
    return found, name


def go_to(messages: Sequence[Outgoing], exchange: str) -> bool:
    """Whether these messages are for that exchange."""
    return any(message.exchange == exchange for message in messages)


def are_news(types: Iterable[str]) -> bool:
    """Whether messages of these types tell of anything but of workers, as they do all the time."""
    return any(type_ != WorkerSeen.TYPE for type_ in types)


def in_decision(service: Service, hit: Hit) -> Service:
    """The effects of a batch are written; its inbox rows are not, and nothing is committed."""
    wrap(outbox, "store", hit, before=lambda source, tx: are_news(use.type for use in tx.handled))
    return service


def before_outbox(service: Service, hit: Hit) -> Service:
    """What happened is written, its events are not, and nothing is committed."""
    wrap(outbox, "store", hit, before=lambda source, tx: tx.emitted)
    return service


def before_commit(service: Service, hit: Hit) -> Service:
    """Everything of a transaction that says something is written, and not committed."""
    wrap(outbox, "store", hit, after=lambda source, tx: tx.emitted)
    return service


def after_commit(service: Service, hit: Hit) -> Service:
    """Events are committed, and not published."""
    wrap(Publisher, "publish", hit, before=lambda self, messages, *_: go_to(messages, names.EVENTS))
    return service


def mid_publish(service: Service, hit: Hit) -> Service:
    """Messages are written to the broker, and not confirmed."""
    wrap(BatchChannel, "_write", hit, after=always)
    return service


def after_publish(service: Service, hit: Hit) -> Service:
    """Events are confirmed, and not deleted from the outbox."""
    wrap(Publisher, "publish", hit, after=lambda self, messages, *_: go_to(messages, names.EVENTS))
    return service


def before_ack(service: Service, hit: Hit) -> Service:
    """Events are published and deleted; the batch is neither answered nor acknowledged."""
    wrap(
        Consumer,
        "_reply",
        hit,
        before=lambda _, result, __: are_news(item.type for item, _ in result.answers),
    )
    return service


def in_piece(service: Service, hit: Hit) -> Service:
    """A piece of a sweep has changed rows, and not yet stored how far its job is."""
    wrap(jobs, "_save", hit, before=always)
    return service


def between_pieces(service: Service, hit: Hit) -> Service:
    """A piece of a sweep is committed and another is to come."""

    def watched(run: Callable[[Work], Any]) -> Callable[[Work], Any]:
        @functools.wraps(run)
        async def piece(work: Work) -> bool:
            more: bool = await run(work)
            if more:
                hit()
            return more

        return piece

    swept = [replace(sweep, run=watched(sweep.run)) for sweep in service.table_work]
    return replace(service, sweeps=swept, jobs=())


def before_mark(service: Service, hit: Hit) -> Service:
    """Notices are in the mailboxes, and not marked as sent."""
    where = names.NOTIFICATIONS
    wrap(Publisher, "publish", hit, after=lambda self, messages, *_: go_to(messages, where))
    return service


POINTS: dict[str, Callable[[Service, Hit], Service]] = {
    point.__name__: point
    for point in (
        in_decision,
        before_outbox,
        before_commit,
        after_commit,
        mid_publish,
        after_publish,
        before_ack,
        in_piece,
        between_pieces,
        before_mark,
    )
}


def with_trigger(service: Service, where: str | None, number: signal.Signals) -> Service:
    """The service with a trigger at POINT or POINT:N."""
    if where is None:
        return service
    point, _, number_of_hits = where.partition(":")
    return POINTS[point](service, Trigger(int(number_of_hits or 1), number).hit)


def poisoned(service: Service, subject: str | None) -> Service:
    """The service with a handler that fails on messages about one subject."""
    if subject is None:
        return service

    def handle(world: Any, received: Received) -> Decision:
        if received.envelope.subject == subject:
            raise ZeroDivisionError(f"{subject} is poison")
        return service.handle(world, received)

    return replace(service, handle=handle)


def shrink(service: str, piece: int, lease: timedelta) -> None:
    """Make pieces and leases this small."""
    outbox.LEASE = lease
    jobs.PIECE = piece
    # Smaller than the smallest one: then every job is worked on by the sweep.
    jobs.FIRST_PIECES = piece
    for path in LEASES.get(service, ()):
        setattr(*located(service, path), lease)
    for path in PIECES.get(service, ()):
        setattr(*located(service, path), piece)


def run(arguments: argparse.Namespace) -> None:
    """Run a worker until it is stopped or dies."""
    shrink(arguments.service, arguments.piece, timedelta(seconds=arguments.lease))
    service = poisoned(running.service(arguments.service), arguments.poison)
    service = with_trigger(service, arguments.kill_at, signal.SIGKILL)
    worker.run(with_trigger(service, arguments.stop_at, signal.SIGTERM))


def main() -> None:
    """Take `setup` and `run` as `relais` does, and the options of the crash points."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup")
    runner = commands.add_parser("run")
    runner.add_argument("service")
    runner.add_argument("--piece", type=int, default=4)
    runner.add_argument("--lease", type=float, default=1.0)
    for option in ("--kill-at", "--stop-at", "--poison"):
        runner.add_argument(option)
    arguments = parser.parse_args()
    if arguments.command == "setup":
        app.main()
    run(arguments)


if __name__ == "__main__":
    main()
