"""What tests of orders look for in a decision."""

from contracts.orders import OrderEvent
from services.runtime.decision import Accepted, Decision, Refused, Unchanged


def event_of(decision: Decision) -> OrderEvent:
    """The one event of an accepted command."""
    assert isinstance(decision, Accepted), decision
    (event,) = decision.events
    assert isinstance(event, OrderEvent)
    return event


def refused(decision: Decision) -> Refused:
    """The refusal of a command."""
    assert isinstance(decision, Refused), decision
    return decision


def outcome_of(decision: Decision) -> str:
    """The status that a command led to, `unchanged`, or the code of its refusal."""
    match decision:
        case Unchanged():
            return "unchanged"
        case Refused(code=code):
            return code
        case _:
            return event_of(decision).status
