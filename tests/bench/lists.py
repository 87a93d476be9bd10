"""lists: how long every list of the API takes on large tables, first and thousandth page."""

import asyncio
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from infra.local.ports import free_port
from services.runtime.postgres import database
from services.tracking.web import tokens
from services.tracking.web.roles import Caller, Role
from tests.bench import machine, model, place, plans
from tests.bench.figures import Report, percentile
from tests.bench.model import Sizes
from tests.bench.place import PROGRAMS, Place

DEEP = 50_000
"""Rows before the thousandth page of 50."""
LARGEST = 200
UNLIMITED = {"RELAIS_REQUESTS_PER_SECOND": "10000", "RELAIS_ANSWER_SECONDS": "60"}
MONTH = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
WARM = 3
ENTITY = "OU7"
"""Whose local operator asks for offers."""
LIST, ONE, SEARCH = 50.0, 60.0, 80.0
"""Milliseconds within which 95 of 100 answers are to come."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question; `{entity}` and `{package}` in it are others each time."""

    path: str
    goal: float = LIST
    deep: bool = True


def cases() -> Iterator[Case]:
    """Every list with each of its filters and orders, and every single thing."""
    yield from _lists()
    yield from _singles()


def _lists() -> Iterator[Case]:
    for sort in ("newest", "oldest", "label", "modified"):
        yield Case(f"/api/packages?sort={sort}")
        yield Case(f"/api/packages?folder=Region+7/7&sort={sort}")
    for query in (
        *("status=published", "status=rejected", "late=true", "closed=true", "campaign=OP7"),
        *("level=local", "assigned=op7", "level=local&folder=Region+7/7", "from={month}"),
        "status=published&level=local&assigned=op7",
    ):
        yield Case(f"/api/packages?{query}")
    for text in ("season 777", "summer", "CAT777", "CA", "nowhere"):
        yield Case(f"/api/packages?q={text}", SEARCH, deep=False)
    for sort in ("newest", "oldest", "modified"):
        yield Case(f"/api/orders?sort={sort}")
        yield Case(f"/api/orders?sort={sort}&status=ordered")
        yield Case(f"/api/orders?sort={sort}&from={{month}}")
    for query in (
        *("status=rejected", "late=true", "entity={entity}", "entity={entity}&sort=oldest"),
        *("entity={entity}&status=ordered", "entity={entity}&late=true", "package=CAT3"),
        *("package=CAT3&sort=oldest", "package=CAT3&status=ordered", "package={package}"),
        *("package=CAT3&late=true", "entity={entity}&package=CAT3", "package=CAT3&from={month}"),
    ):
        yield Case(f"/api/orders?{query}")
    for text in ("Windows 77", "w", "ORD777", "nowhere", "ORD77&status=rejected"):
        yield Case(f"/api/orders?q={text}", SEARCH, deep=False)
    yield Case("/api/orders?entity={entity}&q=Windows", SEARCH, deep=False)
    yield Case("/api/orders?package=CAT3&q=Windows+77", SEARCH, deep=False)
    for query in ("", "sort=unmodified", "status=started", "kind=reference", "kind=child"):
        yield Case(f"/api/campaigns?{query}")
    for query in (
        "program=Program+7",
        "package=CAT3",
        "parent=OP3",
        "kind=template&status=started",
    ):
        yield Case(f"/api/campaigns?{query}")
    for text in ("ampaign 77", "OP777", "nowhere"):
        yield Case(f"/api/campaigns?q={text}", SEARCH, deep=False)
    for query in ("", "sort=modified", "active=false", "channel=mailbox"):
        yield Case(f"/api/entities?{query}", deep=False)
    yield Case("/api/entities?q=region 7", SEARCH, deep=False)
    for query in (
        *("", "sort=oldest", "status=failed", "status=superseded", "kind=package_canceled"),
        *(
            "channel=email&entity={entity}",
            "entity={entity}",
            "entity={entity}&status=failed",
            "package=CAT3",
        ),
        *("package={package}", "package=CAT3&edition=1", "from={month}", "kind=order_rejected"),
    ):
        yield Case(f"/api/notifications?{query}")
    for query in ("", "sort=latest", "kind=end", "kind=publication", "overdue=true"):
        yield Case(f"/api/schedule?{query}")
    yield Case("/api/offers")
    yield Case("/api/packages/CAT10/audience", deep=False)
    yield Case("/api/packages/CAT3/audience")
    yield Case("/api/packages/CAT3/orders")
    for query in ("", "sort=oldest", "service=orders", "reason=failed&type=x"):
        yield Case(f"/api/parked?{query}", deep=False)
    yield Case("/api/parked/groups", deep=False)
    for query in ("", "sender=op7", "outcome=refused", "state=planned", "subject=ORD7"):
        yield Case(f"/api/commands?{query}")
    yield Case("/api/workers", deep=False)


