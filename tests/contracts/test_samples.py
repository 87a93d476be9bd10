"""Golden samples: what they say, models read and write back field for field."""

from pathlib import Path

import orjson
import pytest

import contracts
from contracts import samples
from contracts.catalogue import COMMANDS, EVENTS, NOTIFICATIONS
from contracts.envelope import Envelope, read, write
from contracts.message import Body
from contracts.outcomes import CommandOutcome
from tests.contracts import interface

README = Path(contracts.__file__).with_name("README.md").read_text()

MESSAGES: dict[str, type[Body]] = {
    **COMMANDS,
    **EVENTS,
    **NOTIFICATIONS,
    CommandOutcome.TYPE: CommandOutcome,
}

KEYED_BY_THE_PACKAGE = {
    "relais.campaign.canceled.v1",
    "relais.campaign.reinitialized.v1",
    "relais.process.stopped.v1",
}
"""Samples in which a package caused what happened to a campaign; the service gives the key."""


def parsed(wire_type: str) -> tuple[Envelope, Body]:
    """A sample as its envelope and its body."""
    [envelope] = read(samples.sample(wire_type))
    assert isinstance(envelope, Envelope)
    return envelope, MESSAGES[wire_type].read(envelope.subject, envelope.data)


@pytest.mark.parametrize("wire_type", samples.wire_types())
class TestASample:
    """One golden sample."""

    def test_is_written_back_as_it_was_read(self, wire_type: str) -> None:
        """Reading a sample into its model and writing it again loses and adds no field."""
        envelope, body = parsed(wire_type)
        attributes = envelope.model_dump(
            exclude={"specversion", "datacontenttype", "type", "subject", "data"}
        )
        again = write(
            **attributes, type=body.wire_type, subject=body.subject, data_json=body.data_json()
        )
        assert orjson.loads(again) == orjson.loads(samples.sample(wire_type))

    def test_is_kept_in_order_by_its_key(self, wire_type: str) -> None:
        """The partition key of a sample is the one its model gives."""
        envelope, body = parsed(wire_type)
        expected = "CAT86" if wire_type in KEYED_BY_THE_PACKAGE else body.key
        assert envelope.partitionkey == expected

    def test_is_in_the_table_of_messages(self, wire_type: str) -> None:
        """Readers of the README find every message and its sample."""
        assert f"(samples/{wire_type}.json)" in README

    def test_is_named_by_its_type(self, wire_type: str) -> None:
        """The file of a sample has the name of its type."""
        assert parsed(wire_type)[0].type == wire_type


class TestTheSamplesOfServices:
    """What services send has every field, null when empty."""

    def test_cover_every_event_and_notice(self) -> None:
        """The fields of every message that services send are listed here."""
        assert interface.DATA.keys() == MESSAGES.keys() - COMMANDS.keys()

    @pytest.mark.parametrize("wire_type", interface.DATA)
    def test_have_every_field_of_the_interface(self, wire_type: str) -> None:
        """The data has exactly the fields that the public interface names."""
        data = orjson.loads(samples.sample(wire_type))["data"]
        assert sorted(data) == sorted(interface.DATA[wire_type])
