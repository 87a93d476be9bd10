"""Limits of what a request may bring and a caller may ask for, each with a clear answer."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.envelope import FieldError
from services.tracking.web import bodies
from services.tracking.web.problems import Problem, invalid

HEADER_BYTES = 32 * 1024
"""Of all headers together; the server itself takes 64 KiB."""
QUERY_BYTES = 16 * 1024
FILTER_CHARACTERS = 2_000
TOPICS_CHARACTERS = 8_000
"""Of the stream: those of many rows of a page."""
PARAMETERS = 100
ONCE = {
    *("accept", "accept-language", "authorization", "content-encoding", "content-length"),
    *("content-type", "idempotency-key", "if-match", "if-none-match", "last-event-id", "origin"),
}
"""Headers of which a second one would contradict the first."""
BURST_SECONDS = 2.0
MOST_KNOWN = 10_000


class Rates:
    """How fast each caller may ask: on average so many requests a second, twice that at once."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._most = max(1.0, per_second * BURST_SECONDS)
        self._left: dict[bytes, tuple[float, float]] = {}

    def take(self, key: bytes) -> None:
        """Count a request of a caller; raises Problem 429 past the limit."""
        now = time.monotonic()
        left, since = self._left.get(key, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        if left < 1:
            seconds = max(1, math.ceil((1 - left) / self._rate))
            raise too_many(
                f"this caller asks more than {self._rate:g} times a second; "
                f"try again in {seconds} s",
                seconds,
            )
        if key not in self._left and len(self._left) >= MOST_KNOWN:
            self._left = {k: v for k, v in self._left.items() if now - v[1] < BURST_SECONDS}
        self._left[key] = left - 1, now


class Streams:
    """How many streams are open: of each caller, and of all."""

    def __init__(self, per_caller: int, together: int) -> None:
        self._per_caller = per_caller
        self._together = together
        self._open: Counter[bytes] = Counter()

    @contextmanager
    def opened(self, key: bytes) -> Iterator[None]:
        """Count a stream of a caller while the block lasts; raises Problem 429 past the limit."""
        if self._open[key] >= self._per_caller:
            raise too_many(
                f"this caller has {self._per_caller} streams open, and may have no more; close one",
                5,
            )
        if self._open.total() >= self._together:
            raise too_many(f"{self._together} streams are open here, and no more may be", 5)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


def too_many(detail: str, seconds: int) -> Problem:
    """429: the same will be taken later."""
    return Problem(429, "too_many_requests", detail, headers={"Retry-After": str(seconds)})


def check_head(scope: Scope) -> None:
    """Hold headers and query to their limits; raises Problem."""
    headers = [name.decode("latin-1").lower() for name, _ in scope["headers"]]
    if (size := sum(len(n) + len(v) for n, v in scope["headers"])) > HEADER_BYTES:
        raise Problem(
            431,
            "headers_too_large",
            f"the headers have {size:,} bytes; at most {HEADER_BYTES:,} are accepted",
        )
    repeated = {name: n for name, n in Counter(headers).items() if n > 1 and name in ONCE}
    if repeated:
        raise invalid(
            *(
                FieldError(name.title(), f"is given {n} times; one is accepted")
                for name, n in sorted(repeated.items())
            )
        )
    check_query(scope.get("query_string", b""))


def check_query(query: bytes) -> None:
    """Hold the query to its limits; raises Problem."""
    if len(query) > QUERY_BYTES:
        raise Problem(
            414,
            "uri_too_long",
            f"the query has {len(query):,} bytes; at most {QUERY_BYTES:,} are accepted",
        )
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    if len(given) > PARAMETERS:
        raise Problem(
            422, "invalid", f"the query has {len(given)} parameters; at most {PARAMETERS} are taken"
        )
    errors = []
    for name, text in given:
        shown = name[:40]
        most = TOPICS_CHARACTERS if name == "topics" else FILTER_CHARACTERS
        if len(text) > most:
            told = f"has {len(text):,} characters; at most {most:,} are accepted"
            errors.append(FieldError(shown, told))
        elif "\0" in text or "\0" in name:
            errors.append(FieldError(shown.replace("\0", ""), "must be without the character NUL"))
    if errors:
        raise invalid(*errors)


class Limits:
    """Reads each request to its end before the application sees it, and no further than its limit.

    What is too long is answered at once, and the rest of it never read.
    """

    def __init__(self, app: ASGIApp, request_bytes: int, seconds: float) -> None:
        self._app = app
        self._most = request_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that keeps to the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            check_head(scope)
            messages = await self._patiently(scope, receive)
            body = b"".join(message.get("body", b"") for message in messages)
            bodies.check(scope["method"], scope["path"], body)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _patiently(self, scope: Scope, receive: Receive) -> list[Message]:
        """The messages of the body; raises Problem where they are too slow or too long."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(scope, receive)
        except TimeoutError:
            raise Problem(
                408,
                "request_too_slow",
                f"the body was not complete after {self._seconds:g} s",
                headers={"Connection": "close"},
            ) from None

    async def _read(self, scope: Scope, receive: Receive) -> list[Message]:
        """The messages of the body; raises Problem 413."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._most:
            raise self._too_long(f"{int(declared):,}")
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self._most:
                raise self._too_long(f"more than {self._most:,}")
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages

    def _too_long(self, size: str) -> Problem:
        return Problem(
            413,
            "body_too_large",
            f"the body has {size} bytes; at most {self._most:,} are accepted",
            headers={"Connection": "close"},
        )
