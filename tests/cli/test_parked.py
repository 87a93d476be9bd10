"""Parked messages, as operators see them."""

import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from subprocess import DEVNULL, PIPE

import asyncpg
import pytest

from services.cli import endpoints, parked
from services.cli.endpoints import Endpoints
from services.cli.problems import USAGE, Problem

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PARK = """
INSERT INTO kept (kind, digest, reason, error, source, id, type, exchange, routing_key, headers,
                  body, kept_at)
VALUES ('parked', $1, $2, 'KeyError: 3', '/erp', $1, 'relais.order.place.v1', 'relais.commands',
        'k', '{}', '{"specversion": "1.0"}', $3)
"""


@pytest.fixture
async def url(database: Callable[[str], Awaitable[str]], monkeypatch: pytest.MonkeyPatch) -> str:
    """The orders database with three parked messages: 1 and 2 failed, 3 dead."""
    url = await database("orders")
    monkeypatch.setattr(
        endpoints, "find", lambda *_: Endpoints("amqp://nowhere", {"orders": url}, "the test")
    )
    conn = await asyncpg.connect(url)
    for digest, reason in (("a", "failed"), ("b", "failed"), ("c", "dead")):
        await conn.execute(PARK, digest, reason, NOW)
    await conn.close()
    return url


async def numbers(url: str, condition: str = "true") -> list[int]:
    """The parked messages for which a condition holds."""
    conn = await asyncpg.connect(url)
    rows = await conn.fetch(f"SELECT number FROM kept WHERE {condition} ORDER BY number")
    await conn.close()
    return [row["number"] for row in rows]


@pytest.mark.servers
class TestParked:
    """`relais parked`."""

    async def test_lists_them(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        """With the service, the number to name it by, the reason and the sender's id."""
        assert await parked.list_(None, None, 100, as_json=True) == 0
        found = json.loads(capsys.readouterr().out)
        assert [(m["service"], m["number"], m["reason"], m["id"]) for m in found] == [
            ("orders", 1, "failed", "a"),
            ("orders", 2, "failed", "b"),
            ("orders", 3, "dead", "c"),
        ]

    async def test_lists_those_of_a_reason(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The others are somebody else's concern."""
        await parked.list_("orders", "dead", 100, as_json=False)
        assert "order.place" in capsys.readouterr().out

    async def test_of_a_reason_that_none_has_says_so(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A misspelt reason must not look as if nothing were parked."""
        await parked.list_("orders", "nonsense", 100, as_json=False)
        await parked.retry("orders", [], all_=False, reason="nonsense")
        await parked.discard("orders", [], all_=False, reason="nonsense", yes=True)
        told = "nothing is parked with reason 'nonsense'; the reasons here are dead, failed"
        assert capsys.readouterr().out.splitlines() == [
            told,
            f"orders: {told}",
            f"orders: {told}",
        ]

    async def test_shows_the_beginning_of_a_large_one(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A body of a megabyte is nothing to read on a terminal, but nothing is lost either."""
        conn = await asyncpg.connect(url)
        await conn.execute("UPDATE kept SET body = repeat('x', 1000000)::bytea")
        await conn.close()
        await parked.show("orders", 1, as_json=False)
        out = capsys.readouterr().out
        assert len(out) < 10_000
        assert "1,000,000 characters in all; --json prints them" in out

    async def test_takes_numbers_or_a_reason(self, url: str) -> None:
        """Nothing that was said is passed over."""
        with pytest.raises(Problem, match="not both"):
            await parked.retry("orders", [1], all_=True, reason=None)

    async def test_shows_one(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        """With its body, in a form that can be read."""
        await parked.show("orders", 2, as_json=False)
        out = capsys.readouterr().out
        assert '"specversion": "1.0"' in out
        assert "error: KeyError: 3" in out

    async def test_retries_those_named(self, url: str) -> None:
        """The service's own sweep takes those whose time has come."""
        assert await parked.retry("orders", [2], all_=False, reason=None) == 0
        assert await numbers(url, "retry_at <= now()") == [2]

    async def test_retries_those_of_a_reason(self, url: str) -> None:
        """After a fix, all that failed for one reason go together."""
        await parked.retry("orders", [], all_=False, reason="failed")
        assert await numbers(url, "retry_at <= now()") == [1, 2]

    async def test_wants_to_know_which(self, url: str) -> None:
        """A forgotten argument must not retry or discard everything."""
        for work in (
            parked.retry("orders", [], all_=False, reason=None),
            parked.discard("orders", [], all_=False, reason=None, yes=True),
        ):
            with pytest.raises(Problem, match="choose messages") as caught:
                await work
            assert caught.value.exit_code == USAGE

    async def test_discards_and_says_what(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What is deleted for good is named once more."""
        assert await parked.discard("orders", [1, 3], all_=False, reason=None, yes=True) == 0
        assert await numbers(url) == [2]
        assert capsys.readouterr().out.splitlines() == [
            "discarded orders 1: relais.order.place.v1 a from /erp (failed)",
            "discarded orders 3: relais.order.place.v1 c from /erp (dead)",
        ]

    async def test_discards_nothing_unasked(self, url: str) -> None:
        """Without a terminal and without --yes there is nobody to agree."""
        with pytest.raises(Problem, match="--yes"):
            await parked.discard("orders", [1], all_=False, reason=None, yes=False)
        assert await numbers(url) == [1, 2, 3]

    async def test_deletes_none_where_one_is_missing(self, url: str) -> None:
        """A wrong number is more likely a slip than a wish."""
        with pytest.raises(Problem, match="no parked message 9"):
            await parked.discard("orders", [1, 9], all_=False, reason=None, yes=True)
        assert await numbers(url) == [1, 2, 3]

    async def test_knows_the_services(self, url: str) -> None:
        """A typo is answered with those there are."""
        with pytest.raises(Problem, match=r"there are campaigns, .*orders"):
            await parked.show("order", 1, as_json=False)


ASKING = """
import asyncio
from services.cli import parked
print(repr(asyncio.run(parked._asked("sure? "))))
"""


def asking() -> "subprocess.Popen[str]":
    """A process that has asked, and waits for the answer."""
    process = subprocess.Popen(
        [sys.executable, "-c", ASKING], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.read(6) == "sure? "
    return process


class TestTheQuestion:
    """What is asked before something is deleted for good."""

    def test_takes_a_line(self) -> None:
        """The answer is what stands before the end of the line."""
        out, _ = asking().communicate("yes\n", timeout=30)
        assert out == "'yes\\n'\n"

    def test_ends_with_ctrl_c(self) -> None:
        """At once, not after a last line."""
        process = asking()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
