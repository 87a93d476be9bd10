"""Sign-in by an OpenID provider: authorization code with PKCE."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import structlog
from authlib.integrations.starlette_client import OAuth, OAuthError
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc.errors import JoseError

from services.tracking.settings import TrackingSettings
from services.tracking.web import names
from services.tracking.web.faults import away
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller, Role

log = structlog.get_logger()

BEGUN_SECONDS = 600
"""How long somebody may take at the provider."""
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that the provider is asked for: where to send the browser, and what it keeps."""

    url: str
    kept: str


class Provider:
    """The provider of the settings."""

    def __init__(self, config: TrackingSettings, key: bytes) -> None:
        assert config.oidc_issuer is not None
        self._config = config
        self._issuer = config.oidc_issuer.rstrip("/")
        self._serializer = URLSafeTimedSerializer(key, salt="oidc", serializer=orjson)
        self._client = OAuth().register(
            "provider",
            client_id=config.oidc_client_id,
            client_secret=config.oidc_client_secret,
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": config.oidc_scope,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
            },
        )

    async def begin(self, redirect_uri: str, next_: str) -> Begun:
        """Send somebody to the provider; raises Problem 503 where it does not answer."""
        try:
            await self._known()
            made = await self._client.create_authorization_url(redirect_uri)
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error
        kept = {name: made[name] for name in ("state", "nonce", "code_verifier")}
        kept |= {"redirect_uri": redirect_uri, "next": next_}
        return Begun(made["url"], self._serializer.dumps(kept))

    async def end(self, kept: str | None, query: Mapping[str, str]) -> tuple[Caller, str]:
        """Who came back from the provider, and where to; raises Problem."""
        try:
            begun = self._serializer.loads(kept or "", max_age=BEGUN_SECONDS)
        except BadData:
            raise _failed(
                "this browser has not begun it here, or more than ten minutes ago"
            ) from None
        if not hmac.compare_digest(begun["state"].encode(), query.get("state", "").encode()):
            raise _failed("the parameter state is not that of the sign-in that was begun")
        if error := query.get("error"):
            said = query.get("error_description") or error
            raise _failed(f"the provider says: {said[:200]}")
        if query.get("iss", self._issuer).rstrip("/") != self._issuer:
            raise _failed(f"the answer is of {query['iss'][:200]!r}, not of {self._issuer}")
        if not (code := query.get("code")):
            raise _failed("the parameter code is missing")
        claims = await self._claims(begun, code)
        return who(claims, self._config), begun["next"]

    async def _known(self) -> dict[str, Any]:
        """What the provider says of itself; it has to be the one that was meant."""
        metadata: dict[str, Any] = await self._client.load_server_metadata()
        if str(metadata.get("issuer")).rstrip("/") != self._issuer:
            said = metadata.get("issuer")
            self._client.server_metadata.clear()
            raise Problem(
                503,
                "unavailable",
                f"the provider at {self._issuer} says that it is {said!r}; "
                "RELAIS_OIDC_ISSUER has to be what it says",
            )
        return metadata

    async def _claims(self, begun: Mapping[str, str], code: str) -> dict[str, Any]:
        try:
            metadata = await self._known()
            token = await self._client.fetch_access_token(
                redirect_uri=begun["redirect_uri"],
                code=code,
                code_verifier=begun["code_verifier"],
            )
            claims = await self._client.parse_id_token(
                token,
                nonce=begun["nonce"],
                claims_options={
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self._config.oidc_client_id},
                },
                leeway=LEEWAY_SECONDS,
            )
            if claims is None:
                raise _failed(
                    "the provider has sent no ID token; is `openid` in RELAIS_OIDC_SCOPE?"
                )
            return await self._completed(dict(claims), token, metadata)
        except (OAuthError, JoseError) as error:
            log.warning("oidc_refused", error=repr(error))
            raise _failed(f"the answer of the provider is not valid ({error})"[:300]) from error
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error

    async def _completed(
        self, claims: dict[str, Any], token: Any, metadata: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Claims with those that only the user info has."""
        if self._config.oidc_roles_claim in claims or "userinfo_endpoint" not in metadata:
            return claims
        more = await self._client.userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise _failed("the user info of the provider is somebody else's")
        return {**more, **claims}

    def _away(self, error: Exception) -> Problem:
        log.warning("oidc_unavailable", error=repr(error))
        return away(f"the provider {self._issuer}", type(error).__name__)


def who(claims: Mapping[str, Any], config: TrackingSettings) -> Caller:
    """Who the claims of a provider are about, with the role of their groups; raises Problem 403."""
    name = next(
        (
            str(claims[claim])
            for claim in (config.oidc_name_claim, "email", "sub")
            if claims.get(claim) and names.is_name(str(claims[claim]))
        ),
        None,
    )
    if name is None:
        said = str(claims.get(config.oidc_name_claim))[:80]
        raise _no_role(f"the claim {config.oidc_name_claim} is {said!r}; it must be {names.FORM}")
    role = _role(name, claims, config)
    if role is not Role.LOCAL:
        return Caller(name, role)
    entity = claims.get(config.oidc_entity_claim)
    if not isinstance(entity, str) or not names.is_id(entity):
        raise _no_role(
            f"{name} is a local operator, and the claim {config.oidc_entity_claim} "
            f"(RELAIS_OIDC_ENTITY_CLAIM) is {str(entity)[:80]!r}; it must be the id of an entity"
        )
    return Caller(name, role, entity)


def _role(name: str, claims: Mapping[str, Any], config: TrackingSettings) -> Role:
    given = claims.get(config.oidc_roles_claim)
    groups = given if isinstance(given, list) else [] if given is None else [given]
    for group, role in config.role_of_group.items():
        if group in groups:
            return role
    told = ", ".join(map(str, groups))[:200] or "nothing"
    accepted = ", ".join(config.role_of_group) or "none; RELAIS_OIDC_ROLES is empty"
    raise _no_role(
        f"{name} has no role here: the claim {config.oidc_roles_claim} has {told}, "
        f"and groups with a role are: {accepted}"
    )


def _no_role(detail: str) -> Problem:
    return Problem(403, "no_role", detail)


def _failed(why: str) -> Problem:
    return Problem(403, "sign_in_failed", f"the sign-in has failed: {why}; begin again at /sign-in")
