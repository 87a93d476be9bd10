"""Signing in and out with a browser, and who one is."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from contracts.envelope import FieldError
from services.tracking.web import attempts, names, operators, sessions
from services.tracking.web.callers import Access, Caller, access, identify
from services.tracking.web.oidc import BEGUN_SECONDS, Provider
from services.tracking.web.problems import Problem, invalid

router = APIRouter(tags=["sign-in"])

CALLBACK = "/sign-in/oidc/callback"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Here = Annotated[Access, Depends(access)]


@router.post("/sign-in", include_in_schema=False)
async def sign_in(request: Request, here: Here) -> Response:
    """Sign in with the name and the password of `relais operator add`; JSON or a form."""
    sessions.check_origin_given(request, here.settings.public_url)
    given, is_form = await _read(request)
    name, password = _credentials(given)
    address = request.client.host if request.client else ""
    attempt = await attempts.begin(here.pool, name, address)
    who = await operators.sign_in(here.pool, name, password)
    if who is None:
        raise await _refused(here)
    await attempts.forgive(here.pool, attempt, name, address)
    answer = _answer(who, given.get("next"), is_form=is_form)
    return await _signed_in(request, here, who, answer, is_operator=True)


@router.post("/sign-out", include_in_schema=False)
async def sign_out(request: Request, here: Here) -> Response:
    """End the session of this browser."""
    sessions.check_origin_given(request, here.settings.public_url)
    is_form = request.headers.get("content-type", "").startswith(FORMS)
    answer = RedirectResponse("/sign-in", 303) if is_form else Response(status_code=204)
    if (session := here.cookies.read(request)) is not None:
        await sessions.end(here.pool, session)
        here.forget(sessions.digest(session))
    here.cookies.delete(request, answer)
    return answer


@router.get("/sign-in/oidc", include_in_schema=False)
async def begin_oidc(request: Request, here: Here, next: str = "/") -> Response:
    """Send the browser to the provider."""
    where = sessions.origin(request, here.settings.public_url)
    begun = await _provider(request, here).begin(where + CALLBACK, _within(next))
    answer = RedirectResponse(begun.url, 303)
    _kept(here).write(request, answer, begun.kept, BEGUN_SECONDS)
    return answer


@router.get(CALLBACK, include_in_schema=False)
async def end_oidc(request: Request, here: Here) -> Response:
    """Take back the browser from the provider."""
    kept = _kept(here).read(request)
    who, next_ = await _provider(request, here).end(kept, request.query_params)
    answer = RedirectResponse(_within(next_), 303)
    _kept(here).delete(request, answer)
    return await _signed_in(request, here, who, answer)


@router.get("/api/me")
async def me(request: Request, here: Here) -> dict[str, Any]:
    """Who asks: name, role and entity; for a browser also the token that its forms carry."""
    identity = await identify(request)
    session = identity.session
    token = sessions.form_token(here.key, session) if session else None
    return {**_described(identity.caller), "form_token": token}


def _described(who: Caller) -> dict[str, Any]:
    return {"name": who.name, "role": who.role.value, "entity": who.entity}


async def _signed_in(
    request: Request, here: Access, who: Caller, answer: Response, *, is_operator: bool = False
) -> Response:
    # A session of before ends: nobody goes on in one that somebody else may have begun.
    if (before := here.cookies.read(request)) is not None:
        await sessions.end(here.pool, before)
        here.forget(sessions.digest(before))
    session = await sessions.start(here.pool, here.settings, who, is_operator=is_operator)
    here.cookies.write(request, answer, session, here.settings.session_hours * 3600)
    return answer


def _answer(who: Caller, next_: Any, *, is_form: bool) -> Response:
    if is_form:
        return RedirectResponse(_within(str(next_ or "/")), 303)
    return JSONResponse(_described(who))


async def _read(request: Request) -> tuple[dict[str, Any], bool]:
    """What was sent, and whether it was a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in FORMS:
        return dict(await request.form(max_files=0, max_fields=10)), True
    if kind != "application/json":
        raise invalid(
            FieldError(
                "Content-Type",
                f"must be application/json or application/x-www-form-urlencoded, not {kind!r}",
            )
        )
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise invalid(FieldError("body", f"is no JSON: {error}")) from None
    if not isinstance(given, dict):
        raise invalid(FieldError("body", "must be an object with name and password"))
    return given, False


def _credentials(given: dict[str, Any]) -> tuple[str, str]:
    name, password = given.get("name"), given.get("password")
    errors = []
    if not isinstance(name, str) or not names.is_name(name):
        errors.append(FieldError("name", f"must be {names.FORM}"))
    if not isinstance(password, str) or not 0 < len(password) <= operators.LONGEST:
        errors.append(FieldError("password", f"must have 1 to {operators.LONGEST} characters"))
    if errors:
        raise invalid(*errors)
    assert isinstance(name, str)
    assert isinstance(password, str)
    return name, password


async def _refused(here: Access) -> Problem:
    if not await operators.are_there(here.pool):
        provider = "" if here.settings.oidc_issuer is None else ", or sign in at /sign-in/oidc"
        return Problem(
            401,
            "no_account",
            "there is no account yet; make one with "
            f"`relais operator add NAME --role central`{provider}",
        )
    return Problem(401, "sign_in_failed", "the name or the password is not right")


def _kept(here: Access) -> sessions.Cookies:
    return sessions.Cookies("relais-oidc", here.key, here.settings.public_url)


def _provider(request: Request, here: Access) -> Provider:
    if here.settings.oidc_issuer is None:
        raise Problem(
            404, "not_found", "no provider is configured; RELAIS_OIDC_ISSUER would name one"
        )
    if (known := getattr(request.app.state, "provider", None)) is None:
        known = request.app.state.provider = Provider(here.settings, here.key)
    found: Provider = known
    return found


def _within(path: str) -> str:
    """A path of ours; what leads elsewhere leads to the start."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else "/"
