"""The processor time that worker, Postgres and broker take, and the rate that it would allow."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench import machine
from tests.bench.place import Place

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Time:
    """Processor seconds, summed over all processes of each; None where it runs elsewhere."""

    worker: float
    postgres: float | None
    broker: float | None

    def since(self, before: "Time", elements: int) -> "Time":
        """The seconds an element of so many that were handled since then."""
        return Time(
            (self.worker - before.worker) / elements,
            _each(self.postgres, before.postgres, elements),
            _each(self.broker, before.broker, elements),
        )

    def limit(self, workers: int = 1) -> float | None:
        """The elements a second that all processors would allow, were none of them ever idle.

        This is of seconds an element.  A worker is one process, so it has one processor at most.
        """
        if self.postgres is None or self.broker is None:
            return None
        together = machine.cores() / (self.worker + self.postgres + self.broker)
        return min(together, workers / self.worker)


class Meter:
    """Reads the processor time of workers, and of the servers of a bench."""

    def __init__(self, here: Place) -> None:
        """Find the processes of the servers."""
        self._postgres = _server(here.servers.postgres_url, 5432, "postgres")
        self._broker = _server(here.amqp_url, 5672, "beam.smp")

    def read(self, *workers: int) -> Time:
        """Their processor time so far."""
        return Time(
            sum(machine.tree_cpu_seconds(pid) for pid in workers),
            _tree(self._postgres),
            _tree(self._broker),
        )


def _server(url: str, port: int, program: str) -> int | None:
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:
        return None
    return machine.listener(parts.port or port, program)


def _tree(pid: int | None) -> float | None:
    return None if pid is None else machine.tree_cpu_seconds(pid)


def _each(now: float | None, before: float | None, elements: int) -> float | None:
    return None if now is None or before is None else (now - before) / elements
