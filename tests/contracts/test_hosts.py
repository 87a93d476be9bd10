"""Servers named by a URL with several hosts, or by a name with several addresses."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contracts import hosts
from contracts.hosts import each, first


class TestEachHost:
    """A URL with several hosts stands for as many URLs."""

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("amqp://u:p@a:1/v", ["amqp://u:p@a:1/v"]),
            (
                "amqp://u:p%2C@a:5672,b:5673/v?x=1,2",
                ["amqp://u:p%2C@a:5672/v?x=1,2", "amqp://u:p%2C@b:5673/v?x=1,2"],
            ),
            ("postgresql://a,[::1]:2/d", ["postgresql://a/d", "postgresql://[::1]:2/d"]),
            ("postgresql:///d?host=/run/a,/run/b", ["postgresql:///d?host=/run/a,/run/b"]),
            ("no url", ["no url"]),
        ],
    )
    def test_keeps_all_else(self, url: str, expected: list[str]) -> None:
        """User, database and parameters are those of every host."""
        assert each(url) == expected


class Tried:
    """Connects by TCP, and expects one line from the server; records the URLs."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def __call__(self, url: str) -> str:
        """What the server says first."""
        self.urls.append(url)
        host, _, port = url.rpartition("@")[2].rstrip("/").rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            return (await reader.readline()).decode()
        finally:
            writer.close()


@asynccontextmanager
async def server(line: bytes, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A server that says this line to everybody, and nothing where it is empty; gives its port."""
    over = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await over.wait()
        writer.close()

    listening = await asyncio.start_server(answer, host, port)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        over.set()
        listening.close()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is short."""
    monkeypatch.setattr(hosts, "NEXT_AFTER", 0.05)


class TestTheFirst:
    """The hosts are tried in turn."""

    async def test_is_the_first_that_is_named(self) -> None:
        """Nobody else is asked where it answers."""
        tried = Tried()
        async with server(b"one\n") as one, server(b"two\n") as two:
            assert await first(f"x://u@127.0.0.1:{one},127.0.0.1:{two}/", tried) == "one\n"
        assert len(tried.urls) == 1

    async def test_is_the_one_that_answered_last(self) -> None:
        """One that says nothing is waited for once, and not by each connection again."""
        tried = Tried()
        async with server(b"") as silent, server(b"two\n") as two:
            url = f"x://u@127.0.0.1:{silent},127.0.0.1:{two}/"
            assert [await first(url, tried) for _ in "12"] == ["two\n"] * 2
        ports = [int(url.rpartition(":")[2].rstrip("/")) for url in tried.urls]
        assert ports == [silent, two, two]

    async def test_passes_over_those_that_are_away(self) -> None:
        """A connection that is refused is no answer."""
        async with server(b"two\n") as two:
            url = f"x://u@127.0.0.1:{closed_port()},127.0.0.1:{two}/"
            assert await first(url, Tried()) == "two\n"

    async def test_passes_over_those_that_say_nothing(self) -> None:
        """A server that has stopped still takes connections."""
        async with server(b"") as silent, server(b"two\n") as two:
            url = f"x://u@127.0.0.1:{silent},127.0.0.1:{two}/"
            assert await first(url, Tried()) == "two\n"

    async def test_is_waited_for_where_all_say_nothing(self) -> None:
        """But not for ever."""
        async with server(b"") as one, server(b"") as two:
            with pytest.raises(TimeoutError):
                await first(f"x://u@127.0.0.1:{one},127.0.0.1:{two}/", Tried(), 0.2)

    async def test_is_read_anew_from_what_gives_the_url(self) -> None:
        """So another one may be named while a program runs."""
        async with server(b"one\n") as one, server(b"two\n") as two:
            urls = [f"x://u@127.0.0.1:{port}/" for port in (one, two)]
            given: Callable[[], str] = lambda: urls.pop(0)  # noqa: E731 - a function as a value
            assert [await first(given, Tried()) for _ in "12"] == ["one\n", "two\n"]

    @pytest.mark.parametrize("turned", [False, True])
    async def test_that_answers_no_says_why(self, turned: bool) -> None:
        """A login that one refuses says more than the absence of the other."""
        urls = ["x://u@refused:1/", "x://u@away:1/"]

        async def connect(url: str) -> None:
            if "away" in url:
                raise ConnectionRefusedError(111, "refused")
            raise LookupError("no such user")

        places = [url.rpartition("@")[2].rstrip("/") for url in urls]
        with pytest.raises(LookupError, match="no such user"):
            await first(f"x://u@{','.join(reversed(places) if turned else places)}/", connect)

    async def test_ends_the_others_when_it_is_canceled(self) -> None:
        """Whoever gives up leaves no attempt behind."""
        begun, ended = asyncio.Event(), asyncio.Event()

        async def connect(_: str) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        trying = asyncio.create_task(first("x://u@127.0.0.1:1/", connect))
        await begun.wait()
        trying.cancel()
        await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await trying


class TestAName:
    """It may stand for several addresses."""

    async def test_is_tried_at_each_of_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where the server at the first takes connections and says nothing."""
        tried = Tried()
        async with server(b"two\n") as port, server(b"", "127.0.0.2", port):
            resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
            assert await first(f"x://u@cluster:{port}/", tried) == "two\n"
        assert tried.urls == [f"x://u@127.0.0.2:{port}/", f"x://u@127.0.0.1:{port}/"]

    @pytest.mark.parametrize("url", ["amqps://u@cluster:1/", "x://u@cluster:1/?ssl=verify-full"])
    async def test_stays_where_a_certificate_is_checked(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        """The certificate is for the name."""
        tried: list[str] = []

        async def connect(url: str) -> None:
            tried.append(url)

        resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
        await first(url, connect)
        assert tried == [url]

    async def test_that_is_unknown_is_left_to_who_connects(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its error names it."""

        async def connect(url: str) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        resolve_to(monkeypatch)
        with pytest.raises(socket.gaierror):
            await first("x://u@nowhere:1/", connect)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name stand for these addresses, for no one for none."""

    async def resolve(*_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
