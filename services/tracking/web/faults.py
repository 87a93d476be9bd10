"""What an answer says when we fail: which server is away, or under which id the log has the rest.

Every answer leaves through here, so the headers that keep browsers careful are set here too.
"""

import asyncio
import secrets
from typing import Any

import structlog
from aiormq.exceptions import AMQPError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.client import NoBroker
from services.runtime.service import Pool, broker, is_transient
from services.tracking.web.problems import Problem

log = structlog.get_logger()

RETRY_SECONDS = 2
PROBE_SECONDS = 1.0
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Where a route has set one itself, it stays."""


def away(server: str, why: str) -> Problem:
    """503: a server that we need does not answer."""
    return Problem(
        503,
        "unavailable",
        f"{server} does not answer ({why}); try again, this recovers by itself",
        headers={"Retry-After": str(RETRY_SECONDS)},
        away=[server],
    )


def explained(error: Exception) -> Problem | None:
    """A fault that is a server's; None where it is ours."""
    kind = type(error).__name__
    if isinstance(error, (NoBroker, broker.Unavailable, AMQPError)):
        return away("RabbitMQ", kind)
    return away("Postgres", kind) if is_transient(error) else None


class Faults:
    """Answers with a problem where the application fails or is silent, never with a traceback."""

    def __init__(self, app: ASGIApp, pool: Pool, answer_seconds: float) -> None:
        self._app = app
        self._pool = pool
        self._seconds = answer_seconds
        self._left: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer in place of what fails."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        work = asyncio.ensure_future(self._app(scope, receive, answer.send))
        try:
            await asyncio.wait(
                {work, answer.begun}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not work.done() and not answer.begun.done():
                await self._give_up(scope, receive, answer, work)
                return
            await work
        except ClientDisconnect:
            # Nobody is there to be answered, and nothing of ours has failed.
            log.info("request_left", error="the client has gone", **_told(scope))
        except Exception as error:
            if answer.begun.done():
                # The half of an answer cannot be taken back; that it is cut off shows.
                log.error("answer_cut_off", exc_info=error, **_told(scope))
                raise
            await self._problem(scope, error).response()(scope, receive, answer.send)
        finally:
            if not work.done():
                self._leave(work)

    async def _give_up(
        self, scope: Scope, receive: Receive, answer: "_Answer", work: "asyncio.Task[Any]"
    ) -> None:
        """Answer in place of what is silent; it ends when it can."""
        late = answer.taken_over()
        self._leave(work)
        problem = await self._silence()
        log.warning("request_silent", detail=problem.detail, **_told(scope))
        await problem.response()(scope, receive, late.send)

    def _leave(self, work: "asyncio.Task[Any]") -> None:
        """Cancel work without waiting for its end: to cancel a query takes an answer as well."""
        work.cancel()
        self._left.add(work)
        work.add_done_callback(self._ended)

    def _ended(self, work: "asyncio.Task[Any]") -> None:
        self._left.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.info("request_left", error=repr(error))

    def _problem(self, scope: Scope, error: Exception) -> Problem:
        told = _told(scope)
        if (problem := explained(error)) is not None:
            log.warning("request_unavailable", detail=problem.detail, error=repr(error), **told)
            return problem
        fault = secrets.token_hex(8)
        log.error("request_failed", fault=fault, exc_info=error, **told)
        return Problem(
            500,
            "fault",
            f"this is a fault of Relais; its log has what happened under the id {fault}",
            fault=fault,
        )

    async def _silence(self) -> Problem:
        """Who it is that kept an answer waiting."""
        why = f"no answer within {self._seconds:g} s"
        probe = asyncio.ensure_future(self._pool.fetchval("SELECT 1"))
        await asyncio.wait({probe}, timeout=PROBE_SECONDS)
        if not probe.done():
            self._leave(probe)
            return away("Postgres", why)
        return away("Postgres" if probe.exception() is not None else "RabbitMQ", why)


class _Answer:
    """What is sent of an answer; begun is done once some of it is."""

    def __init__(self, send: Send) -> None:
        self._send: Send | None = send
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def taken_over(self) -> "_Answer":
        """The answer that is sent in place of this one, of which nothing more is."""
        assert self._send is not None
        late, self._send = _Answer(self._send), None
        return late

    async def send(self, message: Message) -> None:
        """Send the next part."""
        if self._send is None:
            return
        if message["type"] == "http.response.start":
            _secure(message)
            if not self.begun.done():
                self.begun.set_result(None)
        await self._send(message)


def _told(scope: Scope) -> dict[str, str]:
    return {"method": scope["method"], "path": scope["path"]}


def _secure(start: Message) -> None:
    headers = list(start.get("headers", ()))
    given = {name.lower() for name, _ in headers}
    added = ((name.encode(), text.encode()) for name, text in HEADERS.items())
    start["headers"] = headers + [(name, text) for name, text in added if name not in given]
