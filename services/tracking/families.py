"""Looks up what holds for a class of events, or for the nearest of its bases.

To ask isinstance of a model costs a call of its metaclass, which is more than the rest of the work.
"""

from typing import TypeVar

T = TypeVar("T")


class Families(dict[type, T]):
    """Values by class of event; a class that has none of its own has that of its nearest base."""

    def __missing__(self, event: type) -> T:
        """Look once along the bases of a class; the last of them is object."""
        for base in event.__mro__[1:]:
            if dict.__contains__(self, base):
                value = self[event] = self[base]
                return value
        raise KeyError(event)
