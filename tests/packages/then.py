"""What tests of packages look for in a decision."""

from contracts.packages import PackageEvent
from services.runtime.decision import Accepted, Decision, Refused


def event_of(decision: Decision) -> PackageEvent:
    """The one event of an accepted command."""
    assert isinstance(decision, Accepted), decision
    (event,) = decision.events
    assert isinstance(event, PackageEvent)
    return event


def refused(decision: Decision) -> Refused:
    """The refusal of a command."""
    assert isinstance(decision, Refused), decision
    return decision


def fields(decision: Decision) -> list[str]:
    """The fields that a refusal names."""
    return [error.field for error in refused(decision).errors]
