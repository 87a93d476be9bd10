"""Paths that the start scripts and configuration files of servers can hold as they are.

RabbitMQ's scripts read their paths unquoted, its configuration ends a line at #, apt's at a
double quote, LD_LIBRARY_PATH a folder at a colon: none of them can name every folder there is.
"""

import re
import tempfile
from pathlib import Path

from infra.local.keeping import Kept

PLAIN = re.compile(r"[A-Za-z0-9/._+-]{1,100}")


def is_plain(path: Path) -> bool:
    """Whether everybody reads this path as it is written."""
    return bool(PLAIN.fullmatch(str(path)))


def new_folder(kept: Kept) -> Path:
    """Make a folder with a plain path, which is removed once every process is gone."""
    usual = Path(tempfile.gettempdir())
    made = Path(tempfile.mkdtemp(prefix="relais-", dir=usual if is_plain(usual) else "/tmp"))
    kept.remove_at_end(made)
    return made


def path_to(kept: Kept, folder: Path) -> Path:
    """Return a plain path to a folder: its own, else one through a link that lasts like `kept`."""
    if is_plain(folder):
        return folder
    link = new_folder(kept) / "link"
    link.symlink_to(folder, target_is_directory=True)
    return link
