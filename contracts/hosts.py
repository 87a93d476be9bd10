"""Servers named by a URL: one that names several hosts names servers that do the same."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

Url = str | Callable[[], str]
"""A URL, or what gives it anew for each connection."""

PATIENCE = 10.0
"""Seconds after which servers that say nothing are given up."""
NEXT_AFTER = 0.5
"""Seconds that one may say nothing before the next is tried beside it."""
_LAST: dict[str, str] = {}
"""Of hosts that are named together, the one that answered last."""
_URL = re.compile(r"([^:/?#]+)://([^/?#]*@)?([^/?#@]*)(.*)", re.DOTALL)


def each(url: str) -> list[str]:
    """One URL for each host: of amqp://u:p@a:5672,b:5672/v the first is amqp://u:p@a:5672/v."""
    if (match := _URL.fullmatch(url)) is None:
        return [url]
    scheme, user, hosts, rest = match.groups()
    return [f"{scheme}://{user or ''}{host}{rest}" for host in hosts.split(",")]


def place(url: Url) -> str:
    """The hosts that a URL names, as they may be shown: without who logs in."""
    match = _URL.fullmatch(_current(url))
    return match[3] if match else "its host"


def name(url: Url) -> str:
    """The database or virtual host that a URL names."""
    match = _URL.fullmatch(_current(url))
    return match[4].partition("?")[0].strip("/") if match else ""


def _current(url: Url) -> str:
    return url if isinstance(url, str) else url()


async def first(url: Url, connect: Callable[[str], Awaitable[T]], patience: float = PATIENCE) -> T:
    """Connect to the first host that answers; the next is tried when one fails or says nothing.

    The one that answered last is tried first: one that has stopped is waited for only once.
    Raises what the first host answered; where none did, what the last attempt came to.
    """
    current = _current(url)
    trying: dict[asyncio.Future[T], str] = {}
    errors: list[BaseException] = []
    try:
        async with asyncio.timeout(patience):
            found = await asyncio.gather(*map(_addresses, each(current)))
            left = [address for addresses in found for address in addresses]
            left.sort(key=lambda address: place(address) != _LAST.get(place(current)))
            while left or trying:
                if left:
                    address = left.pop(0)
                    trying[asyncio.ensure_future(connect(address))] = place(address)
                done, _ = await asyncio.wait(
                    trying,
                    timeout=NEXT_AFTER if left else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for attempt in done:
                    tried = trying.pop(attempt)
                    if not (error := _error(attempt)):
                        _LAST[place(current)] = tried
                        return attempt.result()
                    errors.append(error)
    except TimeoutError as error:
        errors.append(error)
    finally:
        for attempt in trying:
            attempt.cancel()
            attempt.add_done_callback(_error)
    raise next((error for error in errors if not _is_absence(error)), errors[-1])


async def _addresses(url: str) -> list[str]:
    """The same URL with each address of its host; a certificate would be for the name alone."""
    match = _URL.fullmatch(url)
    if match is None or match[1] == "amqps" or "verify-full" in match[4]:
        return [url]
    scheme, user, place, rest = match.groups()
    host, colon, port = place.partition(":")
    if not host or host.startswith("["):
        return [url]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        # Who connects says why.
        return [url]
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    if len(addresses) == 1:
        return [url]
    named = (f"[{address}]" if ":" in address else address for address in addresses)
    return [f"{scheme}://{user or ''}{address}{colon}{port}{rest}" for address in named]


def _error(attempt: "asyncio.Future[T]") -> BaseException | None:
    """What an attempt failed with; aiormq cancels it where a connection closes."""
    if attempt.cancelled():
        return ConnectionResetError("the connection was closed while it was opened")
    return attempt.exception()


def _is_absence(error: BaseException) -> bool:
    """Whether nobody was there to answer."""
    return isinstance(error, TimeoutError) or getattr(error, "errno", None) is not None
