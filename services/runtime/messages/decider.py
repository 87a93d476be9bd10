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
from typing import Any

import structlog

from contracts import names
from contracts.envelope import Broken, Envelope, FieldError, TooLarge, Unreadable
from contracts.outcomes import (
    CommandRefused,
    CommandUnchanged,
    MessageParked,
    RefusalCode,
    Release,
)
from contracts.sentences import moment, shown
from services.runtime import telemetry
from services.runtime.decision import (
    Accepted,
    Answer,
    Decision,
    Received,
    Refused,
    TooMuch,
    Unchanged,
    Unknown,
    Use,
)
from services.runtime.messages import answers, kept
from services.runtime.messages.item import Item
from services.runtime.messages.kept import Parking
from services.runtime.messages.uses import Uses, decides
from services.runtime.postgres.database import Row, backoff, persist
from services.runtime.service import Service, commands
from services.runtime.tables.transaction import OutboxRow, Transaction, Work

log = structlog.get_logger()

TRIES = 3


@dataclass(slots=True)
class Result:
    """What items came to: rows to publish, then answers to send."""

    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)


Failure = tuple[str, BaseException]
"""Why a message cannot be handled: it is parked with this reason and this error."""


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
                await self._pass([item], result, ("crashed", crash))
            else:
                await self._decide([item], result)
            await self._attempt(kept.END_ATTEMPT, item)
        return result

    async def _attempt(self, statement: str, item: Item) -> Any:
        return await persist("attempt", lambda: self._work.pool.fetchval(statement, item.digest))

    async def _decide(self, items: list[Item], result: Result, attempt: int = 1) -> None:
        """Decide in one transaction, a message alone in several; else in halves, or park it."""
        failure: Exception
        try:
            await self._pass(items, result, None)
            return
        except (TooMuch, TooLarge) as error:
            # It would be as much the next time.
            attempt, failure = TRIES, error
        except Exception as error:
            log.warning("batch_failed", messages=len(items), attempt=attempt, error=repr(error))
            failure = error
        if len(items) > 1:
            # One bad message harms no other: it is found by halving.
            middle = len(items) // 2
            await self._decide(items[:middle], result)
            await self._decide(items[middle:], result)
        elif attempt < TRIES:
            await backoff(attempt)
            await self._decide(items, result, attempt + 1)
        else:
            await self._pass(items, result, ("failed", failure))

    async def _pass(self, items: list[Item], result: Result, failure: Failure | None) -> None:
        await persist("decide", lambda: self._commit(items, result, failure))
        if failure is not None and result.answers[-1][1].outcome == "parked":
            reason, error = failure
            log.error("message_parked", reason=reason, type=items[0].type, error=repr(error))
        if self.wakes_waiting and not items[0].is_kept:
            # What this batch made known may be what a command waits for.
            self._work.wakes.call(["waiting"])

    async def _commit(self, items: list[Item], result: Result, failure: Failure | None) -> None:
        async with self._work.begin() as tx:
            batch = Pass(self._service, tx, self._patience)
            await batch.decide(items, failure)
            for item, answer in batch.answered:
                # Nobody delivers a kept message again, so its answer is committed with its effect.
                if item.is_kept and (reply := answers.reply(self._service.name, item, answer)):
                    tx.send(reply)
        telemetry.consumed(self._service.name, batch.counts)
        result.rows += tx.rows
        result.answers += batch.answered


