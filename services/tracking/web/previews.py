"""The figures of a preview as a text that only we can make."""

from itsdangerous import BadSignature, URLSafeSerializer

from services.runtime.service import Pool
from services.tracking.queries.preview import Figures
from services.tracking.web import keys

NAME = "preview"


async def write(pool: Pool, figures: Figures) -> str:
    """The figures, signed."""
    signed: str = (await _signer(pool)).dumps(list(figures.columns.values()))
    return signed


async def read(pool: Pool, text: str) -> Figures | None:
    """The figures of a text; None where we have not made it."""
    try:
        package_id, edition, version, orders = (await _signer(pool)).loads(text)
    except (BadSignature, ValueError, TypeError):
        return None
    return Figures(package_id, edition, version, orders)


async def _signer(pool: Pool) -> URLSafeSerializer:
    return URLSafeSerializer(await keys.load(pool, NAME), salt=NAME)
