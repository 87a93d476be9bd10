"""Decides items, wherever they come from, and whatever happens.

A pass decides a batch in one transaction: each message once, in order, purely; what it comes to
(accepted, unchanged, refused, waiting, parked, repeated) is stored with its effect.  A pass that
fails is done again in halves, and the one message that cannot be handled is parked by a last pass.
"""

import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import structlog

from contracts.envelope import Broken, Envelope, FieldError, TooLarge, Unreadable
from contracts.message import Event
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, RefusalCode
from services.runtime import telemetry
from services.runtime.decision import (
    Accepted,
    Answer,
    Cause,
    Decision,
    Identity,
    Received,
    Refused,
    TooMuch,
    Unchanged,
    Unknown,
    cause_of,
)
from services.runtime.messages import answers, inbox, kept
from services.runtime.messages.item import Item
from services.runtime.messages.kept import Parking
from services.runtime.postgres.database import backoff, persist
from services.runtime.service import Service
from services.runtime.tables.transaction import OutboxRow, Transaction, Work

log = structlog.get_logger()

TRIES = 3


@dataclass(slots=True)
class Result:
    """What items came to: rows to publish, then answers to send."""

    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)


class Failure(NamedTuple):
    """Why a message cannot be handled: it is parked with this reason and this error."""

    reason: str
    error: BaseException


class Decider:
    """Decides items, whatever happens: tries again, halves, and parks what cannot be handled."""

    def __init__(self, service: Service, work: Work, patience: timedelta) -> None:
        """patience: how long a command that names something unknown is decided again."""
        self._service = service
        self._work = work
        self._patience = patience
        self.wakes_waiting = False

    async def decide(self, items: Sequence[Item]) -> Result:
        """Decide these in order; returns when each is committed, one way or another."""
        result = Result()
        if items:
            await self._decide(list(items), result)
        return result

    async def decide_suspects(self, items: Sequence[Item]) -> Result:
        """Decide one by one what may end the worker; one that has ended it three times is parked.

        That a message is begun is committed before it is decided.
        """
        result = Result()
        for item in items:
            if await self._attempt(kept.BEGIN_ATTEMPT, item) > TRIES:
                crash = RuntimeError(f"the worker ended {TRIES} times while handling it")
                await self._pass([item], result, Failure("crashed", crash))
            else:
                await self._decide([item], result)
            await self._attempt(kept.END_ATTEMPT, item)
        return result

    async def _attempt(self, statement: str, item: Item) -> Any:
        return await persist("attempt", lambda: self._work.pool.fetchval(statement, item.digest))

    async def _decide(self, items: list[Item], result: Result) -> None:
        """Decide in one transaction, a message alone in several; else in halves, or park it."""
        tries = TRIES if len(items) == 1 else 1
        failure: Exception | None = None
        for attempt in range(1, tries + 1):
            try:
                await self._pass(items, result)
                return
            except (TooMuch, TooLarge) as error:
                # It would be as much the next time.
                failure = error
                break
            except Exception as error:
                log.warning("batch_failed", messages=len(items), attempt=attempt, error=repr(error))
                failure = error
                if attempt < tries:
                    await backoff(attempt)
        if len(items) == 1:
            assert failure is not None
            await self._pass(items, result, Failure("failed", failure))
            return
        # One bad message harms no other: it is found by halving.
        middle = len(items) // 2
        await self._decide(items[:middle], result)
        await self._decide(items[middle:], result)

    async def _pass(
        self, items: list[Item], result: Result, failure: Failure | None = None
    ) -> None:
        await persist("decide", lambda: self._commit(items, result, failure))
        if failure is not None:
            error = repr(failure.error)
            log.error("message_failed", reason=failure.reason, type=items[0].type, error=error)
        if self.wakes_waiting and not items[0].is_kept:
            # What this batch made known may be what a command waits for.
            self._work.wake("waiting")

    async def _commit(self, items: list[Item], result: Result, failure: Failure | None) -> None:
        async with self._work.begin() as tx:
            batch = Pass(self._service, tx, self._patience)
            answered = await batch.decide(items, failure)
            for item, answer in answered:
                # Nobody delivers a kept message again, so its answer is committed with its effect.
                if item.is_kept and (reply := answers.reply(self._service.name, item, answer)):
                    tx.send(reply)
        result.rows += tx.rows
        result.answers += answered