@dataclass(slots=True)
class Pass:
    """One transaction that decides items, and one write for each kind of outcome.

    answered are the items that have an answer; of one that waits there is none yet.
    counts are how many came to what, by type and outcome.
    """

    _service: Service
    _tx: Transaction
    _patience: timedelta
    _parkings: list[Parking] = field(default_factory=list)
    _waiting: list[Item] = field(default_factory=list)
    _closed: list[int] = field(default_factory=list)
    answered: list[tuple[Item, Answer]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def decide(self, items: Sequence[Item], failure: Failure | None) -> None:
        """Decide each; where a failure is given, the one item is not handed to the service."""
        uses = await Uses.find(self._tx.conn, items, self._tx.now)
        messages = {
            at: Received(i.element, i.body, self._tx.now, i.cause)
            for at in uses.fresh
            if failure is None
            and at not in uses.others
            and isinstance((i := uses.items[at]).element, Envelope)
            and i.body is not None
        }
        service = self._service
        world = await service.load(self._tx.conn, list(messages.values())) if messages else None
        for at, item in enumerate(uses.items):
            if at not in uses.fresh:
                # The first of two in this batch has been decided by now, unless it waits.
                answer = self._repeat(item, uses.of(item))
            elif at in uses.others:
                answer = self._take_other(item, uses.others[at])
            elif at in messages:
                answer = self._take(item, messages[at], service.handle(world, messages[at]))
            elif failure is not None:
                answer = self._fail(item, failure)
            else:
                answer = self._take_broken(item)
            if answer is None:
                continue
            self.answered.append((items[at], answer))
            self._release(item, answer)
            use = uses.of(item)
            if use is not None and at in uses.fresh and decides(item):
                use.answer = answer
                self._tx.handled.append(use)
        if messages:
            await service.save(self._tx, world)
        await self._store()

    def _repeat(self, item: Item, use: Use | None) -> Answer | None:
        """The same message again: no second effect, the same answer."""
        answer = use.answer if use else None
        if answer is None:
            self._wait(item)
        else:
            self._close(item, "repeated")
        return answer

    def _take_other(self, item: Item, use: Use) -> Answer:
        """Refuse a command whose source and id were used for another message, park an event."""
        became = use.answer.code or use.answer.outcome if use.answer else "waiting"
        source, id = use.identity
        text = (
            f"source {shown(source)} and id {shown(id)} were used for "
            f"{names.short_type(use.type)} of {use.subject} at {moment(use.at)} ({became}); "
            "give each message an id of its own"
        )
        if item.origin.is_command:
            return self._refuse(item, Answer("refused", "id_reused", text))
        return self._park(item, "id_reused", text)

    def _take(self, item: Item, message: Received, decision: Decision) -> Answer | None:
        """Make events and an answer of a decision."""
        if isinstance(decision, Unknown) and self._tx.now < item.received_at + self._patience:
            self._wait(item)
            return None
        match decision:
            case Accepted(events=events, version=version, key=key, message=text):
                for event in events:
                    self._tx.emit(event, message.cause, key)
                versions = (getattr(event, "version", None) for event in events)
                version = version or next((v for v in versions if v is not None), None)
                answer = Answer("accepted", message=text, version=version)
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
        self._close(item, answer.outcome)
        return answer

    def _take_broken(self, item: Item) -> Answer | None:
        """Refuse a broken command, park a broken event and what cannot be read at all."""
        if item.source.kind == "drain":
            return self._take_drained(item)
        if isinstance(item.element, Unreadable):
            self._park(item, "unreadable", item.element.reason)
            return Answer("refused", "invalid", item.element.reason, errors=item.errors)
        if not item.origin.is_command:
            return self._park(item, "invalid", _sentence(item.errors))
        return self._refuse(item, _invalid(item.errors))

    def _take_drained(self, item: Item) -> Answer | None:
        """Park what no lane took, or what the broker gave up delivering."""
        if not decides(item):
            return self._park(item, item.source.reason, "the broker gave up delivering it")
        if item.type in commands():
            return self._refuse(item, _invalid(_misrouted(item)))
        text = f"no service reads messages of type {item.type!r}"
        if near := names.nearest(item.type, commands()):
            text += f"; perhaps {near!r} is meant"
        self._park(item, "unknown_type", text)
        return self._refuse(item, Answer("refused", "unknown_type", text), close=False)

    def _fail(self, item: Item, failure: Failure) -> Answer:
        """Park what cannot be handled; a command whose events fit into no message is refused."""
        reason, error = failure
        if isinstance(error, TooLarge) and item.origin.is_command:
            too_much = FieldError("data", f"is too much for a message: {error}")
            return self._refuse(item, _invalid((too_much,)))
        text = kept.text(f"{type(error).__name__}: {error}")
        trace = kept.text("".join(traceback.format_exception(error)))
        return self._park(item, reason, text, trace)

    def _refuse(self, item: Item, answer: Answer, *, close: bool = True) -> Answer:
        refused = CommandRefused(
            about=item.subject,
            command_type=item.type,
            code=RefusalCode(answer.code or RefusalCode.INVALID),
            message=answer.message or "",
            errors=list(answer.errors) or None,
        )
        self._tx.emit(refused, item.cause, item.body.key if item.body else None)
        if close:
            self._close(item, answer.outcome)
        return answer

    def _park(self, item: Item, reason: str, error: str, trace: str | None = None) -> Answer:
        """Keep a message with its reason; it is not handled again before somebody asks for it."""
        self._parkings.append(Parking(item, reason, error, trace))
        self._close(item, "parked", forget=item.source.kind != "retry")
        text = (
            f"{self._service.name} cannot handle it and keeps it as parked ({reason}) until an "
            f"operator decides: {error[:1000]}"
        )
        return Answer("parked", message=text)

    def _release(self, item: Item, answer: Answer) -> None:
        """Emit that a message is parked no more, unless it is parked again."""
        if item.source.kind != "retry" or item.source.number not in self._closed:
            return
        how: Release = "refused" if answer.outcome == "refused" else "handled"
        if item.source.replaced:
            how = "replaced"
        number, comment = item.source.number, item.source.comment
        self._tx.emit(kept.released(self._service.name, number, how, comment), item.cause)

    def _wait(self, item: Item) -> None:
        """Keep it to be decided again; one that waits already stays where it is."""
        if item.source.kind != "waiting":
            self._waiting.append(item)
            if item.is_kept:
                self._closed.append(item.source.number)

    def _close(self, item: Item, outcome: str, *, forget: bool = True) -> None:
        """Count it, and forget the row that kept it."""
        # Only types we know may be labels: anybody can invent others.
        known = item.type if item.type in self._service.routes else "other"
        self.counts[known, outcome] += 1
        if item.is_kept and forget:
            self._closed.append(item.source.number)

    async def _store(self) -> None:
        """Write what is kept from now on, and what no longer is."""
        if self._parkings:
            for parking, row in await kept.park(self._tx.conn, self._parkings, self._tx.now):
                self._tx.emit(self._parked(parking, row), parking.item.cause)
        if self._waiting:
            await kept.wait(self._tx.conn, self._waiting)
            self._tx.wake("waiting")
        if self._closed:
            await kept.forget(self._tx.conn, self._closed)

    def _parked(self, parking: Parking, row: Row) -> MessageParked:
        item = parking.item
        return MessageParked.of(
            self._service.name,
            row["number"],
            parking.reason,
            parking.error[:1000],
            type=item.type,
            message_id=item.id or item.origin.message_id,
            key=item.element.partitionkey if isinstance(item.element, Envelope) else None,
            attempts=row["attempts"],
            parked_at=row["kept_at"],
            body=item.raw,
        )


def _misrouted(item: Item) -> tuple[FieldError, ...]:
    """All that is wrong with a command that came under the name of none."""
    broken = item.element.errors if isinstance(item.element, Broken) else ()
    key = shown(item.origin.routing_key)
    return (*broken, FieldError("type", f"must be the routing key as well, which is {key}"))


def _invalid(errors: tuple[FieldError, ...]) -> Answer:
    return Answer("refused", "invalid", _sentence(errors), errors=errors)


def _sentence(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{e.field} {e.message}".strip() for e in errors)
