"""Sessions of browsers: a signed cookie that names a row, so that whoever signs out is out."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from contracts.envelope import FieldError
from services.runtime.service import Pool
from services.tracking.settings import TrackingSettings
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller, Role

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_FIELD = "form_token"
FORM_HEADER = "X-Form-Token"


def origin(request: Request, public_url: str | None) -> str:
    """Where people open Relais, as a browser writes it."""
    return public_url or f"{request.url.scheme}://{request.url.netloc.lower()}"


def cookie_name(base: str, where: str) -> str:
    """The name of a cookie: over https browsers hold one of this prefix to its host."""
    return f"__Host-{base}" if where.startswith("https://") else base


class Cookies:
    """Reads and writes signed cookies of one name."""

    def __init__(self, name: str, key: bytes, public_url: str | None) -> None:
        self._name = name
        self._signer = Signer(key, salt=name, digest_method=hashlib.sha256)
        self._public_url = public_url

    def read(self, request: Request) -> str | None:
        """What the cookie says; None where there is none, or not one of ours."""
        name = cookie_name(self._name, origin(request, self._public_url))
        try:
            return self._signer.unsign(request.cookies.get(name, "")).decode()
        except (BadSignature, ValueError):
            return None

    def write(self, request: Request, response: Response, text: str, seconds: float) -> None:
        """Let a response set the cookie."""
        where = origin(request, self._public_url)
        response.set_cookie(
            cookie_name(self._name, where),
            self._signer.sign(text).decode(),
            max_age=int(seconds),
            secure=where.startswith("https://"),
            httponly=True,
            samesite="lax",
        )

    def delete(self, request: Request, response: Response) -> None:
        """Let a response end the cookie."""
        where = origin(request, self._public_url)
        response.delete_cookie(
            cookie_name(self._name, where), secure=where.startswith("https://"), httponly=True
        )


def digest(session: str) -> bytes:
    """What is kept of the id of a session."""
    return hashlib.sha256(session.encode()).digest()


CLEAN = "DELETE FROM sessions WHERE started_at < now() - $1::interval"
START = """
INSERT INTO sessions (digest, name, role, entity, operator) VALUES ($1, $2, $3, $4, $5)
"""


async def start(
    pool: Pool, config: TrackingSettings, who: Caller, *, is_operator: bool = False
) -> str:
    """Begin a session; its id is nowhere else but in the cookie.

    That of an operator with an account here follows the account.
    """
    session = secrets.token_urlsafe(32)
    await pool.execute(CLEAN, timedelta(hours=config.session_hours))
    account = who.name if is_operator else None
    await pool.execute(START, digest(session), who.name, who.role, who.entity, account)
    return session


FIND = """
SELECT s.name, coalesce(o.role, s.role) AS role,
       CASE WHEN o.name IS NULL THEN s.entity ELSE o.entity END AS entity,
       s.seen_at < now() - interval '1 minute' AS unseen
FROM sessions s LEFT JOIN operators o ON o.name = s.operator
WHERE s.digest = $1 AND o.disabled_at IS NULL
  AND s.started_at > now() - $2::interval AND s.seen_at > now() - $3::interval
"""
SEE = "UPDATE sessions SET seen_at = now() WHERE digest = $1"


async def find(pool: Pool, config: TrackingSettings, session: str) -> Caller | None:
    """Whose session this is; None where it has ended."""
    key = digest(session)
    hours = timedelta(hours=config.session_hours)
    idle = timedelta(minutes=config.session_idle_minutes)
    row = await pool.fetchrow(FIND, key, hours, idle)
    if row is None:
        return None
    if row["unseen"]:
        await pool.execute(SEE, key)
    return Caller(row["name"], Role(row["role"]), row["entity"])


END = "DELETE FROM sessions WHERE digest = $1"


async def end(pool: Pool, session: str) -> None:
    """End a session."""
    await pool.execute(END, digest(session))


def check_origin(request: Request, public_url: str | None) -> None:
    """Let no other site act in the name of whoever is signed in; raises Problem 403.

    Browsers name the site that sends anything but a GET; they have done so for years.
    """
    if request.method in SAFE:
        return
    ours, theirs = origin(request, public_url), request.headers.get("origin")
    if theirs == ours or (
        theirs is None and request.headers.get("sec-fetch-site") == "same-origin"
    ):
        return
    told = f"the header Origin is {theirs!r}" if theirs else "there is no header Origin"
    raise Problem(
        403,
        "foreign_origin",
        f"{told}; from a browser that is signed in only {ours!r} is accepted "
        "(RELAIS_PUBLIC_URL names another), and programs send a token",
        [FieldError("Origin", f"must be {ours!r}, not {theirs!r}")],
    )


def check_origin_given(request: Request, public_url: str | None) -> None:
    """The same for who is nobody yet; programs that name no origin are none of a browser's."""
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        check_origin(request, public_url)


def form_token(key: bytes, session: str) -> str:
    """What each form of a page carries besides, so that no other page can make it up."""
    return hmac.new(key, b"form " + digest(session), hashlib.sha256).hexdigest()


def check_form_token(key: bytes, session: str, given: str | None) -> None:
    """Hold a form to the session that its page was made for; raises Problem 403."""
    if not hmac.compare_digest(form_token(key, session).encode(), (given or "").encode()):
        raise Problem(
            403,
            "form_expired",
            "the form is not of this session; open its page again and send it from there",
            [FieldError(FORM_FIELD, "must be what the page of the form has")],
        )
