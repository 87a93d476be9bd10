"""What a caller may see of others: a local operator only what is of its own entity."""

from services.tracking.web.callers import Caller, Role
from services.tracking.web.problems import Problem


def own(caller: Caller) -> str | None:
    """The one entity whose things a caller may see; None where that is no limit."""
    return caller.entity if caller.role == Role.LOCAL else None


def asked_of(caller: Caller, entity: str | None) -> str | None:
    """The entity whose things are shown: the own one, or the one asked for; raises Problem 403."""
    mine = own(caller)
    if mine is None or entity in (None, mine):
        return mine or entity
    raise Problem(
        403,
        "forbidden",
        f"a local operator sees only what is of its own entity, {mine}, not of {entity}",
    )
