"""A private RabbitMQ node: our own files, ports, user and epmd, nothing outside of them."""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from signal import SIGKILL, SIGTERM

from infra.local import plain
from infra.local.keeping import Kept
from infra.local.ports import answers, free_port

PLUGINS = ("rabbitmq_consistent_hash_exchange",)
FOR_TESTS = ("gw0", "gw1")
"""Virtual hosts for tests that run beside each other: one for each process of pytest."""
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
# The node's name is part of its data, so it does not depend on the port; its epmd is private too.
NODE = "relais@localhost"
EPMD, DISTRIBUTION, TOOLS = 1, 2, 3
OFFSETS = range(TOOLS + 10)
CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
load_definitions = {definitions}
disk_free_limit.absolute = 64MB
"""
# What a node of the Compose file gets too.
ADVANCED = Path(__file__).parents[1] / "rabbitmq/advanced.config"
# Idle schedulers must not spin: services, database and tests share the processors.
NO_SPINNING = "+sbwt none +sbwtdcpu none +sbwtdio none"
ERLANG = f"-start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}} {NO_SPINNING}"


@dataclass(frozen=True)
class Files:
    """An unpacked or installed RabbitMQ: `root` is / or the folder it was unpacked to."""

    root: Path
    source: str

    @property
    def server(self) -> Path:
        """The program that starts a node."""
        found = self.root / "usr/lib/rabbitmq/bin/rabbitmq-server"
        # A script that finds itself to be a link would resolve all of its path, `root` as well.
        return Path(normpath(found.parent / found.readlink())) if found.is_symlink() else found

    @property
    def erlang(self) -> Path:
        """The folder of Erlang's programs."""
        return self.root / "usr/lib/erlang/bin"

    @property
    def plugins(self) -> Path:
        """The folder of the broker's own parts and its plugins."""
        return self.server.parents[1] / "plugins"

    def environment(self) -> dict[str, str]:
        """Return what the programs need to find each other."""
        environment = {
            "PATH": f"{self.erlang}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "LANG": "C.UTF-8",
        }
        if self.root != Path("/"):
            libraries = (self.root / "usr/lib").glob("*-linux-gnu*")
            environment["LD_LIBRARY_PATH"] = ":".join(str(folder) for folder in libraries)
        return environment


