"""A small client for publishers in Python: send commands, and await what becomes of them.

    async with connect(url, source="/upstream/erp") as client:
        outcome = await client.ask(CancelPackage(package_id="CAT86", comment="supplier withdrew"))

A command with the same id again is the same command. That is why the client may send again what a
lost connection left in doubt, and why a caller may after a time-out.
"""
# ruff: noqa: ASYNC109 - the time-outs of a client belong to its calls

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypedDict, Unpack
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from contracts import envelope, hosts, names
from contracts.envelope import Envelope
from contracts.hosts import Url
from contracts.message import Command
from contracts.outcomes import CommandOutcome
from contracts.session import Letter, NotSent, Session, open_session

__all__ = ["Attributes", "Client", "NoBroker", "NoConfirm", "NoOutcome", "NotSent", "connect"]

_WINDOW = 500
"""How many bodies are on their way to the broker at once."""

_LONGEST_PAUSE = 2.0

Answered = Callable[[CommandOutcome], None]
"""Takes the outcomes of a client's commands as they come."""


class NoBroker(ConnectionError):
    """No broker lets us in."""


class NoConfirm(NotSent, TimeoutError):
    """The broker did not confirm in time; whether it has the commands is not known."""


class NoOutcome(TimeoutError):
    """The outcome of a command did not arrive in time."""


class Attributes(TypedDict, total=False):
    """The optional attributes that a sender may give to the envelope of a command."""

    actor: str | None
    correlationid: str | None
    causationid: str | None
    traceparent: str | None


@asynccontextmanager
async def connect(url: Url, *, source: str, timeout: float = 10) -> AsyncIterator["Client"]:
    """A client while the block lasts; source is how its commands are signed, 1-128 characters.

    Raises NoBroker when no broker answers, ValueError when the URL makes no sense.
    """
    if not 1 <= len(source) <= 128:
        raise ValueError(f"source must have 1 to 128 characters, not {len(source)}")
    client = Client(url, source)
    try:
        async with asyncio.timeout(timeout):
            await client.open()
    except CONNECTION_EXCEPTIONS as error:
        text = f"no RabbitMQ lets us in at {hosts.place(url)}: {str(error) or 'no answer'}"
        raise NoBroker(text) from error
    try:
        yield client
    finally:
        await client.close()


