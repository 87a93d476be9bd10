"""An option for each installed service: how many of its workers a stack runs."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from services.runtime import declared

Command = Callable[..., int]


def per_service(suffix: str = "", *, least: int = 0) -> Callable[[Command], Command]:
    """Give a command the option `--<service><suffix>` of each installed service.

    The command gets the counts, by name of the service, as its parameter `workers`.
    """

    def decorate(command: Command) -> Command:
        options = {f"{name}{suffix.replace('-', '_')}": name for name in declared.names()}

        def run(**given: Any) -> int:
            counts = {name: given.pop(option) for option, name in options.items()}
            return command(**given, workers=counts)

        run.__doc__ = command.__doc__
        run.__name__ = command.__name__
        shown = inspect.signature(command)
        own = [one for name, one in shown.parameters.items() if name != "workers"]
        counted = [_option(option, least) for option in options]
        run.__signature__ = shown.replace(parameters=[*own, *counted])  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in [*own, *counted]}
        return run

    return decorate


def _option(name: str, least: int) -> inspect.Parameter:
    count = typer.Option(min=least, metavar="N", help="How many workers of this service.")
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=1, annotation=Annotated[int, count])
