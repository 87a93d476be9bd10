"""Decide the elements of a batch in one transaction: each once, in order, purely."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from contracts.envelope import Broken, Envelope, FieldError, Unreadable
from contracts.message import Event
from contracts.outcomes import (
    CommandRefused,
    CommandUnchanged,
    MessageParked,
    RefusalCode,
)
from services.runtime import metrics
from services.runtime.decision import Accepted, Decision, Refused, Unchanged, Unknown
from services.runtime.messages import inbox, kept
from services.runtime.messages.inbox import Answer, Identity
from services.runtime.messages.item import Item
from services.runtime.messages.kept import Parking
from services.runtime.received import Cause, Received, cause_of
from services.runtime.service import Service
from services.runtime.tables.transaction import Transaction


async def decide(
    service: Service, tx: Transaction, items: Sequence[Item], patience: timedelta
) -> list[Answer | None]:
    """The answer to each item, in order; None for one that waits or that nobody can be told of.

    patience is how long a command that names something unknown is decided again.
    """
    known = await _known(tx, items)
    fresh = _first_of_each(items, known)
    messages = {at: _received(items[at], tx) for at in fresh if items[at].body is not None}
    world = await service.load(tx.conn, list(messages.values())) if messages else None
    docket = Docket(service, tx, patience)
    answers: list[Answer | None] = []
    for at, item in enumerate(items):
        if at not in fresh:
            # The first of two in this batch has been decided by now, unless it waits.
            answer = docket.repeat(item, known)
        elif at in messages:
            answer = docket.settle(item, messages[at], service.handle(world, messages[at]))
        else:
            answer = docket.settle_broken(item)
        if answer is not None and item.identity is not None:
            known[item.identity] = answer
        answers.append(answer)
    if messages:
        tx.wake(*await service.save(tx.conn, world))
    await docket.record()
    return answers


async def park(service: Service, tx: Transaction, parking: Parking) -> None:
    """Keep one message that cannot be handled, and say so; unless somebody else has handled it."""
    docket = Docket(service, tx, timedelta(0))
    known = await _known(tx, [parking.item])
    if known:
        docket.repeat(parking.item, known)
    else:
        docket.park(parking.item, parking.reason, parking.error, parking.traceback)
    await docket.record()


async def refuse(service: Service, tx: Transaction, item: Item, error: FieldError) -> Answer:
    """Say no to one command that was right in itself, for what would have come of it."""
    docket = Docket(service, tx, timedelta(0))
    known = await _known(tx, [item])
    if known:
        docket.repeat(item, known)
    answer = next(iter(known.values()), None) or docket.refuse(item, (error,))
    await docket.record()
    return answer


async def _known(tx: Transaction, items: Sequence[Item]) -> dict[Identity, Answer]:
    """What was answered before; to a message that is retried, being parked is no answer."""
    known = await inbox.find(tx.conn, {i.identity for i in items if i.identity})
    retried = {i.identity for i in items if i.is_retried}
    return {k: a for k, a in known.items() if a.outcome != "parked" or k not in retried}


def _first_of_each(items: Sequence[Item], known: dict[Identity, Answer]) -> set[int]:
    """The places of the items to decide: not handled before, and not twice in this batch."""
    seen = set(known)
    fresh = set()
    for at, item in enumerate(items):
        identity = item.identity
        if identity is None or identity not in seen:
            fresh.add(at)
        # What is drained is parked unhandled: that decides nothing about the same message.
        if identity is not None and not item.drained:
            seen.add(identity)
    return fresh


def _received(item: Item, tx: Transaction) -> Received:
    assert isinstance(item.element, Envelope)
    assert item.body is not None
    return Received(item.element, item.body, tx.now, cause_of(item.element))


class Docket:
    """What a batch comes to while it is decided, and then one write for each kind of it."""

    def __init__(self, service: Service, tx: Transaction, patience: timedelta) -> None:
        """Nothing decided yet."""
        self._service = service
        self._tx = tx
        self._patience = patience
        self._handled: list[inbox.Handled] = []
        self._parkings: list[Parking] = []
        self._waiting: list[Item] = []
        self._settled: list[tuple[str, int]] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def repeat(self, item: Item, known: dict[Identity, Answer]) -> Answer | None:
        """The same message again: no second effect, the same answer."""
        answer = known.get(item.identity) if item.identity else None
        if answer is None:
            self._wait(item)
        else:
            self._count(item, "repeated")
            self._close(item)
        return answer

    def settle(self, item: Item, message: Received, decision: Decision) -> Answer | None:
        """Transaction a decision into events and an answer."""
        if isinstance(decision, Unknown) and self._tx.now < item.received_at + self._patience:
            self._wait(item)
            return None
        match decision:
            case Accepted(events=events, version=version, key=key):
                for event in events:
                    self._tx.emit(event, message.cause, key)
                answer = Answer("accepted", version=version or _version(events))
            case Unchanged(message=text, version=version):
                answer = Answer("unchanged", message=text, version=version)
                if item.origin.is_command:
                    self._say_unchanged(item, message, text)
            case Refused(code=code, message=text, version=version, errors=errors):
                if not item.origin.is_command:
                    raise TypeError(f"{self._service.name} refused an event: {text}")
                answer = Answer("refused", code, text, version, errors)
                self._say_refused(item, answer, message.cause, message.body.key)
        self._handle(item, answer)
        return answer

    def settle_broken(self, item: Item) -> Answer | None:
        """Refuse a broken command, park a broken event and what cannot be read at all."""
        if item.drained:
            return self._settle_drained(item)
        if isinstance(item.element, Unreadable):
            self.park(item, "unreadable", item.element.reason)
            return Answer("refused", "invalid", item.element.reason, errors=item.errors)
        if not item.origin.is_command:
            return self.park(item, "invalid", _sentence(item.errors))
        return self.refuse(item, item.errors)

    def refuse(self, item: Item, errors: tuple[FieldError, ...]) -> Answer:
        """Refuse a command as invalid, with every error."""
        answer = Answer("refused", "invalid", _sentence(errors), errors=errors)
        self._say_refused(item, answer, _cause(item), item.body.key if item.body else None)
        self._handle(item, answer)
        return answer

    def _settle_drained(self, item: Item) -> Answer | None:
        """What came here because no lane took it, or the broker gave it up."""
        assert item.drained is not None
        text = f"no service reads messages of type {item.type!r}"
        if item.drained != "unknown_type":
            self.park(item, item.drained, "the broker gave up delivering it")
            return None
        self.park(item, item.drained, text)
        answer = Answer("refused", "unknown_type", text)
        self._say_refused(item, answer, _cause(item), None)
        return answer

    def park(self, item: Item, reason: str, error: str, traceback: str | None = None) -> Answer:
        """Keep a message with its reason; it is not handled again before somebody says so."""
        answer = Answer("parked", message=error[:1000])
        self._parkings.append(Parking(item, reason, error, traceback))
        if item.identity is not None and not item.drained:
            self._handled.append((item.identity, item.type, answer))
        self._count(item, "parked")
        if not item.is_retried:
            self._close(item)
        event = MessageParked.of(
            self._service.name,
            reason,
            error[:1000],
            type=item.type,
            message_id=item.id or item.origin.message_id,
            key=item.element.partitionkey if isinstance(item.element, Envelope) else None,
        )
        self._tx.emit(event, _cause(item))
        return answer

    async def record(self) -> None:
        """Write what was decided: one statement for each kind."""
        conn, now = self._tx.conn, self._tx.now
        await inbox.add(conn, self._handled, now)
        if self._parkings:
            await kept.park(conn, self._parkings, now)
        if self._waiting:
            await kept.wait(conn, self._waiting)
            self._tx.wake("waiting")
        if self._settled:
            await kept.forget(conn, self._settled)
        for (type_, outcome), count in self._counts.items():
            metrics.CONSUMED.labels(self._service.name, type_, outcome).inc(count)

    def _wait(self, item: Item) -> None:
        """Keep it to be decided again; one that waits already stays where it is."""
        if item.kept is None or item.kept[0] != "waiting":
            self._waiting.append(item)
            self._close(item)

    def _handle(self, item: Item, answer: Answer) -> None:
        if item.identity is not None:
            self._handled.append((item.identity, item.type, answer))
        self._count(item, answer.outcome)
        self._close(item)

    def _close(self, item: Item) -> None:
        if item.kept is not None:
            self._settled.append(item.kept)

    def _count(self, item: Item, outcome: str) -> None:
        # Only types we know may be labels: anybody can invent others.
        known = item.type if item.type in self._service.routes else "other"
        self._counts[known, outcome] += 1

    def _say_unchanged(self, item: Item, message: Received, text: str) -> None:
        event = CommandUnchanged(
            about=message.envelope.subject, command_type=item.type, message=text
        )
        self._tx.emit(event, message.cause, message.body.key)

    def _say_refused(self, item: Item, answer: Answer, cause: Cause, key: str | None) -> None:
        event = CommandRefused(
            about=item.subject,
            command_type=item.type,
            code=RefusalCode(answer.code or RefusalCode.INVALID),
            message=answer.message or "",
            errors=list(answer.errors) or None,
        )
        self._tx.emit(event, cause, key)


def _version(events: Sequence[Event]) -> int | None:
    return next((v for e in events if (v := getattr(e, "version", None)) is not None), None)


def _sentence(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{e.field} {e.message}".strip() for e in errors)


def _cause(item: Item) -> Cause:
    match item.element:
        case Envelope():
            return cause_of(item.element)
        case Broken(id=id):
            return Cause(correlationid=id, causationid=id)
        case Unreadable():
            return Cause()
