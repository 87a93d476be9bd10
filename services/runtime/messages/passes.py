"""One transaction that decides a batch: each message once, in order, purely.

What it comes to (accepted, unchanged, refused, waiting, parked, repeated) is stored with it.
"""

import traceback
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts import names
from contracts.envelope import Broken, Envelope, FieldError, TooLarge, Unreadable
from contracts.operations import ServiceCommand
from contracts.outcomes import (
    CommandRefused,
    CommandUnchanged,
    MessageParked,
    RefusalCode,
    Release,
)
from contracts.sentences import moment, shown
from services.runtime.decision import (
    Accepted,
    Answer,
    Decision,
    Received,
    Refused,
    Unchanged,
    Unknown,
    Use,
)
from services.runtime.messages import kept, operations
from services.runtime.messages.item import Item, misrouted
from services.runtime.messages.kept import Parking
from services.runtime.messages.operations import Operations
from services.runtime.messages.uses import Uses
from services.runtime.postgres.database import Row
from services.runtime.service import Service, commands, read_elsewhere
from services.runtime.tables.transaction import Transaction

UNREAD_PATIENCE = timedelta(minutes=10)
"""How long a message of a type that this version does not read waits for a newer worker."""

Failure = tuple[str, BaseException]
"""Why a message cannot be handled: it is parked with this reason and this error, or waits."""
BLOCKED = "blocked"


