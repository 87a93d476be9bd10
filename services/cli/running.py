"""Run one worker in this process."""

from services.cli.problems import USAGE, Problem
from services.runtime import declared, serving, worker
from services.runtime.service import Service


def run(name: str) -> int:
    """Run a worker of a service until SIGTERM or SIGINT."""
    worker.run(service(name))
    return 0


def serve(name: str) -> int:
    """Serve what a service has for the web until SIGTERM or SIGINT."""
    found = service(name)
    if found.web is None:
        raise Problem(f"{name} has nothing for the web", USAGE)
    serving.run(found)
    return 0


def service(name: str) -> Service:
    """An installed service; raises Problem that names those that are installed."""
    known = declared.names()
    if name not in known:
        raise Problem(f"there is no service {name!r}; there are {', '.join(known)}", USAGE)
    found: Service = declared.load(name)
    return found
