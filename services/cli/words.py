"""Values of the API as words on a terminal."""

import re
from typing import Any

from contracts.sentences import one_line

STYLES = {
    **dict.fromkeys(("canceled", "rejected", "stopped", "failed", "refused", "parked"), "red"),
    **dict.fromkeys(("published", "available", "finished", "sent", "accepted"), "green"),
    **dict.fromkeys(("pending_approval", "ordered", "paused", "unchanged"), "yellow"),
    **dict.fromkeys(("approved", "started", "running"), "blue"),
}
"""The color of a status."""
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)[0-9.]*(?:Z|\+00:00)")


def cell(value: Any) -> str:
    """A value in one line, short; moments are UTC."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() if found := _INSTANT.fullmatch(value):
            return f"{found[1]} {found[2]}"
        case list():
            return ", ".join(map(cell, value)) or "-"
        case dict():
            return ", ".join(f"{name} {cell(one)}" for name, one in value.items()) or "-"
        case int():
            return str(value)
        case _:
            return one_line(str(value))
