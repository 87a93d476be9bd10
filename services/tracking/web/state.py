"""What the routes of the API work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.runtime.service import Pool, Served


@dataclass(slots=True)
class State:
    """What routes work with."""

    served: Served

    @property
    def pool(self) -> Pool:
        """The database of tracking."""
        return self.served.pool


def _state(request: Request) -> State:
    state: State = request.app.state.tracking
    return state


Here = Annotated[State, Depends(_state)]
"""A parameter of a route: what it works with."""
