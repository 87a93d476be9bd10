"""Envelopes: what is read of any bytes, and what is written of any messages."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import Broken, Envelope, TooLarge, Unreadable, pack, read, write
from contracts.names import MAX_BATCH_ELEMENTS, MAX_BODY_BYTES, short

GOOD = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "CAT86"}

ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=128)
names = texts.filter(bool)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
attributes = st.fixed_dictionaries(
    {"id": names, "source": names, "type": names, "subject": ids},
    optional={
        "time": st.datetimes(
            datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)
        ),
        **dict.fromkeys(
            ["partitionkey", "correlationid", "causationid", "actor", "traceparent"], texts
        ),
    },
)


def body(**changes: Any) -> bytes:
    """A good envelope, changed."""
    return orjson.dumps(GOOD | changes)


def one(raw: bytes) -> Envelope | Broken | Unreadable:
    """The only element of a body."""
    [element] = read(raw)
    return element


def nested(depth: int) -> str:
    """A JSON array in an array in an array."""
    return "[" * depth + "]" * depth


class TestAnyBody:
    """Bytes that anybody may send."""

    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_is_read_without_raising(self, raw: bytes) -> None:
        """Whatever the bytes are, each element is said to be something."""
        assert read(raw)

    @given(values)
    def test_of_json_is_read_without_raising(self, value: Any) -> None:
        """Whatever the JSON is, each element is said to be something."""
        assert read(json.dumps(value).encode())

    @given(st.dictionaries(st.sampled_from([*GOOD, "time", "data", "actor", "other"]), values))
    def test_of_an_object_is_read_without_raising(self, changes: dict[str, Any]) -> None:
        """Whatever its attributes hold, an envelope is good, broken or unreadable."""
        element = one(json.dumps(GOOD | changes).encode())
        assert orjson.dumps(element.raw) if isinstance(element, Broken) else element

    @pytest.mark.parametrize("depth", [100, 249, 300, 1000, 5000, 400_000])
    def test_may_be_nested_to_any_depth(self, depth: int) -> None:
        """What is read can be written again, among the parked or in an answer, or is unreadable."""
        deep = f'{{"a": {nested(depth)}}}'
        text = orjson.dumps(GOOD).decode()[:-1] + f', "data": {deep}}}'
        element = one(text.encode())
        match element:
            case Envelope():
                assert orjson.dumps(element.data)
                assert element.model_dump_json()
            case Broken():
                assert [e.field for e in element.errors] == ["data"]
                assert "data" not in element.raw
            case Unreadable():
                assert element.raw


class TestAnEnvelope:
    """One good envelope."""

    @given(attributes, st.none() | st.dictionaries(texts, values, min_size=1, max_size=3))
    def test_is_read_as_it_was_written(
        self, written: dict[str, Any], data: dict[str, Any] | None
    ) -> None:
        """Nothing is lost between writing and reading."""
        raw = write(**written, data_json=None if data is None else json.dumps(data).encode())
        envelope = one(raw)
        assert isinstance(envelope, Envelope)
        assert envelope.model_dump(exclude_none=True, exclude={"datacontenttype", "data"}) == {
            "specversion": "1.0",
            **written,
        }
        assert envelope.data == data

    def test_ignores_attributes_that_it_does_not_know(self) -> None:
        """Other systems may add their own."""
        assert isinstance(one(body(dataschema="x", priority=9)), Envelope)

    @pytest.mark.parametrize("kind", ["application/json", "application/JSON; charset=utf-8"])
    def test_has_json_in_it(self, kind: str) -> None:
        """The content type of the data may be written as HTTP does."""
        assert isinstance(one(body(datacontenttype=kind)), Envelope)

    def test_takes_null_for_an_absent_attribute(self) -> None:
        """CloudEvents says so."""
        assert isinstance(one(body(time=None, data=None, actor=None)), Envelope)

    def test_leaves_out_data_that_says_nothing(self) -> None:
        """A command without data has neither data nor its content type."""
        raw = write(id="1", source="/s", type="t", subject="CAT86", data_json=b"{}")
        assert orjson.loads(raw) == GOOD

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"specversion": "0.3"}, "specversion"),
            ({"type": ""}, "type"),
            ({"type": "t" * 129}, "type"),
            ({"subject": "CAT 86"}, "subject"),
            ({"subject": None}, "subject"),
            ({"time": "2026-11-23"}, "time"),
            ({"time": "2026-11-23T09:00:00"}, "time"),
            ({"datacontenttype": "text/xml"}, "datacontenttype"),
            ({"partitionkey": 3}, "partitionkey"),
            ({"actor": "\0"}, "actor"),
            ({"correlationid": "x" * 257}, "correlationid"),
            ({"data": []}, "data"),
            ({"data": "{}"}, "data"),
        ],
    )
    def test_is_broken_when_an_attribute_is_wrong(
        self, changes: dict[str, Any], field: str
    ) -> None:
        """It still says who sent it, so that its sender can be told what is wrong."""
        element = one(body(**changes))
        assert isinstance(element, Broken)
        assert (element.source, element.id) == ("/s", "1")
        assert [e.field for e in element.errors] == [field]

    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({"source": None}, "1"),
            ({"source": ""}, "1"),
            ({"source": "s" * 129}, "1"),
            ({"id": None}, None),
            ({"id": 1}, None),
            ({"id": "a\0"}, None),
            ({"id": "x" * 129, "source": ""}, None),
        ],
    )
    def test_is_unreadable_without_an_identity(
        self, changes: dict[str, Any], name: str | None
    ) -> None:
        """Without source and id no sender can be told; an id alone is kept for the answer."""
        element = one(body(**changes))
        assert isinstance(element, Unreadable)
        assert element.id == name

    @pytest.mark.parametrize(
        "raw", [b"", b"nonsense", b"\xff", b"null", b"3", b'"x"', b"{}", b"[]"]
    )
    def test_is_no_other_json(self, raw: bytes) -> None:
        """A message is a JSON object that says who sent it."""
        element = one(raw)
        assert isinstance(element, Unreadable)
        assert element.raw == raw

    def test_has_at_most_a_mebibyte(self) -> None:
        """One byte more, and it is not read at all."""
        room = MAX_BODY_BYTES - len(body(data={"a": ""}))
        assert isinstance(one(body(data={"a": "x" * room})), Envelope)
        assert isinstance(one(body(data={"a": "x" * (room + 1)})), Unreadable)


class TestABatch:
    """The CloudEvents batch format."""

    def test_says_of_each_element_what_it_is(self) -> None:
        """A broken element harms no other, wherever it stands."""
        elements = [GOOD, GOOD | {"subject": "x y"}, 3, GOOD | {"id": ""}, GOOD | {"id": "2"}]
        kinds = [type(element) for element in read(orjson.dumps(elements))]
        assert kinds == [Envelope, Broken, Unreadable, Unreadable, Envelope]

    def test_with_one_element_nested_too_deep_is_otherwise_read(self) -> None:
        """What cannot be written again harms no other either."""
        good = orjson.dumps(GOOD).decode()
        deep = good[:-1] + f', "data": {{"a": {nested(300)}}}}}'
        raw = f"[{good}, {deep}, {nested(300)}, {good}]".encode()
        kinds = [type(element) for element in read(raw)]
        assert kinds == [Envelope, Broken, Unreadable, Envelope]

    def test_with_half_a_character_is_otherwise_read(self) -> None:
        """As JSON may escape it, and no text can hold it."""
        good = orjson.dumps(GOOD).decode()
        inside = good[:-1] + ', "data": {"a": ["\\ud800"]}}'
        unsigned = good.replace('"/s"', '"\\udfff"')
        unknown = good[:-1] + ', "other": {"\\ud800": 1}}'
        pair = good[:-1] + ', "data": {"a": "\\ud83d\\ude00"}}'
        raw = f"[{good}, {inside}, {unsigned}, {unknown}, {pair}]".encode()
        kinds = [type(element) for element in read(raw)]
        assert kinds == [Envelope, Broken, Unreadable, Broken, Envelope]
        broken = one(inside.encode())
        assert isinstance(broken, Broken)
        assert [e.field for e in broken.errors] == ["data"]
        assert "half of a character" in broken.errors[0].message

    @pytest.mark.parametrize("field", ["id", "source"])
    def test_is_not_said_to_lack_what_has_half_a_character(self, field: str) -> None:
        """Its sender would look for an id or a source that is there."""
        broken = one(orjson.dumps(GOOD | {field: "odd"}).replace(b'"odd"', b'"\\ud800"'))
        assert isinstance(broken, Unreadable)
        assert f"{field} must have" in broken.reason
        assert "required" not in broken.reason
        assert [e.field for e in broken.errors] == [field]

    def test_names_all_errors_beside_half_a_character(self) -> None:
        """A sender mends all of them at once."""
        raw = orjson.dumps(GOOD | {"subject": "a b", "actor": "odd"})
        broken = one(raw.replace(b'"odd"', b'"\\ud800"'))
        assert isinstance(broken, Broken)
        assert sorted(e.field for e in broken.errors) == ["actor", "subject"]

    @pytest.mark.parametrize("count", [0, MAX_BATCH_ELEMENTS + 1])
    def test_has_one_to_a_thousand_elements(self, count: int) -> None:
        """An empty or over-long array is unreadable as a whole."""
        assert isinstance(one(orjson.dumps([GOOD] * count)), Unreadable)

    @settings(max_examples=50)
    @given(st.lists(st.integers(0, 2000), max_size=60))
    def test_is_read_as_it_was_packed(self, sizes: list[int]) -> None:
        """Nothing is lost or reordered between packing and reading."""
        envelopes = [body(id=str(n), data={"a": "x" * size}) for n, size in enumerate(sizes, 1)]
        bodies = pack(envelopes)
        elements = [element for _, raw in bodies for element in read(raw)]
        assert [e.id for e in elements] == [str(n) for n in range(1, len(sizes) + 1)]
        assert sum(count for count, _ in bodies) == len(sizes)

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(2, MAX_BODY_BYTES), max_size=12), st.integers(0, 2500))
    def test_holds_its_limits(self, large: list[int], small: int) -> None:
        """No body has more than 1,000 envelopes or 1 MiB."""
        envelopes = [b"x" * size for size in large] + [b"{}"] * small
        bodies = pack(envelopes)
        assert all(count <= MAX_BATCH_ELEMENTS for count, _ in bodies)
        assert all(len(raw) <= MAX_BODY_BYTES for _, raw in bodies)
        assert sum(count for count, _ in bodies) == len(envelopes)

    def test_is_filled_to_the_last_byte(self) -> None:
        """Two envelopes travel together when they just fit."""
        half = MAX_BODY_BYTES // 2
        assert [count for count, _ in pack([b"x" * (half - 2), b"x" * (half - 1)])] == [2]
        assert [count for count, _ in pack([b"x" * (half - 1), b"x" * (half - 1)])] == [1, 1]

    def test_of_one_is_a_plain_object(self) -> None:
        """An envelope alone is not put into an array."""
        assert pack([b"{}"]) == [(1, b"{}")]

    def test_refuses_an_envelope_that_no_body_holds(self) -> None:
        """What could never be read is not sent."""
        with pytest.raises(TooLarge):
            pack([b"x" * (MAX_BODY_BYTES + 1)])


class TestAnAmqpProperty:
    """AMQP keeps at most 255 bytes in a property; ids may have 128 characters of any length."""

    def test_is_the_text_where_it_fits(self) -> None:
        """255 bytes fit."""
        assert short("x" * 255) == "x" * 255
        assert short(None) is None

    def test_is_left_out_where_it_does_not(self) -> None:
        """Bytes count, not characters."""
        assert short("é" * 128) is None
