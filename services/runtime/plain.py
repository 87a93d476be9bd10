"""Values that are made for every message, and so have to be cheap."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["plain"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as plain
else:

    def plain(**options: Any) -> Callable[[type[T]], type[T]]:
        """A dataclass that is frozen for the type checker only.

        At run time freezing costs a call of object.__setattr__ for each field of each value.
        """
        return dataclasses.dataclass(**{**options, "frozen": False, "unsafe_hash": True})
