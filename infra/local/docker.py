"""The same two servers as containers, for machines where they cannot run by themselves."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.local import plain, rabbitmq
from infra.local.keeping import Kept, Process
from infra.local.ports import answers, free_port

# The versions of docker-compose.yml.
BROKER = "rabbitmq:4.3-management"
DATABASE = "postgres:18"
# What a Postgres answers to a request for TLS: a container's port proxy alone answers nothing.
TLS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
# An image may have to be fetched first.
START_SECONDS = 1_800.0


def unavailable() -> str | None:
    """Return why Docker cannot be used here, None when it can."""
    if not shutil.which("docker"):
        return "there is no docker command"
    try:
        answer = subprocess.run(
            ["docker", "info", "--format", "{{json .ServerVersion}}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"docker info fails: {error}"
    answered = answer.returncode == 0 and answer.stdout.strip() not in ("", '""')
    return None if answered else "no Docker engine answers"


def start_broker(kept: Kept, folder: Path) -> str:
    """Start RabbitMQ in a container that is removed at the end; return its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), rabbitmq.password_of(folder)
    files = {
        "definitions.json": json.dumps(rabbitmq.definitions(password)),
        "enabled_plugins": f"[{','.join(rabbitmq.PLUGINS)}].\n",
        "20-relais.conf": "load_definitions = /etc/rabbitmq/definitions.json\n",
    }
    mounts: dict[Path, str] = {}
    here = plain.path_to(kept, folder)
    for name, text in files.items():
        (folder / name).write_text(text)
        place = "conf.d/" if name.endswith(".conf") else ""
        mounts[here / name] = f"/etc/rabbitmq/{place}{name}"
    server = run(kept, "rabbitmq", BROKER, f"{port}:5672", mounts, {})
    wait_until_answering(server, port, rabbitmq.PROTOCOL_HEADER)
    return f"amqp://relais:{password}@127.0.0.1:{port}/"


def start_database(kept: Kept) -> str:
    """Start Postgres in a container that is removed at the end; return its admin URL."""
    port, password = free_port(), secrets.token_urlsafe(24)
    environment = {"POSTGRES_PASSWORD": password}
    server = run(kept, "postgres", DATABASE, f"{port}:5432", {}, environment)
    wait_until_answering(server, port, TLS_REQUEST)
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"


def run(
    kept: Kept,
    name: str,
    image: str,
    publish: str,
    mounts: Mapping[Path, str],
    environment: Mapping[str, str],
) -> Process:
    """Run a container in the foreground: ending the docker command ends the container."""
    container = f"relais-{name}-{secrets.token_hex(4)}"
    # Should the docker command be killed, its container is not.
    kept.run_at_end(["docker", "rm", "--force", "--volumes", container])
    options = ["--rm", "--name", container, "--hostname", name, "--publish", f"127.0.0.1:{publish}"]
    for source, target in mounts.items():
        options += ["--volume", f"{source}:{target}:ro"]
    for key, value in environment.items():
        options += ["--env", f"{key}={value}"]
    return kept.start(name, ["docker", "run", *options, image], grace=30.0)


def wait_until_answering(server: Process, port: int, greeting: bytes) -> None:
    """Wait until the server in the container answers in its own protocol."""
    server.wait_until(lambda: answers("127.0.0.1", port, greeting=greeting), START_SECONDS)