@dataclass(slots=True)
class Pass:
    """One transaction that decides items, and one write for each kind of outcome.

    answered are the items that have an answer; of one that waits there is none yet.
    counts are how many came to what, by type and outcome.
    """

    _service: Service
    _tx: Transaction
    _patience: timedelta
    _lines: Set[str] = frozenset()
    _parkings: list[Parking] = field(default_factory=list)
    _waiting: list[kept.Wait] = field(default_factory=list)
    _closed: list[int] = field(default_factory=list)
    answered: list[tuple[Item, Answer]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def decide(self, items: Sequence[Item], failure: Failure | None) -> None:
        """Decide each; where a failure is given, the one item is not handed to the service."""
        uses = await Uses.find(self._tx.conn, items)
        self._tx.now = uses.now
        self._lines = uses.lines
        if failure is not None and failure[0] == BLOCKED:
            self._lines |= {items[0].key}
            failure = None
        left = {at for at, item in enumerate(uses.items) if self._is_left(item, at, uses, failure)}
        messages = {
            at: Received(i.element, i.body, self._tx.now, i.cause)
            for at in uses.fresh
            if failure is None
            and at not in uses.others
            and at not in left
            and isinstance((i := uses.items[at]).element, Envelope)
            and i.body is not None
            and not self._is_behind(i)
        }
        service = self._service
        asked = [m for m in messages.values() if isinstance(m.body, ServiceCommand)]
        own = [m for m in messages.values() if not isinstance(m.body, ServiceCommand)]
        world = await service.load(self._tx.conn, own) if own else None
        # After the service's own locks, as in a pass that retries what these are about.
        work = await Operations.load(self._tx.conn, service, asked) if asked else None
        for at, item in enumerate(uses.items):
            if at in left:
                self._leave(item)
                continue
            if at not in uses.fresh:
                # The first of two in this batch has been decided by now, unless it waits.
                answer = self._repeat(item, uses.of(item))
            elif at in uses.others:
                answer = self._take_other(item, uses.others[at])
            elif at in messages:
                message = messages[at]
                if work is not None and isinstance(message.body, ServiceCommand):
                    decision = work.handle(message)
                else:
                    decision = service.handle(world, message)
                answer = self._take(item, message, decision)
            elif failure is not None:
                answer = self._fail(item, failure)
            elif self._is_behind(item):
                self._wait(item)
                continue
            else:
                answer = self._take_broken(item)
            if answer is None:
                continue
            self.answered.append((self._heard(items[at]), answer))
            self._release(item, answer)
            use = uses.of(item)
            if use is not None and at in uses.fresh:
                use.answer = answer
                self._tx.handled.append(use)
        if own:
            await service.save(self._tx, world)
        if work is not None:
            await work.save(self._tx)
        await self._store()

    def _is_behind(self, item: Item) -> bool:
        """Whether it has to wait in line; what is drained is not decided, only parked."""
        return bool(self._lines) and item.key in self._lines and item.source.kind != "drain"

    def _is_left(self, item: Item, at: int, uses: Uses, failure: Failure | None) -> bool:
        """Whether it is no business of this service: an answer from here would be a second one."""
        if operations.is_of_others(self._service, item):
            return True
        if at in uses.others and operations.is_silent(self._service, item):
            return True
        return failure is None and self._is_copy(item)

    def _is_copy(self, item: Item) -> bool:
        name, routes = self._service.name, self._service.routes
        strange = item.origin.is_command and item.origin.routing_key not in routes
        is_lane = item.source.kind != "drain"
        return strange and is_lane and item.is_copy(routes, read_elsewhere(name))

    def _leave(self, item: Item) -> None:
        """Let go of what is another service's, which has it too."""
        self._close(item, "copy")
        if item.source.kind == "retry":
            self._emit_released(item, Release.HANDLED)

    def _heard(self, item: Item) -> Item:
        """The item as it is answered: of what is to all services its sender hears from one."""
        if not operations.is_silent(self._service, item):
            return item
        return replace(item, origin=replace(item.origin, reply_to=None))

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
        if isinstance(decision, Unknown) and self._may_wait(item, self._patience):
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
                if item.origin.is_command and not operations.is_silent(self._service, item):
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
        if item.is_unread:
            return self._take_unread(item)
        if isinstance(item.element, Unreadable):
            self._park(item, "unreadable", item.element.reason)
            return Answer("refused", "invalid", item.element.reason, errors=item.errors)
        if not item.origin.is_command:
            return self._park(item, "invalid", _sentence(item.errors))
        return self._refuse(item, _invalid(item.errors))

    def _take_drained(self, item: Item) -> Answer:
        """Park what no lane took; a wrong routing key is what is wrong, and not the type."""
        if item.type in commands() and item.type != item.origin.routing_key:
            broken = item.element.errors if isinstance(item.element, Broken) else ()
            return self._refuse(item, _invalid((*broken, misrouted(item.origin, item.type))))
        text = f"no service reads messages of type {item.type!r}"
        if near := names.nearest(item.type, commands()):
            text += f"; perhaps {near!r} is meant"
        self._park(item, "unknown_type", text)
        return self._refuse(item, Answer("refused", "unknown_type", text), close=False)

    def _take_unread(self, item: Item) -> Answer | None:
        """Leave to a newer worker what this version does not read; park it where none comes."""
        if self._may_wait(item, UNREAD_PATIENCE):
            self._wait(item)
            return None
        name = self._service.name
        text = f"no worker of {name} reads {item.type!r} so far; one of a newer version will"
        return self._park(item, "unread", text)

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
        how = Release.REFUSED if answer.outcome == "refused" else Release.HANDLED
        if item.source.replaced:
            how = Release.REPLACED
        self._emit_released(item, how)

    def _emit_released(self, item: Item, how: Release) -> None:
        source = item.source
        released = kept.released(self._service.name, source.number, how, source.comment)
        self._tx.emit(released, source.asked or item.cause)

    def _since(self, item: Item) -> datetime:
        """When it came; what comes from a lane is received as it is decided."""
        return item.received_at or self._tx.now

    def _may_wait(self, item: Item, patience: timedelta) -> bool:
        """Whether it has not been here for so long."""
        return self._tx.now < self._since(item) + patience

    def _wait(self, item: Item) -> None:
        """Keep it to be decided again; one that waits already stays where it is."""
        line = item.key if self._is_behind(item) else None
        if item.source.kind != "waiting" or line is not None:
            self._waiting.append((replace(item, received_at=self._since(item)), line))
            if item.is_kept:
                self._closed.append(item.source.number)

    def _close(self, item: Item, outcome: str, *, forget: bool = True) -> None:
        """Count it, and forget the row that kept it."""
        # Only types we know may be labels: anybody can invent others.
        known = item.type if item.type in self._service.routes else "other"
        self.counts[known, outcome] += 1
        # Whoever decides a line forgets it once its events are out: nothing is to overtake them.
        if item.is_kept and forget and item.source.kind != "line":
            self._closed.append(item.source.number)

    async def _store(self) -> None:
        """Write what is kept from now on, and what no longer is."""
        if self._parkings:
            for parking, row in await kept.park(self._tx.conn, self._parkings, self._tx.now):
                self._tx.emit(self._parked(parking, row), parking.item.cause)
        if self._waiting:
            await kept.wait(self._tx.conn, self._waiting)
            self._tx.wake("waiting", "lines")
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


def _invalid(errors: tuple[FieldError, ...]) -> Answer:
    return Answer("refused", "invalid", _sentence(errors), errors=errors)


def _sentence(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{e.field} {e.message}".strip() for e in errors)
