"""The commands about the work of a service: they are decided in a pass, like those it reads itself.

One is for the service that its subject names.  What names none is answered by the service that
drains the unrouted commands, and by no other; a request to all is begun by each.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Self

from contracts import names
from contracts.envelope import FieldError
from contracts.operations import (
    ALL,
    AllOf,
    DiscardParked,
    ParkedCommand,
    ReplaceParked,
    RequestSnapshot,
    RetryParked,
    ServiceCommand,
)
from contracts.outcomes import RefusalCode
from contracts.sentences import moment, shown
from services.runtime.decision import Cause, Decision, Received, Refused, Unchanged, accepted
from services.runtime.messages import parked
from services.runtime.messages.item import Item
from services.runtime.messages.parked import Chosen, NotOne, Parked
from services.runtime.postgres.database import Connection
from services.runtime.service import (
    OPERATIONS,
    Service,
    commands,
    events,
    installed_names,
    jobs,
)
from services.runtime.tables import snapshots
from services.runtime.tables.jobs import Job, JobKind, Jobs
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Transaction

SWEEP = "operations"
MAX_BYTES = 4 * 1024 * 1024
"""Bodies of parked messages that one piece reads."""
LISTED = 20
"""Numbers that a sentence lists."""


def answers_for_all(service: Service) -> bool:
    """Whether this is the one service that answers what names no service, or all of them."""
    return names.UNROUTED in service.drains


def is_of_others(service: Service, item: Item) -> bool:
    """Whether it is about the work of another service, which has it too."""
    if item.origin.routing_key not in OPERATIONS or item.source.kind == "drain":
        return False
    subject = item.subject
    if subject == service.name or subject in installed_names():
        return subject != service.name
    if subject == ALL and isinstance(item.body, RequestSnapshot):
        return False
    return not answers_for_all(service)


def is_silent(service: Service, item: Item) -> bool:
    """Whether it is to all, and another service answers it."""
    is_operation = item.origin.routing_key in OPERATIONS
    return is_operation and item.subject == ALL and not answers_for_all(service)


@dataclass(slots=True)
class Operations:
    """What the operations of a batch are decided against, and what they come to."""

    service: Service
    parked: Parked
    chosen: dict[Chosen, bool]
    reasons: Sequence[str]
    jobs: Jobs
    _effects: list[Callable[[Transaction], Awaitable[object]]] = field(default_factory=list)

    @classmethod
    async def load(cls, conn: Connection, service: Service, batch: Sequence[Received]) -> Self:
        """Lock the parked messages that these name, and look for those that they describe."""
        bodies = [received.body for received in batch]
        chosen = {
            one: await parked.is_any(conn, one)
            for one in {
                _chosen(body.all_of)
                for body in bodies
                if isinstance(body, ParkedCommand) and body.all_of is not None
            }
        }
        return cls(
            service,
            await parked.lock(conn, {n for body in bodies for n in _numbers(body)}),
            chosen,
            () if all(chosen.values()) else await parked.reasons(conn),
            await jobs.find(conn, _lines(bodies)),
        )

    def handle(self, received: Received) -> Decision:
        """Decide one against what the ones before it left."""
        command = received.body
        assert isinstance(command, ServiceCommand)
        if command.service != self.service.name and not _is_to_all(command):
            return _no_service(command)
        match command:
            case RequestSnapshot(request_id=request_id):
                return self._snapshot(request_id, received.cause)
            case ReplaceParked():
                return self._replace(command, received.cause)
            case RetryParked(all_of=AllOf() as all_of) | DiscardParked(all_of=AllOf() as all_of):
                return self._all_of(command, _chosen(all_of), received)
            case RetryParked():
                return self._retry(command, received.cause)
            case DiscardParked():
                return self._discard(command, received)
            case _:
                raise TypeError(f"the runtime does not read {command!r}")

    def _snapshot(self, request_id: str, cause: Cause) -> Decision:
        name, known = self.service.name, self.service.snapshots
        job = snapshots.job(name, known, request_id, cause)
        if self.jobs.has(job.kind, job.line, job.place):
            return Unchanged(f"snapshot request {shown(request_id)} is known, and answered once")
        self.jobs.add(job)
        things = ", ".join(snapshot.thing for snapshot in known) or "nothing, which it owns"
        return accepted(message=f"{name} emits the present state of: {things}")

    def _replace(self, command: ReplaceParked, cause: Cause) -> Decision:
        body = command.body.encode()
        try:
            type_ = parked.type_of(body)
        except NotOne as error:
            return _invalid("data.body", f"must be an envelope: {error}")
        if refusal := self._refusal({command.number}):
            return refusal
        # Nobody may send as another kind of message what they may not send as such.
        was_event = command.number in self.parked.events
        if type_ in (commands() if was_event else events()):
            was, other = ("an event", "a command") if was_event else ("a command", "an event")
            text = f"must be {was} as {command.number} was, not {other}"
            return _invalid("data.body", f"{text}: {names.short_type(type_)}")
        self._mark({command.number})
        act = partial(_replace, number=command.number, body=body, comment=command.comment)
        self._effects.append(partial(act, asked=cause))
        text = f"{self.service.name} handles this envelope in place of {command.number}"
        return accepted(message=text)

    def _retry(self, command: RetryParked, cause: Cause) -> Decision:
        wanted = set(command.numbers or ())
        known = wanted & self.parked.numbers
        if not known:
            return self._not_parked(wanted)
        fresh, waiting = known - self.parked.asked, known & self.parked.asked
        already = f"{self.service.name} is to retry {_listed(waiting)} already" if waiting else ""
        if not fresh:
            return Unchanged(_sentence(already, self._lacking(wanted - known)))
        self._mark(fresh)
        act = partial(parked.retry, numbers=sorted(fresh), comment=command.comment, asked=cause)
        self._effects.append(act)
        text = f"{self.service.name} retries {_count(fresh)}"
        return accepted(message=_sentence(text, already, self._lacking(wanted - known)))

    def _discard(self, command: DiscardParked, received: Received) -> Decision:
        wanted = set(command.numbers or ())
        known = wanted & self.parked.numbers
        free = known - self.parked.busy
        if not free:
            return self._refusal(wanted) or self._not_parked(wanted)
        self.parked = self.parked._replace(numbers=self.parked.numbers - free)
        self._add_job(received, numbers=sorted(free), comment=command.comment)
        busy = known - free
        left = f"it retries {_listed(busy)} just now and leaves that alone" if busy else ""
        text = f"{self.service.name} discards {_count(free)}"
        return accepted(message=_sentence(text, left, self._lacking(wanted - known)))

    def _all_of(
        self, command: RetryParked | DiscardParked, chosen: Chosen, received: Received
    ) -> Decision:
        """Leave all of a kind to a job; those parked later are not meant."""
        name = self.service.name
        meant = _described(chosen)
        if not self.chosen[chosen]:
            here = ", ".join(self.reasons)
            others = f"the reasons here are {here}" if here else "nothing is parked there"
            return Unchanged(f"{name} keeps no parked message {meant}; {others}")
        self._add_job(received, all_of=_written(chosen), comment=command.comment)
        does = "retries" if isinstance(command, RetryParked) else "discards"
        return accepted(message=f"{name} {does} every parked message {meant}")

    def _add_job(self, received: Received, **arguments: Any) -> None:
        kind = RETRY if isinstance(received.body, RetryParked) else _discarding(self.service.name)
        self.jobs.add(kind.job(_line(received), 1, received.cause, **arguments))

    def _mark(self, numbers: Collection[int]) -> None:
        self.parked = self.parked._replace(asked=self.parked.asked | set(numbers))

    def _refusal(self, numbers: set[int]) -> Refused | None:
        """Why nothing can be done with these: they are not parked, or just being retried."""
        if not numbers & self.parked.numbers:
            return self._not_parked(numbers)
        if numbers & self.parked.numbers <= self.parked.busy:
            text = f"{self.service.name} retries {_listed(numbers & self.parked.busy)} just now; "
            return Refused(RefusalCode.WRONG_STATUS, text + "ask again once that is over")
        return None

    def _not_parked(self, numbers: set[int]) -> Refused:
        text = f"{self._lacking(numbers)}; name numbers of messages that it keeps as parked"
        return Refused(RefusalCode.WRONG_STATUS, text)

    def _lacking(self, numbers: Collection[int]) -> str:
        one = f"{self.service.name} has no parked message {_listed(numbers)}"
        return one if numbers else ""

    async def save(self, tx: Transaction) -> None:
        """Do what was decided; what may be much is left to jobs."""
        for effect in self._effects:
            await effect(tx)
        await self.jobs.store(tx)
        if self.jobs.new:
            tx.wake(SWEEP)


async def _replace(
    tx: Transaction, *, number: int, body: bytes, comment: str, asked: Cause
) -> None:
    await parked.replace(tx.conn, number, body, comment, asked)
    tx.wake(parked.RETRIES)


def _invalid(field: str, text: str) -> Refused:
    return Refused(RefusalCode.INVALID, f"{field} {text}", errors=(FieldError(field, text),))


def _is_to_all(command: ServiceCommand) -> bool:
    return command.service == ALL and isinstance(command, RequestSnapshot)


def _no_service(command: ServiceCommand) -> Refused:
    accepted_names = sorted(installed_names())
    if isinstance(command, RequestSnapshot):
        accepted_names.append(ALL)
    *others, last = accepted_names
    text = f"must be one of {', '.join(others)} or {last}, not {shown(command.service)}"
    return _invalid("subject", text)


def _numbers(body: object) -> Iterable[int]:
    match body:
        case ReplaceParked(number=number):
            return (number,)
        case ParkedCommand(numbers=list(numbers)):
            return numbers
        case _:
            return ()


def _lines(bodies: Iterable[object]) -> set[str]:
    requests = (body for body in bodies if isinstance(body, RequestSnapshot))
    return {snapshots.line(body.request_id) for body in requests}


def _line(received: Received) -> str:
    """The line of what a command has to do: its own."""
    return f"{received.envelope.type} {received.envelope.source} {received.envelope.id}"


def _chosen(all_of: AllOf | None) -> Chosen:
    assert all_of is not None
    return Chosen(all_of.until, all_of.reason, all_of.type)


def _written(chosen: Chosen) -> list[str | None]:
    return [chosen.until.isoformat(), chosen.reason, chosen.type]


def _read(job: Job) -> Chosen | list[int]:
    """What the job is about."""
    if (numbers := job.arguments.get("numbers")) is not None:
        return list(numbers)
    until, reason, type_ = job.arguments["all_of"]
    return Chosen(datetime.fromisoformat(until), reason, type_)


def _described(chosen: Chosen) -> str:
    parts = [
        f"with reason {shown(chosen.reason)}" if chosen.reason else "",
        f"of type {shown(chosen.type)}" if chosen.type else "",
        f"since before {moment(chosen.until)}",
    ]
    return " ".join(part for part in parts if part)


def _listed(numbers: Collection[int]) -> str:
    first = ", ".join(map(str, sorted(numbers)[:LISTED]))
    more = len(numbers) - LISTED
    return f"{first} and {more} more" if more > 0 else first


def _count(numbers: Collection[int]) -> str:
    return f"{len(numbers)} parked message{'s' if len(numbers) > 1 else ''}"


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


async def _retry_next(tx: Transaction, job: Job, size: int) -> Job:
    """Ask for a retry of the next of those that were chosen; the cursor is the last looked at."""
    found = await parked.find_next(tx.conn, _read(job), job.cursor or 0, size, MAX_BYTES)
    await parked.retry(tx, found.numbers, job.arguments["comment"], job.cause)
    return job.moved(found.last, done=found.last is None)


RETRY = JobKind("retry_parked", _retry_next, retained=False)


def _discarding(service: str) -> JobKind:
    """The kind of job that discards those that were chosen."""

    async def discard_next(tx: Transaction, job: Job, size: int) -> Job:
        found = await parked.find_next(tx.conn, _read(job), job.cursor or 0, size, MAX_BYTES)
        await parked.discard(tx, service, found.numbers, job.arguments["comment"], job.cause)
        return job.moved(found.last, done=found.last is None)

    return JobKind("discard_parked", discard_next, retained=False)


def sweep(service: Service) -> Sweep:
    """The sweep that does the long work that operators ask for, beside the service's own."""
    emitting = snapshots.kind(service.name, service.snapshots)
    return jobs.sweep((emitting, RETRY, _discarding(service.name)), SWEEP)
