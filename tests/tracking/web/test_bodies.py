"""Bodies in JSON that can be read and never be kept: each is refused, and says what is odd."""

from typing import Any

import pytest

from services.tracking.web import bodies
from tests.tracking.api import Api

RETRY = '{"service": "orders", "numbers": [1], "comment": %s}'
ODD: list[tuple[str, str]] = [
    ('"\\ud800"', "half of a character"),
    ('{"\\ud800": 1}', "half of a character"),
    ('"a\\u0000b"', "must not contain NUL"),
    ("NaN", "is not JSON"),
    ("1e999", "a number that 64 bits"),
    ("9" * 5000, "a number that 64 bits"),
    ("9" * 30, "a number that 64 bits"),
    ("[" * 300 + "]" * 300, "at most 250 levels"),
    ("[" * 100_000, "is not JSON"),
]
"""The value of a field, and what is said of it."""
READERS = [
    ("POST", "/api/parked/retry", RETRY),
    (
        "POST",
        "/api/parked/replace",
        '{"service": "orders", "number": 1, "comment": "c", "body": %s}',
    ),
    ("POST", "/api/parked/waves", '{"service": "orders", "name": %s}'),
    ("POST", "/api/notifications/retry", '{"package_id": %s}'),
    ("POST", "/api/proofs", '{"ok": true, "services": {"orders": {"more": %s}}}'),
    ("POST", "/api/commands/batch", '{"commands": [{"data": {"comment": %s}}]}'),
    ("POST", "/api/commands", '{"type": "relais.package.cancel.v1", "data": {"comment": %s}}'),
    ("POST", "/api/commands/check", '{"type": "x", "id": %s}'),
    ("PUT", "/api/views/v1", '{"label": "a", "list": "orders", "filter": {"a": %s}}'),
]
"""Every route that reads a body, and one of it with a place for a value."""


class TestABody:
    """What neither Postgres nor RabbitMQ takes gets no further than the door."""

    @pytest.mark.parametrize(("value", "message"), ODD, ids=range(len(ODD)))
    def test_says_what_is_odd(self, value: str, message: str) -> None:
        """A field by its name, the body where it cannot be read at all."""
        errors = bodies.faults((RETRY % value).encode())

        assert len(errors) == 1
        assert message in errors[0].message
        assert errors[0].field.partition(".")[0] in ("comment", "body")

    @pytest.mark.parametrize("text", ['"\\\\u0000"', '"\\ud83d\\ude00"', "18446744073709551615"])
    def test_is_taken_where_it_only_looks_odd(self, text: str) -> None:
        """A backslash before a u, a whole character in two halves, a number of 64 bits."""
        assert not bodies.faults((RETRY % text).encode())

    @pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"\xff", b"{"])
    def test_is_utf_8_and_nothing_else(self, body: bytes) -> None:
        """No mark of the order of bytes either."""
        assert [error.field for error in bodies.faults(body)] == ["body"]

    @pytest.mark.servers
    @pytest.mark.parametrize(("method", "path", "text"), READERS, ids=[r[1] for r in READERS])
    async def test_makes_no_route_fail(self, web: Api, method: str, path: str, text: str) -> None:
        """Whichever reads it, with whatever reader."""
        role = "central" if "commands" in path or "views" in path else "operations"
        for value, _ in ODD:
            answer: Any = await web.request(method, path, content=text % value, role=role)

            assert answer.status_code == 422, (value[:20], answer.text)
            assert answer.json()["errors"], value[:20]
