"""RabbitMQ 4 for tests: Debian sid's, unpacked beside the system of this machine.

Its libraries are newer than those of a stable Debian.  Its programs therefore run in a mount
namespace of their own that has the unpacked /usr in place of the machine's.
"""

import platform
import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from os import environ
from pathlib import Path
from subprocess import run

from infra.local import caches, debian
from infra.local.errors import Unavailable
from infra.local.keeping import Kept
from infra.local.rabbitmq import Files

VARIABLE = "RELAIS_RABBITMQ_ROOT"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian sid main\n"
APT_CONFIG = """
Dir::State::status "{here}/status";
Dir::Etc::sourcelist "{here}/sources.list";
Dir::Etc::sourceparts "/dev/null";
"""
TOOLS = (*debian.TOOLS, "unshare", "mount")
DEPENDS = (*debian.DEPENDS, "dash", "coreutils", "sed", "grep")
UNWANTED = re.compile(
    r"adduser|.*audit|base-|cdebconf|debconf|debianutils|gcc|.*awk|init-|libblkid|libbsd|lib.*conf"
    r"|libdb5|libdebian|libmount|libnewt|libpam|libreadline|libsemanage|libsepol|libslang|libtextwrap"
    r"|login|openssl$|opensysusers|passwd|perl|procps|rabbitmqadmin|readline|systemd|libsystemd-shared"
)
NAMESPACE = 'mount --rbind "$0/usr" /usr && exec "$@"'


ENVIRONMENT = {
    "PATH": "/usr/lib/erlang/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LD_LIBRARY_PATH": "",
}
"""What its programs need; those of the machine that start them want none of its libraries."""


def command(files: Files, argv: Sequence[str | Path]) -> list[str]:
    """What runs a program of an unpacked RabbitMQ, under its path in the machine's place."""
    return ["unshare", "-m", "-r", "sh", "-c", NAMESPACE, str(files.root), *map(str, argv)]


@cache
def lacking() -> str | None:
    """What stands in the way of RabbitMQ 4 on this machine, nothing where it can run."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or not KEYRING.exists():
        return f"{', '.join(missing) or KEYRING} not found"
    trial = run(["unshare", "-m", "-r", "mount", "--rbind", "/usr", "/usr"], capture_output=True)
    return f"no mount namespace: {trial.stderr.decode().strip()}" if trial.returncode else None


def fetch(kept: Kept) -> Files:
    """RabbitMQ 4 as named by RELAIS_RABBITMQ_ROOT, as cached, or fetched (35 MB)."""
    if named := environ.get(VARIABLE):
        return checked(Files(Path(named), VARIABLE))
    place = caches.folder()
    if place is None:
        raise Unavailable(f"No folder to store RabbitMQ in: make {caches.OWN} writable.")
    final = place / f"rabbitmq4-sid-{platform.machine()}"
    with debian.locked(place, kept):
        if not final.exists():
            _build(kept, place, final)
    return checked(Files(final, "Debian sid"))


def checked(files: Files) -> Files:
    """The same, where there is a RabbitMQ."""
    if not files.server.exists():
        raise Unavailable(
            f"There is no RabbitMQ in {files.root}; set {VARIABLE} to its root folder."
        )
    return files


def _build(kept: Kept, place: Path, final: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix="sid-", dir=place))
    try:
        for folder in ("apt/lists/partial", "apt/cache/archives/partial", "debs", "root"):
            (draft / folder).mkdir(parents=True)
        (draft / "status").touch()
        (draft / "sources.list").write_text(SOURCE)
        (draft / "apt.conf").write_text((debian.APT_CONFIG + APT_CONFIG).format(here=draft))
        apt = ("-qq", "-c", str(draft / "apt.conf"))
        kept.run("apt-get", ["apt-get", *apt, "update"])
        depends = kept.run("apt-cache", ["apt-cache", *apt, *DEPENDS])
        names = set(re.findall(r"^[a-z][\w+.-]*", depends, re.MULTILINE))
        wanted = sorted(name for name in names if not UNWANTED.match(name))
        kept.run("apt-get", ["apt-get", *apt, "download", *wanted], cwd=draft / "debs")
        for package in (draft / "debs").glob("*.deb"):
            kept.run("dpkg-deb", ["dpkg-deb", "-x", package, draft / "root"])
        (draft / "root").rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
