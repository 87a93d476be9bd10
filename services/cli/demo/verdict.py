"""Compares what was found with what was expected: what is lost, what came twice. Pure."""

from dataclasses import dataclass, field

from services.cli.demo.expected import Notice, Rows
from services.cli.demo.mailboxes import Read


@dataclass(slots=True)
class Verdict:
    """What the comparison has come to; lines are what, expected and found."""

    lost: int = 0
    twice: int = 0
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)
    lines: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not (self.lost or self.twice or self.wrong)

    def rows(self, what: str, wanted: Rows, found: Rows) -> None:
        """Compare the rows of a table; one in another state than it should be in is lost."""
        lacking, extra = wanted - found, found - wanted
        self.lost += lacking.total()
        self.twice += max(extra.total() - lacking.total(), 0)
        self.wrong += [f"{what}: {n} lacking of {key}" for key, n in lacking.items()]
        self.wrong += [f"{what}: {n} too many of {key}" for key, n in extra.items()]
        self.lines.append((what, wanted.total(), found.total()))

    def count(self, what: str, wanted: int, found: int) -> None:
        """Compare how often something was done."""
        self.lost += max(wanted - found, 0)
        self.twice += max(found - wanted, 0)
        if wanted != found:
            self.wrong.append(f"{what}: {found:,}, and {wanted:,} was expected")
        self.lines.append((what, wanted, found))

    def notices(self, what: str, wanted: set[Notice], read: Read, *, crashed: bool) -> None:
        """Compare the mailboxes; a repeat under the same id is allowed after a crash."""
        lacking, extra = wanted - read.ids.keys(), read.ids.keys() - wanted
        doubled = sum(len(ids) - 1 for ids in read.ids.values())
        self.lost += len(lacking)
        self.twice += doubled
        self.repeats += read.repeats
        self.wrong += [f"{what}: lost {notice}" for notice in sorted(lacking, key=str)[:20]]
        self.wrong += [f"{what}: unexpected {notice}" for notice in sorted(extra, key=str)[:20]]
        if read.unreadable:
            self.wrong.append(f"{what}: {read.unreadable} messages are no notices")
        if read.repeats and not crashed:
            self.wrong.append(f"{what}: {read.repeats} repeats, though no worker was killed")
        self.lines.append((what, len(wanted), len(wanted) - len(lacking) + len(extra)))
