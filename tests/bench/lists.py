"""lists: how long every list of the API takes on large tables, first and thousandth page."""

import asyncio
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from infra.local.ports import free_port
from services.runtime.postgres import database
from services.tracking.web import tokens
from services.tracking.web.roles import Role
from tests.bench import deep, machine, model, place, plans
from tests.bench.figures import Report, percentile
from tests.bench.model import Sizes
from tests.bench.place import PROGRAMS, Place
from tests.bench.questions import CALLERS, Case, cases

UNLIMITED = {"RELAIS_REQUESTS_PER_SECOND": "10000", "RELAIS_ANSWER_SECONDS": "60"}
MONTH = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
WARM = 3


async def lists(
    here: Place,
    report: Report,
    sizes: Sizes,
    *,
    samples: int,
    plans_in: Path | None,
    csv: bool,
    seeded: str | None,
) -> None:
    """Fill a database, ask for everything, and export many rows."""
    opened = place.database(here, "tracking") if seeded is None else _kept(here, seeded)
    async with opened as url:
        if not await model.is_filled(url):
            began = time.perf_counter()
            await model.fill(url, sizes)
            report.add("filling the tables", time.perf_counter() - began, "s")
        found = await tokens_of(url)
        asked = [
            Asked(case, [_filled(case.path, sizes, dice) for _ in range(WARM + samples)])
            for case in cases()
            for dice in [random.Random(case.path)]
        ]
        firsts = [(one.paths[0], found[one.case.role]) for one in asked]
        later = await deep.pages(
            url, [p for p, one in zip(firsts, asked, strict=True) if one.is_deep]
        )
        if plans_in is not None:
            tokens_of_later = [(later[one], one[1]) for one in firsts if one in later]
            await plans.keep(url, plans_in, [*firsts, *tokens_of_later])
        if not samples:
            return
        async with _serving(here, url) as (client, pid):
            slow = []
            for one, first in zip(asked, firsts, strict=True):
                client.headers["Authorization"] = f"Bearer {found[one.case.role]}"
                slow.append(await _measure(client, report, one, later.get(first)))
            if csv:
                client.headers["Authorization"] = f"Bearer {found[Role.CENTRAL]}"
                await _export(client, report, pid)
    over = sorted(itertools.chain.from_iterable(slow))
    report.note(f"{len(over)} of the answers at the 95th percentile are over their goals.")
    for name in over:
        report.note(f"over its goal: {name}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked each time."""

    case: Case
    paths: list[str]

    @property
    def is_deep(self) -> bool:
        """Whether the thousandth page is asked for as well."""
        return self.case.deep


@asynccontextmanager
async def _kept(here: Place, name: str) -> AsyncIterator[str]:
    yield await place.kept_database(here, "tracking", name)


async def tokens_of(url: str) -> dict[Role, str]:
    """A token of each role that asks."""
    async with database.pool(url, "relais bench", 1, any_plan=True) as pool:
        return {caller.role: (await tokens.add(pool, caller)).secret for caller in CALLERS}


@asynccontextmanager
async def _serving(here: Place, url: str) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """`relais serve` on that database."""
    port = free_port()
    environment = {
        "RELAIS_TRACKING_POSTGRES_URL": url,
        "RELAIS_AMQP_URL": here.amqp_url,
        "RELAIS_HTTP_PORT": str(port),
        **UNLIMITED,
    }
    process = here.start("serve", [PROGRAMS / "relais", "serve", "tracking"], environment)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        try:
            await _until_it_answers(client)
            yield client, process.pid
        finally:
            process.signal(signal.SIGTERM)
            await asyncio.to_thread(process.over.wait, 10)


async def _until_it_answers(client: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            await client.get("/healthz")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError("`relais serve` does not answer")


def _filled(path: str, sizes: Sizes, dice: random.Random) -> str:
    return path.format(
        entity=f"OU{dice.randrange(sizes.entities)}",
        package=f"CAT{dice.randrange(sizes.packages)}",
        order=f"ORD{dice.randrange(sizes.orders)}",
        month=MONTH.isoformat().replace("+00:00", "Z"),
    )


async def _measure(
    client: httpx.AsyncClient, report: Report, asked: Asked, later: str | None
) -> list[str]:
    """Add the figures of a case; the names of those over its goal."""
    times = [await _timed(client, path) for path in asked.paths]
    over = _add(report, asked.case, "first", times[WARM:])
    if later is not None:
        times = [await _timed(client, later) for _ in asked.paths]
        over += _add(report, asked.case, "thousandth", times[WARM:])
    return over


def _add(report: Report, case: Case, page: str, times: list[float]) -> list[str]:
    name = f"{case.name}, {page}" if case.deep else case.name
    report.add(f"{name}, p50", percentile(times, 0.5), "ms")
    report.add(f"{name}, p95", percentile(times, 0.95), "ms")
    return [name] if percentile(times, 0.95) > case.goal else []


async def _timed(client: httpx.AsyncClient, path: str) -> float:
    """The milliseconds until an answer is there."""
    began = time.perf_counter()
    answer = await client.get(path)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    return took


EXPORTED = 1_000_000


async def _export(client: httpx.AsyncClient, report: Report, pid: int) -> None:
    """Read many rows as CSV, and how much memory the server takes for it."""
    machine.forget_peak(pid)
    before, began, rows = machine.peak_mb(pid), time.perf_counter(), 0
    async with client.stream("GET", "/api/orders", headers={"Accept": "text/csv"}) as answer:
        async for chunk in answer.aiter_bytes():
            rows += chunk.count(b"\n")
            if rows > EXPORTED:
                break
    took = time.perf_counter() - began
    report.add("CSV, rows", float(rows), "rows")
    report.add("CSV", rows / took, "rows/s")
    report.add("CSV, memory before", before, "MB")
    report.add("CSV, most memory", machine.peak_mb(pid), "MB")
