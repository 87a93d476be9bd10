"""What is put into lanes."""

from contracts import envelope, names
from contracts.envelope import Envelope
from tests.bench import bulk, rush


class TestALoad:
    """Messages for a worker."""

    def test_of_rush_has_an_order_a_message_and_an_entity_an_order(self) -> None:
        """Rules let an entity order a package once."""
        load = rush.load(10, 2)
        elements = [element for m in load.messages for element in envelope.read(m.body)]
        assert len(load.messages) == load.elements == 10
        assert (
            len({e.data["entity_id"] for e in elements if isinstance(e, Envelope) and e.data}) == 10
        )

    def test_of_bulk_has_the_same_orders_a_hundred_to_a_message(self) -> None:
        """A batch is of one package, and its last one may be smaller."""
        load = bulk.load(500, 2)
        batches = [envelope.read(message.body) for message in load.messages]
        assert [len(batch) for batch in batches] == [100, 100, 50, 100, 100, 50]
        assert load.elements == 500
        assert {message.content_type for message in load.messages} == {names.CLOUDEVENTS_BATCH}
