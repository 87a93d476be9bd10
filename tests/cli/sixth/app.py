"""The wiring of the sixth service."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.service import Service

from . import handlers


class SixthSettings(BaseSettings):
    """What is particular to the sixth service."""

    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="ignore")

    sixth_greeting: str = Field(default="hello", description="What a guest hears.")


SERVICE = Service(
    name="sixth",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    settings=SixthSettings,
)
