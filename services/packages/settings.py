"""Settings of the packages service alone."""

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime import settings


class PackagesSettings(BaseSettings):
    """What is particular to packages."""

    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="ignore")

    stalled_after_seconds: float = Field(
        default=60,
        gt=0,
        le=31_536_000,
        description="How long a cancel may take before it is announced as stalled.",
    )


@cache
def load() -> PackagesSettings:
    """The settings, read once."""
    return settings.load(PackagesSettings)
