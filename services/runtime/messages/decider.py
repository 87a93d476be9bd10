"""Brings messages to a decision, whatever happens: again, in halves, and at last into parked."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from contracts.envelope import FieldError, TooLarge
from services.runtime.decision import TooMuch
from services.runtime.messages import answers, kept
from services.runtime.messages.decide import decide, park, refuse
from services.runtime.messages.inbox import Answer
from services.runtime.messages.item import Item
from services.runtime.messages.kept import Parking
from services.runtime.messages.outbox import OutboxRow
from services.runtime.postgres.database import backoff, persist
from services.runtime.service import Service
from services.runtime.tables.transaction import Transaction, Work

log = structlog.get_logger()

TRIES = 3


@dataclass(slots=True)
class Decided:
    """What a batch came to: rows to publish, then answers to give."""

    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)


class Decider:
    """Decides items, whatever happens: tries again, halves, and parks what will not go."""

    def __init__(self, service: Service, work: Work, patience: timedelta) -> None:
        """patience: how long a command that names something unknown is decided again."""
        self._service = service
        self._work = work
        self._patience = patience
        self.wakes_waiting = False

    async def decide(self, items: Sequence[Item]) -> Decided:
        """Decide these in order; returns when each is committed, one way or another."""
        decided = Decided()
        if items:
            await self._decide(list(items), decided)
        return decided

    async def _decide(self, items: list[Item], decided: Decided) -> None:
        tries = TRIES if len(items) == 1 else 1
        failure: Exception
        for attempt in range(1, tries + 1):
            try:
                await persist("decide", lambda: self._commit(items, decided))
                return
            except TooMuch as wish:
                failure = wish
                break
            except TooLarge as error:
                # It would be as large the next time.
                failure = error
                break
            except Exception as error:
                log.warning("batch_failed", messages=len(items), attempt=attempt, error=repr(error))
                failure = error
                if attempt < tries:
                    await backoff(attempt)
        if len(items) == 1:
            await self._give_up(items[0], failure, decided)
            return
        # One bad message harms no other: it is found by halving.
        middle = len(items) // 2
        await self._decide(items[:middle], decided)
        await self._decide(items[middle:], decided)

    async def _commit(self, items: list[Item], decided: Decided) -> None:
        async with self._work.begin() as tx:
            answers = await decide(self._service, tx, items, self._patience)
            told = [(i, a) for i, a in zip(items, answers, strict=True) if a is not None]
            self._answer_kept(tx, told)
        decided.rows += tx.outbox.rows
        decided.answers += told
        if self.wakes_waiting and not items[0].kept:
            # What this batch made known may be what a command waits for.
            self._work.wake(("waiting",))

    def _answer_kept(self, tx: Transaction, told: list[tuple[Item, Answer]]) -> None:
        """Nobody delivers a kept message again, so its answer is committed with its effect."""
        for item, answer in told:
            if item.kept and (reply := answers.reply(self._service.name, item, answer)):
                tx.outbox.add_reply(reply)

    async def _give_up(self, message: Item, failure: Exception, decided: Decided) -> None:
        if not isinstance(failure, TooLarge) or not message.origin.is_command:
            await self.park(message, "failed", failure, decided)
            return
        error = FieldError("data", f"is too much to tell of: {failure}")

        async def answer() -> None:
            async with self._work.begin() as tx:
                told = [(message, await refuse(self._service, tx, message, error))]
                self._answer_kept(tx, told)
            decided.rows += tx.outbox.rows
            decided.answers += told

        await persist("refuse", answer)

    async def park(
        self, message: Item, reason: str, error: BaseException, decided: Decided
    ) -> None:
        """Keep a message that cannot be handled; its followers go on."""
        trace = "".join(traceback.format_exception(error))
        text = kept.text(f"{type(error).__name__}: {error}")
        parking = Parking(message, reason, text, kept.text(trace))

        async def keep() -> list[OutboxRow]:
            async with self._work.begin() as tx:
                await park(self._service, tx, parking)
            return tx.outbox.rows

        decided.rows += await persist("park", keep)
        log.error("message_parked", reason=reason, type=message.type, error=repr(error))
