"""The commands that run Relais on this machine: servers, and those that come with them."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from infra.local.servers import servers as local_servers

app = typer.Typer()
PROJECT = Path(__file__).parents[2]
LOCAL = PROJECT / ".local"


@app.command(hidden=True)
def servers(
    durable: Annotated[bool, typer.Option(help="Keep the data, and write it to disk.")] = False,
) -> None:
    """Run a broker and a database for development until Ctrl-C."""
    state = LOCAL / "dev"
    with local_servers(state, durable=durable, say=print) as pair:
        urls = {"amqp_url": pair.amqp_url, "postgres_url": pair.postgres_url}
        with published(state / "servers.json", urls):
            print(f"RELAIS_AMQP_URL={pair.amqp_url}\nRELAIS_POSTGRES_URL={pair.postgres_url}")
            print("Ready; Ctrl-C ends both.", flush=True)
            signal.pause()


@contextmanager
def published(path: Path, facts: Mapping[str, object]) -> Iterator[None]:
    """Have a file say `facts` for as long as the block lasts; readers never see half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(facts, indent=2))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
