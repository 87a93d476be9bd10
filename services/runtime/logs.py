"""JSON log lines on standard output; identity is bound once."""

import logging
import os
import socket
import sys
from typing import Any

import orjson
import structlog


def configure(service: str, level: str) -> None:
    """Log constant snake_case events with fields; third-party warnings come out the same way."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(
        service=service, instance=f"{socket.gethostname()}-{os.getpid()}"
    )
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)


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


def _json(value: Any, **_: Any) -> bytes:
    return orjson.dumps(value, default=repr)