class Client:
    """Sends commands over one connection, opened again when lost; many tasks may share it."""

    def __init__(self, url: Url, source: str, answered: Answered | None = None) -> None:
        """See connect; answered is called with each outcome, also of what was only sent."""
        self._url = url
        self._source = source
        self._answered = answered
        self._awaited: dict[str, asyncio.Future[CommandOutcome]] = {}
        self._opening = asyncio.Lock()
        self._session: Session | None = None
        self._closed = False

    async def send(
        self,
        command: Command,
        *,
        id: str | None = None,
        timeout: float = 30,
        **attributes: Unpack[Attributes],
    ) -> str:
        """Publish a command and give its id once the broker has it; raises NotSent."""
        [letter] = self._letters([command], [id or str(uuid.uuid4())], attributes)
        await self._deliver([letter], timeout)
        return letter.ids[0]

    async def send_many(
        self,
        commands: Sequence[Command],
        *,
        ids: Sequence[str] | None = None,
        timeout: float = 60,
        **attributes: Unpack[Attributes],
    ) -> list[str]:
        """Publish commands in this order and give their ids; raises NotSent.

        Neighbours of one type and key travel together.  After a lost connection the order is best
        effort.
        """
        named = zip(commands, ids or [str(uuid.uuid4()) for _ in commands], strict=True)
        letters: list[Letter] = []
        for _, run in groupby(named, lambda pair: (pair[0].wire_type, pair[0].key)):
            together, their_ids = zip(*run, strict=True)
            letters += self._letters(together, their_ids, attributes)
        await self._deliver(letters, timeout)
        return _ids(letters)

    async def ask(
        self,
        command: Command,
        *,
        id: str | None = None,
        timeout: float = 30,
        **attributes: Unpack[Attributes],
    ) -> CommandOutcome:
        """Send a command and await its outcome; raises NotSent, or NoOutcome after the timeout."""
        [letter] = self._letters([command], [id or str(uuid.uuid4())], attributes)
        name = letter.ids[0]
        if name in self._awaited:
            raise ValueError(f"the outcome of command {name} is awaited already")
        outcome = self._awaited[name] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                return await self._answer(letter, outcome)
        except TimeoutError as error:
            raise NoOutcome(
                f"no outcome of {letter.type} {name} within {timeout:g} s; "
                "ask again with the same id, it has no second effect"
            ) from error
        finally:
            del self._awaited[name]

    async def open(self) -> None:
        """Connect once; raises what the connection raises."""
        if self._session:
            await self._session.close()
        self._session = await open_session(self._url, self._take)

    async def close(self) -> None:
        """Close the connection; outcomes still awaited raise ConnectionError."""
        self._closed = True
        for outcome in self._awaited.values():
            if not outcome.done():
                outcome.set_exception(ConnectionError("the client was closed"))
        if self._session:
            await self._session.close()

    async def _answer(
        self, letter: Letter, outcome: "asyncio.Future[CommandOutcome]"
    ) -> CommandOutcome:
        """Ask on each connection anew until the outcome is there."""
        while not outcome.done():
            session = await self._opened()
            letter.message.reply_to = session.replies
            if not await session.publish([letter]):
                ends: set[asyncio.Future[Any]] = {outcome, session.lost}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return outcome.result()

    async def _take(self, message: AbstractIncomingMessage) -> None:
        for element in envelope.read(message.body):
            if not isinstance(element, Envelope) or element.type != CommandOutcome.TYPE:
                continue
            outcome = CommandOutcome.read(element.subject, element.data)
            if self._answered is not None:
                self._answered(outcome)
            awaited = self._awaited.get(outcome.command_id or message.correlation_id or "")
            if awaited and not awaited.done():
                awaited.set_result(outcome)

    async def _deliver(self, letters: list[Letter], timeout: float) -> None:
        left = letters
        try:
            async with asyncio.timeout(timeout):
                while left:
                    session = await self._opened()
                    if self._answered is not None:
                        for letter in left[:_WINDOW]:
                            letter.message.reply_to = session.replies
                    left = await session.publish(left[:_WINDOW]) + left[_WINDOW:]
        except NotSent as error:
            raise NotSent(str(error), [*error.ids, *_ids(left[_WINDOW:])]) from error
        except TimeoutError as error:
            raise NoConfirm(
                f"no confirm of {left[0].type} within {timeout:g} s; "
                "send it again with the same id, it has no second effect",
                _ids(left),
            ) from error

    async def _opened(self) -> Session:
        async with self._opening:
            pause = 0.1
            while self._session is None or self._session.lost.done():
                if self._closed:
                    raise ConnectionError("the client was closed")
                try:
                    await self.open()
                except CONNECTION_EXCEPTIONS:
                    await asyncio.sleep(random.uniform(0, pause))
                    pause = min(2 * pause, _LONGEST_PAUSE)
            return self._session

    def _letters(
        self, commands: Sequence[Command], ids: Sequence[str], attributes: Attributes
    ) -> list[Letter]:
        """Commands of one type and key in as few messages as hold them."""
        now = datetime.now(UTC)
        first = commands[0]
        # The broker checks it against the connection, and rights rest on it.
        url = self._url if isinstance(self._url, str) else self._url()
        user = unquote(urlsplit(hosts.each(url)[0]).username or "guest")
        bodies = envelope.pack(
            [self._body(one, id, now, attributes) for one, id in zip(commands, ids, strict=True)]
        )
        letters: list[Letter] = []
        start = 0
        for count, body in bodies:
            inside = tuple(ids[start : start + count])
            correlation = attributes.get("correlationid") or inside[0]
            message = aio_pika.Message(
                body,
                content_type=names.CLOUDEVENT if count == 1 else names.CLOUDEVENTS_BATCH,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=names.short(inside[0]),
                type=first.wire_type,
                correlation_id=names.short(correlation),
                timestamp=now,
                app_id=names.short(self._source),
                user_id=user,
                headers={names.PARTITION_KEY: first.key},
            )
            letters.append(Letter(inside, first.wire_type, message))
            start += count
        return letters

    def _body(self, command: Command, id: str, now: datetime, attributes: Attributes) -> bytes:
        return envelope.write(
            id=id,
            source=self._source,
            type=command.wire_type,
            subject=command.subject,
            data_json=command.data_json(),
            time=now,
            partitionkey=command.key,
            **attributes,
        )


def _ids(letters: Sequence[Letter]) -> list[str]:
    return [id for letter in letters for id in letter.ids]
