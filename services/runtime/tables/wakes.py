"""Wake-up calls from the commit that adds work to the sweep that does it, in one process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress


class Wakes:
    """One flag a sweep; other workers find the work by looking."""

    def __init__(self) -> None:
        """No sweep has been called."""
        self._flags: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def call(self, names: Iterable[str]) -> None:
        """Say that these sweeps have new work."""
        for name in names:
            self._flags[name].set()

    async def wait(self, name: str, seconds: float) -> None:
        """Wait for a call, or until it is time to look anyway."""
        flag = self._flags[name]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await flag.wait()
        flag.clear()
