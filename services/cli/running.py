"""Run one worker in this process."""

from services.cli.problems import USAGE, Problem
from services.runtime import declared, worker
from services.runtime.service import Service


def run(name: str) -> int:
    """Run a worker of a service until SIGTERM or SIGINT."""
    worker.run(service(name))
    return 0


def service(name: str) -> Service:
    """An installed service; raises Problem that names those that are installed."""
    known = declared.names()
    if name not in known:
        raise Problem(f"there is no service {name!r}; there are {', '.join(known)}", USAGE)
    found: Service = declared.load(name)
    return found
