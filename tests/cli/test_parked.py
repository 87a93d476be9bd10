"""Parked messages, as operators see them."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest

from services.cli import parked
from services.cli.problems import USAGE, Problem
from tests.cli.small_api import SmallApi, page


def message(number: int, reason: str = "failed", **more: Any) -> dict[str, Any]:
    """A parked message of orders."""
    return {
        "service": "orders",
        "number": number,
        "reason": reason,
        "message_id": f"erp-{number}",
        "type": "relais.order.place.v1",
        "error": "KeyError: 3",
        "parked_at": "2026-11-23T09:00:00Z",
        "body": '{"specversion": "1.0"}',
        **more,
    }


ACCEPTED = {"id": "c", "outcome": "accepted", "message": "orders retries 2"}


@pytest.fixture
def three(small: SmallApi) -> SmallApi:
    """Three messages are parked: 1 and 2 failed, 3 crashed; commands are accepted."""
    found = [message(1), message(2), message(3, "crashed")]
    small.answer("/api/parked", {**page(found), "as_of": "2026-11-23T09:01:00Z"})
    for one in found:
        small.answer(f"/api/parked/orders/{one['number']}", one)
    small.answer("/api/commands", ACCEPTED)
    return small


def commands(small: SmallApi) -> list[dict[str, Any]]:
    """The commands that were sent."""
    return [body for method, _, _, body in small.asked if method == "POST"]


class TestParked:
    """`relais parked`."""

    async def test_lists_them(self, three: SmallApi, capsys: pytest.CaptureFixture[str]) -> None:
        """With the service, the number to name it by, the reason and the sender's id."""
        await parked.list_("orders", "failed", 100, as_json=True)
        assert [one["number"] for one in json.loads(capsys.readouterr().out)] == [1, 2, 3]
        assert three.asked[-1][2] == {
            "service": "orders",
            "reason": "failed",
            "sort": "oldest",
            "limit": "100",
        }
        await parked.list_(None, None, 100, as_json=False)
        out = capsys.readouterr().out
        assert "orders 3  2026-11-23 09:00:00Z  crashed  order.place" in out
        assert "erp-1: KeyError: 3" in out

    async def test_says_what_was_looked_for_in_vain(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A misspelt reason must not look as if nothing were parked."""
        small.page("/api/parked", [])
        await parked.list_("orders", "nonsense", 100, as_json=False)
        assert capsys.readouterr().out == ("nothing is parked by orders with reason 'nonsense'\n")

    async def test_shows_one(self, three: SmallApi, capsys: pytest.CaptureFixture[str]) -> None:
        """With its body, in a form that can be read."""
        await parked.show("orders", 2, as_json=False)
        out = capsys.readouterr().out
        assert '"specversion": "1.0"' in out
        assert "error: KeyError: 3" in out
        with pytest.raises(Problem, match="orders has no parked message 9"):
            await parked.show("orders", 9, as_json=False)

    async def test_shows_the_beginning_of_a_large_one(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A body of many pages is nothing to read on a terminal, but nothing is lost either."""
        small.answer("/api/parked/orders/1", message(1, body="x" * 60_000))
        await parked.show("orders", 1, as_json=False)
        out = capsys.readouterr().out
        assert len(out) < 10_000
        assert "60,000 characters in all; --json prints them" in out

    async def test_retries_those_named(
        self, three: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One command about the service, whose answer is told."""
        await parked.retry("orders", [2], all_=False, reason=None, comment="mended")
        assert commands(three) == [
            {
                "specversion": "1.0",
                "type": "relais.parked.retry.v1",
                "subject": "orders",
                "data": {"numbers": [2], "comment": "mended"},
            }
        ]
        assert capsys.readouterr().out == "accepted: orders retries 2\n"

    async def test_retries_those_of_a_reason(self, three: SmallApi) -> None:
        """All that there are until now, and no later ones."""
        await parked.retry("orders", [], all_=False, reason="failed")
        [command] = commands(three)
        assert command["data"]["all_of"] == {
            "reason": "failed",
            "until": "2026-11-23T09:01:00Z",
        }

    async def test_names_at_most_a_thousand_at_once(self, three: SmallApi) -> None:
        """More are several commands."""
        await parked.retry("orders", list(range(1, 1502)), all_=False, reason=None)
        assert [len(one["data"]["numbers"]) for one in commands(three)] == [1000, 501]

    @pytest.mark.parametrize(
        ("numbers", "all_", "text"), [([], False, "choose messages"), ([1], True, "not both")]
    )
    async def test_wants_to_know_which(
        self, three: SmallApi, numbers: list[int], all_: bool, text: str
    ) -> None:
        """A forgotten argument must not retry or discard everything."""
        for work in (
            parked.retry("orders", numbers, all_=all_, reason=None),
            parked.discard("orders", numbers, all_=all_, reason=None, yes=True, comment="x"),
        ):
            with pytest.raises(Problem, match=text) as caught:
                await work
            assert caught.value.exit_code == USAGE

    async def test_replaces_one(self, three: SmallApi, tmp_path: Path) -> None:
        """The file is the envelope as it should have been."""
        file = tmp_path / "envelope.json"
        file.write_text('{"id": "erp-1"}')
        await parked.replace("orders", 1, file, "typing error")
        [command] = commands(three)
        assert command["data"] == {
            "number": 1,
            "body": '{"id": "erp-1"}',
            "comment": "typing error",
        }

    async def test_discards_with_a_reason(self, three: SmallApi) -> None:
        """It is kept with the message that is given up."""
        await parked.discard("orders", [1, 3], all_=False, reason=None, yes=True, comment="spam")
        [command] = commands(three)
        assert command["data"] == {"numbers": [1, 3], "comment": "spam"}

    async def test_discards_nothing_unasked(self, three: SmallApi) -> None:
        """Without a terminal and without --yes there is nobody to agree."""
        with pytest.raises(Problem, match="--yes"):
            await parked.discard("orders", [1], all_=False, reason=None, yes=False, comment="x")
        assert commands(three) == []

    async def test_tells_why_it_was_refused(self, three: SmallApi) -> None:
        """In the words of the service."""
        three.problem("/api/commands", 409, "wrong_status", "orders has no parked message 9")
        with pytest.raises(Problem, match="orders has no parked message 9"):
            await parked.retry("orders", [9], all_=False, reason=None)


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
