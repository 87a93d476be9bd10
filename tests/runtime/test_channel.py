"""The frames that are written by hand, and the seams of aiormq that they go through."""

import asyncio
import inspect
from collections.abc import Iterator
from importlib.metadata import requires, version
from typing import Any

import aiormq.base
import aiormq.channel
import aiormq.connection
import pamqp.frame
import pytest
from aiormq.abc import ChannelFrame
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from services.runtime.amqp import channel, reader
from services.runtime.amqp.channel import BatchChannel
from services.runtime.amqp.frames import Outgoing, encode

PINNED = "7.2.4"
CHANNEL = 7
UNUSED = "cluster_id"


def outgoing(least: int = 0) -> st.SearchStrategy[Outgoing]:
    """Messages whose texts have at least so many characters."""
    short = st.text(min_size=least, max_size=60)
    keys = st.text(min_size=least, max_size=400)
    return st.builds(
        Outgoing,
        exchange=st.text("abcXYZ019.:_-", max_size=60),
        routing_key=short,
        body=st.binary(max_size=300),
        type=short,
        message_id=short,
        content_type=short,
        app_id=short,
        correlation_id=short,
        partitionkey=keys if least else keys | st.none(),
        mandatory=st.booleans(),
    )


def frames(payload: bytes) -> Iterator[object]:
    """The frames of a run of bytes, as the library of AMQP reads them."""
    while payload:
        consumed, number, frame = pamqp.frame.unmarshal(payload)
        assert number == CHANNEL
        payload = payload[consumed:]
        yield frame


class TestFrames:
    """One message becomes the frames that the library would write."""

    @given(outgoing(), st.integers(min_value=1, max_value=100))
    def test_say_what_the_message_says(self, message: Outgoing, limit: int) -> None:
        """Every property, the routing and the body come out as they went in."""
        publish, header, *parts = frames(encode(message, CHANNEL, limit))

        assert isinstance(publish, spec.Basic.Publish)
        assert publish.exchange == message.exchange
        assert publish.routing_key == message.routing_key
        assert publish.mandatory == message.mandatory
        assert publish.immediate is False
        assert isinstance(header, ContentHeader)
        assert header.body_size == len(message.body)
        assert as_written(header.properties) == expected(message)
        bodies = [part.value for part in parts if isinstance(part, ContentBody)]
        assert len(bodies) == len(parts)
        assert b"".join(bodies) == message.body
        assert all(0 < len(body) <= limit for body in bodies)

    @given(outgoing(least=1))
    def test_are_those_of_the_library(self, message: Outgoing) -> None:
        """Byte for byte; but that it leaves out what is empty."""
        properties = spec.Basic.Properties(**expected(message))
        theirs = ChannelFrame.marshall(
            CHANNEL,
            [
                spec.Basic.Publish(
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    mandatory=message.mandatory,
                ),
                ContentHeader(body_size=len(message.body), properties=properties),
                *([ContentBody(message.body)] if message.body else []),
            ],
        )

        assert encode(message, CHANNEL, 100_000) == theirs.payload

    def test_refuse_a_text_that_no_short_string_holds(self) -> None:
        """255 bytes, not characters, are what the protocol has room for."""
        long = Outgoing("x", "y", b"", "t", "é" * 128, "c", "a")

        with pytest.raises(ValueError, match="at most 255 bytes, not 256"):
            encode(long, CHANNEL, 100)


def as_written(properties: spec.Basic.Properties) -> dict[str, object]:
    """The properties that are set."""
    return {name: value for name, value in properties if value is not None and name != UNUSED}


def expected(message: Outgoing) -> dict[str, Any]:
    """The properties a message is to have."""
    key = message.partitionkey
    return {
        "content_type": message.content_type,
        "headers": {} if key is None else {"partitionkey": key},
        "delivery_mode": 2,
        "correlation_id": message.correlation_id,
        "message_id": message.message_id,
        "message_type": message.type,
        "app_id": message.app_id,
    }


class TestSeams:
    """What the runtime leans on inside aiormq is where it was when this was written."""

    def test_the_version_is_pinned(self) -> None:
        """Another version is looked at before it is taken."""
        assert version("aiormq") == PINNED
        assert f"aiormq=={PINNED}" in (requires("relais") or ())

    @pytest.mark.parametrize(
        "name", ["_get_frame", "_read_content", "_on_confirm_frame", "_on_return_frame"]
    )
    def test_the_channel_has_its_private_methods(self, name: str) -> None:
        """They are coroutines of the class we extend."""
        assert inspect.iscoroutinefunction(getattr(aiormq.channel.Channel, name))

    @pytest.mark.parametrize("name", ["_on_confirm_frame", "_on_return_frame"])
    def test_the_reader_of_the_channel_calls_what_we_replace(self, name: str) -> None:
        """A replacement that nobody calls would lose every confirm."""
        assert name in vars(BatchChannel)
        assert f"self.{name}(" in inspect.getsource(aiormq.channel.Channel._reader)

    @pytest.mark.parametrize("name", ["delivery_tag", "write_queue", "max_content_size"])
    def test_the_channel_has_its_attributes(self, name: str) -> None:
        """They are set where a channel is made."""
        assert f"self.{name} = " in inspect.getsource(aiormq.channel.Channel.__init__)

    def test_a_closing_channel_says_so(self) -> None:
        """The future that fails every publish under way is there from the start."""
        assert "self._closing = " in inspect.getsource(aiormq.base.Base.__init__)

    def test_the_writer_drains_a_frame_that_asks_for_it(self) -> None:
        """Otherwise a publish would wait for ever, or never for the network."""
        source = inspect.getsource(aiormq.connection.Connection)

        assert "if channel_frame.should_drain:" in source
        assert "channel_frame.drain()" in source

    def test_the_connection_takes_a_transport_of_ours(self) -> None:
        """Deliveries are taken out of the stream by way of a public parameter."""
        parameters = inspect.signature(aiormq.connection.Connection.__init__).parameters

        assert "transport_factory" in parameters
        assert issubclass(reader.Transport, aiormq.connection.TransportFactory)

    def test_the_connection_reads_by_these_calls_alone(self) -> None:
        """The reader that aiormq gets has just the methods that it calls."""
        source = inspect.getsource(aiormq.connection.FrameReceiver)
        called = {name for name in dir(asyncio.StreamReader) if f"reader.{name}(" in source}

        assert called <= {name for name in vars(reader.FrameReader) if not name.startswith("_")}
        assert "readexactly" in called

    def test_a_write_holds_some_hundred_messages(self) -> None:
        """A few writes a batch, and none so large that it holds up the loop."""
        assert 100 <= channel.MESSAGES_PER_WRITE <= 500
