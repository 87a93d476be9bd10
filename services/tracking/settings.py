"""Settings of tracking alone: its HTTP API, its limits, and the provider that signs people in."""

from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime import settings
from services.tracking.web.roles import Role


def _site(url: str) -> str:
    """An address without a path, as a browser writes an origin."""
    scheme, separator, place = url.rstrip("/").partition("://")
    if scheme not in {"http", "https"} or not separator or not place or "/" in place:
        raise ValueError(f"must be https://host or http://host:port, without a path, not {url!r}")
    return f"{scheme}://{place.lower()}"


def _issuer(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"must be the https:// address of a provider, not {url!r}")
    return url


def _mapping(text: str) -> str:
    pairs = [pair.partition("=") for pair in text.split()]
    roles = {role.value for role in Role}
    for group, _, role in pairs:
        if not group or role not in roles:
            raise ValueError(
                "must be GROUP=ROLE, several with blanks between, each role one of "
                f"{', '.join(sorted(roles))}; {f'{group}={role}'!r} is not"
            )
    return text


class TrackingSettings(BaseSettings):
    """What is particular to tracking."""

    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="ignore")

    public_url: Annotated[str, AfterValidator(_site)] | None = Field(
        default=None,
        description="The address that people open, such as https://relais.example.com; "
        "without it that of each request.",
    )
    request_bytes: int = Field(
        default=2_097_152, ge=1_024, le=67_108_864, description="The longest body of a request."
    )
    requests_per_second: float = Field(
        default=100, gt=0, le=1_000_000, description="Of one caller, in one process, on average."
    )
    streams_per_caller: int = Field(
        default=10, ge=1, le=100_000, description="Streams that one caller has open in a process."
    )
    streams: int = Field(
        default=1_000, ge=1, le=100_000, description="Streams that a process has open."
    )
    answer_seconds: float = Field(
        default=20, ge=1, le=600, description="How long a request waits for its answer to begin."
    )
    session_hours: float = Field(
        default=12, gt=0, le=8_760, description="How long a browser stays signed in at most."
    )
    session_idle_minutes: float = Field(
        default=60, ge=2, le=525_600, description="How long it stays so without a request."
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None, description="The OpenID provider that signs people in; without it, passwords."
    )
    oidc_client_id: str | None = Field(default=None, description="What it calls this installation.")
    oidc_client_secret: str | None = Field(default=None, description="The secret of that client.")
    oidc_scope: str = Field(
        default="openid profile email", description="What the provider is asked for."
    )
    oidc_name_claim: str = Field(
        default="preferred_username", description="The claim that holds the name of a person."
    )
    oidc_roles_claim: str = Field(
        default="groups", description="The claim that holds the groups or roles of a person."
    )
    oidc_roles: Annotated[str, AfterValidator(_mapping)] = Field(
        default="",
        description="Which group has which role, such as `hq=central it=operations`; "
        "the first that fits counts.",
    )
    oidc_entity_claim: str = Field(
        default="entity", description="The claim that holds the entity of a local operator."
    )

    @property
    def role_of_group(self) -> dict[str, Role]:
        """The roles of groups, in the order in which they count."""
        pairs = (pair.partition("=") for pair in self.oidc_roles.split())
        return {group: Role(role) for group, _, role in pairs}


@cache
def load() -> TrackingSettings:
    """The settings, read once."""
    return settings.load(TrackingSettings)
