"""Decides items, wherever they come from, and whatever happens.

A pass decides a batch in one transaction: each message once, in order, purely; what it comes to
(accepted, unchanged, refused, waiting, parked, repeated) is stored with its effect.  A pass that
fails is done again in halves, and the one message that cannot be handled is parked by a last pass.
One that needs a lock which another session does not give back waits in line, and what comes later
of its key behind it: nobody else waits for it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import structlog

from contracts.envelope import TooLarge
from services.runtime import telemetry
from services.runtime.decision import Answer, TooMuch
from services.runtime.messages import answers, kept
from services.runtime.messages.item import Item
from services.runtime.messages.passes import BLOCKED, Failure, Pass
from services.runtime.postgres.database import Locked, backoff, persist
from services.runtime.service import Service
from services.runtime.tables.transaction import OutboxRow, Work

log = structlog.get_logger()

TRIES = 3
PARTS = 8
"""Into how many a batch is divided that is too much for one transaction."""
# What is sought in halves has waited for its lock long enough.
BRIEFLY = "SET LOCAL lock_timeout = '200ms'"


@dataclass(slots=True)
class Result:
    """What items came to: rows to publish, then answers to send.

    now is the moment of the last decision.  hand_on takes what was committed before another
    transaction adds to it: what a batch of parts comes to never lies here as a whole.
    """

    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)
    now: datetime | None = None
    hand_on: "HandOn | None" = None

    async def flush(self) -> None:
        """Hand on what is here."""
        if self.hand_on is not None and (self.rows or self.answers):
            done, self.rows, self.answers = Result(self.rows, self.answers), [], []
            await self.hand_on(done)


HandOn = Callable[[Result], Awaitable[None]]


class Blocked(Exception):
    """Another session holds a lock that one of these messages needs."""


class Decider:
    """Decides items, whatever happens: tries again, halves, and parks what cannot be handled.

    lines are the keys whose messages wait for a lock, as the sweep of them saw them last.
    """

    def __init__(self, service: Service, work: Work, patience: timedelta) -> None:
        """patience: how long a command that names something unknown is decided again."""
        self._service = service
        self._work = work
        self._patience = patience
        self.unread: Sequence[str] = ()
        """The types of which messages wait that this version does not read."""
        self.wakes_waiting = False
        self.lines: Sequence[kept.Line] = ()

    async def decide(self, items: Sequence[Item], hand_on: HandOn | None = None) -> Result:
        """Decide these in order; returns when each is committed, one way or another.

        What takes several transactions is handed on as they commit, but for the last.
        """
        result = Result(hand_on=hand_on)
        if items:
            await self._decide(list(items), result)
        return result

    async def decide_line(self, items: Sequence[Item], hand_on: HandOn) -> tuple[Result, bool]:
        """Decide these of one line, and whether all went: the first one blocked ends it."""
        result = Result(hand_on=hand_on)
        return result, await self._decide(list(items), result, brief=True)

    async def decide_suspects(self, items: Sequence[Item], hand_on: HandOn | None = None) -> Result:
        """Decide what keeps coming back: one of these may be what ends the worker.

        That they are begun is committed before they are decided.  What a worker had begun that
        ended is decided alone; one that has ended three is parked.
        """
        result = Result(hand_on=hand_on)
        named = [(item.digest, item) for item in items]
        begun = await self._find_begun([digest for digest, _ in named])
        for was_begun, run in groupby(named, lambda one: one[0] in begun):
            together = list(run)
            for part in [[one] for one in together] if was_begun else [together]:
                await self._attempt([digest for digest, _ in part], [i for _, i in part], result)
        return result

    async def _find_begun(self, digests: list[str]) -> set[str]:
        work = partial(self._work.pool.fetch, kept.FIND_ATTEMPTS, digests)
        return {row["digest"] for row in await persist("attempt", work)}

    async def _attempt(self, digests: list[str], items: list[Item], result: Result) -> None:
        pool = self._work.pool
        begin = partial(pool.fetchval, kept.BEGIN_ATTEMPTS, digests)
        if await persist("attempt", begin) > TRIES:
            crash = RuntimeError(f"the worker ended {TRIES} times while handling it")
            await self._pass(items, result, ("crashed", crash))
        else:
            await self._decide(items, result)
        await persist("attempt", partial(pool.execute, kept.END_ATTEMPTS, digests))

    async def _decide(
        self, items: list[Item], result: Result, attempt: int = 1, *, brief: bool = False
    ) -> bool:
        """Decide in one transaction, a message alone in several; else in halves, or park it.

        Returns whether all have gone from where they came; what is kept and blocked stays there.
        """
        failure: Exception
        try:
            await self._pass(items, result, None, brief=brief)
            return True
        except Blocked as error:
            telemetry.fault("lock", attempt, error)
            if len(items) == 1:
                return await self._hold_back(items[0], result)
            failure, brief = error, True
        except (TooMuch, TooLarge) as error:
            # It would be as much the next time.
            attempt, failure = TRIES, error
        except Exception as error:
            log.warning("batch_failed", messages=len(items), attempt=attempt, error=repr(error))
            failure = error
        if len(items) > 1:
            # One bad message harms no other: it is found by halving.  What is too much is done in
            # more parts, since each that is still too much has been loaded in vain.
            parts = PARTS if isinstance(failure, TooMuch) else 2
            size = -(-len(items) // parts)
            # Its traceback holds all that was loaded.
            del failure
            for at in range(0, len(items), size):
                if not await self._decide(items[at : at + size], result, brief=brief):
                    return False
            return True
        if attempt < TRIES:
            await backoff(attempt)
            return await self._decide(items, result, attempt + 1, brief=brief)
        await self._pass(items, result, ("failed", failure))
        return True

    async def _hold_back(self, item: Item, result: Result) -> bool:
        """Let a blocked message wait in line; one that is kept is tried again where it is."""
        if item.source.kind in ("line", "retry"):
            return False
        await self._pass([item], result, (BLOCKED, Blocked()))
        return True

    async def _pass(
        self, items: list[Item], result: Result, failure: Failure | None, *, brief: bool = False
    ) -> None:
        async def commit() -> None:
            try:
                await self._commit(items, result, failure, brief)
            except Locked as error:
                if failure is None:
                    raise Blocked(str(error)) from error
                raise

        await result.flush()
        await persist("decide", commit)
        reason, error = failure or (BLOCKED, None)
        # What is another service's has no answer here.
        if reason != BLOCKED and result.answers and result.answers[-1][1].outcome == "parked":
            log.error("message_parked", reason=reason, type=items[0].type, error=repr(error))
        if self.wakes_waiting and not items[0].is_kept:
            # What this batch made known may be what a command waits for.
            self._work.wakes.call(["waiting"])

    async def _commit(
        self, items: list[Item], result: Result, failure: Failure | None, brief: bool
    ) -> None:
        async with self._work.begin(divisible=len(items) > 1, dated=False) as tx:
            if brief:
                await tx.conn.execute(BRIEFLY)
            batch = Pass(self._service, tx, self._patience)
            await batch.decide(items, failure)
            for item, answer in batch.answered:
                # Nobody delivers a kept message again, so its answer is committed with its effect.
                if item.is_kept and (reply := answers.reply(self._service.name, item, answer)):
                    tx.send(reply)
        telemetry.consumed(self._service.name, batch.counts)
        result.now = tx.now
        result.rows += tx.rows
        result.answers += batch.answered
