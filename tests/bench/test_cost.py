"""What a cancel costs is read from what Postgres logs and from what workers send."""

from collections import Counter

from tests.bench import cost
from tests.bench.cost import Publishes

LOG = """\
bench|bench_1_orders|relais orders|LOG:  statement: BEGIN;
bench|bench_1_orders|relais orders|LOG:  execute __asyncpg_stmt_1__:
\tSELECT order_id
\tFROM orders
bench|bench_1_orders|relais orders|ERROR:  canceling statement due to user request
bench|bench_1_orders|relais demo|LOG:  execute __asyncpg_stmt_2__: SELECT 1
bench|bench_2_orders|relais orders|LOG:  statement: BEGIN;
bench|bench_1_orders|relais orders|LOG:  execute <unnamed>: SELECT order_id FROM orders
"""


class TestTheLogOfPostgres:
    """One line a statement, and more where the statement has more."""

    def test_has_the_statements_of_the_workers_of_one_installation(self) -> None:
        """Not those of the harness, nor of other databases; white space does not matter."""
        found = cost.statements(LOG, "bench_1_")
        assert found == {"BEGIN;": 1, "SELECT order_id FROM orders": 2}

    def test_is_freed_of_what_would_have_been_there_anyhow(self) -> None:
        """Never below nothing."""
        found = cost.without(Counter({"a": 10, "b": 1}), Counter({"a": 4, "b": 4}), 0.5)
        assert found == {"a": 8, "b": 0}


def frame(kind: int, payload: bytes) -> bytes:
    """One AMQP frame."""
    return bytes([kind, 0, 1]) + len(payload).to_bytes(4) + payload + b"\xce"


PUBLISH = frame(1, cost.BASIC_PUBLISH + b"\0\0\0\0\0") + frame(2, b"header") + frame(3, b"body")
ACK = frame(1, b"\x00\x3c\x00\x50" + b"\0" * 9)


class TestWhatAWorkerSends:
    """Frames, in pieces as they were written."""

    def test_is_a_publish_for_each_piece_with_messages(self) -> None:
        """Two messages in one write are one publish; acknowledgements are none."""
        published = Publishes()
        connection = published.connection()
        for piece in (b"AMQP\0\0\x09\x01", PUBLISH + PUBLISH, ACK, PUBLISH):
            connection(piece)
        assert (published.writes, published.messages) == (2, 3)

    def test_may_be_cut_anywhere(self) -> None:
        """A message counts once it is whole."""
        published = Publishes()
        connection = published.connection()
        for at in range(len(PUBLISH)):
            connection(PUBLISH[at : at + 1])
        assert published.messages == 1
