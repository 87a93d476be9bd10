"""As what each row of the model is counted, by the columns that it has. Pure."""

from collections.abc import Iterator
from typing import Any

Count = tuple[str, str, str]
"""What is counted: list, scope and status."""


def package_counts(columns: dict[str, Any]) -> tuple[Count, ...]:
    """As what a package is counted."""
    found = [("packages", "", columns["status"])]
    if columns["folder"] is not None:
        found.append(("packages", f"folder:{columns['folder']}", columns["status"]))
    return tuple(found)


def order_counts(columns: dict[str, Any]) -> tuple[Count, ...]:
    """As what an order is counted."""
    package_id, edition, status = columns["package_id"], columns["edition"], columns["status"]
    return (
        ("orders", "", status),
        ("orders", f"package:{package_id}:{edition}", status),
        ("orders", f"entity:{columns['entity_id']}", status),
    )


def campaign_counts(columns: dict[str, Any]) -> tuple[Count, ...]:
    """As what a campaign is counted."""
    status = columns["status"]
    return (("campaigns", "", status), ("campaigns", f"kind:{columns['kind']}", status))


def entity_counts(columns: dict[str, Any]) -> tuple[Count, ...]:
    """As what an entity is counted."""
    return (("entities", "", "active" if columns["active"] else "inactive"),)


def notification_counts(columns: dict[str, Any]) -> tuple[Count, ...]:
    """As what a notification is counted."""
    status, package_id = columns["status"], columns["package_id"]
    found = [("notifications", "", status)]
    if package_id is not None:
        found.append(("notifications", f"package:{package_id}:{columns['edition']}", status))
    if columns["recipient_type"] == "entity":
        found.append(("notifications", f"entity:{columns['recipient_id']}", status))
    return tuple(found)


def uncounted(_: dict[str, Any]) -> tuple[Count, ...]:
    """Processes are looked at by campaign."""
    return ()


def deltas(before: tuple[Count, ...], after: tuple[Count, ...]) -> Iterator[tuple[Count, int]]:
    """What a row takes from and adds to the counts."""
    if before != after:
        yield from ((count, -1) for count in before)
        yield from ((count, 1) for count in after)
