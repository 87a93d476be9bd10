"""RabbitMQ and Erlang out of Debian's packages, fetched and unpacked but never installed.

apt reads the machine's sources, proxies and keys; everything it writes goes into our own folder,
so that no root is needed and nothing on the machine changes.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import caches, plain
from infra.local.errors import Unavailable
from infra.local.keeping import Kept
from infra.local.leftovers import try_lock

TOOLS = ("apt-get", "apt-cache", "dpkg-deb")
# Raised when what is unpacked has to look different: older caches are then left alone.
RECIPE = 1
FETCH_SECONDS = 1_800.0
APT_CONFIG = """\
Dir::State "{here}/apt";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{here}/apt/cache";
Debug::NoLocking "1";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "2";
# Hooks of the machine's own apt would change the machine.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
NEEDED_ONLY = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
DEPENDS = ("depends", "--recurse", *(f"--no-{kind}" for kind in NEEDED_ONLY), "rabbitmq-server")
WANTED = re.compile(r"^(erlang-[a-z0-9-]+|libsctp1|libtinfo6|rabbitmq-server)$", re.MULTILINE)
UNWANTED = re.compile(r"^erlang-(base-hipe|nox|x11|dev|doc)")


def missing_tools() -> list[str]:
    """Return which of the programs this needs are not on the machine."""
    return [tool for tool in TOOLS if not shutil.which(tool)]


def cached() -> Path | None:
    """Return the root folder of an unpacked RabbitMQ, the newest of this machine's kind."""
    place = caches.folder()
    found = place.glob(f"{kind()}-*") if place else []
    return max(found, key=lambda root: root.stat().st_mtime, default=None)


def fetch(kept: Kept, report: Callable[[str], None]) -> Path:
    """Return the root folder of an unpacked RabbitMQ, fetched (33 MB) when it is not cached."""
    if root := cached():
        return root
    place = caches.folder()
    if place is None:
        raise Unavailable(f"No folder to store RabbitMQ in: make {caches.OWN} writable.")
    with locked(place, kept):
        if root := cached():
            return root
        report(f"Fetching RabbitMQ's Debian packages (33 MB, once) into {place}.")
        return build(kept, place)


@contextmanager
def locked(place: Path, kept: Kept) -> Iterator[None]:
    """Let one process at a time fetch into a cache."""
    held = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not try_lock(held):
            kept.pause(0.1)
        yield
    finally:
        os.close(held)


def build(kept: Kept, place: Path) -> Path:
    """Fetch and unpack in a draft folder; the result appears under its name when it is whole."""
    for stale in place.glob("draft-*"):
        shutil.rmtree(stale, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=place))
    try:
        packages = download(kept, draft)
        final = place / name_of(packages)
        for package in packages:
            kept.run("dpkg-deb", ["dpkg-deb", "-x", package, draft / "root"])
        settle(draft / "root", final)
        return final
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def download(kept: Kept, draft: Path) -> list[Path]:
    """Return the packages of RabbitMQ and of the Erlang it needs, as files."""
    for folder in ("apt/lists/partial", "apt/cache/archives/partial", "debs", "root"):
        (draft / folder).mkdir(parents=True)
    config = draft / "apt.conf"
    config.write_text(APT_CONFIG.format(here=plain.path_to(kept, draft)))
    apt = ("-qq", "-c", str(config))
    try:
        kept.run("apt-get", ["apt-get", *apt, "update"], seconds=FETCH_SECONDS)
        depends = kept.run("apt-cache", ["apt-cache", *apt, *DEPENDS])
        names = sorted({name for name in WANTED.findall(depends) if not UNWANTED.match(name)})
        fetch = ["apt-get", *apt, "download", *names]
        kept.run("apt-get", fetch, cwd=draft / "debs", seconds=FETCH_SECONDS)
    except Unavailable as error:
        raise Unavailable(
            f"RabbitMQ cannot be fetched: {error}\n"
            "Look at the network and at apt's sources, install rabbitmq-server,"
            " or name a running broker in RELAIS_AMQP_URL."
        ) from error
    return sorted((draft / "debs").glob("*.deb"))


def settle(unpacked: Path, final: Path) -> None:
    """Make Erlang's launcher find its own place, then put everything there at once."""
    launcher = unpacked / "usr/lib/erlang/bin/erl"
    text = launcher.read_text()
    launcher.write_text(text.replace("ROOTDIR=/usr/lib/erlang", 'ROOTDIR="${0%/bin/*}"'))
    unpacked.rename(final)


def kind() -> str:
    """Return the part of a cache's name that stands for its machines and its recipe."""
    return f"rabbitmq-{RECIPE}-{distribution()}-{platform.machine()}"


def distribution() -> str:
    """Return the system's name and version, for its packages fit no other's libraries."""
    if sys.platform != "linux":
        return sys.platform
    release = platform.freedesktop_os_release()
    return f"{release.get('ID', 'linux')}{release.get('VERSION_ID', '')}"


def name_of(packages: list[Path]) -> str:
    """Return a cache's name: what it is for, the broker's version, and a digest of its packages."""
    digest = hashlib.sha256()
    for package in packages:
        digest.update(package.read_bytes())
    server = next(p.name for p in packages if p.name.startswith("rabbitmq-server_"))
    version = re.split(r"[_-]", server)[2]
    return f"{kind()}-{version}-{digest.hexdigest()[:12]}"