def _singles() -> Iterator[Case]:
    for path in (
        *("packages/{package}", "orders/{order}", "campaigns/OP7", "entities/{entity}"),
        *("notifications/c4ca4238a0b923820dcc509a6f75849b", "parked/orders/3", "commands/c7"),
        "packages/CAT40/cancellation",
    ):
        yield Case(f"/api/{path}", ONE, deep=False)


async def lists(
    here: Place, report: Report, sizes: Sizes, *, samples: int, plans_in: Path | None, csv: bool
) -> None:
    """Fill a database, ask for everything, and export many rows."""
    async with place.database(here, "tracking") as url:
        began = time.perf_counter()
        await model.fill(url, sizes)
        report.add("filling the tables", time.perf_counter() - began, "s")
        if plans_in is not None:
            paths = [_filled(case.path, sizes, random.Random(0)) for case in cases()]
            found = await tokens_of(url)
            await plans.keep(url, plans_in, [(path, found[role(path)]) for path in paths])
        async with _serving(here, url) as (client, pid):
            slow = [await _measure(client, report, case, sizes, samples) for case in cases()]
            if csv:
                await _export(client, report, pid)
    over = sorted(itertools.chain.from_iterable(slow))
    report.note(f"{len(over)} of the answers at the 95th percentile are over their goals.")
    for name in over:
        report.note(f"over its goal: {name}")


def role(path: str) -> Role:
    """Who may ask for something."""
    if path.startswith("/api/offers"):
        return Role.LOCAL
    is_work = path.startswith(("/api/parked", "/api/workers", "/api/lanes"))
    return Role.OPERATIONS if is_work else Role.CENTRAL


async def tokens_of(url: str) -> dict[Role, str]:
    """A token of each role that asks."""
    async with database.pool(url, "relais bench", 1, any_plan=True) as pool:
        return {
            one: (
                await tokens.add(pool, Caller("bench", one, ENTITY if one is Role.LOCAL else None))
            ).secret
            for one in (Role.CENTRAL, Role.LOCAL, Role.OPERATIONS)
        }


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
    found = await tokens_of(url)

    async def sign(request: httpx.Request) -> None:
        request.headers["Authorization"] = f"Bearer {found[role(request.url.path)]}"

    base, hooks = f"http://127.0.0.1:{port}", {"request": [sign]}
    async with httpx.AsyncClient(base_url=base, event_hooks=hooks, timeout=120) as client:
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
    client: httpx.AsyncClient, report: Report, case: Case, sizes: Sizes, samples: int
) -> list[str]:
    """Add the figures of a case; the names of those over its goal."""
    dice = random.Random(case.path)
    asked = [_filled(case.path, sizes, dice) for _ in range(WARM + samples)]
    over = _add(report, case, "first", [await _timed(client, path) for path in asked][WARM:])
    if case.deep and "{" not in case.path.replace("{month}", ""):
        page = await _deep(client, asked[0])
        if page is not None:
            times = [await _timed(client, page) for _ in range(WARM + samples)]
            over += _add(report, case, "thousandth", times[WARM:])
    return over


def _add(report: Report, case: Case, page: str, times: list[float]) -> list[str]:
    name = f"{case.path.removeprefix('/api/')}, {page}" if case.deep else case.path[5:]
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


async def _deep(client: httpx.AsyncClient, path: str) -> str | None:
    """The page after so many rows, or the last; None where the first is all."""
    with_limit = f"{path}{'&' if '?' in path else '?'}limit="
    cursor, found = "", None
    for _ in range(DEEP // LARGEST):
        page = (await client.get(f"{with_limit}{LARGEST}{cursor}")).json()
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        found = f"{with_limit}50{cursor}"
    return found


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
