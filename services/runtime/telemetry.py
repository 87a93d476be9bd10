"""What a worker shows of itself: metrics at /metrics, JSON log lines, and hooks for spans.

A batch of messages, a piece of table work and a publish are each observed by one function here,
after they have been committed or confirmed.
"""

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

import orjson
import structlog
from prometheus_client import Counter, Gauge, Histogram

from contracts.sentences import visible

CONSUMED = Counter("relais_messages_consumed", "Messages handled.", ["service", "type", "outcome"])
BATCH_SIZE = Histogram(
    "relais_batch_size", "Messages in a batch.", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500)
)
BATCH_SECONDS = Histogram("relais_batch_seconds", "Time from a batch to its acknowledgement.")
MESSAGE_AGE = Histogram(
    "relais_message_age_seconds",
    "Time from the sender's stamp to the decision.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
)
SWEEP_SECONDS = Histogram("relais_sweep_seconds", "Time of one piece of table work.", ["sweep"])
PUBLISH_SECONDS = Histogram("relais_publish_seconds", "Time from a publish to its last confirm.")
PUBLISHED = Counter("relais_messages_published", "AMQP messages that the broker has confirmed.")
TRANSIENT_FAULTS = Counter("relais_transient_faults", "Faults that were tried again.", ["what"])
OUTBOX_PENDING = Gauge("relais_outbox_pending", "Messages committed but not yet confirmed.")
OUTBOX_OLDEST = Gauge("relais_outbox_oldest_seconds", "Age of the oldest of them.")
EVENTS_UNHEARD = Counter("relais_events_unheard", "Events that no service reads.")
PARKED = Gauge("relais_parked_messages", "Messages kept for somebody to look at.")
WAITING = Gauge("relais_waiting_commands", "Commands that name something unknown so far.")
LANES_HELD = Gauge("relais_lane_consumers", "Lanes this worker consumes.")
SLOT = Gauge("relais_lane_slot", "The slot of this worker, which decides its lanes.")
READY = Gauge("relais_ready", "1 while the worker is ready.")

log = structlog.get_logger()

SpanHook = Callable[[str, float, Mapping[str, Any]], None]
"""Called with the name of what ended (batch, piece, publish), its seconds and its fields."""

span_hooks: list[SpanHook] = []


def value(gauge: Gauge) -> int:
    """What a gauge without labels was set to last; 0 before it is."""
    [metric] = gauge.collect()
    return int(metric.samples[0].value)


def instance() -> str:
    """The name of this process, as nobody else has it at the time."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _ended(name: str, timed: Histogram, seconds: float, fields: Mapping[str, Any]) -> None:
    timed.observe(seconds)
    for hook in span_hooks:
        hook(name, seconds, fields)


def batch(size: int, seconds: float, age: float | None, fields: Mapping[str, Any]) -> None:
    """A batch has been acknowledged; fields say what a lone message was, see consumer."""
    BATCH_SIZE.observe(size)
    if age is not None:
        MESSAGE_AGE.observe(age)
    log.info("batch_done", messages=size, duration_ms=round(seconds * 1000, 1), **fields)
    _ended("batch", BATCH_SECONDS, seconds, {"messages": size, **fields})


@contextmanager
def piece(sweep: str) -> Iterator[None]:
    """A piece of table work; only one that did not fail is observed."""
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    _ended("piece", SWEEP_SECONDS.labels(sweep), seconds, {"sweep": sweep})


@contextmanager
def publish(count: int) -> Iterator[None]:
    """A publish of so many AMQP messages; only one that was confirmed is observed."""
    began = time.perf_counter()
    with Wait("RabbitMQ", "publish", began=True):
        yield
    PUBLISHED.inc(count)
    _ended("publish", PUBLISH_SECONDS, time.perf_counter() - began, {"messages": count})


def consumed(service: str, counts: Mapping[tuple[str, str], int]) -> None:
    """Messages whose outcome has been committed: how many by type and outcome."""
    for (type_, outcome), count in counts.items():
        CONSUMED.labels(service, type_, outcome).inc(count)


def fault(what: str, attempt: int, error: BaseException) -> None:
    """A fault of the other side or of the moment; what failed is tried again."""
    Wait.last = time.monotonic()
    TRANSIENT_FAULTS.labels(what).inc()
    log.warning("transient_fault", what=what, attempt=attempt, error=repr(error))


REPORTED_AFTER = {"publish": 10.0}
"""Seconds that it may take until somebody is told; what has failed is reported sooner."""


class Wait:
    """Work that a server keeps waiting, from its first fault until it is done or given up.

    A worker that waits for a server is not stuck, and not ready; both are seen here.
    """

    _all: ClassVar[set["Wait"]] = set()
    last: ClassVar[float] = 0.0
    """When any work last failed because of a server, by the monotonic clock."""

    def __init__(self, server: str, what: str, *, began: bool = False) -> None:
        """It waits from now on where it has begun, else once it has failed."""
        self.server, self.what, self.tries, self.error = server, what, 0, ""
        self._since = time.monotonic()
        if began:
            self._all.add(self)

    def failed(self, error: BaseException, server: str | None = None) -> int:
        """It has failed and will be tried again; returns how often it has."""
        self.tries += 1
        self.server = server or self.server
        self.error = f": {type(error).__name__} {error}".rstrip()
        fault(self.what, self.tries, error)
        if self not in self._all:
            self._since = time.monotonic()
            self._all.add(self)
        return self.tries

    def over(self) -> None:
        """It waits no longer."""
        self.tries, self.error = 0, ""
        self._all.discard(self)

    def __enter__(self) -> Self:
        """It is over when the block ends, however it does."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See __enter__."""
        self.over()

    @classmethod
    def reasons(cls) -> list[str]:
        """For each server that keeps work waiting, one sentence about what waits longest."""
        now, told = time.monotonic(), dict[str, str]()
        for wait in sorted(cls._all, key=lambda wait: wait._since):
            seconds = now - wait._since
            if seconds > REPORTED_AFTER.get(wait.what, 2.0):
                text = f"it has waited {seconds:.0f} s for {wait.server} ({wait.what}){wait.error}"
                told.setdefault(wait.server, text)
        return list(told.values())


def configure(service: str, level: str) -> None:
    """Log constant snake_case events with fields to standard output; identity is bound once."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=instance())
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)


def _line(fields: Any, **_: Any) -> bytes:
    """A line of JSON, whatever the fields hold; a terminal shows it and does not obey it."""
    try:
        line = orjson.dumps(fields, default=repr)
    except TypeError:  # halves of characters, or a number beyond 64 bits
        line = json.dumps(fields, default=repr).encode()
    return line if line.isascii() and b"\x7f" not in line else visible(line.decode()).encode()


class _Bridge(logging.Handler):
    """Brings what libraries log into the same stream."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library_log",
            logger=record.name,
            text=record.getMessage(),
            exc_info=record.exc_info,
        )
