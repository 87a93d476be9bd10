"""The one way in which tests wait."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
PAUSE = 0.02


@overload
async def eventually(
    probe: Callable[[], Awaitable[T]],
    *,
    timeout: float = ...,  # noqa: ASYNC109 - as below
) -> T: ...
@overload
async def eventually(
    probe: Callable[[], T],
    *,
    timeout: float = ...,  # noqa: ASYNC109 - as below
) -> T: ...
async def eventually(
    probe: Callable[[], T | Awaitable[T]],
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - bounds the asking; no answer is cut off
) -> T:
    """Return the first true answer of `probe`; fail with its last answer or error after `timeout`.

    An AssertionError of the probe counts as "not yet".
    """
    until = time.monotonic() + timeout
    while True:
        answer: object
        try:
            found = probe()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            answer = found
        except AssertionError as error:
            answer = error
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout} s; the last answer was {answer!r}")
        await asyncio.sleep(PAUSE)
