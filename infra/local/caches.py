"""Where things fetched once are kept for every later run."""

import os
from collections.abc import Iterator
from pathlib import Path

OWN = Path(__file__).parents[2] / ".local/cache"


def folder() -> Path | None:
    """Return where fetched things are kept, None when nothing can be written anywhere."""
    return next((place for place in candidates() if usable(place)), None)


def candidates() -> Iterator[Path]:
    """Yield the user's cache, then one inside the project for users without a home."""
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        yield Path(chosen) / "relais"
    elif home := os.environ.get("HOME"):
        yield Path(home) / ".cache/relais"
    yield OWN


def usable(place: Path) -> bool:
    """Whether we can write there, and nobody else has made it: programs are run from it."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        return place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK | os.X_OK)
    except OSError:
        return False
