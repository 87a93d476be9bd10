"""One golden sample of each message: a whole envelope as it crosses a boundary."""

from importlib import resources


def sample(wire_type: str) -> bytes:
    """The sample of a message, by its wire name; raises FileNotFoundError."""
    return resources.files(__name__).joinpath(f"{wire_type}.json").read_bytes()


def wire_types() -> list[str]:
    """The wire names of all samples, in order."""
    names = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))
