"""A way to a server that lets everything through later, and shows what is sent."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit, urlunsplit

PORTS = {"amqp": 5672, "postgresql": 5432}

Watch = Callable[[bytes], None]


@asynccontextmanager
async def relay(
    url: str, *, delay: float = 0.0, watch: Callable[[], Watch] | None = None
) -> AsyncIterator[str]:
    """The URL of the same server by way of this process, while the block lasts.

    delay: seconds that everything takes longer each way, however much is under way; the proxy of
    tests/faults lets one piece through after the other, which holds back large statements.
    watch: gives for each connection who is shown what its client sends.
    """
    target = urlsplit(url)
    loop = asyncio.get_running_loop()
    ends: set[_End] = set()

    def accept() -> "_End":
        end = _End(delay, watch() if watch else None, ends)
        port = target.port or PORTS[target.scheme]
        end.connect(target.hostname or "127.0.0.1", port)
        return end

    server = await loop.create_server(accept, "127.0.0.1", 0)
    user, at, _ = target.netloc.rpartition("@")
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(target._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
    finally:
        server.close()
        for end in list(ends):
            end.close()


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the other."""

    def __init__(self, delay: float, watch: Watch | None, ends: "set[_End]") -> None:
        self._delay = delay
        self._watch = watch
        self._ends = ends
        self._other: _End | None = None
        self._transport: asyncio.Transport | None = None
        self._held: deque[bytes | None] = deque()
        self._due = 0
        self._connecting: asyncio.Task[object] | None = None

    def connect(self, host: str, port: int) -> None:
        """Open the other end; what comes before that is held."""
        self._other = other = _End(self._delay, None, self._ends)
        other._other = self
        connecting = asyncio.get_running_loop().create_connection(lambda: other, host, port)
        self._connecting = asyncio.create_task(connecting)
        self._connecting.add_done_callback(self._connected)

    def _connected(self, connecting: "asyncio.Task[object]") -> None:
        if connecting.cancelled() or connecting.exception():
            self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what was due before."""
        # uvloop's transports are not of asyncio's class.
        self._transport = cast(asyncio.Transport, transport)
        self._ends.add(self)
        for _ in range(self._due):
            self._release()

    def data_received(self, data: bytes) -> None:
        """Let it through, later."""
        if self._watch:
            self._watch(data)
        self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end closes when everything is through."""
        self._ends.discard(self)
        self._pass_on(None)

    def close(self) -> None:
        """Leave nothing open."""
        if self._transport is not None:
            self._transport.abort()

    def _pass_on(self, data: bytes | None) -> None:
        if self._other is None:
            return
        # Timers of one moment may come in any order, so each lets through what is next.
        self._other._held.append(data)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._other._release)
        else:
            self._other._release()

    def _release(self) -> None:
        if self._transport is None:
            self._due += 1
            return
        data = self._held.popleft()
        if data is None:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(data)
