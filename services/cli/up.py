"""Run a stack in the foreground, and stop it from anywhere; its data stays."""

import asyncio
import json
import os
import re
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size

from infra.local import keeper, leftovers
from infra.local import servers as local_servers
from infra.local.errors import Unavailable
from infra.local.servers import Servers, Signalled, unwinding
from infra.local.stack import RELAIS, Stack, remarks, stack

LOCAL = Path(__file__).parents[2] / ".local"
STATE = LOCAL / "state"
OWNER = "up.json"
ENDPOINTS = "endpoints.json"
PATIENCE_SECONDS = 90.0
LetIn = Callable[[Stack], Mapping[str, str]]
LEAST = 12
"""Characters that a second column of text needs."""

NEXT = """\
Relais is up: {workers}.
  ./run send TYPE SUBJECT    send a command and see its outcome
  ./run packages             list packages; also orders, campaigns, entities, notifications
  ./run why ID               say why something is as it is
  ./run watch PACKAGE        follow a cancel through the services
  ./run parked list          list the messages that services could not handle
  ./run down                 stop (or Ctrl-C here); the data stays
HTTP API  {http_url}/api, token in {endpoints}
RabbitMQ  {amqp_url}
Postgres  {postgres_url}
Logs      {logs}"""


def up(
    workers: Mapping[str, int],
    state: Path = STATE,
    *,
    command: Sequence[str] = RELAIS,
    let_in: LetIn | None = None,
) -> int:
    """Run a stack until it is stopped; 0 when it was. let_in makes the tokens of its API."""
    started = time.monotonic()
    try:
        with (
            unwinding(),
            exclusive(state),
            local_servers.servers(state / "servers", report=report) as pair,
            stack(pair, state, workers=workers, web=1, command=command, report=report) as running,
            published(state / ENDPOINTS, endpoints(running, let_in)),
        ):
            report(next_steps(running, pair, state))
            for remark in remarks(running):
                report(remark)
            report(f"Ready after {time.monotonic() - started:.1f} s.")
            running.wait()
    except (KeyboardInterrupt, Signalled):
        report("Stopped; nothing of it runs any more.")
    return 0


def down(state: Path = STATE) -> int:
    """Stop a running stack and wait until it is gone; 0 also when there was none."""
    pid = leftovers.living_owner(state / OWNER)
    if pid is None:
        clear_up(state)
        report("No stack was running.")
        return 0
    report(f"Stopping the stack of process {pid}.")
    started = keeper.started_at(pid)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_SECONDS
    while started and keeper.started_at(pid) == started:
        if time.monotonic() > until:
            raise Unavailable(f"Process {pid} does not end; end it with kill -9 {pid}, then again.")
        time.sleep(0.05)
    clear_up(state)
    report("Stopped.")
    return 0


def clear_up(state: Path) -> None:
    """End and remove what a killed stack has left behind."""
    for name in ("workers", "servers"):
        leftovers.clear(state / name, report)
    for name in (ENDPOINTS, OWNER):
        (state / name).unlink(missing_ok=True)


def servers(*, durable: bool) -> int:
    """Run a broker and a database alone, for tests started by hand."""
    state = LOCAL / "dev"
    try:
        with unwinding(), local_servers.servers(state, durable=durable, report=report) as pair:
            urls = {"amqp_url": pair.amqp_url, "postgres_url": pair.postgres_url}
            state.mkdir(parents=True, exist_ok=True)
            with published(state / "servers.json", urls):
                report(f"RELAIS_AMQP_URL={pair.amqp_url}\nRELAIS_POSTGRES_URL={pair.postgres_url}")
                report("Ready; Ctrl-C ends both.")
                signal.pause()
    except (KeyboardInterrupt, Signalled):
        report("Ended.")
    return 0


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Refuse to run beside another `up` of this folder."""
    owner = state / OWNER
    if pid := leftovers.living_owner(owner):
        raise Unavailable(f"Relais is up already (process {pid}); `./run down` stops it.")
    state.mkdir(parents=True, exist_ok=True)
    with leftovers.lock(state, owner):
        me = {"pid": os.getpid(), "started": keeper.started_at(os.getpid())}
        with published(owner, {"owner": me}):
            yield


TOKENS = {"api_token": "central", "operations_token": "operations"}
"""Under which name the token of which role is written; what is parked is for operations alone."""


def endpoints(running: Stack, let_in: LetIn | None = None) -> dict[str, object]:
    """Return where a stack answers, and what its API lets people in by."""
    return {
        "amqp_url": running.amqp_url,
        "http_url": running.http_url,
        **(let_in or new_tokens)(running),
        "postgres": running.postgres,
    }


def new_tokens(running: Stack) -> dict[str, str]:
    """Make a token for each role in tracking's database; those before them end.

    It is done here: two processes of `relais token add` would take seconds.
    """
    from services.cli import accounts
    from services.tracking.web import tokens

    async def made() -> dict[str, str]:
        found = {}
        async with accounts.connected(running.postgres["tracking"]) as conn, conn.transaction():
            for key, role in TOKENS.items():
                name = "operator" if role == "central" else f"operator.{role}"
                who = accounts.caller(name, role, None)
                found[key] = (await tokens.add(conn, who, replaces=True)).secret
        return found

    return asyncio.run(made())


@contextmanager
def published(path: Path, facts: Mapping[str, object]) -> Iterator[None]:
    """Write `facts` to a file that exists while the block lasts; readers never see half of it."""
    draft = path.with_suffix(".new")
    draft.touch(0o600)
    draft.write_text(json.dumps(facts, indent=2) + "\n")
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def next_steps(running: Stack, pair: Servers, state: Path) -> str:
    """Return what can be done now."""
    counts = {service: len(pids) for service, pids in running.pids().items()}
    return NEXT.format(
        workers=", ".join(f"{service} {count}" for service, count in counts.items()),
        http_url=running.http_url,
        endpoints=state / ENDPOINTS,
        amqp_url=pair.amqp_url,
        postgres_url=pair.postgres_url,
        logs=state / "logs",
    )


def report(sentence: str) -> None:
    """Print at once, also through a pipe; a terminal gets lines that fit, so it breaks no word."""
    if sys.stdout.isatty():
        width = get_terminal_size().columns
        sentence = "\n".join(fitted(line, width) for line in sentence.splitlines())
    print(sentence, flush=True)


def fitted(line: str, width: int) -> str:
    """Break a line at blanks; what has two columns goes on in the second."""
    columns = re.match(r"\s*(?:\S+ )*\S+  +", line)
    indent = columns.end() if columns and columns.end() <= width - LEAST else 2
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
