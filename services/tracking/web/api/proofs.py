"""Proofs: what `relais proof` has found in the services' own tables, kept where people look.

Tracking reads no other service's tables: whoever may read them sends in what they found, as
`relais proof --keep` does.
"""

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.runtime.service import Row
from services.tracking.queries import views
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.examples import given
from services.tracking.web.state import Here

router = APIRouter(tags=["operations"])

Whole = Annotated[int, Field(strict=True, ge=0, le=2**53)]


class Standing(BaseModel):
    """What one service emitted and handled, and what is not done yet."""

    model_config = ConfigDict(extra="allow")

    emitted: Whole = Field(examples=[486])
    handled: dict[str, Whole] = Field(examples=[{"accepted": 274}])
    missing: Whole = Field(examples=[0])
    outbox: Whole = Field(examples=[0])
    waiting: Whole = Field(examples=[0])
    queued: Whole = Field(examples=[0])
    parked: list[dict[str, Any]] = Field(max_length=10_000, examples=[[]])


class Missing(BaseModel):
    """A message that its sender has emitted and a reader has not handled."""

    sender: str
    reader: str
    type: str
    id: str


class Report(BaseModel):
    """What `relais proof --json` prints."""

    model_config = ConfigDict(extra="ignore")

    ok: bool = Field(examples=[True])
    since: datetime = Field(examples=["2026-11-26T00:00:00Z"])
    services: dict[str, Standing]
    missing: list[Missing] = Field(max_length=1_000, examples=[[]])


class Proof(BaseModel):
    """A proof that is kept."""

    proof_id: str
    made_at: datetime
    made_by: str = Field(examples=["m.durand"])
    proved: bool = Field(examples=[True])
    report: Report


class Proofs(BaseModel):
    """Proofs, newest first."""

    items: list[Proof]


REPORT = {
    "ok": True,
    "since": "2026-11-22T14:02:41Z",
    "services": {
        "orders": {
            "emitted": 486,
            "handled": {"accepted": 274, "unchanged": 2},
            "missing": 0,
            "outbox": 0,
            "waiting": 0,
            "queued": 0,
            "parked": [],
        }
    },
    "missing": [],
}
PROOF = {
    "proof_id": "b09efa1e0b5447fe85562d3b99ee8601",
    "made_at": "2026-11-23T14:02:41Z",
    "made_by": "o.martin",
    "proved": True,
    "report": REPORT,
}


def _proof(row: Row) -> Proof:
    return Proof.model_validate(dict(row))


@router.get(
    "/api/proofs",
    summary="Proofs, newest first",
    responses={
        **documented.made(200, "The newest first.", {"items": [PROOF]}),
        **documented.errors(),
    },
)
async def list_proofs(here: Here, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Proofs:
    """What was emitted, handled, parked and missing, service by service."""
    rows = await views.list_proofs(here.pool, limit)
    return Proofs(items=[_proof(row) for row in rows])


@router.post(
    "/api/proofs",
    status_code=201,
    summary="Keep a proof",
    responses={**documented.made(201, "It is kept.", PROOF), **documented.errors(413)},
)
async def add_proof(
    here: Here, caller: Asks, report: Annotated[Report, given(REPORT)], response: Response
) -> Proof:
    """Keep what `relais proof --json` has printed; the last thousand are kept."""
    kept = report.model_dump(mode="json")
    row = await views.add_proof(here.pool, uuid.uuid4().hex, caller.name, report.ok, kept)
    response.headers["Location"] = "/api/proofs"
    return _proof(row)
