"""What tests of the directory look for in a decision."""

from contracts.directory import EntityEvent
from services.runtime.decision import Accepted, Decision, Refused


def event_of(decision: Decision) -> EntityEvent:
    """The one event of an accepted command."""
    assert isinstance(decision, Accepted), decision
    (event,) = decision.events
    assert isinstance(event, EntityEvent)
    return event


def refused(decision: Decision) -> Refused:
    """The refusal of a command."""
    assert isinstance(decision, Refused), decision
    return decision
