"""The rows that a batch has loaded, as the messages before left them."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loaded(Generic[K, V]):
    """Rows by key; what is put is served to the next message and told apart when saving."""

    def __init__(self, rows: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        """Start with what the database has."""
        self._rows: dict[K, V] = dict(rows)
        self._changed: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The row in its present state, or None."""
        return self._rows.get(key)

    def __contains__(self, key: K) -> bool:
        """Whether there is such a row."""
        return key in self._rows

    def values(self) -> Iterable[V]:
        """Every row in its present state."""
        return self._rows.values()

    def put(self, key: K, row: V) -> None:
        """Replace or add a row."""
        self._rows[key] = row
        self._changed[key] = row

    def changed(self) -> list[V]:
        """Each row that was put, once, in its last state."""
        return list(self._changed.values())
