"""Numbers of JSON: what comes in comes out as the same number, or is refused."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.envelope import Broken, Element, Envelope, FieldError, Unreadable, read
from contracts.message import differing, same
from contracts.orders import PlaceOrder

EXACT = [
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1.50",
    "1e2",
    "0.1",
    "0.30000000000000004",
    "0.10000000000000001",  # a double written with 17 digits, as many languages do
    "100.0000000000000000000000",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "12345678901234.56",
    "1e20",
    "1.7976931348623157e308",
    "5e-324",
    "0e-500",
]
INEXACT = [
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "9" * 5000,
    "9007199254740993.0",
    "9007199254740993e0",
    "0.1234567890123456789",
    "0.123456789012345678901234567890",
    "3.141592653589793238462643383279",
    "1e309",
    "-1e400",
    "1E+400",
    "1e-400",
    "1.2345678901e-320",
]


HELD = "must be a number that 64 bits or a double can hold"


def is_whole(text: str) -> bool:
    """Whether a number is written as a whole one."""
    return text.lstrip("-").isdigit()


def body(number: str) -> bytes:
    """An order with a number in its parameters, as text."""
    attributes = '"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "ORD1"'
    data = '{"package_id": "CAT86", "label": "1234567890123456789", "parameters": {"a": [%s]}}'
    return f'{{{attributes}, "data": {data % number}}}'.encode()


def of_command(raw: bytes) -> Element:
    """The one element of a body, held to the letter."""
    [found] = read(raw, exact=True)
    return found


def errors(raw: bytes) -> tuple[FieldError, ...]:
    """What is wrong with it."""
    found = of_command(raw)
    assert isinstance(found, Broken)
    return found.errors


class TestANumber:
    """Somewhere in the data of a command."""

    @pytest.mark.parametrize("number", EXACT)
    def test_that_can_be_held_is_accepted(self, number: str) -> None:
        """Whole numbers of 64 bits, and what a double is written as."""
        assert isinstance(of_command(body(number)), Envelope)

    @pytest.mark.parametrize("number", INEXACT)
    def test_that_cannot_be_held_is_named(self, number: str) -> None:
        """It would come out as another number."""
        [error] = errors(body(number))
        assert error.field == "data.parameters.a.0"
        assert error.message.startswith(f"{HELD}, not {number[:20]}")

    @pytest.mark.parametrize("number", INEXACT)
    def test_that_cannot_be_held_parks_no_event(self, number: str) -> None:
        """It may stand where this reader does not look."""
        [found] = read(body(number))
        assert isinstance(found, Envelope)

    @pytest.mark.parametrize("number", INEXACT)
    def test_is_no_reason_to_read_nothing_else(self, number: str) -> None:
        """A broken element harms no other of its batch."""
        raw = b"[" + body("1") + b"," + body(number) + b"]"
        assert [type(one) for one in read(raw, exact=True)] == [Envelope, Broken]
        assert [type(one) for one in read(raw)] == [Envelope, Envelope]

    @given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1))
    def test_written_by_anybody_is_read_as_the_same(self, number: float) -> None:
        """Python, orjson, and C's 17 digits."""
        for text in (json.dumps(number), orjson.dumps(number).decode(), f"{float(number):.17g}"):
            if float(text) != number or (is_whole(text) and abs(int(text)) > 2**63):
                continue
            found = of_command(body(text))
            assert isinstance(found, Envelope)
            assert found.data == json.loads(body(text))["data"]

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "1."])
    def test_that_is_none_makes_no_json(self, number: str) -> None:
        """The whole body cannot be read."""
        assert isinstance(of_command(body(number)), Unreadable)

    def test_beside_the_data_does_not_count(self) -> None:
        """Unknown attributes of the envelope are ignored."""
        raw = body("1")[:-1] + b', "other": 1e400}'
        assert isinstance(of_command(raw), Envelope)

    @pytest.mark.parametrize("depth", [200, 300, 900, 1010, 5000, 100_000])
    def test_may_be_nested_to_any_depth(self, depth: int) -> None:
        """It is named, or the body cannot be read."""
        for number in ("1e400", "0.1234567890123456789"):
            found = of_command(body("[" * depth + number + "]" * depth))
            assert isinstance(found, Broken | Unreadable)


def order(**parameters: Any) -> PlaceOrder:
    """An order as a publisher in Python makes it."""
    return PlaceOrder(
        order_id="ORD1", package_id="CAT86", entity_id="OU1", label="o", parameters=parameters
    )


class TestParametersOfAPublisher:
    """What is no JSON is refused before it is sent."""

    @pytest.mark.parametrize(
        "value", [float("nan"), [float("inf")], {"b": -float("inf")}, 2**64, -(2**63) - 1, {1: 2}]
    )
    def test_hold_no_other_number(self, value: Any) -> None:
        """JSON would make null of it, or another number."""
        with pytest.raises(ValidationError, match="must"):
            order(a=value)

    def test_hold_null(self) -> None:
        """Null is null."""
        assert order(a=None, b="null").parameters == {"a": None, "b": "null"}


SAME = [
    (1, 1.0),
    (0, -0.0),
    ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
    (2**53 + 1, 2**53 + 1),
    (None, None),
]
OTHER = [
    (1, True),
    (0, False),
    (0.0, False),
    ([1], [True]),
    ({"a": {"b": [0]}}, {"a": {"b": [False]}}),
    ([1, 2], [2, 1]),
    ({"a": None}, {}),
    ("1", 1),
    (None, False),
    ([], {}),
    (2**53 + 1, float(2**53)),
    ("é", "e\u0301"),
]


class TestValues:
    """Equality is that of JSON."""

    @pytest.mark.parametrize(("one", "two"), SAME)
    def test_are_the_same(self, one: Any, two: Any) -> None:
        """Numbers by what they are, objects whatever the order of their keys."""
        assert same(one, two)
        assert same(two, one)

    @pytest.mark.parametrize(("one", "two"), OTHER)
    def test_are_not_the_same(self, one: Any, two: Any) -> None:
        """True is no number, however deep it stands, and the order of a list counts."""
        assert not same(one, two)
        assert not same(two, one)

    def test_that_differ_are_the_changes(self) -> None:
        """Of an edit."""
        values = {"label": "o", "parameters": {"a": True}, "comment": None}
        assert differing(order(a=1), values) == {"parameters": {"a": True}}
