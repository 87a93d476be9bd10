"""Lines of JSON, whoever logs them."""

import json
import logging
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

import orjson
import pytest
import structlog

from services.runtime import telemetry


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[BytesIO]:
    """What is logged, with the ways of logging as they were when it is over."""
    written = BytesIO()
    stdout = TextIOWrapper(written)
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    monkeypatch.setattr(sys, "stdout", stdout)
    telemetry.configure("probe", "info")
    yield written
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    logging.root.handlers[:] = handlers


def lines(out: BytesIO) -> list[dict[str, object]]:
    """One object a line."""
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


class TestALine:
    """An event with its fields, and who says it."""

    def test_has_its_identity(self, out: BytesIO) -> None:
        """Bound once, by the runtime."""
        structlog.get_logger().info("slot_taken", slot=3)

        (line,) = lines(out)
        assert (line["event"], line["slot"], line["level"]) == ("slot_taken", 3, "info")
        assert line["service"] == "probe"
        assert str(line["instance"]).rpartition("-")[2].isdigit()
        assert str(line["timestamp"]).endswith("Z")

    def test_keeps_to_its_level(self, out: BytesIO) -> None:
        """What is finer is not even made."""
        structlog.get_logger().debug("batch_done")

        assert not lines(out)

    def test_holds_what_no_json_can(self, out: BytesIO) -> None:
        """As Python would show it; a line is never lost for its values."""
        structlog.get_logger().info("odd", value={1, 2}, raw=b"\xff")

        (line,) = lines(out)
        assert line["value"] == "{1, 2}"
        assert line["raw"] == "b'\\xff'"

    def test_holds_a_traceback(self, out: BytesIO) -> None:
        """In the same line."""
        try:
            raise LookupError("a bug")
        except LookupError as error:
            structlog.get_logger().error("sweep_failed", exc_info=error)

        (line,) = lines(out)
        assert "LookupError: a bug" in str(line["exception"])

    def test_comes_from_libraries_too(self, out: BytesIO) -> None:
        """From a warning on, in the same stream; and what failed inside them with it."""
        logging.getLogger("aiormq").warning("lost %s", "it")
        logging.getLogger("aiormq").info("too fine")
        try:
            raise LookupError("theirs")
        except LookupError:
            logging.getLogger("asyncio").exception("unhandled")

        warning, error = lines(out)
        assert (warning["event"], warning["logger"], warning["text"]) == (
            "library_log",
            "aiormq",
            "lost it",
        )
        assert (error["level"], error["text"]) == ("error", "unhandled")
        assert "LookupError: theirs" in str(error["exception"])

    def test_shows_what_a_terminal_would_obey(self, out: BytesIO) -> None:
        """Logs are read on terminals, and hold what senders write."""
        strange = "a\x1b[2J\x7f\x9b\u202e\u2028 é"
        structlog.get_logger().info("message_parked", type=strange)

        (line,) = lines(out)
        assert line["type"] == strange
        assert out.getvalue().decode().rstrip("\n").isprintable()

    def test_is_never_lost(self, out: BytesIO) -> None:
        """For half a character, or a number beyond 64 bits."""
        structlog.get_logger().info("odd", half="\udc80", large=2**70)

        (line,) = out.getvalue().splitlines()
        assert json.loads(line)["half"] == "\udc80"
        assert json.loads(line)["large"] == 2**70
