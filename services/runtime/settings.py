"""What a worker is told by its environment: RELAIS_*, each also as RELAIS_*_FILE for secrets."""

import os
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigurationError(Exception):
    """A setting is missing or makes no sense; the message says which and what to do."""


class Settings(BaseSettings):
    """The settings every service has; a service with more of its own extends this."""

    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="ignore")

    amqp_url: str = Field(description="The broker: amqp://user:password@host:port/vhost")
    lanes: int = Field(default=8, ge=1, le=256, description="Lanes per service; the same for all.")
    prefetch: int = Field(default=1_000, ge=1, le=10_000, description="Messages ahead, per lane.")
    http_host: str = Field(default="127.0.0.1", description="Where health and metrics answer.")
    http_port: int = Field(default=0, ge=0, le=65535, description="Their port; 0 takes any.")
    unknown_wait_seconds: float = Field(
        default=5, ge=0, le=3600, description="How long a command naming something unknown waits."
    )
    inbox_days: int = Field(default=30, ge=1, description="How long handled messages are known.")
    drain_seconds: float = Field(default=15, ge=1, description="How long a stop may take.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which severity on events are logged."
    )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read settings; raises ConfigurationError naming the variable."""
    read_secret_files()
    try:
        return kind()
    except ValidationError as error:
        first = error.errors()[0]
        name = "RELAIS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(
            f"{name}: {first['msg'].lower()}; set it and start again"
        ) from None


def read_secret_files() -> None:
    """Let RELAIS_X_FILE name a file that holds RELAIS_X."""
    for name, path in list(os.environ.items()):
        if not (name.startswith("RELAIS_") and name.endswith("_FILE")):
            continue
        try:
            os.environ.setdefault(name.removesuffix("_FILE"), Path(path).read_text().strip())
        except OSError as error:
            raise ConfigurationError(f"{name}: cannot read {path}: {error.strerror}") from None


def database_url(service: str) -> str:
    """The service's own database: RELAIS_<SERVICE>_POSTGRES_URL.

    Without it, the database relais_<service> on the server of RELAIS_POSTGRES_URL.
    """
    read_secret_files()
    own = f"RELAIS_{service.upper()}_POSTGRES_URL"
    if url := os.environ.get(own):
        return url
    if server := os.environ.get("RELAIS_POSTGRES_URL"):
        return urlunsplit(urlsplit(server)._replace(path=f"/relais_{service}"))
    raise ConfigurationError(
        f"no database for {service}: set {own} to postgresql://user:password@host:port/database"
    )
