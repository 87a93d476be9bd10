"""What this machine has, what is missing, and how to get it."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from infra.local import caches, debian, docker, ports, postgres, rabbitmq, servers
from infra.local.errors import Misconfigured, Unavailable
from services.cli.console import console
from services.cli.problems import UNAVAILABLE
from services.runtime import declared

LEAST_DISK_BYTES = 1 << 30
PROJECT = Path(__file__).parents[2]
MARKS = {True: Text("ok", "green"), False: Text("missing", "red"), None: Text("-", "yellow")}


@dataclass(frozen=True)
class Finding:
    """Something that Relais needs: whether it is there (None: not needed), and how to get it."""

    name: str
    there: bool | None
    what: str
    how: str = ""


def doctor() -> int:
    """Print the findings; 69 when something needed is missing."""
    engine = docker_engine()
    findings = [
        python(),
        uv(),
        broker(can_use_docker=bool(engine.there)),
        database(can_use_docker=bool(engine.there)),
        engine,
        cache(),
        free_ports(),
        disk(),
        network(),
        services(),
    ]
    show(findings)
    if any(finding.there is False for finding in findings):
        return UNAVAILABLE
    print("`./run demo` can run here.")
    return 0


def show(findings: list[Finding]) -> None:
    """Print the findings as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "how to get it"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(MARKS[finding.there], finding.name, finding.what, finding.how)
    console().print(table)


def python() -> Finding:
    """The interpreter that runs this."""
    return Finding("Python", True, f"{platform.python_version()} ({sys.executable})")


def uv() -> Finding:
    """The tool that installs the environment as locked."""
    place = os.environ.get("RELAIS_UV") or str(PROJECT / ".local/boot/bin/uv")
    found = Path(place).is_file()
    return Finding("uv", found, place if found else "not fetched", "" if found else "./run gets it")


def broker(*, can_use_docker: bool) -> Finding:
    """Where RabbitMQ would come from."""
    if url := os.environ.get("RELAIS_AMQP_URL"):
        return named("RabbitMQ", "RELAIS_AMQP_URL", url, 5672)
    if files := rabbitmq.installed():
        return Finding("RabbitMQ", True, files.source)
    if root := debian.cached():
        return Finding("RabbitMQ", True, f"fetched before ({root})")
    if not (lacking := debian.missing_tools()):
        return Finding("RabbitMQ", True, "will be fetched with apt-get (33 MB, once)")
    if can_use_docker:
        return Finding("RabbitMQ", True, "will run in a container")
    how = "install rabbitmq-server, or Docker, or set RELAIS_AMQP_URL"
    return Finding("RabbitMQ", False, f"no {', '.join(lacking)} to fetch it with", how)


def database(*, can_use_docker: bool) -> Finding:
    """Where Postgres would come from."""
    if url := os.environ.get("RELAIS_POSTGRES_URL"):
        return named("Postgres", "RELAIS_POSTGRES_URL", url, 5432)
    if binaries := postgres.find_binaries():
        return Finding("Postgres", True, f"version {binaries.major}, {binaries.source}")
    if can_use_docker:
        return Finding("Postgres", True, "will run in a container")
    how = "apt-get install postgresql, or set RELAIS_POSTGRES_URL"
    return Finding("Postgres", False, f"none of version {postgres.OLDEST} or later", how)


def named(name: str, variable: str, url: str, port: int) -> Finding:
    """Whether something answers at a server that the environment names."""
    try:
        servers.external(name, url, port, f"{variable} names it")
    except (Unavailable, Misconfigured) as error:
        return Finding(name, False, str(error), f"start it, or correct {variable}")
    return Finding(name, True, f"{variable} names it ({without_password(url)}), and it answers")


def docker_engine() -> Finding:
    """Docker, which is needed only where the servers cannot run by themselves."""
    trouble = docker.unavailable()
    return Finding("Docker", None if trouble else True, trouble or "answers", "not needed")


def cache() -> Finding:
    """The folder of downloads."""
    if place := caches.folder():
        return Finding("cache", True, str(place))
    return Finding("cache", False, "no place", "make ~/.cache or this folder writable")


def free_ports() -> Finding:
    """Ports for the servers."""
    try:
        ports.free_port(offsets=rabbitmq.OFFSETS)
    except OSError as error:
        return Finding("ports", False, str(error), "end what listens there")
    return Finding("ports", True, f"free on 127.0.0.1 within {ports.CHOICE[0]}-{ports.CHOICE[-1]}")


def disk() -> Finding:
    """Room for data and environment."""
    free = shutil.disk_usage(PROJECT).free
    enough = free >= LEAST_DISK_BYTES
    how = "" if enough else f"free {LEAST_DISK_BYTES >> 30} GiB"
    return Finding("disk", enough, f"{free / (1 << 30):.0f} GiB free", how)


def network() -> Finding:
    """The network, which only the first run uses."""
    fetched = bool(os.environ.get("RELAIS_AMQP_URL") or rabbitmq.installed() or debian.cached())
    return Finding("network", None, "not needed" if fetched else "needed once, for RabbitMQ")


def services() -> Finding:
    """The installed services, each imported as a worker would."""
    found = []
    for name in declared.names():
        try:
            declared.load(name)
        except Exception as error:
            reason = f"{name} cannot be imported: {type(error).__name__}: {error}"
            return Finding("services", False, reason, "correct it, or remove its package")
        found.append(name)
    how = "" if found else "install the project again: remove .venv, then ./run"
    return Finding("services", bool(found), ", ".join(found) or "none is installed", how)


def without_password(url: str) -> str:
    """Return the part of a URL that may be shown."""
    return url.rpartition("@")[2]
