"""Who asks: the holder of a token or of a session, with a role."""

import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from contracts.envelope import FieldError
from services.runtime.service import Pool
from services.tracking.settings import TrackingSettings
from services.tracking.web import keys, sessions, tokens
from services.tracking.web.limits import Rates, Streams
from services.tracking.web.problems import Problem, invalid
from services.tracking.web.roles import Caller, Role

__all__ = ["Access", "Asks", "Caller", "Identity", "Role", "access", "caller", "identify"]

KNOWN_FOR = 2.0
"""Seconds after which a token or a session is looked up again: it may have been withdrawn."""
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by what; key tells callers apart, session is that of a browser."""

    caller: Caller
    key: bytes
    session: str | None = None


@dataclass(slots=True)
class Access:
    """What tells who asks: the tables, the key of all processes, and who was seen just now."""

    pool: Pool
    settings: TrackingSettings
    key: bytes
    rates: Rates
    streams: Streams
    cookies: sessions.Cookies
    _known: dict[bytes, tuple[float, Caller]] = field(default_factory=dict)

    def known(self, key: bytes) -> Caller | None:
        """Who was found under this key a moment ago."""
        until, caller = self._known.get(key, (0.0, None))
        return caller if time.monotonic() < until else None

    def remember(self, key: bytes, caller: Caller) -> None:
        """Spare the next requests the look into the tables."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = time.monotonic() + KNOWN_FOR, caller

    def forget(self, key: bytes) -> None:
        """Look into the tables at the next request."""
        self._known.pop(key, None)


async def opened(pool: Pool, config: TrackingSettings) -> Access:
    """What a process needs to tell who asks."""
    key = await keys.load(pool, "sessions")
    return Access(
        pool,
        config,
        key,
        Rates(config.requests_per_second),
        Streams(config.streams_per_caller, config.streams),
        sessions.Cookies("relais", key, config.public_url),
    )


def access(request: Request) -> Access:
    """What tells who asks, here."""
    found: Access = request.app.state.access
    return found


async def identify(request: Request) -> Identity:
    """Who asks, by the header Authorization, else by the cookie; raises Problem 401 or 403."""
    if (known := getattr(request.state, "identity", None)) is not None:
        found: Identity = known
        return found
    here = access(request)
    if "authorization" in request.headers:
        identity = await _by_token(here, request)
    elif (session := here.cookies.read(request)) is not None:
        identity = await _by_session(here, session)
        sessions.check_origin(request, here.settings.public_url)
    else:
        raise unauthorized("there is no token and nobody is signed in")
    request.state.identity = identity
    return identity


async def _by_token(here: Access, request: Request) -> Identity:
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise invalid(FieldError("Authorization", f"is given {len(given)} times; one is accepted"))
    scheme, _, secret = given[0].partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise unauthorized(f"the header Authorization has the scheme {scheme[:20]!r}")
    key = tokens.digest(secret.strip())
    if (caller := here.known(key)) is None:
        found = await tokens.find(here.pool, secret.strip())
        if isinstance(found, str):
            raise unauthorized(found, error='error="invalid_token"')
        caller = found
        here.remember(key, caller)
    return Identity(caller, key)


async def _by_session(here: Access, session: str) -> Identity:
    key = sessions.digest(session)
    if (caller := here.known(key)) is None:
        caller = await sessions.find(here.pool, here.settings, session)
        if caller is None:
            raise unauthorized("the session has ended; sign in again")
        here.remember(key, caller)
    return Identity(caller, key, session)


def unauthorized(why: str, error: str = "") -> Problem:
    """401: nobody known asks."""
    return Problem(
        401,
        "unauthorized",
        f"{why}; send the header `Authorization: Bearer TOKEN` "
        "(`relais token add` makes one), or sign in",
        headers={"WWW-Authenticate": f'Bearer realm="relais"{", " + error if error else ""}'},
    )


_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="`relais token add`")


async def caller(request: Request, _: Annotated[object, Security(_bearer)] = None) -> Caller:
    """The caller of a request; raises Problem 401."""
    return (await identify(request)).caller


Asks = Annotated[Caller, Depends(caller)]
"""A parameter of a route: who asks."""
