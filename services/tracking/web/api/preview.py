"""GET /api/packages/{id}/cancel-preview: what a cancel would do, before it does."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from services.tracking.queries import preview
from services.tracking.queries.preview import Figures
from services.tracking.web import outcomes, previews
from services.tracking.web.callers import Asks, Role
from services.tracking.web.examples import problems, shown
from services.tracking.web.problems import Problem
from services.tracking.web.state import Here

router = APIRouter(prefix="/api", tags=["packages"])

READERS = frozenset({Role.CENTRAL, Role.OPERATIONS, Role.VIEWER})

EXAMPLE = shown(
    "The figures, and a token that holds a cancel to them",
    {
        "package_id": "CAT86",
        "label": "Summer sales",
        "status": "published",
        "edition": 2,
        "version": 8,
        "orders": {
            "by_status": {"ordered": 1200, "approved": 2900, "available": 20, "rejected": 37},
            "to_cancel": 4120,
            "stay": 37,
        },
        "entities": {"to_notify": 312, "without_channel": 1, "without_channel_ids": ["OU9"]},
        "campaigns": {"to_cancel": 21, "reference": "OP13"},
        "processes": {"to_stop": 41, "too_late": 3},
        "shared_with": [{"package_id": "CAT90", "label": "Autumn", "status": "published"}],
        "as_of": "2026-11-23T14:02:31Z",
        "preview": "WyJDQVQ4NiIsMiw4LDQxMjBd.c2lnbmF0dXJl",
    },
)


@router.get(
    "/packages/{id}/cancel-preview",
    summary="See what the cancel of a package would do",
    responses={200: EXAMPLE, **problems(401, 403, 404, 422, 429)},
)
async def cancel_preview(
    id: Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")], here: Here, caller: Asks
) -> Response:
    """Orders that end and stay, entities to notify, campaigns and processes, who shares them."""
    if caller.role not in READERS:
        text = f"{caller.name} ({caller.role}) may not preview cancels; central may"
        raise Problem(403, "forbidden", text)
    found = await preview.preview(here.pool, id)
    if found is None:
        raise Problem(404, "unknown_package", f"package {id} is not known")
    figures = Figures(id, found["edition"], found["version"], found["orders"]["to_cancel"])
    found["preview"] = await previews.write(here.pool, figures)
    headers = {"Cache-Control": "no-store", "ETag": f'"{found["version"]}"'}
    return outcomes.answer(found, 200, headers)
