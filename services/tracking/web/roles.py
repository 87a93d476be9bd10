"""Who asks, and what they are for Relais."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is for Relais."""

    CENTRAL = "central"
    LOCAL = "local"
    REVIEWER = "reviewer"
    OPERATIONS = "operations"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; name is the actor of the commands, entity that of a local operator."""

    name: str
    role: Role
    entity: str | None = None

    @property
    def scope(self) -> str | None:
        """The one entity whose things they may see; None where that is no limit."""
        return self.entity if self.role is Role.LOCAL else None

    @property
    def reviewer(self) -> str | None:
        """The reviewer that what they may see has to name; None where that is no limit."""
        return self.name if self.role is Role.REVIEWER else None
