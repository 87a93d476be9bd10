"""What routes work with: a parameter of each that needs it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.runtime.service import Pool, Served
from services.tracking.web.broker import Broker
from services.tracking.web.hub import Hub


@dataclass(slots=True)
class State:
    """What the processes of the web have beside what a request brings."""

    served: Served
    hub: Hub
    broker: Broker

    @property
    def pool(self) -> Pool:
        """The database of tracking."""
        return self.served.pool


def _state(request: Request) -> State:
    state: State = request.app.state.tracking
    return state


Here = Annotated[State, Depends(_state)]
"""A parameter of a route: what it works with."""
