"""What tests of campaigns look for in a decision."""

from typing import TypeVar

from contracts.campaigns import CampaignEvent, ProcessEvent
from contracts.message import Event
from services.runtime.decision import Accepted, Decision, Refused, Unchanged

EventT = TypeVar("EventT", bound=Event)


def events_of(decision: Decision) -> tuple[Event, ...]:
    """The events of an accepted command."""
    assert isinstance(decision, Accepted), decision
    return decision.events


def only(kind: type[EventT], decision: Decision) -> list[EventT]:
    """The events of one kind of an accepted command."""
    return [event for event in events_of(decision) if isinstance(event, kind)]


def refused(decision: Decision) -> Refused:
    """The refusal of a command."""
    assert isinstance(decision, Refused), decision
    return decision


def outcome_of(decision: Decision) -> str:
    """A decision as a word of a matrix: the statuses it tells of, unchanged, or its code."""
    match decision:
        case Accepted(events=events):
            states = [e for e in events if isinstance(e, CampaignEvent | ProcessEvent)]
            return "+".join(event.status for event in states)
        case Unchanged():
            return "unchanged"
        case Refused(code=code):
            return code


def cells(matrix: str) -> list[tuple[str, str, str]]:
    """Row, column and word of each cell of a table."""
    head, _, *rows = matrix.strip().splitlines()
    columns = head.partition("|")[2].split()
    found = []
    for row in rows:
        name, _, words = row.partition("|")
        found += [
            (name.strip(), column, word)
            for column, word in zip(columns, words.split(), strict=True)
        ]
    return found
