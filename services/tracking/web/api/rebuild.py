"""The rebuild of the read model: how far it is, and the wish for one."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.tracking import rebuild
from services.tracking.rebuild import Progress
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.problems import Problem
from services.tracking.web.state import Here

router = APIRouter(tags=["operations"])


class Rebuild(BaseModel):
    """One rebuild; waits_for are the services that have more to say."""

    request_id: str = Field(examples=["rebuild-5f0c8d3b1a2e4f60"])
    state: str = Field(examples=["filling"])
    says: str = Field(examples=["services emit their present state"])
    asked_by: str | None = Field(examples=["m.durand"])
    started_at: datetime
    remark: str | None = Field(examples=[None])
    waits_for: list[str] = Field(examples=[["orders (order: 120,000 of 200,000)"]])

    @classmethod
    def of(cls, found: Progress) -> "Rebuild":
        """A rebuild as it is now."""
        waits = found.waits_for(rebuild.senders()) if found.state == "filling" else []
        return cls(
            request_id=found.request_id,
            state=found.state,
            says=rebuild.SAYS.get(found.state, ""),
            asked_by=found.asked_by,
            started_at=found.started_at,
            remark=found.remark,
            waits_for=waits,
        )


class Latest(BaseModel):
    """The latest rebuild, null where there was none."""

    latest: Rebuild | None


REBUILD = {
    "request_id": "rebuild-5f0c8d3b1a2e4f60",
    "state": "filling",
    "says": "services emit their present state",
    "asked_by": "o.martin",
    "started_at": "2026-11-23T14:02:41Z",
    "remark": None,
    "waits_for": ["orders (order: 120,000 of 200,000)"],
}


@router.get(
    "/api/rebuild",
    summary="The latest rebuild of the read model",
    responses={
        **documented.made(200, "How far it is.", {"latest": REBUILD}),
        **documented.errors(),
    },
)
async def get_rebuild(here: Here) -> Latest:
    """How far it is, and which services it waits for."""
    async with here.pool.acquire() as conn:
        found = await rebuild.find_latest(conn)
    return Latest(latest=Rebuild.of(found) if found else None)


@router.post(
    "/api/rebuild",
    status_code=202,
    summary="Make the read model again",
    responses={**documented.made(202, "It is asked for.", REBUILD), **documented.errors(409)},
)
async def ask_rebuild(here: Here, caller: Asks, response: Response) -> Rebuild:
    """Ask for a rebuild from the state of all services, while it is read and written."""
    async with here.pool.acquire() as conn:
        try:
            request_id = await rebuild.ask(conn, caller.name)
        except rebuild.UnderWay as error:
            raise Problem(409, "rebuild_running", str(error)) from error
        found = await rebuild.find(conn, request_id)
    assert found is not None
    response.headers["Location"] = "/api/rebuild"
    return Rebuild.of(found)
