"""A way to a server that a test can cut, hold, delay and refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

CHUNK = 64 * 1024
PORTS = {"amqp": 5672, "postgresql": 5432}


class Proxy:
    """Forwards TCP connections to the server of a URL until it is told otherwise.

    url is the same URL by way of this proxy; it stays the same while the proxy refuses.
    """

    def __init__(self, url: str) -> None:
        """Use `proxied`, which also listens."""
        self._target = urlsplit(url)
        self._up = _Way()
        self._down = _Way()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.accepted = 0
        self.url = url

    async def accept(self) -> None:
        """Let connections in, after `refuse` also."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._target.netloc.rpartition("@")
        self.url = urlunsplit(self._target._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    def refuse(self) -> None:
        """Be a server that is not there: drop every connection and let none in."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Drop every connection; new ones are let in."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing through any more, without a word to either side.

        Up alone is a server that no longer reads, as RabbitMQ under an alarm.
        """
        self._up.hold(up)
        self._down.hold(down)

    def release(self) -> None:
        """Let through what was held, and what comes."""
        self._up.hold(False)
        self._down.hold(False)

    def delay(self, seconds: float) -> None:
        """Let everything through so much later, each way."""
        self._up.seconds = self._down.seconds = seconds

    async def close(self) -> None:
        """Leave nothing open."""
        self.refuse()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._target.port or PORTS[self._target.scheme]
        try:
            theirs, ours = await asyncio.open_connection(self._target.hostname, port)
        except OSError:
            writer.transport.abort()
            return
        self.accepted += 1
        self._writers |= {writer, ours}
        for way, source, sink in ((self._up, reader, ours), (self._down, theirs, writer)):
            pump = asyncio.create_task(self._pump(way, source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self, way: "_Way", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await way.passage()
                writer.write(chunk)
                await writer.drain()
        await way.passage()
        writer.close()
        self._writers.discard(writer)


class _Way:
    """One direction."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._open = asyncio.Event()
        self._open.set()

    def hold(self, held: bool) -> None:
        if held:
            self._open.clear()
        else:
            self._open.set()

    async def passage(self) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        await self._open.wait()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """A proxy to the server of this URL, while the block lasts."""
    proxy = Proxy(url)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.close()
