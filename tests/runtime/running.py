"""A whole worker in the process of a test, and what it says of itself."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from services.runtime.worker import Worker
from tests.eventually import eventually


@dataclass
class RunningWorker:
    """A worker in this process, and its pages."""

    worker: Worker
    running: asyncio.Task[None]
    port: int

    async def get(self, page: str) -> httpx.Response:
        """One page, once it answers."""
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.port}{page}")

    async def reasons(self) -> list[str]:
        """Why it is not ready; nothing when it is."""
        answer = await self.get("/readyz")
        said: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if said else 200)
        return said

    async def ready(self) -> None:
        """Wait until it is, also on a machine that does much else."""
        await eventually(lambda: self._says(lambda reasons: not reasons), timeout=30)

    async def is_unready(self, part: str) -> bool:
        """Whether it says that it is not, for this reason."""
        return await self._says(lambda reasons: any(part in reason for reason in reasons))

    async def _says(self, wanted: Callable[[list[str]], bool]) -> bool:
        if self.running.done():
            self.running.result()
        try:
            return wanted(await self.reasons())
        except httpx.TransportError:
            return False


RunWorker = Callable[..., Any]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
