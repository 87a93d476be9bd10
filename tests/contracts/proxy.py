"""A way to the broker that a test can cut or hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Forwards connections to the broker until it is told otherwise."""

    def __init__(self, url: str) -> None:
        """Url is the broker's."""
        self._target = urlsplit(url)
        self._open = asyncio.Event()
        self._open.set()
        self._writers: list[asyncio.StreamWriter] = []
        self.url = url

    def cut(self) -> None:
        """Drop every connection; new ones are let through."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def hold(self) -> None:
        """Let nothing through, without a word to either side."""
        self._open.clear()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection, both ways."""
        host, port = self._target.hostname, self._target.port or 5672
        ours, theirs = await asyncio.open_connection(host, port)
        self._writers += [writer, theirs]
        await asyncio.gather(self._pump(reader, theirs), self._pump(ours, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                await self._open.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()

    def through(self, port: int) -> None:
        """Say where it listens."""
        user, _, _ = self._target.netloc.rpartition("@")
        self.url = urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{port}"))


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """A proxy to the broker while the block lasts."""
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.join, "127.0.0.1", 0)
    proxy.through(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
