"""Errors of the servers and of the settings, explained to the person at the command line."""

import os
import select
import sys
from collections.abc import Callable

from services.cli.problems import INTERRUPTED, MISCONFIGURED, UNAVAILABLE, Problem


def guarded(work: Callable[[], int | None]) -> int:
    """Do the work of a command and return its exit code; print an error that can be explained."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        problem = None if is_unread(error) else explain(error)
        if problem is None:
            raise
        print(f"relais: {problem}", file=sys.stderr)
        return problem.exit_code


def is_unread(error: BaseException) -> bool:
    """Whether an error only means that nobody reads our output any more, as behind `| head`."""
    if not isinstance(error, BrokenPipeError):
        return False
    output = select.poll()
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            output.register(stream.fileno(), 0)
    return bool(output.poll(0))


def explain(error: BaseException) -> Problem | None:
    """An error as a problem with a message; None where only a traceback helps."""
    if isinstance(error, Problem):
        return error
    # Imported here, after the failure, so that no command starts slower for it.
    from services.runtime.amqp.topology import TopologyError
    from services.runtime.postgres.migrate import MigrationError
    from services.runtime.settings import ConfigurationError

    if isinstance(error, ConfigurationError):
        return Problem(str(error), MISCONFIGURED)
    if isinstance(error, MigrationError | TopologyError):
        return Problem(str(error), UNAVAILABLE)
    return _of_database(error) or _of_broker(error) or _of_network(error)


def _of_database(error: BaseException) -> Problem | None:
    import asyncpg

    match error:
        case asyncpg.InvalidCatalogNameError():
            return Problem(f"{error}; create it, and run `relais setup`", UNAVAILABLE)
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            text = (
                f"Postgres refuses the login: {error}; check the user and the password of its URL"
            )
            return Problem(text, MISCONFIGURED)
        case asyncpg.ClientConfigurationError():
            return Problem(
                f"the URL of a database is not valid: {error}; correct it", MISCONFIGURED
            )
        case asyncpg.UndefinedTableError():
            return Problem(f"{error}; run `relais setup`", UNAVAILABLE)
        case asyncpg.InsufficientPrivilegeError():
            return Problem(f"Postgres refuses it: {error}; use a role with that right", UNAVAILABLE)
        case _:
            return None


def _of_broker(error: BaseException) -> Problem | None:
    from aiormq.exceptions import (
        AMQPConnectionError,
        AuthenticationError,
        ChannelAccessRefused,
        ChannelNotFoundEntity,
        InvalidFrameError,
        ProbableAuthenticationError,
    )

    match error:
        case AuthenticationError() | ProbableAuthenticationError():
            text = "RabbitMQ refuses the login; check the user and the password of RELAIS_AMQP_URL"
            return Problem(text, MISCONFIGURED)
        case InvalidFrameError():
            text = (
                "RabbitMQ closes the connection at once: the virtual host of RELAIS_AMQP_URL is "
                "not there, or its user may not use it; correct the last part of the URL"
            )
            return Problem(text, MISCONFIGURED)
        case ChannelAccessRefused():
            return Problem(f"RabbitMQ refuses it: {error}; use a user with that right", UNAVAILABLE)
        case ChannelNotFoundEntity():
            return Problem(f"RabbitMQ lacks something: {error}; run `relais setup`", UNAVAILABLE)
        case AMQPConnectionError():
            text = (
                f"no RabbitMQ answers ({error}); start it, or correct {_where('RELAIS_AMQP_URL')}"
            )
            return Problem(text, UNAVAILABLE)
        case _:
            return None


def _of_network(error: BaseException) -> Problem | None:
    if not isinstance(error, OSError | TimeoutError):
        return None
    if isinstance(error, FileNotFoundError | PermissionError):
        return None
    if cause := error.__cause__:
        explained = _of_broker(cause)
        if explained is not None and explained.exit_code == MISCONFIGURED:
            return explained
    if type(error) is ConnectionError and str(error):
        return Problem(f"{error}; is the stack up?", UNAVAILABLE)
    text = f"Postgres does not answer: {error or 'timed out'}"
    return Problem(f"{text}; start it, or correct {_where('RELAIS_..._POSTGRES_URL')}", UNAVAILABLE)


def _where(variable: str) -> str:
    """What names the servers: the environment, or the file that ./run up wrote."""
    from services.cli import endpoints

    given = any(name.endswith(("AMQP_URL", "POSTGRES_URL")) for name in os.environ)
    return variable if given else f"{endpoints.WRITTEN} with ./run down and ./run up"
