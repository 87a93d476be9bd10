"""What a worker is told by its environment: RELAIS_*, each also as RELAIS_*_FILE for secrets."""

import os
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigurationError(Exception):
    """A setting is missing or makes no sense; the message says which and what to do."""


AMQP_FORM = "amqp://user:password@host:port/vhost"
POSTGRES_FORM = "postgresql://user:password@host:port/database"


def url_of(form: str, url: str) -> str:
    """A URL of this form; raises ValueError that shows it without its password."""
    schemes = {form.partition(":")[0], "amqps" if form == AMQP_FORM else "postgres"}
    try:
        parts = urlsplit(url)
        placed = parts.hostname or "host=" in parts.query
        fits = parts.scheme in schemes and bool(placed) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        # What is no URL may show a password anywhere but at its end.
        shown = "***" if re.search(r"pass|://[^/@]*:[^/@]*[^/@\d]", url) else url
        raise ValueError(f"must be {form}, not {url.rpartition('@')[2] if '@' in url else shown!r}")
    return url


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


def load(kind: type[SettingsT]) -> SettingsT:
    """Read settings; raises ConfigurationError that tells of every variable that is wrong."""
    read_secret_files()
    try:
        return kind()
    except ValidationError as error:
        wrong = [_wrong(kind, one) for one in error.errors(include_url=False)]
        raise ConfigurationError("; ".join(wrong)) from None


def _wrong(kind: type[BaseSettings], error: Any) -> str:
    field = str(error["loc"][0])
    name = f"RELAIS_{field.upper()}"
    if error["type"] == "missing":
        meaning = kind.model_fields[field].description or ""
        return f"{name} is not set; it is {meaning[:1].lower()}{meaning[1:]}"
    text = error["msg"].removeprefix("Value error, ")
    # What a URL holds beside its host is nobody's business; its own sentence shows the rest.
    shown = "" if error["type"] == "value_error" else f" is {error['input']!r};"
    return f"{name}{shown} {text[0].lower()}{text[1:]}"


def read_secret_files() -> None:
    """Let RELAIS_X_FILE name a file that holds RELAIS_X."""
    for name, path in list(os.environ.items()):
        if not (name.startswith("RELAIS_") and name.endswith("_FILE")):
            continue
        try:
            os.environ.setdefault(name.removesuffix("_FILE"), Path(path).read_text().strip())
        except OSError as error:
            raise ConfigurationError(f"{name}: cannot read {path}: {error.strerror}") from None


def database_variable(service: str) -> str:
    """The name of the setting that holds the URL of a service's database."""
    return f"RELAIS_{service.upper()}_POSTGRES_URL"


def database_url(service: str) -> str:
    """The service's own database: RELAIS_<SERVICE>_POSTGRES_URL.

    Without it, the database relais_<service> on the server of RELAIS_POSTGRES_URL.
    """
    read_secret_files()
    own = database_variable(service)
    if os.environ.get(own):
        return checked(own, POSTGRES_FORM)
    if os.environ.get("RELAIS_POSTGRES_URL"):
        server = urlsplit(checked("RELAIS_POSTGRES_URL", POSTGRES_FORM))
        return urlunsplit(server._replace(path=f"/relais_{service}"))
    raise ConfigurationError(f"no database for {service}: set {own} to {POSTGRES_FORM}")


def checked(variable: str, form: str) -> str:
    """The URL that a variable holds; raises ConfigurationError where it has not this form."""
    try:
        return url_of(form, os.environ.get(variable, ""))
    except ValueError as error:
        raise ConfigurationError(f"{variable} {error}") from None
