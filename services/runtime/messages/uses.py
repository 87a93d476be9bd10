"""Which message a source and id name: one that comes again is known, another is told apart."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from services.runtime.decision import Identity, Use
from services.runtime.messages import inbox
from services.runtime.messages.item import Item
from services.runtime.postgres.database import Connection


@dataclass(slots=True)
class Uses:
    """The items of a batch, and what their sources and ids are used for.

    fresh are the places of those to decide: not handled before, and not twice in this batch.
    others are those whose source and id name another message; each has an identity of its own.
    now is the moment of the transaction.
    lines are the keys that those from lanes have to wait behind.
    """

    _uses: dict[Identity, Use]
    lines: Set[str]
    now: datetime
    items: list[Item] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    others: dict[int, Use] = field(default_factory=dict)
    _begun: set[Identity] = field(default_factory=set)

    @classmethod
    async def find(cls, conn: Connection, items: Sequence[Item]) -> "Uses":
        """Look up what came before, and go through the items in order."""
        keys = {i.key for i in items if i.source.kind == "lane"}
        uses, lines, now = await inbox.find(conn, {i.identity for i in items if i.identity}, keys)
        others = {
            i.used_again().identity: None
            for i in items
            if i.identity in uses and _is_other(i, uses[i.identity])
        }
        if others:
            again, _, _ = await inbox.find(conn, filter(None, others))
            uses |= again
        known = cls(uses, lines, now)
        for item in items:
            known._add(item)
        return known

    def of(self, item: Item) -> Use | None:
        """The use of an item's identity, where it has one."""
        return self._uses.get(item.identity) if item.identity else None

    def _add(self, item: Item) -> None:
        at, use = len(self.items), self.of(item)
        if use is not None and _is_other(item, use):
            self.others[at] = use
            item = item.used_again()
            use = self.of(item)
        self.items.append(item)
        if use is not None and (use.identity in self._begun or not _is_open(use, item)):
            return
        self.fresh.add(at)
        if item.identity is not None:
            self._begun.add(item.identity)
            use = Use(item.identity, item.type, item.subject, item.content, self.now)
            self._uses.setdefault(item.identity, use)


def _is_open(use: Use, item: Item) -> bool:
    """Whether the message is still to be decided: one waits, or is parked and now retried."""
    return use.answer is None or (use.answer.outcome == "parked" and item.source.kind == "retry")


def _is_other(item: Item, use: Use) -> bool:
    """Whether the use was by a message that says something else; a replacement may."""
    is_same = use.content is None or use.content == item.content
    return not (is_same or (item.source.kind == "retry" and _is_open(use, item)))
