"""Who asks: the holder of a token or of a session, with a role."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request

from services.tracking.web.problems import Problem


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


async def caller(request: Request) -> Caller:
    """The caller of a request; raises Problem 401."""
    # PLACEHOLDER until tokens and sessions are built: `Bearer dev:<role>[:<entity>]`.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    parts = token.split(":")
    if scheme.lower() != "bearer" or parts[0] != "dev":
        raise Problem(
            401, "unauthorized", "this needs a token", headers={"WWW-Authenticate": "Bearer"}
        )
    return Caller("dev", Role(parts[1]), parts[2] if len(parts) > 2 else None)


Asks = Annotated[Caller, Depends(caller)]
"""A parameter of a route: who asks."""
