"""Stands for `relais` where only starting, stopping and starting again is of interest.

`setup` checks that it was given every URL; `run SERVICE` and `serve` say ready, and end in order
on SIGTERM.
RELAIS_STAND_IN=broken makes workers end at once.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

SERVICES = ("packages", "orders", "directory")
"""What the tests' stacks run; local servers know no service, so any names do."""


class Ready(BaseHTTPRequestHandler):
    """Always ready."""

    def do_GET(self) -> None:
        """Answer 200."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def setup() -> None:
    """Fail unless every URL is there."""
    names = ["RELAIS_AMQP_URL", *(f"RELAIS_{s.upper()}_POSTGRES_URL" for s in SERVICES)]
    sys.exit(" ".join(name for name in names if name not in os.environ) or 0)


def run(service: str) -> None:
    """Be a worker."""
    if os.environ.get("RELAIS_STAND_IN") == "broken":
        sys.exit("broken on purpose")
    signal.signal(signal.SIGTERM, lambda number, frame: drain(service))
    address = (os.environ["RELAIS_HTTP_HOST"], int(os.environ["RELAIS_HTTP_PORT"]))
    HTTPServer(address, Ready).serve_forever()


def drain(service: str) -> None:
    """End in order."""
    sys.stdout.write(f"{service} drained\n")
    sys.exit(0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["setup"]:
            setup()
        case ["run", service]:
            run(service)
        case ["serve"]:
            run("web")
