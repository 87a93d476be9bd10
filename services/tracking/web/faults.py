"""What an answer says when we fail: which server is away, or under which id the log has the rest.

Every answer leaves through here, so the headers that keep browsers careful are set here too.
"""

import asyncio
import secrets

import structlog
from aiormq.exceptions import AMQPError
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer in place of what fails."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                limit.reschedule(None)
                _secure(message)
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, sending)
        except Exception as error:
            problem = await self._problem(scope, error, silent=limit.expired())
            if started:
                # The half of an answer cannot be taken back; that it is cut off shows.
                raise
            await problem.response()(scope, receive, sending_late(send))

    async def _problem(self, scope: Scope, error: Exception, *, silent: bool) -> Problem:
        told = {"method": scope["method"], "path": scope["path"]}
        problem = await self._silence() if silent else explained(error)
        if problem is not None:
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
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._pool.fetchval("SELECT 1")
        except Exception:
            return away("Postgres", why)
        return away("RabbitMQ", why)


def sending_late(send: Send) -> Send:
    """The same for an answer that comes in place of another."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _secure(message)
        await send(message)

    return sending


def _secure(start: Message) -> None:
    headers = list(start.get("headers", ()))
    given = {name.lower() for name, _ in headers}
    added = ((name.encode(), text.encode()) for name, text in HEADERS.items())
    start["headers"] = headers + [(name, text) for name, text in added if name not in given]
