"""Worker processes as operators start them, and what they tell of themselves."""

import http.client
import json
import signal
from dataclasses import dataclass
from datetime import datetime

from infra.local import stack
from infra.local.keeping import Process
from infra.local.ports import free_port
from tests.bench.installation import Installation

DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Worker:
    """One worker process of a service."""

    process: Process
    port: int

    def metric(self, name: str) -> float:
        """A metric, summed over its labels; 0 before it answers."""
        self.check()
        return scrape(self.port).get(name, 0.0)

    def is_ready(self) -> bool:
        """Whether it says that it consumes."""
        self.check()
        return stack.is_ready(self.port)

    def check(self) -> None:
        """Raise when it has ended."""
        if not self.process.alive():
            raise RuntimeError(f"{self.process.name} has ended; its log is {self.process.log}")

    def consuming_since(self) -> float:
        """The moment it began to consume, as its log says it."""
        for line in self.process.log.read_bytes().splitlines():
            if b'"consuming"' in line:
                return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
        raise RuntimeError(f"{self.process.name} consumes nothing; its log is {self.process.log}")

    def stop(self) -> None:
        """Let it drain."""
        self.process.signal(signal.SIGTERM)
        if not self.process.over.wait(DRAIN_SECONDS):
            raise RuntimeError(f"{self.process.name} does not end; its log is {self.process.log}")


def start(one: Installation, service: str, number: int = 1) -> Worker:
    """Start a worker of an installation."""
    port = free_port()
    environment = {**one.environment, "RELAIS_HTTP_PORT": str(port)}
    checkout = one.checkout
    name = f"{service}-{number}{checkout.suffix}"
    command = [*checkout.command, "run", service]
    return Worker(one.here.start(name, command, environment, checkout.folder), port)


def scrape(port: int) -> dict[str, float]:
    """The metrics of a worker, summed over labels; none while it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    found: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            label, _, value = line.rpartition(" ")
            name = label.partition("{")[0]
            found[name] = found.get(name, 0.0) + float(value)
    return found
