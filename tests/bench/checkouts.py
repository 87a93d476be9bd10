"""The checkouts whose workers are measured: this one, and another commit beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local import stack
from infra.local.errors import Misconfigured
from tests.bench.place import PROJECT


@dataclass(frozen=True)
class Checkout:
    """A folder of Relais and its command `relais`; suffix ends the names of its figures.

    Everything of another commit is done by its own command: its tables and queues may differ.
    """

    folder: Path
    command: Sequence[str]
    suffix: str = ""


OURS = Checkout(PROJECT, stack.RELAIS)


def chosen(beside: Path | None) -> Sequence[Checkout]:
    """Our checkout, then the one beside it where there is one; raises Misconfigured."""
    if beside is None:
        return (OURS,)
    folder = beside.resolve()
    program = folder / ".venv/bin/relais"
    if not program.is_file():
        raise Misconfigured(
            f"{beside} has no .venv/bin/relais: --beside takes the folder of a checkout of Relais;"
            f" `{folder}/run --help` makes its environment."
        )
    return (OURS, Checkout(folder, (str(program),), "_beside"))
