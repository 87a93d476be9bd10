"""Worker processes as operators start them, and what they tell of themselves."""

import http.client
import json
import os
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.local import stack
from infra.local.keeping import Process
from infra.local.ports import free_port
from tests.bench.place import Place

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


def start(here: Place, service: str, database_url: str) -> Worker:
    """Start a worker."""
    port = free_port()
    environment = {
        "RELAIS_AMQP_URL": here.amqp_url,
        f"RELAIS_{service.upper()}_POSTGRES_URL": database_url,
        "RELAIS_HTTP_PORT": str(port),
    }
    return Worker(here.start(service, [*stack.RELAIS, "run", service], environment), port)


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


def peak_mb(pid: int) -> float:
    """The most memory that a process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def forget_peak(pid: int) -> None:
    """Let the most memory be counted from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