def installed() -> Files | None:
    """Return the RabbitMQ that is installed on this machine, if its Erlang runs."""
    files = Files(Path("/"), "installed in /usr/lib/rabbitmq")
    if not files.server.exists():
        return None
    try:
        subprocess.run([files.erlang / "erl", "+V"], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return files


@dataclass(frozen=True)
class Node:
    """Where one node keeps its things and listens."""

    folder: Path
    files: Files
    port: int
    password: str
    vhosts: Sequence[str] = ("/",)

    @property
    def url(self) -> str:
        """Its address, with a user that may configure everything."""
        return f"amqp://relais:{self.password}@127.0.0.1:{self.port}/"

    def environment(self) -> dict[str, str]:
        """Return the settings that keep every file and port of the node our own."""
        port, here = self.port, self.folder
        return self.files.environment() | {
            "HOME": str(here / "home"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(port + DISTRIBUTION),
            "RABBITMQ_CTL_DIST_PORT_MIN": str(port + TOOLS),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(port + TOOLS + 9),
            "RABBITMQ_MNESIA_BASE": str(here / "data"),
            "RABBITMQ_LOG_BASE": str(here / "log"),
            "RABBITMQ_LOGS": "-",
            "ERL_CRASH_DUMP": str(here / "log/erl_crash.dump"),
            "RABBITMQ_PID_FILE": str(here / "pid"),
            "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
            "RABBITMQ_PLUGINS_DIR": str(here / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            "ERL_EPMD_PORT": str(port + EPMD),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Makes the start script become the node instead of waiting for it: one process to hold.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def start(
    kept: Kept,
    folder: Path,
    files: Files,
    *,
    durable: bool,
    port: int | None = None,
    vhosts: Sequence[str] = (),
) -> str:
    """Start a node on the data in `folder`, made when there is none; return its URL.

    vhosts are virtual hosts beside the usual one.
    """
    node = node_in(kept, folder, files, ("/", *vhosts), port)
    write_files(node)
    start_epmd(kept, node)
    server = kept.start(
        "rabbitmq",
        [node.files.server],
        env=node.environment(),
        stop=SIGTERM if durable else SIGKILL,
        grace=20.0,
    )
    server.wait_until(lambda: answers("127.0.0.1", node.port, greeting=PROTOCOL_HEADER))
    return node.url


def node_in(
    kept: Kept, folder: Path, files: Files, vhosts: Sequence[str] = ("/",), port: int | None = None
) -> Node:
    """Return a node that has its things in `folder`, by paths that its scripts can read."""
    password, free = password_of(folder), free_port(preferred=port, offsets=OFFSETS)
    here, root = plain.path_to(kept, folder), plain.path_to(kept, files.root)
    return Node(here, Files(root, files.source), free, password, vhosts)


def password_of(folder: Path) -> str:
    """Return the broker user's password, made when there is none."""
    path = folder / "password"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def write_files(node: Node) -> None:
    """Write the node's configuration; its user comes from definitions, there is no guest."""
    here = node.folder
    for folder in ("home", "data", "log"):
        (here / folder).mkdir(exist_ok=True)
    configuration = CONFIGURATION.format(port=node.port, definitions=here / "definitions.json")
    (here / "rabbitmq.conf").write_text(configuration)
    shutil.copyfile(ADVANCED, here / "advanced.config")
    (here / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    (here / "definitions.json").write_text(json.dumps(definitions(node.password, node.vhosts)))
    write_cookie(here / "home/.erlang.cookie")
    link_plugins(node.files.plugins, here / "plugins")


def definitions(password: str, vhosts: Sequence[str] = ("/",)) -> dict[str, object]:
    """Return the user, its rights and the virtual hosts that a node starts with."""
    user = {
        "name": "relais",
        "password_hash": password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
    }
    rights = {"user": "relais", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [user],
        "vhosts": [{"name": name} for name in vhosts],
        "permissions": [rights | {"vhost": name} for name in vhosts],
    }


def password_hash(password: str) -> str:
    """Return RabbitMQ's salted hash of a password."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return base64.b64encode(salt + digest).decode()


def write_cookie(path: Path) -> None:
    """Write the secret that lets tools talk to the node, readable by us alone as Erlang demands."""
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_hex(20))
        path.chmod(0o400)


def link_plugins(source: Path, target: Path) -> None:
    """Show the node only those parts that it needs: looking at all of them takes it 4 seconds."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    parts = {path.name.partition("-")[0]: path for path in source.iterdir()}
    for part in closure(parts, ("rabbit", "rabbitmq_prelaunch", *PLUGINS)):
        (target / part.name).symlink_to(part)


def closure(parts: Mapping[str, Path], wanted: Iterable[str]) -> set[Path]:
    """Return the parts with everything they depend on; Erlang's own libraries are elsewhere."""
    found: set[Path] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if (part := parts.get(name)) and part not in found:
            found.add(part)
            waiting += dependencies(part / "ebin" / f"{name}.app")
    return found


def dependencies(specification: Path) -> list[str]:
    """Return the applications that an Erlang .app file names as needed."""
    listed = re.search(r"\{\s*applications\s*,\s*\[(.*?)\]", specification.read_text(), re.DOTALL)
    return re.findall(r"\w+", listed[1]) if listed else []


def start_epmd(kept: Kept, node: Node) -> None:
    """Start the node's name server ourselves: started by Erlang it would be a daemon of its own."""
    port = str(node.port + EPMD)
    epmd = kept.start(
        "epmd",
        [node.files.erlang / "epmd", "-port", port, "-address", "127.0.0.1"],
        env=node.files.environment(),
        stop=SIGKILL,
    )
    epmd.wait_until(lambda: answers("127.0.0.1", int(port)))
