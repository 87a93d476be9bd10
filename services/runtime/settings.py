"""What a worker is told by its environment: RELAIS_*, each also as RELAIS_*_FILE for secrets."""

import difflib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts import hosts
from services.runtime import declared


class ConfigurationError(Exception):
    """A setting is missing or makes no sense; the message says which and what to do."""


AMQP_FORM = "amqp://user:password@host:port/vhost"
POSTGRES_FORM = "postgresql://user:password@host:port/database"


def url_of(form: str, url: str) -> str:
    """A URL of this form; raises ValueError that shows it without its password."""
    schemes = {form.partition(":")[0], "amqps" if form == AMQP_FORM else "postgres"}
    try:
        fits = all(_fits(urlsplit(one), schemes) for one in hosts.each(url))
    except ValueError:
        fits = False
    if not fits:
        # What is no URL may show a password anywhere but at its end.
        shown = "***" if re.search(r"pass|://[^/@]*:[^/@]*[^/@\d]", url) else url
        raise ValueError(f"must be {form}, not {url.rpartition('@')[2] if '@' in url else shown!r}")
    return url


def _fits(parts: SplitResult, schemes: set[str]) -> bool:
    placed = parts.hostname or "host=" in parts.query
    return parts.scheme in schemes and bool(placed) and (parts.port or 1) > 0


AmqpUrl = Annotated[str, AfterValidator(partial(url_of, AMQP_FORM))]


class Settings(BaseSettings):
    """The settings every service has; a service with more of its own extends this."""

    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="ignore")

    amqp_url: AmqpUrl = Field(description=f"The broker: {AMQP_FORM}")
    lanes: int = Field(default=8, ge=1, le=256, description="Lanes per service; the same for all.")
    prefetch: int = Field(default=1_000, ge=1, le=10_000, description="Messages ahead, per lane.")
    http_host: str = Field(default="127.0.0.1", description="Where health and metrics answer.")
    http_port: int = Field(default=0, ge=0, le=65535, description="Their port; 0 takes any.")
    unknown_wait_seconds: float = Field(
        default=5, ge=0, le=3600, description="How long a command naming something unknown waits."
    )
    inbox_days: int = Field(
        default=30, ge=1, le=36_500, description="How long handled messages are known."
    )
    drain_seconds: float = Field(
        default=15, ge=1, le=3_600, description="How long a stop may take."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which severity on events are logged."
    )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT], **known: str) -> SettingsT:
    """Read settings; raises ConfigurationError that tells of every variable that is wrong.

    known are values that are not for the environment to give.
    """
    meant = [f"{name} is no setting; did you mean {near}?" for name, near in unknown(kind) if near]
    if meant:
        raise ConfigurationError(" ".join(meant))
    found = {
        name: text for name in kind.model_fields if (text := given(variable(name))) is not None
    }
    try:
        return kind(**{**found, **known})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = [_wrong(kind, one) for one in error.errors(include_url=False)]
        raise ConfigurationError("; ".join(wrong)) from None


def _wrong(kind: type[BaseSettings], error: Any) -> str:
    field = str(error["loc"][0])
    name = variable(field)
    if error["type"] == "missing":
        meaning = kind.model_fields[field].description or ""
        return f"{name} is not set; it is {meaning[:1].lower()}{meaning[1:]}"
    text = error["msg"].removeprefix("Value error, ")
    # What a URL holds beside its host is nobody's business; its own sentence shows the rest.
    shown = "" if error["type"] == "value_error" else f" is {error['input']!r};"
    return f"{name}{shown} {text[0].lower()}{text[1:]}"


def variable(field: str) -> str:
    """The name of the variable that holds a setting."""
    return f"RELAIS_{field.upper()}"


def given(name: str) -> str | None:
    """What a variable says, or the file that its twin with _FILE at the end names, for a secret."""
    text, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not path:
        return text
    if text:
        raise ConfigurationError(f"{name} and {name}_FILE are both set; unset one of them")
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{name}_FILE: cannot read {path}: {why}") from None


OF_TOOLS = (
    "INFRA UV LONG DEBUG SERVICES STAND_IN RABBITMQ_ROOT"
    " BROKER_PASSWORD DATABASE_PASSWORD POSTGRES_URL API_URL API_TOKEN"
)
"""Variables of ./run, of tests and of Compose, and the one server of all databases."""


def unknown(*kinds: type[BaseSettings]) -> list[tuple[str, str]]:
    """The variables of our prefix that mean nothing, each with the one that it resembles, or "".

    Only what resembles a setting is surely a mistake: Kubernetes names variables after its own
    services, and a newer release may have settings that this one does not.
    """
    services = [declared.load(name) for name in declared.names()]
    kinds += (Settings, *(service.settings for service in services if service.settings))
    known = {variable(name) for kind in kinds for name in kind.model_fields}
    known |= {variable(name) for name in OF_TOOLS.split()}
    known |= {database_variable(service.name) for service in services}
    names = sorted(name for name in os.environ if name.startswith("RELAIS_"))
    return [
        (name, _nearest(name.removesuffix("_FILE"), known))
        for name in names
        if name.removesuffix("_FILE") not in known
    ]


def _nearest(name: str, known: set[str]) -> str:
    longer = [one for one in sorted(known) if one.startswith(f"{name}_")]
    bare = {one.removeprefix("RELAIS_"): one for one in known}
    close = difflib.get_close_matches(name.removeprefix("RELAIS_"), bare, n=1, cutoff=0.85)
    return (longer or [bare[one] for one in close] or [""])[0]


def database_variable(service: str) -> str:
    """The name of the setting that holds the URL of a service's database."""
    return f"RELAIS_{service.upper()}_POSTGRES_URL"


def database_url(service: str) -> str:
    """The service's own database: RELAIS_<SERVICE>_POSTGRES_URL.

    Without it, the database relais_<service> on the server of RELAIS_POSTGRES_URL.
    """
    own = database_variable(service)
    if given(own):
        return checked(own, POSTGRES_FORM)
    if given("RELAIS_POSTGRES_URL"):
        server = checked("RELAIS_POSTGRES_URL", POSTGRES_FORM)
        return _DATABASE.sub(rf"\1/relais_{service}", server, count=1)
    raise ConfigurationError(f"no database for {service}: set {own} to {POSTGRES_FORM}")


_DATABASE = re.compile(r"(://[^/?#]*)(/[^?#]*)?")


def amqp_url() -> str:
    """The broker: RELAIS_AMQP_URL."""
    return checked("RELAIS_AMQP_URL", AMQP_FORM)


def checked(name: str, form: str) -> str:
    """The URL that a variable holds; raises ConfigurationError where it has not this form."""
    try:
        return url_of(form, given(name) or "")
    except ValueError as error:
        raise ConfigurationError(f"{name} {error}") from None


class Current:
    """A URL as its setting is now: who may log in changes while workers run, in secret files.

    While it cannot be read it is what it was.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._last = read()

    def __call__(self) -> str:
        """It, as a connection asks for it."""
        with suppress(ConfigurationError):
            self._last = self._read()
        return self._last