class Pass:
    """One transaction that decides items, and one write for each kind of outcome."""

    def __init__(self, service: Service, tx: Transaction, patience: timedelta) -> None:
        """Nothing is decided yet."""
        self._service = service
        self._tx = tx
        self._patience = patience
        self._known: dict[Identity, Answer] = {}
        self._parkings: list[Parking] = []
        self._waiting: list[Item] = []
        self._closed: list[int] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    async def decide(
        self, items: Sequence[Item], failure: Failure | None = None
    ) -> list[tuple[Item, Answer]]:
        """The answer to each item that has one; of one that waits there is none yet.

        Where a failure is given, the one item is not handed to the service.
        """
        self._known = await self._find_known(items)
        fresh = self._first_of_each(items)
        messages: dict[int, Received] = {}
        if failure is None:
            messages = {at: self._received(i) for at in fresh if (i := items[at]).body is not None}
        service, world = self._service, None
        if messages:
            world = await service.load(self._tx.conn, list(messages.values()))
        answered = []
        for at, item in enumerate(items):
            if at not in fresh:
                # The first of two in this batch has been decided by now, unless it waits.
                answer = self._repeat(item)
            elif at in messages:
                answer = self._take(item, messages[at], service.handle(world, messages[at]))
            elif failure is not None:
                answer = self._fail(item, failure)
            else:
                answer = self._take_broken(item)
            if answer is not None:
                answered.append((item, answer))
                if item.identity is not None:
                    self._known[item.identity] = answer
        if messages:
            await service.save(self._tx, world)
        await self._store()
        return answered

    async def _find_known(self, items: Sequence[Item]) -> dict[Identity, Answer]:
        """What was answered before; to a message that is retried, being parked is no answer."""
        known = await inbox.find(self._tx.conn, {i.identity for i in items if i.identity})
        retried = {i.identity for i in items if i.is_retried}
        return {k: a for k, a in known.items() if a.outcome != "parked" or k not in retried}

    def _first_of_each(self, items: Sequence[Item]) -> set[int]:
        """The places of the items to decide: not handled before, and not twice in this batch."""
        seen = set(self._known)
        fresh = set()
        for at, item in enumerate(items):
            identity = item.identity
            if identity is None or identity not in seen:
                fresh.add(at)
            # What is drained is parked unhandled: that decides nothing about the same message.
            if identity is not None and not item.is_drained:
                seen.add(identity)
        return fresh

    def _received(self, item: Item) -> Received:
        assert isinstance(item.element, Envelope)
        assert item.body is not None
        return Received(item.element, item.body, self._tx.now, cause_of(item.element))

    def _repeat(self, item: Item) -> Answer | None:
        """The same message again: no second effect, the same answer."""
        answer = self._known.get(item.identity) if item.identity else None
        if answer is None:
            self._wait(item)
        else:
            self._close(item, "repeated")
        return answer

    def _take(self, item: Item, message: Received, decision: Decision) -> Answer | None:
        """Make events and an answer of a decision."""
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
                    unchanged = CommandUnchanged(
                        about=item.subject, command_type=item.type, message=text
                    )
                    self._tx.emit(unchanged, message.cause, message.body.key)
            case Refused(code=code, message=text, version=version, errors=errors):
                if not item.origin.is_command:
                    raise TypeError(f"{self._service.name} refused an event: {text}")
                return self._refuse(item, Answer("refused", code, text, version, errors))
        return self._record(item, answer)

    def _take_broken(self, item: Item) -> Answer | None:
        """Refuse a broken command, park a broken event and what cannot be read at all."""
        if item.is_drained:
            return self._take_drained(item)
        if isinstance(item.element, Unreadable):
            self._park(item, "unreadable", item.element.reason)
            return Answer("refused", "invalid", item.element.reason, errors=item.errors)
        if not item.origin.is_command:
            return self._park(item, "invalid", _sentence(item.errors))
        return self._refuse(item, _invalid(item.errors))

    def _take_drained(self, item: Item) -> Answer | None:
        """Park what no lane took, or what the broker gave up delivering."""
        if item.source.reason != "unknown_type":
            self._park(item, item.source.reason, "the broker gave up delivering it")
            return None
        text = f"no service reads messages of type {item.type!r}"
        self._park(item, "unknown_type", text)
        answer = Answer("refused", "unknown_type", text)
        self._emit_refused(item, answer)
        return answer

    def _fail(self, item: Item, failure: Failure) -> Answer:
        """Park what cannot be handled; a command whose events fit into no message is refused."""
        error = failure.error
        if isinstance(error, TooLarge) and item.origin.is_command:
            too_much = FieldError("data", f"is too much for a message: {error}")
            return self._refuse(item, _invalid((too_much,)))
        text = kept.text(f"{type(error).__name__}: {error}")
        trace = kept.text("".join(traceback.format_exception(error)))
        return self._park(item, failure.reason, text, trace)

    def _refuse(self, item: Item, answer: Answer) -> Answer:
        self._emit_refused(item, answer)
        return self._record(item, answer)

    def _emit_refused(self, item: Item, answer: Answer) -> None:
        refused = CommandRefused(
            about=item.subject,
            command_type=item.type,
            code=RefusalCode(answer.code or RefusalCode.INVALID),
            message=answer.message or "",
            errors=list(answer.errors) or None,
        )
        self._tx.emit(refused, _cause(item), item.body.key if item.body else None)

    def _park(self, item: Item, reason: str, error: str, trace: str | None = None) -> Answer:
        """Keep a message with its reason; it is not handled again before somebody asks for it."""
        answer = Answer("parked", message=error[:1000])
        self._parkings.append(Parking(item, reason, error, trace))
        parked = MessageParked.of(
            self._service.name,
            reason,
            error[:1000],
            type=item.type,
            message_id=item.id or item.origin.message_id,
            key=item.element.partitionkey if isinstance(item.element, Envelope) else None,
        )
        self._tx.emit(parked, _cause(item))
        if item.identity is not None and not item.is_drained:
            self._tx.handled.append((item.identity, item.type, answer))
        self._close(item, "parked", forget=not item.is_retried)
        return answer

    def _wait(self, item: Item) -> None:
        """Keep it to be decided again; one that waits already stays where it is."""
        if item.is_waiting:
            return
        self._waiting.append(item)
        if item.is_kept:
            self._closed.append(item.source.number)

    def _record(self, item: Item, answer: Answer) -> Answer:
        if item.identity is not None:
            self._tx.handled.append((item.identity, item.type, answer))
        self._close(item, answer.outcome)
        return answer

    def _close(self, item: Item, outcome: str, *, forget: bool = True) -> None:
        """Count it, and forget the row that kept it."""
        # Only types we know may be labels: anybody can invent others.
        known = item.type if item.type in self._service.routes else "other"
        self._counts[known, outcome] += 1
        if item.is_kept and forget:
            self._closed.append(item.source.number)

    async def _store(self) -> None:
        """Write what is kept from now on, and what no longer is."""
        conn = self._tx.conn
        if self._parkings:
            await kept.park(conn, self._parkings, self._tx.now)
        if self._waiting:
            await kept.wait(conn, self._waiting)
            self._tx.wake("waiting")
        if self._closed:
            await kept.forget(conn, self._closed)
        self._tx.on_commit(lambda: telemetry.consumed(self._service.name, self._counts))


def _version(events: Sequence[Event]) -> int | None:
    return next((v for e in events if (v := getattr(e, "version", None)) is not None), None)


def _invalid(errors: tuple[FieldError, ...]) -> Answer:
    return Answer("refused", "invalid", _sentence(errors), errors=errors)


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
